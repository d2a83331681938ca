// Users of the configuration file beyond their passwords in clear text: stored hashes, guests, kinds of connections, second thoughts.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { createKeyPair, encodeBase64Url } from '@ngs/identity/node'
import { type RawClient, waitFor } from '@ngs/testkit'
import { answers, type Bench, closeReason, ends, onEveryEngine, wire } from './support.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")
const HTTP = 'http: "127.0.0.1:-1"\n'
const connect = (fields: Record<string, unknown>): string =>
  `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, ...fields })}`

/** bcrypt of "secret" with the least cost. */
const HASH = '$2a$04$p5HfVi3qijKPnZLwJTC36OB4BtzBRpgF68VuMiPPR67GUxVl.bUha'
const hash = (version: string): string => HASH.replace('2a', version)

interface Listed {
  cid: number
  authorized_user?: string
  account?: string
  jwt?: string
  issuer_key?: string
}
async function connz(bench: Bench, client: RawClient): Promise<Listed> {
  const { connections } = await bench.server.monitor<{ connections: Listed[] }>('/connz?auth=1')
  return connections.find(({ cid }) => cid === client.info.client_id)!
}
/** Nothing that a test waits for in the log is there before the client came. */
const logged = (bench: Bench, client: RawClient, text: string): Promise<unknown> =>
  waitFor(
    () =>
      bench.server
        .log()
        .split('\n')
        .some((line) => line.includes(` - cid:${client.info.client_id} - `) && line.includes(text)),
    { what: () => `${text} in the log:\n${bench.server.log()}` },
  )

onEveryEngine('a stored token', `${HTTP}authorization { token: "${HASH}" }`, (bench) => {
  it('is a hash, which does not let itself in', async (t) => {
    const one = await bench.client(t)
    await answers(one, [connect({ auth_token: 'secret' })], '')
    assert.equal((await connz(bench, one)).authorized_user, '[REDACTED]')
    for (const auth_token of ['Secret', HASH, '']) {
      const wrong = await bench.client(t)
      await ends(wrong, [connect({ auth_token })], VIOLATION)
      assert.equal(await closeReason(bench.server, wrong.info.client_id), 'Authentication Failure')
      await logged(
        bench,
        wrong,
        `[ERR] 127.0.0.1:${wrong.localPort} - cid:${wrong.info.client_id} - authentication error${auth_token === '' ? '' : ' - Token "[REDACTED]"'}`,
      )
    }
    assert.doesNotMatch(bench.server.log(), /[sS]ecret/)
  })
})

onEveryEngine('one stored user', `${HTTP}authorization { user: joe, pass: "${hash('2y')}" }`, (bench) => {
  it('has a hash for a password', async (t) => {
    await answers(await bench.client(t), [connect({ user: 'joe', pass: 'secret' })], '')
    const wrong = await bench.client(t)
    await ends(wrong, [connect({ user: 'joe', pass: 'Secret' })], VIOLATION)
    await logged(bench, wrong, '- authentication error - User "joe"')
    await ends(await bench.client(t), [connect({ user: 'Joe', pass: 'secret' })], VIOLATION)
    await ends(await bench.client(t), [connect({ pass: 'secret' })], VIOLATION)
  })
  it('keeps what is behind CONNECT until the hash was compared', async (t) => {
    const one = await bench.client(t)
    one.say(connect({ user: 'joe', pass: 'secret' }), 'SUB a 1', 'PUB a 2', 'hi', 'PING')
    await one.expect('MSG a 1 2', 'hi', 'PONG')
  })
})

const key = createKeyPair('user')
const other = createKeyPair('user')

