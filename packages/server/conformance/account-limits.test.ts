// What one account may have, from its configuration or its JWT, and who has to go when it may have less.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { AccountClaims } from '@ngs/identity/node'
import { type RawClient, waitFor } from '@ngs/testkit'
import { type Bench, onEveryEngine, wire } from './support.ts'
import { inEveryWorld } from './world.ts'

const FULL = wire("-ERR 'maximum account active connections exceeded'")
const TOO_MANY = wire("-ERR 'maximum subscriptions exceeded'")
const TOO_LARGE = wire("-ERR 'Maximum Payload Violation'")

const CONFIG = `
http: "127.0.0.1:-1"
max_payload: 1000
accounts {
  CONNS { users: [ { user: conns, password: x } ], limits: { max_connections: 2 } }
  SUBS { users: [ { user: subs, password: x } ], limits: { max_subs: 2 } }
  PAY { users: [ { user: pay, password: x } ], limits: { max_payload: 10 } }
  MORE { users: [ { user: more, password: x } ], limits: { max_payload: 100000, max_connections: -1 } }
  NONE { users: [ { user: none, password: x } ], limits: { max_conn: 0 } }
  EXP { exports: [ { stream: "s.>" } ] }
  IMP {
    users: [ { user: imp, password: x } ]
    limits: { max_subs: 3 }
    imports: [ { stream: { account: EXP, subject: "s.>" } } ]
  }
}`

interface Connz {
  connections: { cid: number; reason?: string }[]
}
const reasonOf = (bench: Bench, one: RawClient): Promise<string> =>
  waitFor(
    async () =>
      (await bench.server.monitor<Connz>('/connz?state=closed&limit=1000')).connections.find(
        (item) => item.cid === one.info.client_id,
      )?.reason,
    { what: 'the connection among the closed ones' },
  )

onEveryEngine('limits of an account', CONFIG, (bench) => {
  const connect = (user: string): string =>
    `CONNECT ${JSON.stringify({ verbose: false, protocol: 1, headers: true, user, pass: 'x' })}`
  const as = (t: TestContext, user: string): Promise<RawClient> => bench.client(t, connect(user))

  it('refuse the connection too many and take one again when another has left', async (t) => {
    const first = await as(t, 'conns')
    const second = await as(t, 'conns')
    await first.flush()
    await second.flush()
    const third = await as(t, 'conns')
    assert.equal(await third.closed(), FULL)
    assert.equal(await reasonOf(bench, third), 'Maximum Account Connections Exceeded')
    first.destroy()
    await waitFor(
      async () => {
        const next = await as(t, 'conns')
        next.say('PING')
        return (await next.line()) === 'PONG'
      },
      { what: 'room for another connection' },
    )
  })

  it('of no connection refuse the first', async (t) => {
    assert.equal(await (await as(t, 'none')).closed(), FULL)
  })

  it('hold for the subscriptions of each connection', async (t) => {
    const [one, other] = [await as(t, 'subs'), await as(t, 'subs')]
    for (const client of [one, other]) {
      client.say('SUB a 1', 'SUB b 2', 'SUB c 3')
      assert.equal(await client.flush(), TOO_MANY)
    }
    one.say('UNSUB 1', 'SUB c 3', 'PUB c 0', '')
    assert.ok((await one.flush()).endsWith(wire('MSG c 3 0', '')))
  })

  it('do not count what subscriptions bring from other accounts', async (t) => {
    const one = await as(t, 'imp')
    one.say('SUB s.1 1', 'SUB s.2 2', 'SUB s.3 3')
    assert.equal((await one.flush()).includes('ERR'), false)
    one.say('SUB s.4 4')
    assert.ok((await one.flush()).includes(TOO_MANY))
  })

  it('hold for headers and payload together, and are told in INFO', async (t) => {
    const one = await as(t, 'pay')
    one.say('PING')
    await one.expect('PONG')
    assert.equal((await one.expectInfo()).max_payload, 10)
    one.say('PUB a 10', '0123456789')
    assert.equal(await one.flush(), '')
    const headers = 'NATS/1.0\r\n\r\n'
    one.send(`HPUB a ${headers.length} ${headers.length}\r\n`)
    assert.equal(await one.closed(), TOO_LARGE)
    assert.equal(await reasonOf(bench, one), 'Maximum Message Payload Exceeded')
  })

  it('do not go beyond those of the server', async (t) => {
    const one = await as(t, 'more')
    one.say('PING')
    await one.expect('PONG')
    assert.equal((await one.expectInfo()).max_payload, 1000)
    one.say('PUB a 1001')
    assert.equal(await one.closed(), TOO_LARGE)
  })
})

