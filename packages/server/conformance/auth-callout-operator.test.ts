// Auth callout in operator mode: an account names the users that decide for it, in its JWT.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import {
  type AccountClaims,
  createKeyPair,
  encode,
  formatCreds,
  type KeyPair,
  newScopedUserClaims,
  newUserClaims,
  newUserScope,
  type UserClaims,
} from '@ngs/identity/node'
import { type RawClient, waitFor } from '@ngs/testkit'
import { CALLOUT, CalloutService, type Decision, response, userJwt } from './callout-service.ts'
import { wire } from './support.ts'
import { inEveryWorld, type World } from './world.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")

/** An account with a callout service in it, and the key of a user that comes in with nothing but a bearer token. */
interface Place {
  readonly key: KeyPair
  readonly claims: AccountClaims
  readonly service: CalloutService
  /** A connection as the sentinel. */
  client(t: TestContext, fields?: Record<string, unknown>): Promise<RawClient & { user: string }>
}

async function place(
  world: World,
  t: TestContext,
  change: (claims: AccountClaims) => void = () => {},
  signing: KeyPair | null = null,
): Promise<Place> {
  const user = createKeyPair('user')
  const { key, claims } = await world.account((account) => {
    account.nats.authorization = { auth_users: [user.publicKey] }
    change(account)
  })
  const signer = signing ?? key
  const issued = (made: UserClaims): void => {
    if (signing !== null) made.nats.issuer_account = key.publicKey
  }
  const own = newUserClaims(user.publicKey, 'service')
  issued(own)
  const creds = formatCreds(encode(own, signer), user.seed)
  const service = await CalloutService.start(world.server.url, {
    authenticator: credsAuthenticator(Buffer.from(creds)),
  })
  t.after(() => service.stop())
  return {
    key,
    claims,
    service,
    client: (test, fields = { user: 'joe', pass: 'secret' }) =>
      world.client(
        test,
        signer,
        (sentinel) => {
          issued(sentinel)
          sentinel.nats.bearer_token = true
          sentinel.nats.pub = { deny: ['>'] }
          sentinel.nats.sub = { deny: ['>'] }
          sentinel.nats.tags = ['kind:sentinel']
        },
        { sign: null, connect: fields },
      ),
  }
}

/** Lets the client in, with a user that this key signs. */
const admit =
  (signer: KeyPair, user: KeyPair = signer, change: (claims: UserClaims) => void = () => {}): Decision =>
  (request) =>
    response(request, signer, { jwt: userJwt(request, user, change) })

async function refusedIn(world: World, one: RawClient, log: RegExp): Promise<void> {
  assert.equal(await one.closed(), VIOLATION)
  await waitFor(() => log.test(world.server.log()), {
    what: () => `${log} in the log:\n${world.server.log().slice(-2_000)}`,
  })
}

