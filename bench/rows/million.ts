// A million subscriptions, a tenth with `*` and a tenth with `>`.
import type { RunningEngine } from '../lib/engine.ts'
import { cpuMetric, type Row } from '../lib/row.ts'
import { SpreadLoad } from '../lib/spread.ts'
import type { SubjectKind } from '../load/subjects.ts'

const MILLION = 1_000_000

function millionRow(name: string, title: string, kind: SubjectKind): Row {
  return {
    name,
    title,
    metrics: [
      { key: 'rate', label: 'msgs/s', better: 'higher', target: 1 },
      cpuMetric(),
      { key: 'memory', label: 'RSS MB', better: 'lower', target: 1 },
      { key: 'each', label: 'bytes/sub', better: 'lower' },
    ],
    workUnit: 'msg',
    warmUp: 50_000,
    prepare(size) {
      const count = size === 'small' ? 1000 : MILLION
      const loads = new Map<RunningEngine, SpreadLoad>()
      return {
        async run(server, amount) {
          let load = loads.get(server)
          if (load === undefined) {
            load = new SpreadLoad({ subjects: { kind, count }, connections: 10, size: 16 })
            loads.set(server, load)
          }
          const outcome = await load.run(server, Math.round(amount))
          const each = (load.memory.after - load.memory.before) / count
          return { ...outcome, values: { ...outcome.values, each } }
        },
        async close() {
          await Promise.all([...loads.values()].map((load) => load.close()))
        },
      }
    },
  }
}

export const million = [
  millionRow('subs-1m', '1 M subscriptions, publish to 256 subjects over and over, 16 B', 'forest'),
  millionRow('subs-1m-new', '1 M subscriptions, publish to subjects never seen before, 16 B', 'forest-new'),
]
