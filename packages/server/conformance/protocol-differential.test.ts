// Random talks, well formed and not: both engines answer every one with the same bytes.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Cleanup, Engine, enginesUnderTest, needsPeer, peer, RawClient } from '@ngs/testkit'

const LIMITS = 'max_payload: 64\nmax_control_line: 256\nmax_subscriptions: 8\nmax_sub_tokens: 5\n'
const WORLDS: readonly [name: string, config: string][] = [
  ['anybody may do anything', LIMITS],
  [
    'permissions',
    `${LIMITS}
     no_auth_user: u
     authorization { users: [
       { user: w, password: w }
       { user: u, password: p, permissions: {
         publish: { allow: ["a.>", "b", "foo", "_INBOX.>"], deny: ["a.x", "a.*.z"] }
         subscribe: { allow: ["a.>", "b q1", "b", "in.*", "foo.*"], deny: ["a.no", "a.n.>", "foo.bar q*"] }
         allow_responses: { max: 2, expires: "1m" }
       } }
     ] }`,
  ],
  ['one user', `${LIMITS}authorization { user: u, password: p }`],
]
const TALKS = 250

/** Words of talks, the same for the same seed. */
class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
  one<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)]!
  }
  chance(part: number): boolean {
    return this.next() < part
  }
}

const TOKENS = 'a b foo bar x no n zz * > in a* >b \x00 \xff \xe9 $SYS _R_ _INBOX { " \\ % A'
  .split(' ')
  .concat('')
const SUBJECTS = (
  'a.b foo foo.bar b a.x in.1 a.> * > foo.* a.*.z a.n.b a.no _INBOX.x _R_.x _GR_.x $NRG.x $JS.ACK.x a..b .a a. ' +
  'a.b.c.d.e a.b.c.d.e.f _GR_. $JS.ACK. _R_.'
).split(' ')
const BODIES = ['', 'hi', 'x'.repeat(10), 'a\r\nb', '\r\n', 'PING\r\n', '\x00\xff']
const HEADERS = ['NATS/1.0\r\n\r\n', 'NATS/1.0\r\nA: b\r\n\r\n', 'NATS/1.0 503\r\n\r\n', 'x', '']
const ODD_LINES = [
  "-ERR 'x'",
  '-ERR',
  'INFO {}',
  'INFO x',
  'INFO',
  'INFO{}',
  'MSG a 1 0',
  'A+ x',
  'RS+ a b',
  'LS+ x',
  '',
  ' PING',
  'FOO',
  'P',
  'PUX',
  'SU',
  'GET / HTTP/1.1',
  '\x16\x03\x01',
  '+X',
  'PUB',
  'SUB ',
  'SUBx a 1',
  'PUBx a 0',
  'HPUBx a 0 0',
  '\xff',
]

