// Account JWTs that change while their users are connected, and what accounts let each other import.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import {
  type AccountClaims,
  type ActivationClaims,
  createKeyPair,
  type Export,
  encode,
  type Import,
  type KeyPair,
  newActivationClaims,
  newUserScope,
  type UserScope,
} from '@ngs/identity/node'
import { type RawClient, waitFor } from '@ngs/testkit'
import { wire } from './support.ts'
import { inEveryWorld, now, soon, type World } from './world.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")
const REVOKED = wire("-ERR 'User Authentication Revoked'")
const NO_RESPONDERS = { verbose: false, headers: true, no_responders: true }

interface TestAccount {
  key: KeyPair
  claims: AccountClaims
}

/** Connections of the account, oldest first. */
async function clients(world: World, t: TestContext, { key }: TestAccount, count: number) {
  const list: Awaited<ReturnType<World['client']>>[] = []
  for (let i = 0; i < count; i++) {
    const one = await world.client(t, key)
    await one.pingPong()
    list.push(one)
  }
  return list
}

inEveryWorld('an account JWT that changes', {}, (world) => {
  it('with fewer connections keeps the oldest', async (t) => {
    const account = await world.account()
    const [first, second, third] = await clients(world, t, account, 3)
    account.claims.nats.limits.conn = 1
    await world.push(account.claims)
    for (const one of [second!, third!]) {
      assert.equal(await one.closed(), wire("-ERR 'maximum account active connections exceeded'"))
      assert.equal(await world.closeReason(one), 'Maximum Account Connections Exceeded')
    }
    assert.equal(await first!.flush(), '')
  })

  it('with less payload says nothing until a message is too large', async (t) => {
    const account = await world.account()
    const [one] = await clients(world, t, account, 1)
    account.claims.nats.limits.payload = 10
    await world.push(account.claims)
    one!.say('PUB foo 10', '0123456789')
    assert.equal(await one!.flush(), '')
    one!.say('PUB foo 11')
    assert.equal(await one!.closed(), wire("-ERR 'Maximum Payload Violation'"))
    assert.equal(await world.closeReason(one!), 'Maximum Message Payload Exceeded')
  })

  it('closes those who have as many subscriptions as it allows, whatever the change was', async (t) => {
    const account = await world.account((claims) => (claims.nats.limits.subs = 2))
    const [below, at] = await clients(world, t, account, 2)
    below!.say('SUB a 1')
    at!.say('SUB a 1', 'SUB b 2')
    assert.equal(await below!.flush(), '')
    assert.equal(await at!.flush(), '')
    account.claims.nats.description = 'changed'
    await world.push(account.claims)
    assert.equal(await at!.closed(), wire("-ERR 'maximum subscriptions exceeded'"))
    assert.equal(await world.closeReason(at!), 'Maximum Subscriptions Exceeded')
    assert.equal(await below!.flush(), '')
  })

  it('with other default permissions takes subscriptions away, but not from users with permissions of their own', async (t) => {
    const account = await world.account()
    const [plain] = await clients(world, t, account, 1)
    const own = await world.client(t, account.key, (claims) => (claims.nats.pub = { allow: ['>'] }))
    for (const one of [plain!, own]) {
      one.say('SUB a 1', 'SUB b q 2')
      await one.pingPong()
    }
    account.claims.nats.default_permissions = { pub: { deny: ['a'] }, sub: { deny: ['a', 'b'] } }
    await world.push(account.claims)
    assert.deepEqual(
      (await plain!.flush()).split('\r\n').sort(),
      [
        '',
        `-ERR 'Permissions Violation for Subscription to "a" (sid "1")'`,
        `-ERR 'Permissions Violation for Subscription to "b" using queue "q" (sid "2")'`,
      ].sort(),
    )
    own.say('PUB a 0', '')
    assert.equal(await own.flush(), wire('MSG a 1 0', ''))
    plain!.say('PUB a 0', '', 'PUB c 0', '')
    assert.equal(await plain!.flush(), wire(`-ERR 'Permissions Violation for Publish to "a"'`))
    account.claims.nats.default_permissions = { pub: {}, sub: {} }
    await world.push(account.claims)
    plain!.say('SUB a 3', 'PUB a 0', '')
    assert.equal(await plain!.flush(), wire('MSG a 3 0', ''))
  })

  it('revokes users: one, all, also in advance; and forgives', async (t) => {
    const account = await world.account()
    const [one, other] = await clients(world, t, account, 2)
    account.claims.nats.revocations = { [one!.user]: now() }
    await world.push(account.claims)
    assert.equal(await one!.closed(), REVOKED)
    assert.equal(await world.closeReason(one!), 'Credentials Revoked')
    assert.equal(await other!.flush(), '')
    account.claims.nats.revocations = { '*': now() + 50 }
    await world.push(account.claims)
    assert.equal(await other!.closed(), REVOKED)
    assert.equal(await (await world.client(t, account.key)).closed(), VIOLATION)
    const later = await world.client(t, account.key, undefined, { issuedAt: now() + 60 })
    assert.equal(await later.flush(), '')
    delete account.claims.nats.revocations
    await world.push(account.claims)
    assert.equal(await later.flush(), '')
    assert.equal(await (await world.client(t, account.key)).flush(), '')
  })

  it('without bearer tokens closes those who came with one', async (t) => {
    const account = await world.account()
    const [signed] = await clients(world, t, account, 1)
    const bearer = await world.client(t, account.key, (claims) => (claims.nats.bearer_token = true), {
      sign: null,
    })
    await bearer.pingPong()
    account.claims.nats.limits.disallow_bearer = true
    await world.push(account.claims)
    assert.equal(await bearer.closed(), VIOLATION)
    assert.equal(await world.closeReason(bearer), 'Authentication Failure')
    assert.equal(await signed!.flush(), '')
  })

  it('without a signing key closes whom it signed, without a word', async (t) => {
    const [gone, stays] = [createKeyPair('account'), createKeyPair('account')]
    const account = await world.account(
      (claims) => (claims.nats.signing_keys = [gone.publicKey, stays.publicKey]),
    )
    const [own] = await clients(world, t, account, 1)
    const by = (key: KeyPair) =>
      world.client(t, key, (claims) => (claims.nats.issuer_account = account.key.publicKey))
    const [one, other] = [await by(gone), await by(stays)]
    await one.pingPong()
    await other.pingPong()
    account.claims.nats.signing_keys = [stays.publicKey]
    await world.push(account.claims)
    assert.equal(await one.closed(), '')
    assert.equal(await world.closeReason(one), 'Authentication Failure')
    assert.equal(await other.flush(), '')
    assert.equal(await own!.flush(), '')
    assert.equal(await (await by(gone)).closed(), VIOLATION)
  })

  for (const [what, change] of Object.entries({
    template: (scope: UserScope): unknown => (scope.template.pub = { allow: ['x'] }),
    role: (scope: UserScope): unknown => (scope.role = 'other'),
    description: (scope: UserScope): unknown => (scope.description = 'other'),
  })) {
    it(`with another ${what} in a scope closes the scope's users`, async (t) => {
      const key = createKeyPair('account')
      const scope = newUserScope(key.publicKey, 'role')
      const account = await world.account((claims) => (claims.nats.signing_keys = [scope]))
      const connect = () =>
        world.client(t, key, ({ nats }) => {
          nats.issuer_account = account.key.publicKey
          nats.subs = 0
          nats.data = 0
          nats.payload = 0
        })
      const one = await connect()
      await one.pingPong()
      account.claims.nats.description = 'that is none of its business'
      await world.push(account.claims)
      assert.equal(await one.flush(), '')
      change(scope)
      await world.push(account.claims)
      assert.equal(await one.closed(), '')
      assert.equal(await world.closeReason(one), 'Authentication Failure')
      assert.equal(await (await connect()).flush(), '')
    })
  }

  it('is renewed in time, or ends for all its users', async (t) => {
    const end = soon()
    const account = await world.account((claims) => (claims.exp = end))
    const [one] = await clients(world, t, account, 1)
    account.claims.exp = end + 2
    await world.push(account.claims)
    const other = await world.account((claims) => (claims.exp = end))
    const [gone] = await clients(world, t, other, 1)
    assert.equal(await gone!.closed(), wire("-ERR 'Account Authentication Expired'"))
    assert.equal(await world.closeReason(gone!), 'Authentication Expired')
    assert.equal(await one!.flush(), '', 'its first end has passed')
    assert.equal(await one!.closed(), wire("-ERR 'Account Authentication Expired'"))
  })

  it('and cannot be applied changes nothing', async (t) => {
    const account = await world.account()
    const [one] = await clients(world, t, account, 1)
    account.claims.nats.limits.conn = 0
    await world.push(account.claims, createKeyPair('operator'))
    assert.equal(await one!.flush(), '', 'not trusted')
    account.claims.exp = now() - 10
    await world.push(account.claims)
    assert.equal(await one!.flush(), '', 'expired')
    delete account.claims.exp
    account.claims.nats.exports = [{ name: 'x', subject: 'x y', type: 'stream' }]
    assert.match((await world.push(account.claims)).error?.description ?? '', /^jwt validation failed - /)
    assert.equal(await one!.flush(), '', 'invalid')
  })
})

