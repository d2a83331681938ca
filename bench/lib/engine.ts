// Starts and meters the servers under measurement. CPU time and memory come from /proc, so this part needs Linux.
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

/** A server executable that takes nats-server's flags. */
export interface EngineSpec {
  readonly name: string
  readonly path: string
  /** Reports the pauses of its garbage collector, see {@link RunningEngine.pauses}. */
  readonly traceGc?: boolean
}

export interface RunningEngine {
  readonly name: string
  readonly port: number
  readonly pid: number
  /** Of its WebSocket listener; 0 without one. */
  readonly websocketPort: number
  /** From the start of the process until a client got INFO, milliseconds. */
  readonly readyMs: number
  /** Pauses of the garbage collector so far, milliseconds; with `traceGc` only. */
  readonly pauses: readonly number[]
  /** Processor time of all its threads so far, user and system, microseconds. */
  cpu(): number
  /** Resident memory, bytes. */
  memory(): number
  /** Throws with the log's end when the process has ended. */
  assertAlive(): void
  stop(): Promise<void>
}

const ticksPerSecond = process.platform === 'linux' ? Number(execFileSync('getconf', ['CLK_TCK'])) : 100
/** Longest wait for a server to be ready, ms; ten thousand accounts take their time. */
const START_LIMIT = 60_000
const running = new Set<ChildProcess>()

/** Whatever happens to the bench, no server outlives it. */
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Processor time of a server, and of everything that runs on this machine, microseconds. */
export interface CpuUse {
  readonly server: number
  readonly machine: number
}

/** Starts to measure; the function it returns gives what was used since. */
export function measureCpu(server: RunningEngine): () => CpuUse {
  const before = { server: server.cpu(), machine: machineCpu() }
  return () => ({ server: server.cpu() - before.server, machine: machineCpu() - before.machine })
}

function machineCpu(): number {
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8')
    .slice(0, 300)
    .split('\n')[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return ((user! + nice! + system! + irq! + softirq!) / ticksPerSecond) * 1e6
}

/** What `EXECUTABLE -v` prints, or the reason why it does not run. */
export function versionOf(spec: EngineSpec): string {
  try {
    return execFileSync(spec.path, ['-v'], { encoding: 'utf8', timeout: 10_000 }).trim()
  } catch (error) {
    throw new Error(
      `${spec.path} -v failed: ${error instanceof Error ? error.message.split('\n')[0] : error}`,
    )
  }
}

/** What either engine needs to tell about its garbage collector: Go's own variable, and a module that Node loads first. */
const GC_ENV = {
  GODEBUG: 'gctrace=1',
  NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, '../load/gc-trace.mjs'))}`,
}

/** Starts `spec` with the configuration file; resolves when it accepts clients and has written its ports file. */
export async function startEngine(spec: EngineSpec, config: string, dir: string): Promise<RunningEngine> {
  const portsDir = join(dir, `ports-${basename(spec.path)}-${process.hrtime.bigint()}`)
  mkdirSync(portsDir)
  const begin = performance.now()
  const child = spawn(spec.path, ['-c', config, '--ports_file_dir', portsDir], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Not in the terminal's foreground group: the bench stops it, not Ctrl-C.
    detached: true,
    env: spec.traceGc === true ? { ...process.env, ...GC_ENV } : process.env,
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  let log = ''
  const pauses: number[] = []
  /** A line whose end has not come yet: Go writes its trace in pieces. */
  let begun = ''
  const keep = (chunk: Buffer): void => {
    const text = chunk.toString()
    log = (log + text).slice(-4000)
    if (spec.traceGc !== true) return
    const end = text.lastIndexOf('\n') + 1
    if (end > 0) pauses.push(...pausesIn(begun + text.slice(0, end)))
    begun = (end > 0 ? '' : begun) + text.slice(end)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const failure = once(child, 'error').then(([error]) => {
    throw error
  })
  failure.catch(() => {})
  const ports = await Promise.race([portsFrom(portsDir, child, () => log), failure])
  await greeting(ports.nats)
  const readyMs = performance.now() - begin
  return meter(spec.name, child, () => log, { ...ports, readyMs, pauses })
}

/** `gc <ms>` of load/gc-trace.mjs, and the two stop-the-world parts of a line of Go's gctrace. */
function pausesIn(text: string): number[] {
  const found = [...text.matchAll(/^gc ([\d.]+)$/gm)].map(([, ms]) => Number(ms))
  for (const [, first, second] of text.matchAll(/^gc \d+ @.*: ([\d.]+)\+[\d.]+\+([\d.]+) ms clock/gm))
    found.push(Number(first), Number(second))
  return found
}

interface Ports {
  nats: number
  websocket: number
}

async function portsFrom(dir: string, child: ChildProcess, log: () => string): Promise<Ports> {
  const end = performance.now() + START_LIMIT
  while (performance.now() < end) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${log()}`)
    const file = readdirSync(dir).find((name) => name.endsWith('.ports'))
    if (file !== undefined) {
      try {
        const { nats, websocket } = JSON.parse(readFileSync(join(dir, file), 'utf8')) as {
          nats: string[]
          websocket?: string[]
        }
        const port = (url: string | undefined): number => (url === undefined ? 0 : Number(new URL(url).port))
        return { nats: port(nats[0]), websocket: port(websocket?.[0]) }
      } catch (error) {
        // Read while it was written; the next look sees it whole.
        if (!(error instanceof SyntaxError)) throw error
      }
    }
    await sleep(1)
  }
  throw new Error(`the server wrote no ports file within ${START_LIMIT / 1000} s:\n${log()}`)
}

/** Resolves with the first byte the server says. */
async function greeting(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'data')
  socket.destroy()
}

/** The do-nothing server of load/sink.ts, as an engine. */
export async function startSink(): Promise<RunningEngine> {
  const child = fork(join(import.meta.dirname, '../load/sink.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [port] = (await once(child, 'message')) as [number]
  running.add(child)
  child.once('exit', () => running.delete(child))
  return meter('sink', child, () => '', { nats: port, websocket: 0, readyMs: 0, pauses: [] })
}

/** Of all threads that live, from the scheduler, which counts nanoseconds; ticks of ten milliseconds where the kernel keeps no such figures. */
function cpuOf(pid: number): number {
  let nanoseconds = 0
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  } catch {
    // No such figures, or a thread ended between the two reads.
    nanoseconds = 0
  }
  if (nanoseconds > 0) return nanoseconds / 1000
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // Fields after the command's name, which may hold blanks itself: utime and stime are the 12th and 13th of them.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6
}

function meter(
  name: string,
  child: ChildProcess,
  log: () => string,
  { nats, websocket, readyMs, pauses }: Ports & { readyMs: number; pauses: readonly number[] },
): RunningEngine {
  const pid = child.pid!
  return {
    name,
    port: nats,
    websocketPort: websocket,
    pid,
    readyMs,
    pauses,
    cpu: () => cpuOf(pid),
    memory() {
      const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
      return Number(match?.[1] ?? 0) * 1024
    },
    assertAlive() {
      if (child.exitCode === null && child.signalCode === null) return
      throw new Error(`${name} ended (${child.exitCode ?? child.signalCode}) during a run:\n${log()}`)
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
      child.kill('SIGTERM')
      await gone
      clearTimeout(timer)
    },
  }
}
