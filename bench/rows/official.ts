// The official `nats bench` as load: a second opinion on the rows of our own generator.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { measureCpu, type RunningEngine } from '../lib/engine.ts'
import { cpuMetric, memoryMetric, type Outcome, type Row } from '../lib/row.ts'

const NATS = join(import.meta.dirname, '../../.peers/bin/nats')
const LIMIT_MS = 60_000
const SUBJECT = 'bench.official'

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

interface Program {
  readonly child: ChildProcess
  /** What it has said so far. */
  text(): string
  /** Resolves when it has said this. */
  said(pattern: RegExp): Promise<void>
  /** Resolves with all it said; rejects when it fails. */
  done(): Promise<string>
}

function nats(server: RunningEngine, args: readonly string[]): Program {
  if (!existsSync(NATS)) throw new Error('the program nats is missing: npm run peers builds it (needs Go)')
  const child = spawn(NATS, [
    '--no-context',
    '-s',
    `nats://127.0.0.1:${server.port}`,
    'bench',
    ...args,
    '--no-progress',
  ])
  let text = ''
  let look: () => void = () => {}
  const keep = (chunk: Buffer): void => {
    text += chunk.toString()
    look()
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
  const closed = once(child, 'close').finally(() => clearTimeout(timer))
  running.add(child)
  child.once('exit', () => running.delete(child))
  return {
    child,
    text: () => text,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        look = () => pattern.test(text) && resolve()
        closed.then(() => reject(new Error(`nats bench ${args.join(' ')} ended early:\n${text}`)), reject)
        look()
      }),
    async done() {
      const [code] = await closed
      if (code !== 0) throw new Error(`nats bench ${args.join(' ')} ended with ${code}:\n${text}`)
      return text
    },
  }
}

/** The last rate the program printed, messages per second. */
function rateIn(text: string): number {
  const rates = [...text.matchAll(/stats: ([\d,]+) msgs\/sec/g)]
  const last = rates.at(-1)?.[1]
  if (last === undefined) throw new Error(`nats bench printed no rate:\n${text}`)
  return Number(last.replaceAll(',', ''))
}

/** `work` starts the programs and resolves with the rate. */
function officialRow(
  name: string,
  title: string,
  target: number,
  warmUp: number,
  work: (server: RunningEngine, messages: number, size: readonly string[]) => Promise<Record<string, number>>,
): Row {
  return {
    name,
    title,
    metrics: [
      { key: 'rate', label: 'msgs/s', better: 'higher', target },
      ...(name === 'official-request'
        ? ([
            { key: 'p50', label: 'p50 ms', better: 'lower', target: 1 },
            { key: 'p99', label: 'p99 ms', better: 'lower', target: 1 },
          ] as const)
        : []),
      cpuMetric(),
      memoryMetric,
    ],
    workUnit: 'msg',
    warmUp,
    ceiling: false,
    prepare: () => ({
      async run(server, amount): Promise<Outcome> {
        const messages = Math.max(100, Math.round(amount))
        const used = measureCpu(server)
        const values = await work(server, messages, ['--size', '16'])
        const cpu = used()
        return {
          amount: messages,
          seconds: messages / values['rate']!,
          work: messages,
          serverCpu: cpu.server,
          machineCpu: cpu.machine,
          loadCpu: 0,
          values,
        }
      },
      close: async () => {},
    }),
  }
}

async function receive(
  server: RunningEngine,
  messages: number,
  size: readonly string[],
): Promise<[Program, string]> {
  const subscriber = nats(server, ['sub', SUBJECT, '--msgs', `${messages}`, ...size])
  await subscriber.said(/Starting Core NATS subscriber, expecting/)
  // It says so before its SUB has reached the server; the publisher needs far longer to start than that takes.
  const published = await nats(server, ['pub', SUBJECT, '--msgs', `${messages}`, ...size]).done()
  await subscriber.done()
  return [subscriber, published]
}

export const official: readonly Row[] = [
  officialRow('official-pub', 'nats bench pub, 16 B', 1, 200_000, async (server, messages, size) => ({
    rate: rateIn(await nats(server, ['pub', SUBJECT, '--msgs', `${messages}`, ...size]).done()),
  })),
  officialRow(
    'official-sub',
    'nats bench sub while another publishes, 16 B',
    1,
    200_000,
    async (server, messages, size) => {
      const [subscriber] = await receive(server, messages, size)
      return { rate: rateIn(subscriber.text()) }
    },
  ),
  officialRow(
    'official-request',
    'nats bench service request, one outstanding, 16 B',
    1,
    1000,
    async (server, messages, size) => {
      const service = nats(server, ['service', 'serve', SUBJECT, ...size])
      try {
        await service.said(/hit control-c to stop/)
        const text = await nats(server, [
          'service',
          'request',
          SUBJECT,
          '--msgs',
          `${messages}`,
          ...size,
        ]).done()
        const time = (name: string): number =>
          Number(new RegExp(`${name}: ([\\d.,]+)us`).exec(text)?.[1]?.replaceAll(',', '') ?? Number.NaN) /
          1000
        return { rate: rateIn(text), p50: time('P50'), p99: time('P99') }
      } finally {
        service.child.kill('SIGKILL')
        await service.done().catch(() => {})
      }
    },
  ),
]