const STREAM: Export = { name: 's', subject: 's.>', type: 'stream' }
const SERVICE: Export = { name: 'q', subject: 'q.*', type: 'service' }

/** An exporter with a connection that answers requests, and an importer with one that listens and asks. */
class Pair {
  readonly world: World
  readonly t: TestContext
  exporter!: TestAccount
  importer!: TestAccount
  out!: RawClient
  inside!: RawClient

  constructor(world: World, t: TestContext) {
    this.world = world
    this.t = t
  }

  async start(...exports: Export[]): Promise<void> {
    const { world, t } = this
    this.exporter = await world.account((claims) => (claims.nats.exports = exports))
    this.importer = await world.account()
    this.out = await world.client(t, this.exporter.key, undefined, { connect: NO_RESPONDERS })
    this.out.say('SUB q.* 9')
    await this.out.pingPong()
    this.inside = await world.client(t, this.importer.key, undefined, { connect: NO_RESPONDERS })
    this.inside.say('SUB s.> 1', 'SUB in.> 2')
    await this.inside.pingPong()
  }

  activation(
    exported: Export,
    change: (claims: ActivationClaims) => void = () => {},
    signer = this.exporter.key,
  ): string {
    const claims = newActivationClaims(this.importer.key.publicKey, exported.name)
    claims.nats.kind = exported.type as 'stream' | 'service'
    claims.nats.subject = exported.subject!
    change(claims)
    return encode(claims, signer)
  }