inEveryWorld('auth callout of an account', { config: 'authorization { timeout: 30 }' }, (world) => {
  const refused = (one: RawClient, log: RegExp): Promise<void> => refusedIn(world, one, log)

  it('asks in the account that the client came into, with its JWT', async (t) => {
    const { key, service, client } = await place(world, t)
    service.will(
      admit(key, key, (user) => {
        user.name = 'Jo'
        user.nats.pub = { allow: ['yes', '$SYS.REQ.USER.INFO'] }
      }),
    )
    const one = await client(t)
    one.say('PUB no 0', '', 'SUB in.* 1', 'PUB $SYS.REQ.USER.INFO in.1 0', '')
    await one.expectErr('Permissions Violation for Publish to "no"')
    const { data } = JSON.parse((await one.message()).payload) as {
      data: { permissions: { publish: { allow: string[] } } } & Record<string, unknown>
    }
    data.permissions.publish.allow.sort()
    // The account of the service may not be asked from.
    assert.deepEqual(data.permissions, {
      publish: { allow: ['$SYS.REQ.USER.INFO', 'yes'], deny: [CALLOUT] },
      subscribe: {},
    })
    assert.deepEqual([data['user'], data['account'], data['account_name']], ['Jo', key.publicKey, 'A'])
    const [{ claims }] = service.requests as [(typeof service.requests)[0]]
    assert.equal(claims.sub, key.publicKey)
    assert.equal(claims.aud, 'nats-authorization-request')
    const { connect_opts, client_info } = claims.nats
    assert.match(connect_opts.jwt ?? '', /^eyJ/)
    assert.deepEqual([connect_opts.user, connect_opts.pass], ['joe', 'secret'])
    assert.deepEqual(
      [client_info.user, client_info.tags, client_info.name_tag],
      ['joe', ['kind:sentinel'], 'U'],
    )
  })

  it('leaves its own users in peace, but for the subject of the requests', async (t) => {
    const own = createKeyPair('user')
    const { key, service } = await place(world, t, (account) => {
      account.nats.authorization.auth_users!.push(own.publicKey)
    })
    service.will(() => assert.fail('nobody should ask'))
    const one = await world.client(t, key, () => {}, { key: own })
    one.say(`PUB ${CALLOUT} 0`, '')
    assert.equal(await one.flush(), wire(`-ERR 'Permissions Violation for Publish to "${CALLOUT}"'`))
    const unsigned = await world.client(t, key, () => {}, { key: own, sign: null })
    await refused(unsigned, /Signature missing/)
    assert.equal(service.requests.length, 0)
  })

  it('does not concern the other accounts', async (t) => {
    const { service } = await place(world, t)
    const { key } = await world.account()
    service.will(() => null)
    assert.equal(await (await world.client(t, key)).flush(), '')
    assert.equal(service.requests.length, 0)
  })

  it('gives users without permissions the default of the account', async (t) => {
    const { key, service, client } = await place(world, t, (account) => {
      account.nats.default_permissions = { pub: { allow: ['app.>', '$SYS._INBOX.>'] }, sub: {} }
    })
    service.will(admit(key))
    const one = await client(t)
    one.say('PUB app.x 0', '', 'PUB other 0', '')
    assert.equal(await one.flush(), wire(`-ERR 'Permissions Violation for Publish to "other"'`))
  })

  it('may place users in the accounts that it is allowed', async (t) => {
    const signing = createKeyPair('account')
    const { key: target } = await world.account(
      (account) => (account.nats.signing_keys = [signing.publicKey]),
    )
    const { key: other } = await world.account()
    const { key, service, client } = await place(world, t, (account) => {
      account.nats.authorization.allowed_accounts = [target.publicKey]
    })
    const accountOf = async (one: RawClient): Promise<unknown> => {
      one.say('SUB in.* 1', 'PUB $SYS.REQ.USER.INFO in.1 0', '')
      return (JSON.parse((await one.message()).payload) as { data: { account: string } }).data.account
    }
    service.will(admit(key, target))
    assert.equal(await accountOf(await client(t)), target.publicKey)
    service.will(admit(key, signing, (user) => (user.nats.issuer_account = target.publicKey)))
    assert.equal(await accountOf(await client(t)), target.publicKey)
    service.will(admit(key, other))
    await refused(
      await client(t),
      /Account "A\w+" not permitted as valid account option for auth callout for account "A\w+"/,
    )
  })

  it('may place users anywhere with a star', async (t) => {
    const { key: target } = await world.account()
    const { key, service, client } = await place(world, t, (account) => {
      account.nats.authorization.allowed_accounts = ['*']
    })
    service.will(admit(key, target))
    assert.equal(await (await client(t)).flush(), '')
    service.will(admit(key, createKeyPair('account')))
    await refused(await client(t), /No valid account "A\w+" for auth callout response on account "A\w+": /)
  })

  it('applies the template of a scoped signing key', async (t) => {
    const signing = createKeyPair('account')
    const { key: target } = await world.account((account) => {
      const scope = newUserScope(signing.publicKey, 'role')
      scope.template.pub = { allow: ['{{name()}}.>'] }
      account.nats.signing_keys = [scope]
    })
    const { key, service, client } = await place(world, t, (account) => {
      account.nats.authorization.allowed_accounts = [target.publicKey]
    })
    service.will((request) => {
      const user = newScopedUserClaims(request.claims.nats.user_nkey, 'jo')
      user.nats.issuer_account = target.publicKey
      return response(request, key, { jwt: encode(user, signing) })
    })
    const one = await client(t)
    one.say('PUB jo.x 0', '', 'PUB other 0', '')
    assert.equal(await one.flush(), wire(`-ERR 'Permissions Violation for Publish to "other"'`))
    service.will(admit(key, signing, (user) => (user.nats.issuer_account = target.publicKey)))
    await refused(await client(t), /User JWT is not valid: /)
  })

  it('may sign its answers with a signing key of the account', async (t) => {
    const signing = createKeyPair('account')
    const { key, service, client } = await place(world, t, (account) => {
      account.nats.signing_keys = [signing.publicKey]
    })
    service.will((request) =>
      response(request, signing, { jwt: userJwt(request, key), issuer_account: key.publicKey }),
    )
    assert.equal(await (await client(t)).flush(), '')
    service.will(admit(signing, key))
    assert.equal(await (await client(t)).flush(), '')
  })

  it('is not believed with the key of a stranger', async (t) => {
    const stranger = createKeyPair('account')
    const { key, service, client } = await place(world, t)
    service.will(admit(stranger, key))
    await refused(await client(t), /Auth callout signing key is unknown/)
    service.will((request) =>
      response(request, key, { jwt: userJwt(request, key), issuer_account: stranger.publicKey }),
    )
    await refused(await client(t), /Auth callout response issuer account "A\w+" is not the callout account/)
    service.will(
      admit(key, stranger, (user) => {
        user.nats.issuer_account = key.publicKey
      }),
    )
    await refused(await client(t), /User JWT issuer "A\w+" is not known/)
  })

  it('says no in its own words, or without any', async (t) => {
    const { key, service, client } = await place(world, t)
    service.will((request) => response(request, key, { error: 'go away' }))
    await refused(await client(t), /Auth callout service returned an error: go away/)
    service.will(() => '')
    await refused(await client(t), /Auth callout violation: "no reason supplied" on account "A\w+"/)
  })

  it('answers for users that revocations reach by one-time key or all at once', async (t) => {
    const { key, claims, service, client } = await place(world, t)
    service.will(admit(key))
    const one = await client(t)
    await one.flush()
    const two = await client(t)
    await two.flush()
    const [first] = service.requests
    claims.nats.revocations = { [first!.claims.nats.user_nkey]: Math.floor(Date.now() / 1000) + 100 }
    await world.push(claims)
    assert.equal(await one.closed(), wire("-ERR 'User Authentication Revoked'"))
    assert.equal(await world.closeReason(one), 'Credentials Revoked')
    assert.equal(await two.flush(), '')
  })

  it('loses its users with the signing key that signed them', async (t) => {
    const signing = createKeyPair('account')
    const { key, claims, service, client } = await place(world, t, (account) => {
      account.nats.signing_keys = [signing.publicKey]
    })
    service.will(admit(key, signing, (user) => (user.nats.issuer_account = key.publicKey)))
    const one = await client(t)
    await one.flush()
    claims.nats.signing_keys = []
    await world.push(claims)
    assert.equal(await one.closed(), '')
    assert.equal(await world.closeReason(one), 'Authentication Failure')
  })

  it('lets an official client in that knows nothing of it', async (t) => {
    const { key, service } = await place(world, t)
    service.will(admit(key))
    const sentinel = newUserClaims(createKeyPair('user').publicKey, 'sentinel')
    sentinel.nats.bearer_token = true
    const jwt = encode(sentinel, key)
    const connection = await connect({
      servers: world.server.url,
      reconnect: false,
      authenticator: () => ({ jwt, user: 'jo', pass: 'x' }),
    })
    await connection.flush()
    await connection.close()
    assert.equal(service.requests.length, 1)
  })
})

