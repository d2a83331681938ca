// Reloads of users, permissions and accounts, and who of those that are connected may stay.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { RawClient } from '@ngs/testkit'
import { reload } from './reloading.ts'
import { type Bench, closeReason, onEveryEngine, wire } from './support.ts'

const HTTP = 'http: "127.0.0.1:-1"\n'

/** A connection that has logged in. */
async function login(bench: Bench, t: TestContext, fields: Record<string, unknown>): Promise<RawClient> {
  const client = await bench.client(t)
  client.connect({ verbose: false, pedantic: false, ...fields })
  await client.flush()
  return client
}
const user = (bench: Bench, t: TestContext, name: string, pass = name): Promise<RawClient> =>
  login(bench, t, { user: name, pass })

/** Asserts that the connection ended without another word, as the server's own choice. */
async function leftWithoutWord(bench: Bench, client: RawClient): Promise<void> {
  assert.equal(await client.closed(), '')
  assert.equal(await closeReason(bench.server, client.info.client_id), 'Client Closed')
}
async function turnedOut(bench: Bench, client: RawClient): Promise<void> {
  assert.equal(await client.closed(), wire("-ERR 'Authorization Violation'"))
  assert.equal(await closeReason(bench.server, client.info.client_id), 'Authentication Failure')
}

const users = (...list: string[]): string => `${HTTP}authorization { users: [${list.join(', ')}] }\n`
const A = '{user: a, password: a}'
const B = '{user: b, password: b}'

onEveryEngine('reload of a list of users', users(A, B), (bench) => {
  const base = users(A, B)

  it('a user that is gone is closed without a word; the others stay', async (t) => {
    const [a, b] = [await user(bench, t, 'a'), await user(bench, t, 'b')]
    await reload(bench.server, users(A))
    await leftWithoutWord(bench, b)
    await a.pingPong()
    await reload(bench.server, base)
  })

  it('a user whose password is another one is turned out', async (t) => {
    const [a, b] = [await user(bench, t, 'a'), await user(bench, t, 'b')]
    await reload(bench.server, users(A, '{user: b, password: other}'))
    await turnedOut(bench, b)
    await a.pingPong()
    await user(bench, t, 'b', 'other')
    await reload(bench.server, base)
  })

  it('a new user may come', async (t) => {
    await reload(bench.server, users(A, B, '{user: c, password: c}'))
    await (await user(bench, t, 'c')).pingPong()
    await reload(bench.server, base)
  })

  it('a password that becomes bcrypt stays the same password', async (t) => {
    const a = await user(bench, t, 'a')
    const hash = '$2a$04$1dZprmc83yY.24BbaywGQOZTjH2rv/cG9TxcizWXUnNwx64jAJPda'
    const lines = await reload(bench.server, users(`{user: a, password: "${hash}"}`, B))
    assert.match(lines.at(-1)!, /Reloaded server configuration/)
    // Whether it matches is bcrypt's to say: here it does not.
    await turnedOut(bench, a)
    await reload(bench.server, base)
  })

  it('permissions that are narrower take subscriptions away, with their words, and keep the connection', async (t) => {
    const a = await user(bench, t, 'a')
    a.say('SUB foo 1', 'SUB bar q 2', 'SUB ok 3')
    await a.pingPong()
    const lines = await reload(
      bench.server,
      users('{user: a, password: a, permissions: {subscribe: ok, publish: ok}}', B),
    )
    const heard = [await a.line(), await a.line()].toSorted()
    assert.deepEqual(heard, [
      `-ERR 'Permissions Violation for Subscription to "bar" using queue "q" (sid "2")'`,
      `-ERR 'Permissions Violation for Subscription to "foo" (sid "1")'`,
    ])
    assert.ok(lines.includes('[INF] Removed sub "foo" (sid "1") for User "a" - not authorized'))
    assert.ok(
      lines.includes('[INF] Removed sub "bar" using queue "q" (sid "2") for User "a" - not authorized'),
    )
    a.say('PUB foo 0', '', 'PUB ok 2', 'hi')
    assert.equal(
      await a.flush(),
      wire(`-ERR 'Permissions Violation for Publish to "foo"'`, 'MSG ok 3 2', 'hi'),
    )
    await reload(bench.server, base)
    a.say('PUB foo 0', '')
    await a.pingPong()
  })

  it('one who has not said who it is yet is turned out', async (t) => {
    const silent = await bench.client(t)
    await reload(bench.server, base)
    await turnedOut(bench, silent)
  })

  it('no more authorization: users that are not configured any more go, and everybody may come', async (t) => {
    const a = await user(bench, t, 'a')
    await reload(bench.server, HTTP)
    await leftWithoutWord(bench, a)
    const guest = await login(bench, t, {})
    await guest.pingPong()
    await reload(bench.server, base)
    await turnedOut(bench, guest)
  })
})