  importOf(exported: Export, more: Partial<Import> = {}): Import {
    const { name = '', subject = '', type = 'stream' } = exported
    return { name, subject, type, account: this.exporter.key.publicKey, ...more }
  }
  async imports(...imports: Import[]): Promise<Awaited<ReturnType<World['push']>>> {
    this.importer.claims.nats.imports = imports
    return this.world.push(this.importer.claims)
  }
  async exports(...exports: Export[]): Promise<void> {
    this.exporter.claims.nats.exports = exports
    assert.ok((await this.world.push(this.exporter.claims)).data)
  }

  /** Does a published message arrive? */
  async streams(subject = 's.a'): Promise<boolean> {
    this.out.say(`PUB ${subject} 0`, '')
    await this.out.flush()
    const heard = await this.inside.flush()
    if (heard !== '') assert.equal(heard, wire(`MSG ${subject} 1 0`, ''))
    return heard !== ''
  }
  /** Is a request answered? Else nobody is there for it. */
  async serves(subject = 'q.a'): Promise<boolean> {
    this.inside.say(`PUB ${subject} in.1 0`, '')
    const refused = await this.inside.flush()
    if (refused !== '') {
      assert.match(refused, /^HMSG in\.1 2 .*\r\nNATS\/1\.0 503/)
      return false
    }
    const request = await this.out.message()
    this.out.pub(request.reply, 'yes')
    await this.out.flush()
    assert.equal(await this.inside.flush(), wire('MSG in.1 2 3', 'yes'))
    return true
  }
}

