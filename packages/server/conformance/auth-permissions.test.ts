// Permissions: many random sets, each against the naive model; then replies to requests.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type RawClient, waitFor } from '@ngs/testkit'
import { Random } from '../../../fuzz/random.ts'
import { mayPublish, maySubscribe, type Rules, receives } from './permission-model.ts'
import { answers, onEveryEngine, wire } from './support.ts'

const USERS = 40
const random = new Random(20_260_101)
const TOKENS = ['a', 'b', '*'] as const

const pattern = (): string => {
  const tokens: string[] = Array.from({ length: 1 + random.below(3) }, () => random.pick(TOKENS))
  if (random.oneIn(4)) tokens[tokens.length - 1] = '>'
  return tokens.join('.')
}
const entry = (): string =>
  random.oneIn(3) ? `${pattern()} ${random.pick(['q', 'q.x', 'q.*', '*', '>'])}` : pattern()
const rules = (): Rules => ({
  publish: { allow: random.list(2, pattern), deny: random.list(2, pattern) },
  subscribe: { allow: random.list(3, entry), deny: random.list(3, entry) },
})
const literals = ['a', 'b'].flatMap((one) => [one, `${one}.a`, `${one}.b`, `${one}.a.b`, `${one}.b.b`])
const subjects = [...literals, '*', '>', 'a.*', 'a.>', '*.b', 'b.*.b']
const all: Rules[] = Array.from({ length: USERS }, rules)

const list = (items: string[]): string => `[${items.map((item) => `"${item}"`).join(', ')}]`
const block = ({ allow, deny }: Rules['publish']): string => `{ allow: ${list(allow)}, deny: ${list(deny)} }`
const config = `authorization { users: [
  { user: all, password: p }
${all
  .map(
    (spec, i) =>
      `  { user: u${i}, password: p, permissions: { publish: ${block(spec.publish)}, subscribe: ${block(spec.subscribe)} } }`,
  )
  .join('\n')}
] }`
const as = (user: string): string =>
  `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, user, pass: 'p' })}`
const noSub = (subject: string, queue = ''): string =>
  wire(
    `-ERR 'Permissions Violation for Subscription to "${subject}"${queue === '' ? '' : ` using queue "${queue}"`}'`,
  )
const noPub = (subject: string): string => wire(`-ERR 'Permissions Violation for Publish to "${subject}"'`)

onEveryEngine('random permissions', config, (bench) => {
  it('let publish what the lists say', async (t) => {
    for (const [i, spec] of all.entries()) {
      const lines = literals.flatMap((subject) => [`PUB ${subject} 0`, ''])
      const expected = literals.filter((subject) => !mayPublish(spec, subject)).map(noPub)
      await answers(await bench.client(t, as(`u${i}`)), lines, expected.join(''))
    }
  })

  it('let subscribe what the lists say, and deliver what they do not deny', async (t) => {
    const publisher = await bench.client(t, as('all'))
    for (const [i, spec] of all.entries()) {
      const one = await bench.client(t, as(`u${i}`))
      const wanted = subjects.flatMap((subject) => ['', 'q', 'q.x'].map((queue) => ({ subject, queue })))
      const accepted = wanted.filter(({ subject, queue }) => maySubscribe(spec, subject, queue))
      await answers(
        one,
        wanted.map(({ subject, queue }, sid) => `SUB ${subject} ${queue === '' ? '' : `${queue} `}${sid}`),
        wanted
          .filter((want) => !accepted.includes(want))
          .map(({ subject, queue }) => noSub(subject, queue))
          .join(''),
      )
      // Queue members stand in for each other, so that plain subscriptions are the ones to look at.
      const plain = accepted.filter(({ queue }) => queue === '')
      const sid = (want: (typeof wanted)[0]): number => wanted.indexOf(want)
      await answers(
        publisher,
        literals.flatMap((subject) => [`PUB ${subject} 0`, '']),
        '',
      )
      const got = (await one.flush())
        .split('\r\n')
        .filter((line) => line.startsWith('MSG ') && wanted[Number(line.split(' ')[2])]!.queue === '')
        .sort()
      const expected = plain
        .flatMap((want) =>
          literals
            .filter((subject) => receives(spec, want.subject, '', subject))
            .map((subject) => `MSG ${subject} ${sid(want)} 0`),
        )
        .sort()
      assert.deepEqual(got, expected, JSON.stringify(spec))
      one.destroy()
    }
  })
})

