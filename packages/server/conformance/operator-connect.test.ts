// Operator mode at CONNECT: every check of the chain fails alone, with its own words in the log and the same few for the stranger.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  createKeyPair,
  encode,
  encodeBase64Url,
  type KeyPair,
  newAccountClaims,
  newUserClaims,
  newUserScope,
  type UserClaims,
} from '@ngs/identity/node'
import { waitFor } from '@ngs/testkit'
import { nobodyIn, wire } from './support.ts'
import { type ClientOptions, inEveryWorld, now, soon, type World } from './world.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")

// The official server says of a token that it cannot read that there is none.
const NO_USER_JWT = /User JWT not valid: |Authentication requires a user JWT/

interface Attempt {
  /** The account; pushed. */
  account?: Parameters<World['account']>[0]
  /** Who signs the user: the account by default. */
  signer?: (account: KeyPair) => KeyPair
  user?: (claims: UserClaims, account: KeyPair) => void
  client?: ClientOptions | ((world: World, account: KeyPair) => ClientOptions)
  log: RegExp
  reason?: string
}

/** A user of a scoped signing key brings nothing of its own. */
function scoped(user: UserClaims, account: KeyPair): void {
  user.nats.issuer_account = account.publicKey
  user.nats.subs = 0
  user.nats.data = 0
  user.nats.payload = 0
}

const signing = createKeyPair('account')
const scope = (change: (template: ReturnType<typeof newUserScope>['template']) => void) => {
  const made = newUserScope(signing.publicKey, 'role')
  change(made.template)
  return made
}
const tampered = (token: string): string => {
  const [header, payload, signature] = token.split('.') as [string, string, string]
  return [header, payload, (signature[0] === 'A' ? 'B' : 'A') + signature.slice(1)].join('.')
}

