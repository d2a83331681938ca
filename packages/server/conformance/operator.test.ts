// Operator mode: the chain at connect, and account JWTs that change while their users are connected.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import {
  createKeyPair,
  encode,
  formatCreds,
  type KeyPair,
  newAccountClaims,
  newActivationClaims,
  newUserClaims,
  newUserScope,
  type UserClaims,
} from '@ngs/identity/node'
import { DEADLINE_MS, RawClient, waitFor } from '@ngs/testkit'
import { wire } from './support.ts'
import { inEveryWorld, now, soon, text } from './world.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")
inEveryWorld('operator mode', {}, (world) => {
  it('accepts a whole chain', async (t) => {
    const { key } = await world.account()
    const one = await world.client(t, key)
    one.say('SUB foo 1', 'PUB foo 2', 'hi')
    assert.equal(await one.flush(), wire('MSG foo 1 2', 'hi'))
  })

  it('asks for a JWT and a signature of the nonce', async (t) => {
    const bare = await RawClient.connect(t, world.server.port)
    assert.match(String(bare.info.nonce), /^[\w-]{15}$/)
    bare.say('CONNECT {"verbose":false}')
    assert.equal(await bare.closed(), VIOLATION)
    const { key } = await world.account()
    assert.equal(await (await world.client(t, key, undefined, { sign: null })).closed(), VIOLATION)
    assert.equal(
      await (await world.client(t, key, undefined, { sign: createKeyPair('user') })).closed(),
      VIOLATION,
    )
  })

  const refusals: [string, (key: KeyPair) => [KeyPair, (claims: UserClaims) => void]][] = [
    ['of an account that nobody pushed', () => [createKeyPair('account'), () => {}]],
    [
      'signed by a key that is none of the account',
      (key) => [createKeyPair('account'), (claims) => (claims.nats.issuer_account = key.publicKey)],
    ],
    ['that has expired', (key) => [key, (claims) => (claims.exp = now() - 10)]],
    ['that is not valid yet', (key) => [key, (claims) => (claims.nbf = now() + 100)]],
    [
      'for another connection type',
      (key) => [key, (claims) => (claims.nats.allowed_connection_types = ['WEBSOCKET'])],
    ],
    [
      'with only unknown connection types',
      (key) => [key, (claims) => (claims.nats.allowed_connection_types = ['PIGEON'])],
    ],
    ['from another network', (key) => [key, (claims) => (claims.nats.src = ['10.0.0.0/8'])]],
    [
      'outside its times',
      (key) => [key, (claims) => (claims.nats.times = [{ start: '00:00:00', end: '00:00:00' }])],
    ],
  ]
  for (const [what, make] of refusals) {
    it(`refuses a user ${what}`, async (t) => {
      const { key } = await world.account()
      const [signer, change] = make(key)
      assert.equal(await (await world.client(t, signer, change)).closed(), VIOLATION)
    })
  }

  it('refuses an account that no trusted operator signed', async (t) => {
    const key = createKeyPair('account')
    await world.push(newAccountClaims(key.publicKey, 'X'), createKeyPair('operator'))
    assert.equal(await (await world.client(t, key)).closed(), VIOLATION)
  })

  it('lets in who comes from its network, in its connection type, as bearer', async (t) => {
    const { key, claims } = await world.account()
    const fits = await world.client(t, key, (user) => {
      user.nats.src = ['127.0.0.0/8']
      user.nats.allowed_connection_types = ['standard', 'PIGEON']
    })
    assert.equal(await fits.flush(), '')
    const bearer = await world.client(t, key, (user) => (user.nats.bearer_token = true), { sign: null })
    assert.equal(await bearer.flush(), '')
    claims.nats.limits.disallow_bearer = true
    await world.push(claims)
    assert.equal(await bearer.closed(), VIOLATION)
    assert.equal(
      await (await world.client(t, key, (user) => (user.nats.bearer_token = true), { sign: null })).closed(),
      VIOLATION,
    )
    assert.equal(await fits.flush(), '')
  })

  it('ends a connection when its user expires', async (t) => {
    const { key } = await world.account()
    const one = await world.client(t, key, (claims) => (claims.exp = soon()))
    assert.equal(await one.flush(), '')
    assert.equal(await one.closed(), wire("-ERR 'User Authentication Expired'"))
  })

  it('gives users of a scoped signing key what its template says', async (t) => {
    const scoped = createKeyPair('account')
    const scope = newUserScope(scoped.publicKey, 'worker')
    scope.template.pub = { allow: ['jobs.{{name()}}.>'] }
    scope.template.sub = { allow: ['own.{{tag(team)}}', '_INBOX.>'] }
    const { key, claims } = await world.account((account) => (account.nats.signing_keys = [scope]))
    const scopedUser = (user: UserClaims): void => {
      user.name = 'joe'
      user.nats.tags = ['team:red']
      user.nats.issuer_account = key.publicKey
      user.nats.subs = 0
      user.nats.data = 0
      user.nats.payload = 0
    }
    const one = await world.client(t, scoped, scopedUser)
    one.say('SUB own.red 1', 'SUB own.blue 2', 'PUB jobs.joe.x 0', '', 'PUB jobs.jim.x 0', '')
    assert.equal(
      await one.flush(),
      wire(
        `-ERR 'Permissions Violation for Subscription to "own.blue"'`,
        `-ERR 'Permissions Violation for Publish to "jobs.jim.x"'`,
      ),
    )
    const greedy = await world.client(t, scoped, (user) => {
      scopedUser(user)
      user.nats.pub = { allow: ['>'] }
    })
    assert.equal(await greedy.closed(), VIOLATION)
    scope.description = 'changed'
    await world.push(claims)
    assert.equal(await one.closed(), '')
  })

  it('disconnects a revoked user and takes one issued later', async (t) => {
    const { key, claims } = await world.account()
    const one = await world.client(t, key)
    const other = await world.client(t, key)
    assert.equal(await one.flush(), '')
    assert.equal(await other.flush(), '')
    claims.nats.revocations = { [one.user]: now() }
    await world.push(claims)
    assert.equal(await one.closed(), wire("-ERR 'User Authentication Revoked'"))
    assert.equal(await other.flush(), '')
    claims.nats.revocations = { '*': now() + 50 }
    await world.push(claims)
    assert.equal(await other.closed(), wire("-ERR 'User Authentication Revoked'"))
    assert.equal(await (await world.client(t, key)).closed(), VIOLATION)
    const later = await world.client(t, key, undefined, { issuedAt: now() + 60 })
    assert.equal(await later.flush(), '')
  })

  it('applies lowered limits to live connections', async (t) => {
    const { key, claims } = await world.account()
    const [first, second] = [await world.client(t, key), await world.client(t, key)]
    assert.equal(await first.flush(), '')
    assert.equal(await second.flush(), '')
    claims.nats.limits.payload = 10
    await world.push(claims)
    assert.equal(await first.flush(), '')
    claims.nats.limits.conn = 1
    await world.push(claims)
    assert.equal(await second.closed(), wire("-ERR 'maximum account active connections exceeded'"))
    assert.equal(
      await (await world.client(t, key)).closed(),
      wire("-ERR 'maximum account active connections exceeded'"),
    )
    first.say('PUB foo 11')
    assert.equal(await first.closed(), wire("-ERR 'Maximum Payload Violation'"))
  })

  it('closes users of a signing key that was withdrawn, and no others', async (t) => {
    const signing = createKeyPair('account')
    const { key, claims } = await world.account(
      (account) => (account.nats.signing_keys = [signing.publicKey]),
    )
    const own = await world.client(t, key)
    const one = await world.client(t, signing, (user) => (user.nats.issuer_account = key.publicKey))
    assert.equal(await own.flush(), '')
    assert.equal(await one.flush(), '')
    delete claims.nats.signing_keys
    await world.push(claims)
    assert.equal(await one.closed(), '')
    assert.equal(await own.flush(), '')
  })

  it('opens a private export to an activation token, and closes it again when the token is revoked', async (t) => {
    const exporter = await world.account(
      (account) => (account.nats.exports = [{ name: 'p', subject: 'p.>', type: 'stream', token_req: true }]),
    )
    const importer = await world.account()
    const out = await world.client(t, exporter.key)
    const inside = await world.client(t, importer.key)
    inside.say('SUB p.> 1')
    assert.equal(await inside.flush(), '')
    const publish = async (): Promise<string> => {
      out.say('PUB p.x 1', 'x')
      assert.equal(await out.flush(), '')
      return inside.flush()
    }
    const imported = { name: 'p', subject: 'p.>', type: 'stream', account: exporter.key.publicKey } as const
    importer.claims.nats.imports = [{ ...imported }]
    await world.push(importer.claims)
    assert.equal(await publish(), '', 'no token, no messages')
    const activation = newActivationClaims(importer.key.publicKey, 'p')
    activation.nats.subject = 'p.>'
    activation.nats.kind = 'stream'
    importer.claims.nats.imports = [{ ...imported, token: encode(activation, exporter.key) }]
    await world.push(importer.claims)
    assert.equal(await publish(), wire('MSG p.x 1 1', 'x'))
    exporter.claims.nats.exports = [
      {
        name: 'p',
        subject: 'p.>',
        type: 'stream',
        token_req: true,
        revocations: { [importer.key.publicKey]: now() + 1 },
      },
    ]
    await world.push(exporter.claims)
    assert.equal(await publish(), '', 'revoked')
    exporter.claims.nats.exports = [{ name: 'p', subject: 'p.>', type: 'stream' }]
    await world.push(exporter.claims)
    assert.equal(await publish(), wire('MSG p.x 1 1', 'x'))
  })

  it('ends what an activation token gave when it expires', async (t) => {
    const exporter = await world.account(
      (account) => (account.nats.exports = [{ name: 'p', subject: 'p', type: 'stream', token_req: true }]),
    )
    const importer = await world.account()
    const activation = newActivationClaims(importer.key.publicKey, 'p')
    activation.nats.subject = 'p'
    activation.nats.kind = 'stream'
    activation.exp = soon()
    importer.claims.nats.imports = [
      {
        name: 'p',
        subject: 'p',
        type: 'stream',
        account: exporter.key.publicKey,
        token: encode(activation, exporter.key),
      },
    ]
    await world.push(importer.claims)
    const out = await world.client(t, exporter.key)
    const inside = await world.client(t, importer.key)
    inside.say('SUB p 1')
    await inside.flush()
    const arrives = async (): Promise<boolean> => {
      out.say('PUB p 0', '')
      await out.flush()
      return (await inside.flush()) !== ''
    }
    assert.equal(await arrives(), true)
    await waitFor(async () => !(await arrives()), { what: 'the import to end' })
  })

  it('answers requests about account JWTs', async () => {
    const { key, claims } = await world.account()
    const subject = `$SYS.REQ.ACCOUNT.${key.publicKey}.CLAIMS`
    const found = await world.system.request(`${subject}.LOOKUP`, '', { timeout: DEADLINE_MS })
    assert.match(text(found.data), /^eyJ/)
    const unknown = await world.system.request(
      `$SYS.REQ.ACCOUNT.${createKeyPair('account').publicKey}.CLAIMS.LOOKUP`,
      '',
      { timeout: DEADLINE_MS },
    )
    assert.equal(text(unknown.data), '')
    const list = await world.ask<{ data: string[] }>('$SYS.REQ.CLAIMS.LIST')
    assert.ok(list.data.includes(key.publicKey))
    const garbage = await world.ask<{ error: { code: number; description: string } }>(
      '$SYS.REQ.CLAIMS.UPDATE',
      'nonsense',
    )
    assert.equal(garbage.error.code, 500)
    assert.match(garbage.error.description, /^jwt update resulted in error - /)
    const other = await world.account()
    const mismatch = await world.ask<{ error: { description: string } }>(
      `${subject}.UPDATE`,
      encode(other.claims, world.signingKey),
    )
    assert.match(mismatch.error.description, /subject does not match jwt content/)
    claims.nats.exports = [{ name: 'bad', subject: 'a..b', type: 'stream' }]
    const invalid = await world.push(claims)
    assert.match(invalid.error?.description ?? '', /jwt validation failed/)
  })

  it('forgets a deleted account', async (t) => {
    const { key } = await world.account()
    const one = await world.client(t, key)
    assert.equal(await one.flush(), '')
    const { newGenericClaims } = await import('@ngs/identity/node')
    const request = newGenericClaims(world.operatorKey.publicKey)
    request.nats['accounts'] = [key.publicKey]
    const answer = await world.ask<{ data?: { message: string } }>(
      '$SYS.REQ.CLAIMS.DELETE',
      encode(request, world.operatorKey),
    )
    assert.equal(answer.data?.message, 'deleted 1 accounts')
    assert.equal(await one.closed(), wire("-ERR 'Account Authentication Expired'"))
    assert.equal(await (await world.client(t, key)).closed(), VIOLATION)
  })

  it('tells a user about itself and the operator about accounts', async () => {
    const { key } = await world.account()
    const user = createKeyPair('user')
    const jwt = encode(newUserClaims(user.publicKey, 'U'), key)
    const nc = await connect({
      servers: world.server.url,
      authenticator: credsAuthenticator(Buffer.from(formatCreds(jwt, user.seed))),
    })
    const reply = await nc.request('$SYS.REQ.USER.INFO', '', { timeout: DEADLINE_MS })
    const info = JSON.parse(text(reply.data)) as { data: { user: string; account: string } }
    assert.equal(info.data.user, user.publicKey)
    assert.equal(info.data.account, key.publicKey)
    const stats = await world.ask<{ data: { account_statz: { acc: string; conns: number }[] } }>(
      '$SYS.REQ.ACCOUNT.PING.STATZ',
      JSON.stringify({ accounts: [key.publicKey] }),
    )
    assert.equal(stats.data.account_statz.find((item) => item.acc === key.publicKey)?.conns, 1)
    await nc.close()
  })
})