onEveryEngine(
  'users',
  `${HTTP}
accounts {
  A { users: [ { user: ann, password: a }, { nkey: ${key.publicKey}, permissions: { publish: "x" } } ]
      default_permissions: { publish: "def.>" } }
  FULL { users: [ { user: full, password: f } ], limits: { max_connections: 1 } }
}
authorization {
  default_permissions: { publish: "foo.>" }
  users: [
    { user: plain, password: p }
    { user: own, password: p, permissions: { publish: "bar" } }
    { user: hashed_b, password: "${hash('2b')}" }
    { user: hashed_x, password: "${hash('2x')}" }
    { user: nothing }
    { user: socket, password: p, connection_types: [ websocket, "MQTT" ] }
    { user: tcp, password: p, clients: [ standard ] }
    { nkey: ${other.publicKey}, allowed_connection_types: [ WEBSOCKET ] }
  ]
}`,
  (bench) => {
    const noPub = (subject: string): string =>
      wire(`-ERR 'Permissions Violation for Publish to "${subject}"'`)
    const publishes = (t: TestContext, fields: Record<string, unknown>): Promise<RawClient> =>
      bench.client(t, connect(fields), 'PUB foo.x 0', '', 'PUB bar 0', '', 'PUB def.x 0', '')

    it('get the default permissions of their block unless they have their own', async (t) => {
      const plain = await publishes(t, { user: 'plain', pass: 'p' })
      assert.equal(await plain.flush(), noPub('bar') + noPub('def.x'))
      const own = await publishes(t, { user: 'own', pass: 'p' })
      assert.equal(await own.flush(), noPub('foo.x') + noPub('def.x'))
      const ann = await publishes(t, { user: 'ann', pass: 'a' })
      assert.equal(await ann.flush(), noPub('foo.x') + noPub('bar'))
    })
    it('of accounts are in them, with an nkey too', async (t) => {
      const ann = await bench.client(t, connect({ user: 'ann', pass: 'a' }))
      await ann.flush()
      const { account, authorized_user, issuer_key } = await connz(bench, ann)
      assert.deepEqual([account, authorized_user, issuer_key], ['A', 'ann', undefined])
      const signed = await bench.client(t)
      const sig = encodeBase64Url(key.sign(Buffer.from(signed.info.nonce!)))
      signed.say(connect({ nkey: key.publicKey, sig }))
      await signed.flush()
      const listed = await connz(bench, signed)
      assert.deepEqual([listed.account, listed.authorized_user], ['A', key.publicKey])
      assert.equal(listed.issuer_key, 'A')
    })
    it('have hashes of every version', async (t) => {
      for (const user of ['hashed_b', 'hashed_x']) {
        await answers(await bench.client(t), [connect({ user, pass: 'secret' })], '')
        await ends(await bench.client(t), [connect({ user, pass: 'wrong' })], VIOLATION)
      }
    })
    it('without a password come in without one', async (t) => {
      await answers(await bench.client(t), [connect({ user: 'nothing' })], '')
      await ends(await bench.client(t), [connect({ user: 'nothing', pass: 'x' })], VIOLATION)
    })
    it('come by the kinds of connections that they may', async (t) => {
      await answers(await bench.client(t), [connect({ user: 'tcp', pass: 'p' })], '')
      const one = await bench.client(t)
      await ends(one, [connect({ user: 'socket', pass: 'p' })], VIOLATION)
      assert.equal(await closeReason(bench.server, one.info.client_id), 'Authentication Failure')
      const two = await bench.client(t)
      const sig = encodeBase64Url(other.sign(Buffer.from(two.info.nonce!)))
      await ends(two, [connect({ nkey: other.publicKey, sig })], VIOLATION)
      await logged(bench, two, `- authentication error - Nkey "${other.publicKey}"`)
    })
    it('with an nkey are nobody by anything else', async (t) => {
      for (const fields of [
        { nkey: key.publicKey },
        { nkey: key.publicKey, sig: '!' },
        { nkey: key.publicKey, user: 'plain', pass: 'p' },
        { nkey: createKeyPair('user').publicKey, user: 'plain', pass: 'p' },
        { user: key.publicKey },
        { auth_token: 'p' },
        {},
      ])
        await ends(await bench.client(t), [connect(fields)], VIOLATION)
    })
    it('hear in their account of logins that failed there, not of clients that did not even try', async (t) => {
      const listener = await bench.client(
        t,
        connect({ user: 'plain', pass: 'p' }),
        'SUB $SYS.ACCOUNT.CLIENT.AUTH.ERR 1',
      )
      await listener.flush()
      await ends(await bench.client(t), ['PING'], VIOLATION)
      const failed = await bench.client(t)
      await ends(failed, [connect({ user: 'ann', pass: 'wrong', name: 'app' })], VIOLATION)
      const { reason, client } = JSON.parse((await listener.message()).payload) as {
        reason: string
        client: Record<string, unknown>
      }
      assert.equal(reason, 'Authentication Failure')
      assert.deepEqual(
        [client['id'], client['acc'], client['user'], client['name']],
        [failed.info.client_id, '$G', 'ann', 'app'],
      )
    })
    it('may not name an account', async (t) => {
      for (const more of [{ account: 'A' }, { new_account: true }])
        await ends(await bench.client(t), [connect({ user: 'plain', pass: 'p', ...more })], VIOLATION)
    })
    it('are refused beyond the connections of their account', async (t) => {
      const one = await bench.client(t)
      await answers(one, [connect({ user: 'full', pass: 'f' })], '')
      const two = await bench.client(t)
      await ends(
        two,
        [connect({ user: 'full', pass: 'f' })],
        wire("-ERR 'maximum account active connections exceeded'"),
      )
      assert.equal(
        await closeReason(bench.server, two.info.client_id),
        'Maximum Account Connections Exceeded',
      )
    })
    it('may become others, and lose their subscriptions by that', async (t) => {
      const one = await bench.client(t, connect({ user: 'plain', pass: 'p' }), 'SUB foo.a 1')
      await one.flush()
      one.say(connect({ user: 'ann', pass: 'a' }), 'PUB def.a 0', '', 'PUB foo.a 0', '')
      assert.equal(await one.flush(), noPub('foo.a'))
      assert.equal((await connz(bench, one)).account, 'A')
      await ends(one, [connect({ user: 'ann', pass: 'wrong' })], VIOLATION)
    })
    it('bring no JWT that anybody looks at', async (t) => {
      const one = await bench.client(t, connect({ user: 'plain', pass: 'p', jwt: 'eyJ.x.y' }))
      assert.equal(await one.flush(), '')
      assert.equal((await connz(bench, one)).jwt, undefined)
    })
  },
)