const REFUSALS: Record<string, Attempt> = {
  'without a JWT': { client: { connect: { jwt: '' } }, log: /Authentication requires a user JWT/ },
  'with garbage for a JWT': { client: { connect: { jwt: 'x' } }, log: NO_USER_JWT },
  'with the JWT of an account': {
    client: (world) => ({ connect: { jwt: world.systemToken() } }),
    log: NO_USER_JWT,
  },
  'with a JWT that was tampered with': {
    client: (_world, account) => ({
      connect: { jwt: tampered(encode(newUserClaims(createKeyPair('user').publicKey), account)) },
    }),
    log: /User JWT not valid: claim failed V2 signature verification|requires a user JWT/,
  },
  'whose JWT needs a proxy': {
    user: (claims) => (claims.nats.proxy_required = true),
    log: /proxy connection required/,
    reason: 'Proxy Required',
  },
  'that has expired': {
    user: (claims) => (claims.exp = now() - 10),
    log: /User JWT no longer valid: .*expired/,
  },
  'that is not valid yet': {
    user: (claims) => (claims.nbf = now() + 100),
    log: /User JWT no longer valid: .*not yet valid/,
  },
  'whose JWT breaks a rule': {
    user: (claims) => (claims.nats.src = ['nonsense']),
    log: /User JWT no longer valid: /,
  },
  'whose time zone has another name in other letters': {
    user: (claims) => (claims.nats.times_location = 'europe/berlin'),
    log: /User JWT no longer valid: .*could not parse iana time zone by name: unknown time zone europe\/berlin/,
  },
  'whose time zone is a difference of time': {
    user: (claims) => (claims.nats.times_location = '+01:00'),
    log: /User JWT no longer valid: .*unknown time zone \+01:00/,
  },
  'from a network of the other version of IP': {
    user: (claims) => (claims.nats.src = ['::/0', '::/96']),
    log: /Bad src Ip 127\.0\.0\.1/,
  },
  'of an account that nobody pushed': {
    signer: () => createKeyPair('account'),
    log: /Account JWT lookup error: /,
  },
  'signed by a stranger': {
    signer: () => createKeyPair('account'),
    user: (claims, account) => (claims.nats.issuer_account = account.publicKey),
    log: /User JWT issuer is not known/,
  },
  'of a scoped key with permissions of its own': {
    account: (claims) => (claims.nats.signing_keys = [scope(() => {})]),
    signer: () => signing,
    user: (claims, account) => {
      scoped(claims, account)
      claims.nats.pub = { allow: ['x'] }
    },
    log: /User JWT is not valid: /,
  },
  'of a scoped key with limits of its own': {
    account: (claims) => (claims.nats.signing_keys = [scope(() => {})]),
    signer: () => signing,
    user: (claims, account) => (claims.nats.issuer_account = account.publicKey),
    log: /User JWT is not valid: /,
  },
  'without the tag that a denied subject of its scope names': {
    account: (claims) =>
      (claims.nats.signing_keys = [scope((template) => (template.pub = { deny: ['x.{{tag(team)}}'] }))]),
    signer: () => signing,
    user: scoped,
    log: /User JWT generated invalid permissions/,
  },
  'whose scope uses an unknown function': {
    account: (claims) =>
      (claims.nats.signing_keys = [scope((template) => (template.pub = { allow: ['x.{{nonsense()}}'] }))]),
    signer: () => signing,
    user: scoped,
    log: /User JWT generated invalid permissions/,
  },
  'as bearer where the account wants none': {
    account: (claims) => (claims.nats.limits.disallow_bearer = true),
    user: (claims) => (claims.nats.bearer_token = true),
    client: { sign: null },
    log: /Account does not allow bearer tokens/,
  },
  'for connection types that nobody knows': {
    user: (claims) => (claims.nats.allowed_connection_types = ['PIGEON', 'OWL']),
    log: /invalid connection types \[/,
  },
  'for other connection types': {
    user: (claims) => (claims.nats.allowed_connection_types = ['WEBSOCKET', 'MQTT', 'PIGEON']),
    log: /Connection type not allowed/,
  },
  'without a signature': { client: { sign: null }, log: /Signature missing/ },
  'with a signature in no alphabet': {
    client: { connect: { sig: '!!!' } },
    log: /Signature not valid base64/,
  },
  'with a signature of something else': {
    client: { sign: createKeyPair('user') },
    log: /Signature not verified/,
  },
  'from another network': {
    user: (claims) => (claims.nats.src = ['10.0.0.0/8', 'fd00::/8']),
    log: /Bad src Ip 127\.0\.0\.1/,
  },
  'outside its times': {
    user: (claims) => {
      claims.nats.times = [{ start: '00:00:00', end: '00:00:00' }]
      claims.nats.times_location = 'UTC'
    },
    log: /Outside connect times/,
  },
  'that names an account in CONNECT': {
    client: { connect: { account: 'A' } },
    log: /[Aa]uth/,
  },
}

inEveryWorld('an operator: refuses a user', {}, (world) => {
  for (const [what, attempt] of Object.entries(REFUSALS)) {
    it(what, async (t) => {
      const { key } = await world.account(attempt.account)
      const options =
        typeof attempt.client === 'function' ? attempt.client(world, key) : (attempt.client ?? {})
      const signer = attempt.signer?.(key) ?? key
      const one = await world.client(t, signer, (claims) => attempt.user?.(claims, key), options)
      assert.equal(await one.closed(), VIOLATION)
      assert.equal(await world.closeReason(one), attempt.reason ?? 'Authentication Failure')
      await waitFor(() => attempt.log.test(world.logOf(one)), {
        what: () => `${attempt.log} in:\n${world.logOf(one)}`,
      })
    })
  }

  it('that was revoked, up to the second, by its key or with everybody', async (t) => {
    const user = createKeyPair('user')
    for (const revoked of [user.publicKey, '*']) {
      const until = now() - 50
      const { key } = await world.account((claims) => (claims.nats.revocations = { [revoked]: until }))
      const one = await world.client(t, key, undefined, { key: user, issuedAt: until })
      assert.equal(await one.closed(), VIOLATION)
      await world.waitForLogOf(one, /User authentication revoked/)
      const later = await world.client(t, key, undefined, { key: user, issuedAt: until + 1 })
      assert.equal(await later.flush(), '')
    }
  })

  it('when the account has run out, and takes it again when it was renewed', async (t) => {
    const { key, claims } = await world.account((account) => (account.exp = soon()))
    const one = await world.client(t, key)
    await one.flush()
    assert.equal(await one.closed(), wire("-ERR 'Account Authentication Expired'"))
    assert.equal(await world.closeReason(one), 'Authentication Expired')
    const two = await world.client(t, key)
    assert.equal(await two.closed(), VIOLATION)
    await world.waitForLogOf(two, /Account JWT lookup error: |Account JWT has expired/)
    claims.exp = now() + 1000
    await world.push(claims)
    assert.equal(await (await world.client(t, key)).flush(), '')
  })

  it('past the connections of its account', async (t) => {
    const { key } = await world.account((claims) => (claims.nats.limits.conn = 1))
    const one = await world.client(t, key)
    assert.equal(await one.flush(), '')
    const two = await world.client(t, key)
    assert.equal(await two.closed(), wire("-ERR 'maximum account active connections exceeded'"))
    assert.equal(await world.closeReason(two), 'Maximum Account Connections Exceeded')
    one.destroy()
    await nobodyIn(world.server, key.publicKey)
    assert.equal(await (await world.client(t, key)).flush(), '')
  })

  it('of an account whose JWT breaks a rule, or is of another', async (t) => {
    const key = createKeyPair('account')
    const claims = newAccountClaims(key.publicKey, 'A')
    claims.nats.exports = [{ name: 'x', subject: 'a..b', type: 'stream' }]
    assert.match((await world.push(claims)).error?.description ?? '', /^jwt validation failed - /)
    assert.equal(await (await world.client(t, key)).closed(), VIOLATION)
  })

  it('of an account that no trusted operator signed, though it was pushed', async (t) => {
    const key = createKeyPair('account')
    const stranger = createKeyPair('operator')
    for (const signer of [stranger, key]) {
      const answer = await world.push(newAccountClaims(key.publicKey, 'X'), signer)
      assert.equal(answer.data?.message, 'jwt updated')
      const one = await world.client(t, key)
      assert.equal(await one.closed(), VIOLATION)
      await world.waitForLogOf(one, /Account JWT lookup error: account validation failed/)
    }
  })
})

inEveryWorld('an operator: lets a user in', {}, (world) => {
  it('whose chain is whole: account by operator or its signing key, user by account or its signing key', async (t) => {
    const other = createKeyPair('account')
    const { key, claims } = await world.account((account) => (account.nats.signing_keys = [other.publicKey]))
    for (const operator of [world.operatorKey, world.signingKey]) {
      await world.push(claims, operator)
      assert.equal(await (await world.client(t, key)).flush(), '')
      const one = await world.client(t, other, (user) => (user.nats.issuer_account = key.publicKey))
      assert.equal(await one.flush(), '')
    }
  })

  it('who signs in either alphabet', async (t) => {
    const { key } = await world.account()
    const user = createKeyPair('user')
    const jwt = encode(newUserClaims(user.publicKey, 'U'), key)
    for (const alphabet of [encodeBase64Url, (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')]) {
      const one = await world.client(t, key, undefined, { send: false })
      one.connect({ verbose: false, jwt, sig: alphabet(user.sign(Buffer.from(String(one.info.nonce)))) })
      assert.equal(await one.flush(), '')
    }
  })

  it('with line ends in its JWT, as files have them', async (t) => {
    const { key } = await world.account()
    const user = createKeyPair('user')
    const jwt = `${encode(newUserClaims(user.publicKey, 'U'), key)}\r\n`
    const one = await world.client(t, key, undefined, { key: user, connect: { jwt } })
    assert.equal(await one.flush(), '')
  })

  it('as bearer without a signature', async (t) => {
    const { key } = await world.account()
    const one = await world.client(t, key, (claims) => (claims.nats.bearer_token = true), { sign: null })
    assert.equal(await one.flush(), '')
  })

  it('from its network, at its times, in its connection type', async (t) => {
    const { key } = await world.account()
    // Neither end is beyond midnight: a range that is goes on today, but did not begin yesterday.
    const utc = new Date().getUTCHours()
    const [location, zone] = utc > 2 && utc < 21 ? ['UTC', 0] : ['Etc/GMT+12', -12]
    const hour = (offset: number): string =>
      new Date(Date.now() + (offset + zone) * 3600_000).toISOString().slice(11, 19)
    const one = await world.client(t, key, (claims) => {
      claims.nats.src = ['192.168.0.0/16', '::ffff:127.0.0.0/104']
      claims.nats.times = [
        { start: '00:00:00', end: '00:00:00' },
        { start: '9:00:00', end: '9:00:00.5' },
        { start: hour(-1), end: hour(1) },
      ]
      claims.nats.times_location = location
      claims.nats.allowed_connection_types = ['pigeon', 'standard']
    })
    assert.equal(await one.flush(), '')
  })

  it('until its JWT ends', async (t) => {
    const { key } = await world.account()
    const one = await world.client(t, key, (claims) => (claims.exp = soon()))
    assert.equal(await one.flush(), '')
    assert.equal(await one.closed(), wire("-ERR 'User Authentication Expired'"))
    assert.equal(await world.closeReason(one), 'Authentication Expired')
  })

  it('until its time of the day is over', async (t) => {
    const { key } = await world.account()
    const utc = new Date().getUTCHours()
    const [location, zone] = utc > 2 && utc < 21 ? ['UTC', 0] : ['Etc/GMT+12', -12]
    const at = (seconds: number): string =>
      new Date(Date.now() + zone * 3600_000 + seconds * 1000).toISOString().slice(11, 19)
    const one = await world.client(t, key, (claims) => {
      claims.nats.times = [{ start: at(-60), end: at(4) }]
      claims.nats.times_location = location
      claims.exp = now() + 1000
    })
    assert.equal(await one.flush(), '')
    assert.equal(await one.closed(), wire("-ERR 'User Authentication Expired'"))
  })

  it('with its own permissions, else those of the account', async (t) => {
    const { key } = await world.account(
      (claims) =>
        (claims.nats.default_permissions = { pub: { allow: ['all.>'] }, sub: { deny: ['secret'] } }),
    )
    const plain = await world.client(t, key)
    plain.say('PUB all.x 0', '', 'PUB mine 0', '', 'SUB secret 1', 'SUB mine 2')
    assert.equal(
      await plain.flush(),
      wire(
        `-ERR 'Permissions Violation for Publish to "mine"'`,
        `-ERR 'Permissions Violation for Subscription to "secret"'`,
      ),
    )
    const own = await world.client(t, key, (claims) => (claims.nats.pub = { allow: ['mine'] }))
    own.say('PUB mine 0', '', 'PUB all.x 0', '', 'SUB secret 1')
    assert.equal(await own.flush(), wire(`-ERR 'Permissions Violation for Publish to "all.x"'`))
  })

  it('with answers alone: one for each request, unless it says more', async (t) => {
    const { key } = await world.account()
    const responder = await world.client(t, key, (claims) => (claims.nats.resp = { max: 0, ttl: 0 }))
    const asker = await world.client(t, key)
    responder.say('SUB req 1')
    await responder.flush()
    asker.say('PUB req in.1 0', '')
    await asker.flush()
    responder.say('PUB in.1 0', '', 'PUB in.1 0', '', 'PUB other 0', '')
    assert.equal(
      await responder.flush(),
      wire(
        'MSG req 1 in.1 0',
        '',
        `-ERR 'Permissions Violation for Publish to "in.1"'`,
        `-ERR 'Permissions Violation for Publish to "other"'`,
      ),
    )
  })

  it('with the smallest of its own, its account and the server for each limit', async (t) => {
    const { key } = await world.account((claims) => {
      claims.nats.limits.payload = 100
      claims.nats.limits.subs = 2
    })
    const info = async (change: (claims: UserClaims) => void): Promise<number> => {
      const one = await world.client(t, key, change, { connect: { protocol: 1 } })
      one.say('PING')
      await one.expect('PONG')
      return (await one.expectInfo()).max_payload
    }
    assert.equal(await info(() => {}), 100)
    assert.equal(await info((claims) => (claims.nats.payload = 10)), 10)
    assert.equal(await info((claims) => (claims.nats.payload = 1_000)), 100)
    const one = await world.client(t, key, (claims) => (claims.nats.subs = 1))
    one.say('SUB a 1', 'SUB b 2')
    assert.equal(await one.flush(), wire("-ERR 'maximum subscriptions exceeded'"))
    one.say('PUB a 101')
    assert.equal(await one.closed(), wire("-ERR 'Maximum Payload Violation'"))
  })

  it('for a moment only, when its JWT leaves the limits out: that is zero', async (t) => {
    const { key } = await world.account()
    const one = await world.client(t, key, (claims) => {
      claims.nats.subs = 0
    })
    assert.match(await one.closed(), /-ERR 'maximum subscriptions exceeded'\r\n$/)
    assert.equal(await world.closeReason(one), 'Maximum Subscriptions Exceeded')
  })

  it('with every function of a template, and the product of its tags', async (t) => {
    const { key } = await world.account((claims) => {
      claims.name = 'Acc'
      claims.nats.tags = ['region:eu', 'region:us']
      claims.nats.signing_keys = [
        scope((template) => {
          template.pub = {
            allow: [
              'n.{{name()}}',
              's.{{ subject() }}',
              'a.{{account-name()}}',
              'k.{{ACCOUNT-SUBJECT()}}',
              't.{{tag(team)}}.{{account-tag(region)}}',
              'gone.{{tag(missing)}}',
            ],
          }
          template.sub = { allow: ['{{tag(missing)}}'] }
        }),
      ]
    })
    const one = await world.client(t, signing, (user) => {
      scoped(user, key)
      user.name = 'joe'
      user.nats.tags = ['team:red', 'team:blue']
    })
    const allowed = [
      'n.joe',
      `s.${one.user}`,
      'a.Acc',
      `k.${key.publicKey}`,
      ...['red', 'blue'].flatMap((team) => ['eu', 'us'].map((region) => `t.${team}.${region}`)),
    ]
    one.say(...allowed.flatMap((subject) => [`PUB ${subject} 0`, '']))
    assert.equal(await one.flush(), '')
    one.say('PUB t.green.eu 0', '', 'PUB gone.x 0', '', 'SUB anything 1')
    assert.equal(
      await one.flush(),
      wire(
        `-ERR 'Permissions Violation for Publish to "t.green.eu"'`,
        `-ERR 'Permissions Violation for Publish to "gone.x"'`,
        `-ERR 'Permissions Violation for Subscription to "anything"'`,
      ),
    )
  })

  it('and no other account hears it', async (t) => {
    const [a, b] = [await world.account(), await world.account()]
    const [one, two] = [await world.client(t, a.key), await world.client(t, b.key)]
    two.say('SUB > 1')
    await two.flush()
    one.say('PUB foo 0', '')
    await one.flush()
    assert.equal(await two.flush(), '')
  })
})

inEveryWorld(
  'a strict operator',
  { operator: (claims) => (claims.nats.strict_signing_key_usage = true) },
  (world) => {
    it('wants signing keys for accounts and for users', async (t) => {
      const other = createKeyPair('account')
      const { key, claims } = await world.account(
        (account) => (account.nats.signing_keys = [other.publicKey]),
      )
      const one = await world.client(t, other, (user) => (user.nats.issuer_account = key.publicKey))
      assert.equal(await one.flush(), '')
      const own = await world.client(t, key)
      assert.equal(await own.closed(), VIOLATION)
      await world.waitForLogOf(own, /User JWT issuer is not known/)
      const answer = await world.push(claims, world.operatorKey)
      assert.equal(
        answer.error?.description,
        'jwt update resulted in error - operator requires issuer to be a signing key',
      )
      assert.equal(answer.error?.account, key.publicKey)
      assert.equal(await one.flush(), '')
    })
  },
)

const pinned = createKeyPair('account')
inEveryWorld('pinned accounts', { config: `resolver_pinned_accounts: [${pinned.publicKey}]` }, (world) => {
  it('are the only ones, with the system account', async (t) => {
    assert.equal((await world.push(newAccountClaims(pinned.publicKey, 'P'))).data?.message, 'jwt updated')
    assert.equal(await (await world.client(t, pinned)).flush(), '')
    const { key } = await world.account()
    const one = await world.client(t, key)
    assert.equal(await one.closed(), VIOLATION)
    await world.waitForLogOf(one, /Account A\w+ not listed as operator pinned account/)
  })
})

const guestAccount = createKeyPair('account')
const guest = newUserClaims(createKeyPair('user').publicKey, 'guest')
guest.nats.bearer_token = true
guest.nats.pub = { allow: ['guest.>'] }
inEveryWorld(
  'a default sentinel',
  { config: `default_sentinel: ${encode(guest, guestAccount)}` },
  (world) => {
    it('stands for clients with no JWT or one that nobody can read', async (t) => {
      await world.push(newAccountClaims(guestAccount.publicKey, 'G'))
      for (const jwt of ['', 'garbage']) {
        const one = await world.client(t, guestAccount, undefined, { sign: null, connect: { jwt } })
        one.say('PUB guest.a 0', '', 'PUB other 0', '')
        assert.equal(await one.flush(), wire(`-ERR 'Permissions Violation for Publish to "other"'`))
      }
      const own = await world.client(t, guestAccount)
      own.say('PUB other 0', '')
      assert.equal(await own.flush(), '')
    })
  },
)
