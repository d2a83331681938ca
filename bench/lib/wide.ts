// Latency of wide fan-out: one message to very many subscribers, the time until the last one has it.
import { measureCpu } from './engine.ts'
import { LoadProcess } from './load-process.ts'
import { cpuMetric, memoryMetric, type Outcome, type Row } from './row.ts'
import { percentile } from './statistics.ts'

export function wideRow(name: string, subscribers: number, targets: { latency: number; cpu: number }): Row {
  const latency = (key: string): Row['metrics'][number] => ({
    key,
    label: `${key} ms`,
    better: 'lower',
    target: targets.latency,
  })
  return {
    name,
    title: `1 message to ${subscribers} subscribers, until all have it, 16 B`,
    metrics: [latency('p50'), latency('p99'), cpuMetric(targets.cpu), memoryMetric],
    workUnit: 'delivery',
    warmUp: 30,
    prepare() {
      const load = new LoadProcess('wide')
      return {
        async run(server, amount): Promise<Outcome> {
          const { port } = server
          const rounds = Math.max(10, Math.round(amount))
          await load.ask(
            { do: 'wide-ready', at: { port }, connections: subscribers, subject: 'bench.wide', size: 16 },
            'ready',
          )
          const used = measureCpu(server)
          const done = await load.ask({ do: 'wide', rounds }, 'wide')
          const cpu = used()
          server.assertAlive()
          await load.ask({ do: 'close' }, 'closed')
          return {
            amount: rounds,
            seconds: (done.end - done.start) / 1e9,
            work: rounds * subscribers,
            serverCpu: cpu.server,
            machineCpu: cpu.machine,
            loadCpu: done.cpu,
            values: {
              p50: percentile(done.latencies, 50) / 1000,
              p99: percentile(done.latencies, 99) / 1000,
            },
          }
        },
        close: () => load.stop(),
      }
    },
  }
}