onEveryEngine('reload of one token or one user', `${HTTP}authorization { token: one }\n`, (bench) => {
  const token = (text: string): string => `${HTTP}authorization { token: ${text} }\n`

  it('a token that is no longer the token is turned out', async (t) => {
    const client = await login(bench, t, { auth_token: 'one' })
    const lines = await reload(bench.server, token('two'))
    assert.ok(lines.includes('[INF] Reloaded: authorization token'))
    await turnedOut(bench, client)
    await (await login(bench, t, { auth_token: 'two' })).pingPong()
    await reload(bench.server, token('one'))
  })

  it('a token that stays is not disturbed', async (t) => {
    const client = await login(bench, t, { auth_token: 'one' })
    await reload(bench.server, token('one'))
    await client.pingPong()
  })

  it('a single user has to connect again at every reload', async (t) => {
    const single = `${HTTP}authorization { user: u, password: p }\n`
    const lines = await reload(bench.server, single)
    assert.ok(lines.includes('[INF] Reloaded: authorization username'))
    assert.ok(lines.includes('[INF] Reloaded: authorization password'))
    const client = await user(bench, t, 'u', 'p')
    await reload(bench.server, single)
    await leftWithoutWord(bench, client)
    await reload(bench.server, token('one'))
  })
})

const accounts = (a: string, b: string): string => `${HTTP}accounts {
  A { users: [${A}], ${a} }
  B { users: [${B}], ${b} }
}\n`
const SHARED = accounts(
  'exports: [{stream: "s.>"}, {service: "svc"}]',
  'imports: [{stream: {account: A, subject: "s.>"}}, {service: {account: A, subject: "svc"}}]',
)