const RESPONSES = `authorization { users: [
  { user: all, password: p }
  { user: one, password: p, permissions: { subscribe: "req.>", allow_responses: true } }
  { user: three, password: p, permissions: { subscribe: "req.>", allow_responses: { max: 3, expires: "1h" } } }
  { user: endless, password: p, permissions: { subscribe: "req.>", allow_responses: { max: -1, expires: "-1s" } } }
  { user: short, password: p, permissions: { subscribe: "req.>", allow_responses: { max: 100, ttl: "250ms" } } }
  { user: listed, password: p, permissions: { subscribe: "req.>", publish: { allow: [ "out.>" ], deny: [ "in.denied" ] }, allow_responses: true } }
  { user: denied, password: p, permissions: { subscribe: "req.>", publish: { deny: [ "in.>" ] }, allow_responses: true } }
] }`

onEveryEngine('allow_responses', RESPONSES, (bench) => {
  const asked = async (
    t: Parameters<typeof bench.client>[0],
    user: string,
    reply = 'in.1',
  ): Promise<{ responder: RawClient; ask(): Promise<void> }> => {
    const responder = await bench.client(t, as(user), 'SUB req.> 1')
    await responder.flush()
    const asker = await bench.client(t, as('all'))
    const ask = async (): Promise<void> => {
      await answers(asker, [`PUB req.a ${reply} 0`, ''], '')
      assert.equal(await responder.flush(), wire(`MSG req.a 1 ${reply} 0`, ''))
    }
    await ask()
    return { responder, ask }
  }
  const replies = (count: number, reply = 'in.1'): string[] =>
    Array.from({ length: count }, () => [`PUB ${reply} 0`, '']).flat()

  it('true is one reply for each request', async (t) => {
    const { responder, ask } = await asked(t, 'one')
    await answers(responder, replies(2), noPub('in.1'))
    await ask()
    await answers(responder, replies(2), noPub('in.1'))
    await answers(responder, replies(1, 'in.2'), noPub('in.2'))
  })
  it('max is that many', async (t) => {
    const { responder } = await asked(t, 'three')
    await answers(responder, replies(5), noPub('in.1').repeat(2))
  })
  it('a request that is asked again with the same reply uses one up', async (t) => {
    const { responder, ask } = await asked(t, 'three')
    await ask()
    await answers(responder, replies(3), noPub('in.1'))
  })
  it('negative numbers are no limit', async (t) => {
    const { responder } = await asked(t, 'endless')
    await answers(responder, replies(200), '')
  })
  it('a grant ends with its time', async (t) => {
    const { responder } = await asked(t, 'short')
    await waitFor(
      async () => {
        responder.say(...replies(1))
        return (await responder.flush()) === noPub('in.1')
      },
      { what: 'the grant to end' },
    )
  })
  it('an allow list goes on to hold, and a deny list gives way', async (t) => {
    const { responder } = await asked(t, 'listed')
    await answers(
      responder,
      ['PUB out.a 0', '', 'PUB other 0', '', ...replies(2)],
      noPub('other') + noPub('in.1'),
    )
    const denied = await asked(t, 'listed', 'in.denied')
    await answers(denied.responder, replies(2, 'in.denied'), noPub('in.denied'))
    const { responder: silent } = await asked(t, 'denied')
    // Without an allow list nothing but replies may be published.
    await answers(silent, ['PUB other 0', '', ...replies(2)], noPub('other') + noPub('in.1'))
  })
  it('a reply that is allowed anyway is not counted', async (t) => {
    const { responder } = await asked(t, 'listed', 'out.r')
    await answers(responder, replies(10, 'out.r'), '')
  })
})