/** One talk of a client, from its CONNECT (mostly) to its last operation. */
function talk(seed: number): string {
  const dice = new Dice(seed)
  const subject = (): string =>
    dice.chance(0.5)
      ? dice.one(SUBJECTS)
      : Array.from({ length: 1 + Math.floor(dice.next() * 4) }, () => dice.one(TOKENS)).join('.') || 'a'
  const sid = (): string => dice.one(['1', '2', '3', 'x', '1', '2', '9999999999999', '0', '-1'])
  const size = (n: number): string =>
    dice.chance(0.9)
      ? `${n}`
      : dice.one([
          `0${n}`,
          `00${n}`,
          '-1',
          '',
          'x',
          '1x',
          '9999999999',
          '000000000',
          '+1',
          '1.0',
          '65',
          '64',
          '1e1',
        ])
  const blank = (): string => (dice.chance(0.9) ? ' ' : dice.one(['\t', '  ', ' \t ']))
  const end = (): string => (dice.chance(0.95) ? '\r\n' : dice.one(['\n', ' \r\n', '\t\r\n']))
  const name = (text: string): string =>
    dice.chance(0.8) ? text : Array.from(text, (c) => (dice.chance(0.5) ? c.toLowerCase() : c)).join('')
  const connect = (): string => {
    if (dice.chance(0.04))
      return `CONNECT ${dice.one(['{', '[]', 'null', '""', '{}', '{"a":}', '{} x', '{"verbose":fals}', ''])}${end()}`
    const fields: string[] = []
    const maybe = (key: string, part: number, ...values: string[]): void => {
      if (dice.chance(part))
        fields.push(`"${dice.chance(0.9) ? key : key.toUpperCase()}":${dice.one(values)}`)
    }
    maybe('verbose', 0.9, 'true', 'false', 'false', 'null')
    maybe('pedantic', 0.8, 'true', 'false', 'false')
    maybe('echo', 0.4, 'true', 'false')
    maybe('headers', 0.7, 'true', 'true', 'false')
    maybe('no_responders', 0.4, 'true', 'false')
    maybe('protocol', 0.6, '0', '1', '1', '1', '2', '-1', '"1"')
    maybe('user', 0.3, '"u"', '"w"', '"nobody"')
    maybe('pass', 0.3, '"p"', '"w"')
    maybe('name', 0.2, '"n"', 'null', '7')
    maybe('account', 0.03, '"x"', '""')
    maybe('unknown', 0.1, '{"a":[1,{}]}', '[]')
    return `${name('CONNECT')}${dice.one([' ', ' ', ' ', '', '\t'])}{${fields.join(',')}}${end()}`
  }
  const operation = (): string => {
    const kind = dice.next()
    const reply = (): string => (dice.chance(0.4) ? blank() + subject() : '')
    if (kind < 0.22) {
      const body = dice.one(BODIES)
      const after = dice.chance(0.97) ? '\r\n' : dice.one(['\n', 'x\r\n', '\r'])
      return `${name('PUB')}${blank()}${subject()}${reply()}${blank()}${size(body.length)}${end()}${body}${after}`
    }
    if (kind < 0.36) {
      const [head, body] = [dice.one(HEADERS), dice.one(BODIES)]
      const width = dice.chance(0.93) ? head.length : head.length + dice.one([-1, 1, 5])
      const sizes = `${size(width)}${blank()}${size(head.length + body.length)}`
      return `${name('HPUB')}${blank()}${subject()}${reply()}${blank()}${sizes}${end()}${head}${body}\r\n`
    }
    if (kind < 0.62) {
      const queue = dice.chance(0.3) ? blank() + dice.one(['q1', 'q2', 'q*', '_sys_', 'q.1', '>']) : ''
      return `${name('SUB')}${blank()}${subject()}${queue}${blank()}${sid()}${dice.chance(0.03) ? ' more' : ''}${end()}`
    }
    if (kind < 0.76) {
      const max = dice.chance(0.5) ? blank() + dice.one(['1', '2', '0', '-1', 'x', '5', '99999999999']) : ''
      return `${name('UNSUB')}${blank()}${sid()}${max}${end()}`
    }
    if (kind < 0.86)
      return name('PING') + (dice.chance(0.2) ? dice.one([' x', 'junk', 'x'.repeat(300)]) : '') + end()
    if (kind < 0.92) return dice.one([name('PONG'), '+OK', 'PONG x', '+ok x']) + end()
    if (kind < 0.96) return connect()
    if (kind < 0.98) return `SUB ${'y'.repeat(250 + Math.floor(dice.next() * 8))} 1${end()}`
    return dice.one(ODD_LINES) + end()
  }
  const count = 1 + Math.floor(dice.next() * 10)
  return (dice.chance(0.93) ? connect() : '') + Array.from({ length: count }, operation).join('')
}

/** What comes back until the connection ends, which it does at the latest when the client has nothing more to say. */
async function answer(t: Cleanup, server: Engine, text: string): Promise<string> {
  const client = await RawClient.connect(t, server.port)
  client.send(text)
  client.end()
  // How often a pedantic complaint comes depends on where reads cut the talk.
  const said = (await client.closed()).replaceAll(/(-ERR 'Invalid Publish Subject'\r\n)\1+/g, '$1')
  client.destroy()
  return said.replaceAll(/INFO (\{.*\}) \r\n/g, (_line, json: string) => {
    const { connect_info, remote_account, max_payload, auth_required } = JSON.parse(json)
    return `INFO ${JSON.stringify({ connect_info, remote_account, max_payload, auth_required })}\r\n`
  })
}

describe('random talks', needsPeer('nats-server'), () => {
  for (const [world, config] of WORLDS) {
    it(`end alike: ${world}`, async (t) => {
      const [ours, official] = await Promise.all([
        Engine.start(t, { engine: enginesUnderTest()[0]!.path, config }),
        Engine.start(t, { engine: peer('nats-server'), config }),
      ])
      for (let seed = 1; seed <= TALKS; seed++) {
        const text = talk(seed)
        const [mine, theirs] = await Promise.all([answer(t, ours, text), answer(t, official, text)])
        assert.equal(mine, theirs, `talk ${seed}: ${JSON.stringify(text)}`)
      }
    })
  }
})