inEveryWorld(
  'auth callout that waits a short time',
  { config: 'authorization { timeout: 0.7 }' },
  (world) => {
    it('takes silence for a no', async (t) => {
      const { client } = await place(world, t)
      const late = /Authorization callout response not received in time on account "A\w+"/
      await refusedIn(world, await client(t), late)
    })
    it('never hears of clients whose own JWT does not hold', async (t) => {
      const { key, service } = await place(world, t)
      service.will(admit(key))
      const one = await world.client(t, key, undefined, { sign: null })
      assert.equal(await one.closed(), VIOLATION)
      assert.equal(service.requests.length, 0)
    })
  },
)

inEveryWorld(
  'auth callout of a strict operator',
  { operator: (claims) => (claims.nats.strict_signing_key_usage = true) },
  (world) => {
    it('takes users from signing keys alone', async (t) => {
      const signing = createKeyPair('account')
      const at = await place(
        world,
        t,
        (claims) => {
          claims.nats.signing_keys = [signing.publicKey]
        },
        signing,
      )
      const ofAccount = (user: UserClaims): void => {
        user.nats.issuer_account = at.key.publicKey
      }
      at.service.will(admit(signing, signing, ofAccount))
      assert.equal(await (await at.client(t)).flush(), '')
      at.service.will(admit(at.key))
      await refusedIn(world, await at.client(t), /User JWT issuer "A\w+" is not known/)
    })
  },
)