onEveryEngine('reload of accounts', accounts('', ''), (bench) => {
  const base = accounts('', '')

  it('imports that come and go hold for subscriptions that are there', async (t) => {
    const [a, b] = [await user(bench, t, 'a'), await user(bench, t, 'b')]
    b.say('SUB s.x 1')
    await b.pingPong()
    a.say('PUB s.x 1', '1')
    await a.pingPong()
    await reload(bench.server, SHARED)
    a.say('PUB s.x 1', '2')
    await a.pingPong()
    assert.equal(await b.flush(), wire('MSG s.x 1 1', '2'))
    await reload(bench.server, base)
    a.say('PUB s.x 1', '3')
    await a.pingPong()
    await b.pingPong()
  })

  it('a service can be called as soon as it is imported, and no longer than that', async (t) => {
    const [a, b] = [await user(bench, t, 'a'), await user(bench, t, 'b')]
    a.say('SUB svc 1')
    await a.pingPong()
    b.say('SUB answer 1', 'PUB svc answer 1', '1')
    await b.pingPong()
    await a.pingPong()
    await reload(bench.server, SHARED)
    b.say('PUB svc answer 1', '2')
    await b.pingPong()
    const call = await a.message()
    assert.equal(call.payload, '2')
    a.pub(call.reply, 'pong')
    await a.pingPong()
    assert.equal((await b.message()).payload, 'pong')
    await reload(bench.server, base)
    b.say('PUB svc answer 1', '3')
    await b.pingPong()
    await a.pingPong()
  })

  it('a user that moves to another account is closed', async (t) => {
    const [a, b] = [await user(bench, t, 'a'), await user(bench, t, 'b')]
    await reload(bench.server, `${HTTP}accounts { A { users: [${A}, ${B}] }, B {} }\n`)
    await leftWithoutWord(bench, b)
    await a.pingPong()
    await reload(bench.server, base)
  })

  it('an account that is gone takes its users along', async (t) => {
    const [a, b] = [await user(bench, t, 'a'), await user(bench, t, 'b')]
    await reload(bench.server, `${HTTP}accounts { A { users: [${A}] } }\n`)
    await leftWithoutWord(bench, b)
    await a.pingPong()
    const { accounts } = await bench.server.monitor<{ accounts: string[] }>('/accountz')
    assert.deepEqual(accounts.toSorted(), ['$G', '$SYS', 'A'])
    await reload(bench.server, base)
    await user(bench, t, 'b')
  })

  it('default permissions of an account that change are in force at once', async (t) => {
    const a = await user(bench, t, 'a')
    await reload(bench.server, accounts('default_permissions: {publish: {deny: secret}}', ''))
    a.say('PUB secret 0', '', 'PUB open 0', '')
    assert.equal(await a.flush(), wire(`-ERR 'Permissions Violation for Publish to "secret"'`))
    await reload(bench.server, base)
    a.say('PUB secret 0', '')
    await a.pingPong()
  })
})

onEveryEngine(
  'reload with guests',
  `${HTTP}accounts { "$SYS" { users: [{user: s, password: s}] } }\n`,
  (bench) => {
    it('who came without a name stays, and its traffic counts once', async (t) => {
      const guest = await login(bench, t, {})
      guest.say('PUB a 1', '1')
      await guest.pingPong()
      await reload(bench.server, `${HTTP}accounts { "$SYS" { users: [{user: s, password: s}] } }\n`)
      guest.say('PUB a 1', '2')
      await guest.pingPong()
      type Stats = { account_statz: { acc: string; received: { msgs: number } }[] }
      const { account_statz } = await bench.server.monitor<Stats>('/accstatz?unused=1')
      assert.equal(account_statz.find(({ acc }) => acc === '$G')?.received.msgs, 2)
    })
  },
)

onEveryEngine('reload with a guest that is configured', `${users(A, B)}no_auth_user: a\n`, (bench) => {
  it('the guest stays while its user does, and goes with it', async (t) => {
    const guest = await login(bench, t, {})
    await reload(bench.server, `${users(A, B, '{user: c, password: c}')}no_auth_user: a\n`)
    await guest.pingPong()
    await reload(bench.server, users(B))
    await leftWithoutWord(bench, guest)
  })
})

onEveryEngine(
  'events of a reload',
  `${HTTP}accounts { "$SYS" { users: [{user: s, password: s}] }, A { users: [${A}, ${B}] } }\n`,
  (bench) => {
    it('each connection that stays is announced again', async (t) => {
      const system = await user(bench, t, 's')
      system.say('SUB $SYS.ACCOUNT.A.CONNECT 1')
      await system.pingPong()
      const a = await user(bench, t, 'a')
      const announced = async (): Promise<void> => {
        const { payload } = await system.message()
        const event = JSON.parse(payload) as { type: string; client: { id: number; user: string } }
        assert.equal(event.type, 'io.nats.server.advisory.v1.client_connect')
        assert.deepEqual([event.client.id, event.client.user], [a.info.client_id, 'a'])
      }
      await announced()
      await reload(
        bench.server,
        `${HTTP}accounts { "$SYS" { users: [{user: s, password: s}] }, A { users: [${A}, ${B}] } }\n`,
      )
      await announced()
    })
  },
)