onEveryEngine(
  'users who say nothing',
  `${HTTP}authorization { timeout: "300ms", users: [ { user: plain, password: p } ] }`,
  (bench) => {
    it('have so long to say who they are', async (t) => {
      const late = await bench.client(t)
      assert.equal(await late.closed(), wire("-ERR 'Authentication Timeout'"))
      assert.equal(await closeReason(bench.server, late.info.client_id), 'Authentication Timeout')
    })
  },
)

onEveryEngine('nobody configured', HTTP, (bench) => {
  it('lets everybody in, by the name that they give', async (t) => {
    const one = await bench.client(t, connect({ user: 'joe', pass: 'x' }))
    assert.equal(await one.flush(), '')
    assert.equal((await connz(bench, one)).authorized_user, 'joe')
    const two = await bench.client(t, connect({ auth_token: 'x' }))
    await two.flush()
    assert.equal((await connz(bench, two)).authorized_user, '[REDACTED]')
  })
})

onEveryEngine(
  'a guest with an nkey',
  `no_auth_user: ${key.publicKey}
authorization { users: [ { nkey: ${key.publicKey}, permissions: { publish: "x" } }, { user: a, password: b } ] }`,
  (bench) => {
    it('signs nothing, but has to say CONNECT', async (t) => {
      const one = await bench.client(t)
      assert.equal(one.info['auth_required'], undefined)
      await answers(
        one,
        [connect({}), 'PUB y 0', ''],
        wire(`-ERR 'Permissions Violation for Publish to "y"'`),
      )
      await ends(await bench.client(t), ['PING'], VIOLATION)
      await ends(await bench.client(t), [connect({ user: 'a', pass: 'x' })], VIOLATION)
      await answers(await bench.client(t), [connect({ user: 'a', pass: 'b' })], '')
    })
  },
)

onEveryEngine(
  'a guest with a hash',
  `no_auth_user: g\nauthorization { users: [ { user: g, password: "${HASH}" } ] }`,
  (bench) => {
    it('is nobody without the password', async (t) => {
      await ends(await bench.client(t), [connect({})], VIOLATION)
      await ends(await bench.client(t), ['PING'], VIOLATION)
      await answers(await bench.client(t), [connect({ user: 'g', pass: 'secret' })], '')
    })
  },
)

onEveryEngine(
  'a guest of another kind of connection',
  'no_auth_user: g\nauthorization { users: [ { user: g, password: g, allowed_connection_types: [ WEBSOCKET ] } ] }',
  (bench) => {
    it('does not stand for clients of this one', async (t) => {
      await ends(await bench.client(t), [connect({})], VIOLATION)
      await ends(await bench.client(t), ['PING'], VIOLATION)
    })
  },
)

onEveryEngine(
  'a guest',
  `${HTTP}no_auth_user: g
accounts { A { users: [ { user: g, password: g }, { user: a, password: b } ] } }`,
  (bench) => {
    it('is the user that it stands for, in its account', async (t) => {
      const one = await bench.client(t, connect({ protocol: 1 }))
      one.say('PING')
      await one.expect('PONG')
      const info = await one.expectInfo()
      assert.deepEqual([info['auth_required'], info['remote_account']], [true, 'A'])
      const { authorized_user, account } = await connz(bench, one)
      assert.deepEqual([authorized_user, account], ['g', 'A'])
    })
    it('can log in properly later', async (t) => {
      const one = await bench.client(t, 'SUB a 1', 'PING')
      await one.expect('+OK', 'PONG')
      one.say(connect({ user: 'a', pass: 'b' }), 'PUB a 0', '')
      assert.equal(await one.flush(), '')
      assert.equal((await connz(bench, one)).authorized_user, 'a')
    })
  },
)

onEveryEngine(
  'a guest who says nothing',
  `no_auth_user: g
accounts { A { users: [ { user: g, password: g } ] } }
authorization { timeout: 0.3 }`,
  (bench) => {
    it('is not kept', async (t) => {
      assert.equal(await (await bench.client(t)).closed(), wire("-ERR 'Authentication Timeout'"))
    })
  },
)

onEveryEngine(
  'users of the system account alone',
  `${HTTP}accounts { $SYS { users: [ { user: admin, password: pw } ] } }`,
  (bench) => {
    it('leave the rest to nameless guests, though INFO asks', async (t) => {
      const one = await bench.client(t)
      assert.equal(one.info['auth_required'], true)
      await answers(one, [connect({})], '')
      assert.match((await connz(bench, one)).authorized_user ?? '', /^nats-\w{8}$/)
      await answers(await bench.client(t), ['CONNECT {"verbose":false}'], '')
      await ends(await bench.client(t), [connect({ user: 'x' })], VIOLATION)
      const admin = await bench.client(t, connect({ user: 'admin', pass: 'pw' }))
      await admin.flush()
      assert.equal((await connz(bench, admin)).account, '$SYS')
    })
  },
)
