// Round trips: a requester in one process, a service in another.
import { measureCpu, type RunningEngine } from './engine.ts'
import { LoadProcess } from './load-process.ts'
import { cpuMetric, memoryMetric, type Outcome, type Row, type Session } from './row.ts'
import { percentile } from './statistics.ts'
import { endpoint } from './stream.ts'

export interface RequestShape {
  /** Requests under way at a time. */
  outstanding: number
  /** Payload of request and response, bytes. */
  size: number
  /** Users, and so accounts, of the two sides. */
  users?: { requester: string; responder: string }
}

const SUBJECT = 'bench.service'

export function requestRow(
  name: string,
  title: string,
  shape: RequestShape,
  targets: { rate?: number; latency?: number; cpu?: number },
  more: Pick<Row, 'config'> = {},
): Row {
  const target = (value: number | undefined) => (value === undefined ? {} : { target: value })
  return {
    name,
    title,
    metrics: [
      { key: 'rate', label: 'req/s', better: 'higher', ...target(targets.rate) },
      { key: 'p50', label: 'p50 ms', better: 'lower', ...target(targets.latency) },
      { key: 'p99', label: 'p99 ms', better: 'lower', ...target(targets.latency) },
      cpuMetric(targets.cpu),
      memoryMetric,
    ],
    workUnit: 'request',
    warmUp: 1000,
    ...more,
    prepare: () => openRequests(shape),
  }
}

function openRequests(shape: RequestShape): Session {
  const { size, outstanding, users } = shape
  const requester = new LoadProcess('requester')
  const responder = new LoadProcess('responder')
  return {
    async run(server, amount): Promise<Outcome> {
      const requests = Math.max(outstanding, Math.round(amount))
      const outcome = await request(
        server,
        { requester, responder },
        { size, requests, outstanding, ...(users === undefined ? {} : { users }) },
      )
      return {
        ...outcome,
        values: {
          rate: requests / outcome.seconds,
          p50: percentile(outcome.latencies, 50) / 1000,
          p99: percentile(outcome.latencies, 99) / 1000,
        },
      }
    },
    async close() {
      await Promise.all([requester.stop(), responder.stop()])
    },
  }
}

/** One run: `requests` of them, at a rate or as many at a time as `outstanding` says. Latencies are microseconds. */
export async function request(
  server: RunningEngine,
  { requester, responder }: { requester: LoadProcess; responder: LoadProcess },
  {
    size,
    requests,
    outstanding,
    rate,
    users,
  }: { size: number; requests: number; outstanding: number; rate?: number; users?: RequestShape['users'] },
): Promise<Omit<Outcome, 'values'> & { latencies: readonly number[]; behind: number }> {
  await responder.ask(
    { do: 'respond', at: endpoint(server, undefined, users?.responder), subject: SUBJECT, size },
    'ready',
  )
  await requester.ask(
    { do: 'request-ready', at: endpoint(server, undefined, users?.requester), subject: SUBJECT, size },
    'ready',
  )
  const used = measureCpu(server)
  const done = await requester.ask(
    { do: 'request', requests, outstanding, ...(rate === undefined ? {} : { rate }) },
    'requested',
  )
  const cpu = used()
  server.assertAlive()
  await Promise.all([requester.ask({ do: 'close' }, 'closed'), responder.ask({ do: 'close' }, 'closed')])
  return {
    amount: requests,
    seconds: (done.end - done.start) / 1e9,
    work: requests,
    serverCpu: cpu.server,
    machineCpu: cpu.machine,
    loadCpu: done.cpu,
    latencies: done.latencies,
    behind: done.behind,
  }
}