inEveryWorld('limits of a JWT account', {}, (world) => {
  const start = async (
    t: TestContext,
    count: number,
    change: (claims: AccountClaims) => void = () => {},
  ): Promise<{ account: Awaited<ReturnType<typeof world.account>>; list: RawClient[] }> => {
    const account = await world.account(change)
    const list: RawClient[] = []
    for (let i = 0; i < count; i++) {
      const one = await world.client(t, account.key)
      await one.pingPong()
      list.push(one)
    }
    return { account, list }
  }

  it('that are absent are none at all: nobody gets in', async (t) => {
    const { account } = await start(t, 0, (claims) => {
      const limits = claims.nats.limits as unknown as Record<string, unknown>
      delete limits['conn']
    })
    assert.match(
      await (await world.client(t, account.key)).closed(),
      /maximum account active connections exceeded/,
    )
  })

  it('refuse what the account may not share', async (t) => {
    const { account } = await start(t, 0)
    const other = await world.account()
    const stream = { name: 's', subject: 's', type: 'stream' as const }
    const refusals: [change: (claims: AccountClaims) => void, why: RegExp][] = [
      [
        ({ nats }) => {
          nats.limits.exports = 0n
          nats.exports = [stream]
        },
        /the account contains more exports than allowed by the operator/,
      ],
      [
        ({ nats }) => {
          nats.limits.imports = 0n
          nats.imports = [{ ...stream, account: other.key.publicKey }]
        },
        /the account contains more imports than allowed by the operator/,
      ],
      [
        ({ nats }) => {
          // Without a number of exports this one is not asked.
          nats.limits.exports = 5n
          nats.limits.wildcards = false
          nats.exports = [{ ...stream, subject: 's.*' }]
        },
        /the account contains wildcard exports that are not allowed by the operator/,
      ],
    ]
    for (const [change, why] of refusals) {
      const claims = structuredClone(account.claims)
      change(claims)
      assert.match((await world.push(claims)).error?.description ?? '', why)
    }
  })

  it('that shrink close the newest connections', async (t) => {
    const { account, list } = await start(t, 4)
    account.claims.nats.limits.conn = 2n
    await world.push(account.claims)
    for (const one of list.slice(2)) assert.equal(await one.closed(), FULL)
    for (const one of list.slice(0, 2)) assert.equal(await one.flush(), '')
    assert.equal(await (await world.client(t, account.key)).closed(), FULL)
    account.claims.nats.limits.conn = 3n
    await world.push(account.claims)
    assert.equal(await (await world.client(t, account.key)).flush(), '')
  })

  it('that shrink close who has as many subscriptions as that', async (t) => {
    const { account, list } = await start(t, 2)
    list[0]!.say('SUB a 1')
    list[1]!.say('SUB a 1', 'SUB b 2')
    for (const one of list) await one.flush()
    account.claims.nats.limits.subs = 2n
    await world.push(account.claims)
    assert.equal(await list[1]!.closed(), TOO_MANY)
    assert.equal(await list[0]!.flush(), '')
  })

  it('hold in the middle of a connection', async (t) => {
    const { account, list } = await start(t, 1)
    const one = list[0]!
    account.claims.nats.limits.payload = 4n
    await world.push(account.claims)
    one.say('PUB a 4', '0123')
    assert.equal(await one.flush(), '')
    one.say('PUB a 5')
    assert.equal(await one.closed(), TOO_LARGE)
  })
})
