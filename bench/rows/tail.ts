// Tail latency under a steady load, and what the garbage collector has to do with it.
import type { RunningEngine } from '../lib/engine.ts'
import { measureCpu } from '../lib/engine.ts'
import { LoadProcess } from '../lib/load-process.ts'
import { request } from '../lib/requests.ts'
import { cpuMetric, type Metric, type Outcome, type Row } from '../lib/row.ts'
import { percentile } from '../lib/statistics.ts'
import { failureOf } from '../lib/stream.ts'

const PARTS = [20, 50, 80] as const
const SIZE = 16
const STEADY_RATE = 200_000
const STEADY_SECONDS = 60
const PROBES_PER_SECOND = 1000

const lower = (key: string, label: string, more: Partial<Metric> = {}): Metric => ({
  key,
  label,
  better: 'lower',
  ...more,
})
const pauseOf = (pauses: readonly number[], from: number): number => Math.max(0, ...pauses.slice(from))

export const tail: Row = {
  name: 'tail',
  title: 'request/reply at 20, 50 and 80 % of the slower server’s saturation, latency in ms',
  metrics: [
    ...PARTS.flatMap((part) => [
      lower(`p50-${part}`, `${part}% p50`),
      lower(`p99-${part}`, `${part}% p99`, { target: 1 }),
      lower(`p999-${part}`, `${part}% p99.9`),
    ]),
    lower('gc', 'GC pause ms'),
    cpuMetric(),
  ],
  workUnit: 'request',
  warmUp: 2000,
  ceiling: false,
  traceGc: true,
  prepare() {
    const load = { requester: new LoadProcess('requester'), responder: new LoadProcess('responder') }
    /** The most each server has answered per second, during the warm-ups. */
    const saturation = new Map<RunningEngine, number>()
    return {
      async run(server, amount): Promise<Outcome> {
        // Known before the counted runs, since the runner warms every server up; the load is the same for all.
        if (!saturation.has(server)) {
          const requests = Math.round(amount)
          const done = await request(server, load, { size: SIZE, requests, outstanding: 64 })
          saturation.set(server, done.amount / done.seconds)
        }
        const slowest = Math.min(...saturation.values())
        const values: Record<string, number> = {}
        const seen = server.pauses.length
        const sum = { amount: 0, seconds: 0, work: 0, serverCpu: 0, machineCpu: 0, loadCpu: 0 }
        for (const part of PARTS) {
          const rate = (slowest * part) / 100
          const requests = Math.max(100, Math.round(((amount / slowest) * rate) / PARTS.length))
          const done = await request(server, load, { size: SIZE, requests, outstanding: 0, rate })
          for (const [key, p] of [
            ['p50', 50],
            ['p99', 99],
            ['p999', 99.9],
          ] as const)
            values[`${key}-${part}`] = percentile(done.latencies, p) / 1000
          for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += done[key]
        }
        values['gc'] = pauseOf(server.pauses, seen)
        return { ...sum, values }
      },
      async close() {
        await Promise.all([load.requester.stop(), load.responder.stop()])
      },
    }
  },
}

export const steady: Row = {
  name: 'steady-60s',
  title: `${STEADY_RATE / 1000} k msgs/s for ${STEADY_SECONDS} s, round trips of ${PROBES_PER_SECOND} requests per second beside them`,
  metrics: [
    lower('p50', 'p50 ms'),
    lower('p99', 'p99 ms'),
    lower('p999', 'p99.9 ms'),
    lower('most', 'longest ms'),
    lower('gc', 'GC pause ms', { limit: 20 }),
    cpuMetric(),
  ],
  workUnit: 'msg',
  warmUp: STEADY_RATE,
  amount: STEADY_RATE * STEADY_SECONDS,
  mostRuns: 1,
  ceiling: false,
  traceGc: true,
  onlyByName: true,
  prepare() {
    const publisher = new LoadProcess('publisher')
    const subscriber = new LoadProcess('subscriber')
    const load = { requester: new LoadProcess('requester'), responder: new LoadProcess('responder') }
    return {
      async run(server, amount): Promise<Outcome> {
        const at = { port: server.port }
        const shape = { subject: 'bench.steady', size: SIZE }
        await subscriber.ask({ do: 'subscribe', at, connections: 1, ...shape, expect: amount }, 'ready')
        await publisher.ask(
          { do: 'publish-ready', at, connections: 1, subjects: shape.subject, size: SIZE },
          'ready',
        )
        const seen = server.pauses.length
        const used = measureCpu(server)
        const receiving = subscriber.ask(null, 'received')
        receiving.catch(() => {})
        const requests = Math.round((amount / STEADY_RATE) * PROBES_PER_SECOND)
        const [, probes] = await Promise.race([
          Promise.all([
            publisher.ask(
              { do: 'publish', messages: amount, window: Number.MAX_SAFE_INTEGER, rate: STEADY_RATE },
              'published',
            ),
            request(server, load, { size: SIZE, requests, outstanding: 0, rate: PROBES_PER_SECOND }),
          ]),
          failureOf(receiving),
        ])
        subscriber.tell({ do: 'settle' })
        const received = await receiving
        const cpu = used()
        await subscriber.ask(null, 'settled')
        await Promise.all([
          publisher.ask({ do: 'close' }, 'closed'),
          subscriber.ask({ do: 'close' }, 'closed'),
        ])
        const latency = (p: number): number => percentile(probes.latencies, p) / 1000
        return {
          amount,
          seconds: probes.seconds,
          work: received.messages,
          serverCpu: cpu.server,
          machineCpu: cpu.machine,
          loadCpu: received.cpu + probes.loadCpu,
          values: {
            p50: latency(50),
            p99: latency(99),
            p999: latency(99.9),
            most: latency(100),
            gc: pauseOf(server.pauses, seen),
          },
        }
      },
      async close() {
        const all = [publisher, subscriber, load.requester, load.responder]
        await Promise.all(all.map((one) => one.stop()))
      },
    }
  },
}