inEveryWorld('sharing', {}, (world) => {
  const share = (what: string, run: (pair: Pair, t: TestContext) => Promise<void>): void => {
    it(what, (t) => run(new Pair(world, t), t))
  }

  share('begins and ends with the import, for subscriptions that are there', async (pair) => {
    await pair.start(STREAM, SERVICE)
    assert.deepEqual([await pair.streams(), await pair.serves()], [false, false])
    await pair.imports(pair.importOf(STREAM), pair.importOf(SERVICE))
    assert.deepEqual([await pair.streams(), await pair.serves()], [true, true])
    await pair.imports(pair.importOf(SERVICE))
    assert.deepEqual([await pair.streams(), await pair.serves()], [false, true])
    await pair.imports()
    assert.deepEqual([await pair.streams(), await pair.serves()], [false, false])
  })

  share('begins and ends with the export', async (pair) => {
    await pair.start(STREAM, SERVICE)
    await pair.imports(pair.importOf(STREAM), pair.importOf(SERVICE))
    await pair.exports(STREAM)
    assert.deepEqual([await pair.streams(), await pair.serves()], [true, false])
    await pair.exports(SERVICE)
    assert.deepEqual([await pair.streams(), await pair.serves()], [false, true])
    await pair.exports(STREAM, SERVICE)
    assert.deepEqual([await pair.streams(), await pair.serves()], [true, true])
  })

  share('of a part of what is exported', async (pair) => {
    await pair.start(STREAM, SERVICE)
    await pair.imports(pair.importOf(STREAM, { subject: 's.a' }), pair.importOf(SERVICE, { subject: 'q.a' }))
    assert.deepEqual([await pair.streams(), await pair.serves()], [true, true])
    assert.deepEqual([await pair.streams('s.b'), await pair.serves('q.b')], [false, false])
  })

  share('starts when the exporter is pushed after its importer', async (pair, t) => {
    await pair.start()
    const late = createKeyPair('account')
    const imported = { name: 's', subject: 's.>', type: 'stream', account: late.publicKey } as const
    assert.ok((await pair.imports(imported)).data, 'an exporter that nobody knows is no fault')
    const { newAccountClaims } = await import('@ngs/identity/node')
    const claims = newAccountClaims(late.publicKey, 'late')
    claims.nats.exports = [STREAM]
    await world.push(claims)
    pair.out = await world.client(t, late)
    assert.equal(await pair.streams(), true)
  })

  share('of private exports needs a token, and only that import suffers without', async (pair) => {
    const [stream, service] = [
      { ...STREAM, token_req: true },
      { ...SERVICE, token_req: true },
    ]
    const open: Export = { name: 'open', subject: 's.open', type: 'stream' }
    await pair.start(stream, service, { ...open, subject: 'open' })
    const free = pair.importOf({ ...open, subject: 'open' }, { local_subject: 's.open' })
    assert.ok((await pair.imports(pair.importOf(stream), pair.importOf(service), free)).data)
    assert.deepEqual([await pair.streams(), await pair.serves()], [false, false])
    pair.out.say('PUB open 0', '')
    await pair.out.flush()
    assert.equal(await pair.inside.flush(), wire('MSG s.open 1 0', ''))
    await pair.imports(
      pair.importOf(stream, { token: pair.activation(stream) }),
      pair.importOf(service, { token: pair.activation(service) }),
      free,
    )
    assert.deepEqual([await pair.streams(), await pair.serves()], [true, true])
  })

  share('is allowed by a signing key of the exporter while it is one', async (pair) => {
    const stream = { ...STREAM, token_req: true }
    await pair.start(stream)
    const signing = createKeyPair('account')
    const token = pair.activation(
      stream,
      (claims) => (claims.nats.issuer_account = pair.exporter.key.publicKey),
      signing,
    )
    await pair.imports(pair.importOf(stream, { token }))
    assert.equal(await pair.streams(), false)
    pair.exporter.claims.nats.signing_keys = [signing.publicKey]
    await pair.exports(stream)
    assert.equal(await pair.streams(), true)
    delete pair.exporter.claims.nats.signing_keys
    await pair.exports(stream)
    assert.equal(await pair.streams(), false)
  })

  share(
    'ends when the activation is revoked, by name or with all, and starts again when it is not',
    async (pair) => {
      const [stream, service] = [
        { ...STREAM, token_req: true },
        { ...SERVICE, token_req: true },
      ]
      await pair.start(stream, service)
      await pair.imports(
        pair.importOf(stream, { token: pair.activation(stream) }),
        pair.importOf(service, { token: pair.activation(service) }),
      )
      for (const key of [pair.importer.key.publicKey, '*']) {
        const revocations = { [key]: now() }
        await pair.exports({ ...stream, revocations }, { ...service, revocations })
        assert.deepEqual([await pair.streams(), await pair.serves()], [false, false])
        await pair.exports({ ...stream, revocations: { [key]: now() - 100 } }, service)
        assert.deepEqual([await pair.streams(), await pair.serves()], [true, true])
      }
      assert.equal(await pair.inside.flush(), '', 'nobody was disconnected')
    },
  )

  share('ends with the activation, for streams and services', async (pair) => {
    const [stream, service] = [
      { ...STREAM, token_req: true },
      { ...SERVICE, token_req: true },
    ]
    await pair.start(stream, service)
    const ending = (claims: ActivationClaims): unknown => (claims.exp = soon())
    await pair.imports(
      pair.importOf(stream, { token: pair.activation(stream, ending) }),
      pair.importOf(service, { token: pair.activation(service, ending) }),
    )
    assert.deepEqual([await pair.streams(), await pair.serves()], [true, true])
    await waitFor(async () => !(await pair.streams()), { what: 'the stream to end' })
    assert.equal(await pair.serves(), false)
    const token = pair.activation(stream, (claims) => (claims.exp = now() + 1000))
    await pair.imports(pair.importOf(stream, { token }))
    // The official server gives it to new subscriptions only.
    pair.inside.say('UNSUB 1', 'SUB s.> 1')
    await pair.inside.flush()
    assert.equal(await pair.streams(), true)
  })

  const unfit: Record<string, (pair: Pair) => string> = {
    'for another account': (pair) =>
      pair.activation(STREAM, (claims) => (claims.sub = createKeyPair('account').publicKey)),
    'by another account': (pair) => pair.activation(STREAM, undefined, createKeyPair('account')),
    'of the other kind': (pair) => pair.activation(STREAM, (claims) => (claims.nats.kind = 'service')),
    'for another subject': (pair) => pair.activation(STREAM, (claims) => (claims.nats.subject = 'other')),
    'that nobody can read': () => 'nonsense',
  }
  for (const [what, make] of Object.entries(unfit)) {
    share(`with a token ${what} makes the account JWT invalid`, async (pair) => {
      const stream = { ...STREAM, token_req: true }
      await pair.start(stream)
      const answer = await pair.imports(pair.importOf(stream, { token: make(pair) }))
      assert.match(answer.error?.description ?? '', /^jwt validation failed - /)
      assert.equal(await pair.streams(), false)
      assert.equal(await pair.inside.flush(), '')
    })
  }

  share('by position is for the account that the subject names', async (pair) => {
    const own: Export = { name: 'o', subject: 's.*.x', type: 'stream', account_token_position: 2 }
    await pair.start(own)
    const mine = `s.${pair.importer.key.publicKey}.x`
    await pair.imports(pair.importOf(own, { subject: mine }))
    assert.equal(await pair.streams(mine), true)
    const theirs = `s.${createKeyPair('account').publicKey}.x`
    await pair.imports(pair.importOf(own, { subject: theirs }))
    assert.equal(await pair.streams(theirs), false)
    await pair.imports(pair.importOf(own))
    assert.equal(await pair.streams(mine), false, 'all of it is for nobody')
  })
})
