// All curves, in the order of docs/performance.md.
import { join } from 'node:path'
import type { Curve, Measure } from '../lib/curve.ts'
import { LoadProcess } from '../lib/load-process.ts'
import { operatorConfig } from '../lib/operator.ts'
import { SpreadLoad, type SpreadShape } from '../lib/spread.ts'
import { openStream } from '../lib/stream.ts'

const SIZE = 16
const cpu = (title: string): Measure => ({ key: 'cpu', title, unit: 'us of processor time' })

/** Many subjects; `each` is the memory of one of the things counted. */
function spread(shape: Omit<SpreadShape, 'size'>, count: number): ReturnType<Curve['open']> {
  const load = new SpreadLoad({ ...shape, size: SIZE })
  return {
    async run(server, amount) {
      const outcome = await load.run(server, amount)
      const each = (load.memory.after - load.memory.before) / count
      return { ...outcome, values: { ...outcome.values, each, eachKB: each / 1024 } }
    },
    close: () => load.close(),
  }
}

const subscriptions: Curve = {
  name: 'subscriptions',
  axis: 'subscriptions',
  points: [1, 10, 100, 1000, 10_000, 100_000, 1_000_000],
  warmUp: 20_000,
  measures: [
    cpu('Cost of a message among subscriptions, known subjects'),
    { key: 'each', title: 'Memory of a subscription', unit: 'bytes', from: 100_000 },
  ],
  open: (count) => spread({ subjects: { kind: 'forest', count }, connections: Math.min(10, count) }, count),
}

const newSubjects: Curve = {
  name: 'new-subjects',
  axis: 'subscriptions',
  points: [10, 100, 1000, 10_000, 100_000, 1_000_000],
  warmUp: 20_000,
  measures: [cpu('Cost of a message among subscriptions, subjects never seen before')],
  open: (count) =>
    spread({ subjects: { kind: 'forest-new', count }, connections: Math.min(10, count) }, count),
}

const connections: Curve = {
  name: 'connections',
  axis: 'connections',
  points: [1, 10, 100, 1000, 10_000],
  warmUp: 20_000,
  measures: [
    cpu('Cost of a message, each to another of many connections'),
    { key: 'eachKB', title: 'Memory of an idle connection with one subscription', unit: 'KB', from: 1000 },
  ],
  open: (count) => spread({ subjects: { kind: 'own', count }, connections: count }, count),
}

const accounts: Curve = {
  name: 'accounts',
  axis: 'accounts',
  points: [1, 10, 100, 1000, 10_000],
  warmUp: 20_000,
  measures: [
    cpu('Cost of a message, 1 to 1, beside accounts with a connection each (JWT)'),
    { key: 'eachKB', title: 'Memory of an account in use with one connection', unit: 'KB', from: 1000 },
  ],
  config: (count, dir) => operatorConfig(count, count, join(dir, 'users.json')),
  open(count, dir) {
    const users = join(dir, 'users.json')
    const others = new LoadProcess('storm')
    const pair = openStream({ publishers: 1, subscribers: 1, size: SIZE, jwtUsers: users })
    let eachKB = Number.NaN
    return {
      async run(server, amount) {
        if (Number.isNaN(eachKB)) {
          const before = server.memory()
          await others.ask(
            { do: 'connect', at: { port: server.port, users }, connections: count },
            'connected',
          )
          eachKB = (server.memory() - before) / 1024 / count
        }
        const outcome = await pair.run(server, amount)
        return { ...outcome, values: { ...outcome.values, eachKB } }
      },
      close: async () => {
        await Promise.all([others.stop(), pair.close()])
      },
    }
  },
}

const depth: Curve = {
  name: 'depth',
  axis: 'tokens of the subject',
  points: [2, 4, 8, 16, 32, 64],
  warmUp: 20_000,
  measures: [cpu('Cost of a message with a long subject never seen before')],
  open: (count) => spread({ subjects: { kind: 'deep', count }, connections: 1 }, count),
}

const rules: Curve = {
  name: 'rules',
  axis: 'publish permissions',
  points: [1, 10, 100, 1000],
  warmUp: 20_000,
  measures: [cpu('Cost of a message of a user with permissions, subjects never seen before')],
  config(count) {
    const allow = Array.from({ length: count }, (_, i) => `"spread.${`${i}`.padStart(4, '0')}.*"`)
    return `authorization { users: [{ user: u, password: u, permissions: { publish: { allow: [${allow.join(', ')}] } } }] }\n`
  },
  open: (count) => spread({ subjects: { kind: 'rules', count }, connections: 1, user: 'u' }, count),
}

const width: Curve = {
  name: 'fan-out',
  axis: 'subscribers',
  points: [1, 10, 100, 1000],
  warmUp: 500,
  measures: [cpu('Cost of a delivery, one publisher to many subscribers')],
  open: (count) => openStream({ publishers: 1, subscribers: count, size: SIZE }),
}

export const curves: readonly Curve[] = [
  subscriptions,
  newSubjects,
  connections,
  accounts,
  depth,
  rules,
  width,
]
