// Random accounts with random exports, imports and mappings, and random traffic: every connection of both engines hears the same.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Engine, needsPeer, ngsServer, peer, RawClient } from '@ngs/testkit'

const SEED = Number(process.env['NGS_SHARING_SEED'] ?? 11)
const WORLDS = Number(process.env['NGS_SHARING_WORLDS'] ?? 8)

let state = SEED
function random(): number {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
  return state / 0x80000000
}
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

const ACCOUNTS = ['A', 'B', 'C', 'D']
const EXPORTED = ['x.a', 'x.b', 'y.a.b', 'y.*.b', 'x.*', 'x.>', 'y.>', 'z', 'y.*.*']
const SUBSCRIBED = [
  '>',
  'x.>',
  'x.*',
  'x.a',
  'y.*.b',
  'lb.>',
  'lc.>',
  'ld.x.*',
  'z',
  'lb.y.a.*',
  '*.y.>',
  'x.a q',
  'lc.> q',
]
const PUBLISHED = [
  'x.a',
  'x.b',
  'x.c.d',
  'y.a.b',
  'y.q.b',
  'z',
  'lb.x.a',
  'lc.x.b',
  'lb.y.a.b',
  'ld.z',
  'lc.y.q.b',
  'ld.y.b.a',
]
const MAPPINGS = ['', '', '"x.b": "x.a"', '"y.*.b": "x.$1"', '"z": "y.a.b"', '"x.*": "y.$1.b"']

interface Plan {
  config: string
  subscriptions: Record<string, string[]>
  publishes: { account: string; subject: string; reply: string }[]
}

/** Accounts import from those before them only, so that nothing goes round for ever. */
function plan(): Plan {
  const exported = new Map(
    ACCOUNTS.map((name) => [
      name,
      [...new Set(times(5, () => `${pick(['stream', 'service'])}: "${pick(EXPORTED)}"`))],
    ]),
  )
  const imports = (name: string): string[] => {
    const before = ACCOUNTS.slice(0, ACCOUNTS.indexOf(name))
    if (before.length === 0) return []
    const seen = new Set<string>()
    return times(4, () => {
      const from = pick(before)
      const [, kind, subject] = /(\w+): "(.*)"/.exec(pick(exported.get(from)!))!
      let star = 0
      const local = subject!.split('.').map((token) => (token === '*' ? `$${++star}` : token))
      const to = random() < 0.5 ? subject! : `l${name.toLowerCase()}.${local.join('.')}`
      // Neither a stream nor the local name of a service can be imported twice.
      const key = kind === 'stream' ? `${from} ${subject}` : `${from} ${to}`
      if (seen.has(`${kind} ${key}`)) return ''
      seen.add(`${kind} ${key}`)
      return `{ ${kind}: { account: ${from}, subject: "${subject}" }, to: "${to}" }`
    }).filter((text) => text !== '')
  }
  const account = (name: string): string => `${name} {
    users: [ { user: ${name}, password: x } ]
    exports: [ ${exported
      .get(name)!
      .map(
        (text) =>
          `{ ${text}${text.startsWith('service') && random() < 0.3 ? ', response_type: stream' : ''} }`,
      )
      .join(', ')} ]
    imports: [ ${imports(name).join(', ')} ]
    mappings { ${pick(MAPPINGS)} }
  }`
  return {
    config: `accounts { ${ACCOUNTS.map(account).join('\n')} }`,
    subscriptions: Object.fromEntries(
      ACCOUNTS.map((name) => [
        name,
        [
          // Which member of a queue group gets a message is chance, so that each has one.
          ...new Set(times(1 + Math.floor(random() * 3), () => pick(SUBSCRIBED).replace(' q', ` q${name}`))),
        ],
      ]),
    ),
    publishes: times(15, () => ({
      account: pick(ACCOUNTS),
      subject: pick(PUBLISHED),
      reply: random() < 0.6 ? 'inbox.1' : '',
    })),
  }
}

/** Messages in any order, without what is random or measured. */
const settled = (heard: string): string =>
  heard
    .replace(/_R_\.\w{6}\.\w{6}/g, '_R_')
    .replace(/,"rtt":\d+/g, '')
    .replace(/(HMSG (?:\S+ ){2,3})\d+ \d+/g, '$1')
    .split(/(?=H?MSG )/)
    .sort()
    .join('')

/** Null where the search for cycles finds one; which of several ways it takes first is nowhere said, so that the engines may differ. */
async function start(t: TestContext, engine: string, config: string): Promise<Engine | null> {
  try {
    return await Engine.start(t, { engine, config })
  } catch (error) {
    if ((error as Error).message.includes('import forms a cycle')) return null
    throw error
  }
}

/** What each account heard after each publish, and after the answers to it. */
async function play(t: TestContext, server: Engine, { subscriptions, publishes }: Plan): Promise<string[][]> {
  const clients = new Map<string, RawClient>()
  for (const name of ACCOUNTS) {
    const one = await RawClient.connect(t, server.port)
    one.connect({ verbose: false, headers: true, no_responders: true, user: name, pass: 'x' })
    for (const [i, subscribed] of subscriptions[name]!.entries()) one.say(`SUB ${subscribed} ${i + 1}`)
    await one.flush()
    clients.set(name, one)
  }
  const everybody = async (): Promise<string[]> => {
    const heard: string[] = []
    for (const one of clients.values()) heard.push(await one.flush())
    return heard
  }
  const log: string[][] = []
  for (const { account, subject, reply } of publishes) {
    const publisher = clients.get(account)!
    publisher.pub(subject, 'p', reply)
    const own = await publisher.flush()
    const heard = await everybody()
    heard[ACCOUNTS.indexOf(account)] = own + heard[ACCOUNTS.indexOf(account)]!
    log.push(heard.map(settled))
    for (const [i, one] of [...clients.values()].entries()) {
      for (const asked of new Set(heard[i]!.match(/_R_\.\w{6}\.\w{6}/g))) {
        one.pub(asked, 'answer')
        await one.flush()
      }
    }
    log.push((await everybody()).map(settled))
  }
  await server.stop()
  return log
}

describe('sharing in random worlds', () => {
  for (let world = 0; world < WORLDS; world++) {
    it(`number ${world} sounds the same on both engines`, needsPeer('nats-server'), async (t) => {
      let planned: Plan
      let engines: (Engine | null)[]
      do {
        planned = plan()
        engines = [
          await start(t, ngsServer, planned.config),
          await start(t, peer('nats-server'), planned.config),
        ]
      } while (engines.includes(null))
      const ours = await play(t, engines[0]!, planned)
      const official = await play(t, engines[1]!, planned)
      const { config, subscriptions, publishes } = planned
      const context = (i: number): string =>
        JSON.stringify({ config, subscriptions, publish: publishes[i >> 1], answers: i % 2 === 1 })
      official.forEach((heard, i) => {
        assert.deepEqual(ours[i], heard, context(i))
      })
    })
  }
})
