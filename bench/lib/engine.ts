// Starts and meters the servers under measurement. CPU time and memory come from /proc, so this part needs Linux.
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server executable that takes nats-server's flags. */
export interface EngineSpec {
  readonly name: string
  readonly path: string
}

export interface RunningEngine {
  readonly name: string
  readonly port: number
  readonly pid: number
  /** Processor time of all its threads so far, user and system, microseconds (ten milliseconds resolution). */
  cpu(): number
  /** Resident memory, bytes. */
  memory(): number
  /** Throws with the log's end when the process has ended. */
  assertAlive(): void
  stop(): Promise<void>
}

const ticksPerSecond = process.platform === 'linux' ? Number(execFileSync('getconf', ['CLK_TCK'])) : 100
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

/** Starts `spec` with the configuration file; resolves when it has written its ports file. */
export async function startEngine(spec: EngineSpec, config: string, dir: string): Promise<RunningEngine> {
  const portsDir = join(dir, `ports-${basename(spec.path)}-${process.hrtime.bigint()}`)
  mkdirSync(portsDir)
  const child = spawn(spec.path, ['-c', config, '--ports_file_dir', portsDir], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Not in the terminal's foreground group: the bench stops it, not Ctrl-C.
    detached: true,
  })
  let log = ''
  const keep = (chunk: Buffer): void => {
    log = (log + chunk.toString()).slice(-4000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const failure = once(child, 'error').then(([error]) => {
    throw error
  })
  failure.catch(() => {})
  const port = await Promise.race([portFrom(portsDir, child, () => log), failure])
  return meter(spec.name, port, child, () => log)
}

async function portFrom(dir: string, child: ChildProcess, log: () => string): Promise<number> {
  for (let tries = 0; tries < 1000; tries++) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${log()}`)
    const file = readdirSync(dir).find((name) => name.endsWith('.ports'))
    if (file !== undefined) {
      try {
        const { nats } = JSON.parse(readFileSync(join(dir, file), 'utf8')) as { nats: string[] }
        return Number(new URL(nats[0]!).port)
      } catch (error) {
        // Read while it was written; the next look sees it whole.
        if (!(error instanceof SyntaxError)) throw error
      }
    }
    await sleep(10)
  }
  throw new Error(`the server wrote no ports file within 10 s:\n${log()}`)
}

/** The do-nothing server of load/sink.ts, as an engine. */
export async function startSink(): Promise<RunningEngine> {
  const child = fork(join(import.meta.dirname, '../load/sink.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [port] = (await once(child, 'message')) as [number]
  return meter('sink', port, child, () => '')
}

function meter(name: string, port: number, child: ChildProcess, log: () => string): RunningEngine {
  const pid = child.pid!
  running.add(child)
  child.once('exit', () => running.delete(child))
  return {
    name,
    port,
    pid,
    cpu() {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // Fields after the command's name, which may hold blanks itself: utime and stime are the 12th and 13th of them.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6
    },
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
