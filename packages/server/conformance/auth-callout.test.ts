// Auth callout in the configuration file: a service decides who comes in, as whom, where and with which permissions.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createKeyPair, encode, newUserClaims, type UserClaims } from '@ngs/identity/node'
import { Engine, enginesUnderTest, RawClient, waitFor } from '@ngs/testkit'
import { CALLOUT, CalloutService, type Decision, response, userJwt } from './callout-service.ts'
import { answers, ends, wire } from './support.ts'
import { soon } from './world.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")
const connect = (fields: Record<string, unknown>): string =>
  `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, ...fields })}`

const issuer = createKeyPair('account')
const stranger = createKeyPair('account')
const nkeyUser = createKeyPair('user')

const config = (timeout: number): string => `
http: "127.0.0.1:-1"
server_tags: [ "region:here" ]
system_account: SYS
accounts {
  AUTH { users: [ { user: auth, password: pw } ] }
  APP { users: [ { user: local, password: pw }, { nkey: ${nkeyUser.publicKey} } ], default_permissions: { publish: "app.>" } }
  LIMITED { limits: { max_connections: 1 } }
  SYS { users: [ { user: sys, password: pw } ] }
}
authorization {
  timeout: ${timeout}
  auth_callout { issuer: ${issuer.publicKey}, account: AUTH, auth_users: [ auth, sys ] }
}`

/** Lets the client into APP. */
const admit =
  (change: (user: UserClaims) => void = () => {}): Decision =>
  (request) =>
    response(request, issuer, {
      jwt: userJwt(request, issuer, (user) => {
        user.aud = 'APP'
        change(user)
      }),
    })

for (const engine of enginesUnderTest()) {
  describe(`auth callout [${engine.name}]`, () => {
    let server: Engine
    let service: CalloutService
    let system: RawClient
    const inner = new Set<() => void>()
    const suite = { after: (task: () => unknown) => inner.add(task as () => void) }

    before(async () => {
      server = await Engine.start(null, { engine: engine.path, config: config(30), args: ['-D'] })
      service = await CalloutService.start(server.url, { user: 'auth', pass: 'pw' })
      system = await RawClient.connect(suite, server.port)
      system.say(connect({ user: 'sys', pass: 'pw' }), 'SUB $SYS.SERVER.*.CLIENT.AUTH.ERR 1')
      await system.flush()
    })
    after(async () => {
      for (const task of inner) task()
      await service.stop()
      await server.stop()
    })

    const client = async (
      t: { after(task: () => unknown): void },
      fields: Record<string, unknown> = { user: 'joe', pass: 'secret' },
    ): Promise<RawClient> => {
      const one = await RawClient.connect(t, server.port)
      one.say(connect(fields))
      return one
    }
    const connz = async (one: RawClient, state = 'open'): Promise<Record<string, unknown>> => {
      const read = async (): Promise<Record<string, unknown> | undefined> => {
        const { connections } = await server.monitor<{ connections: Record<string, unknown>[] }>(
          `/connz?auth=1&state=${state}&limit=10000`,
        )
        return connections.find((item) => item['cid'] === one.info.client_id)
      }
      return waitFor(read, { what: `/connz to list ${one.info.client_id} as ${state}` })
    }
    const info = async (one: RawClient): Promise<Record<string, unknown>> => {
      one.say('SUB in.* 99', 'PUB $SYS.REQ.USER.INFO in.1 0', '')
      const { data } = JSON.parse((await one.message()).payload) as {
        data: { permissions?: Record<string, { allow?: string[] }> }
      }
      // The lists come in no order.
      for (const side of Object.values(data.permissions ?? {})) side.allow?.sort()
      return data
    }

    it('tells the service all about the client, in a JWT of the server', async (t) => {
      service.will(admit())
      const one = await client(t, {
        user: 'joe',
        pass: 'secret',
        auth_token: 'tok',
        name: 'app',
        lang: 'ts',
        version: '1.2.3',
        protocol: 1,
        jwt: 'nonsense',
        sig: 'AAAA',
      })
      one.say('PING')
      await one.expect('PONG')
      const [{ claims, message }] = service.requests as [(typeof service.requests)[0]]
      assert.equal(service.requests.length, 1)
      const { iat, exp, jti, nats, ...rest } = claims
      assert.match(jti, /^[A-Z2-7]{52}$/)
      assert.equal(Number(exp) - Number(iat), 30)
      assert.deepEqual(rest, {
        aud: 'nats-authorization-request',
        iss: one.info.server_id,
        sub: issuer.publicKey,
      })
      const { server_id, user_nkey, client_info, connect_opts, ...body } = nats
      assert.deepEqual(body, { type: 'authorization_request', version: 2 })
      assert.match(user_nkey, /^U[A-Z2-7]{55}$/)
      assert.deepEqual(Object.keys(server_id).sort(), ['host', 'id', 'name', 'tags', 'version'])
      assert.deepEqual(
        [server_id.id, server_id.name, server_id.tags, server_id.version],
        [one.info.server_id, one.info['server_name'], ['region:here'], one.info['version']],
      )
      assert.deepEqual(client_info, {
        host: '127.0.0.1',
        id: one.info.client_id,
        user: 'joe',
        name: 'app',
        kind: 'Client',
        type: 'nats',
        nonce: one.info.nonce,
      })
      assert.deepEqual(connect_opts, {
        user: 'joe',
        pass: 'secret',
        auth_token: 'tok',
        name: 'app',
        lang: 'ts',
        version: '1.2.3',
        protocol: 1,
        sig: 'AAAA',
      })
      assert.equal(message.headers, undefined)
      assert.match(message.reply ?? '', /^\$SYS\._INBOX\.\w{8}\.\w{8}$/)
    })

    it('hides the token in the client info', async (t) => {
      service.will(admit())
      await answers(await client(t, { auth_token: 'tok' }), [], '')
      assert.equal(service.requests[0]!.claims.nats.client_info.user, '[REDACTED]')
    })

    it('puts the client into the account of the audience, with the permissions of the JWT', async (t) => {
      service.will(
        admit((user) => {
          user.nats.pub = { allow: ['foo.>', '$SYS.REQ.USER.INFO'] }
          user.nats.sub = { allow: ['in.*', 'bar'] }
        }),
      )
      const one = await client(t)
      await answers(one, ['PUB other 0', ''], wire(`-ERR 'Permissions Violation for Publish to "other"'`))
      await answers(one, ['SUB other 1'], wire(`-ERR 'Permissions Violation for Subscription to "other"'`))
      assert.deepEqual(await info(one), {
        user: 'joe',
        account: 'APP',
        account_name: 'APP',
        permissions: {
          publish: { allow: ['$SYS.REQ.USER.INFO', 'foo.>'] },
          subscribe: { allow: ['bar', 'in.*'] },
        },
      })
      const { authorized_user, account, jwt } = await connz(one)
      assert.deepEqual([authorized_user, account, jwt], ['joe', 'APP', undefined])
    })

    it('gives users without permissions all, whatever the default of the account is', async (t) => {
      service.will(admit())
      await answers(await client(t), ['PUB app.x 0', '', 'PUB other 0', ''], '')
    })

    it('takes the name of the JWT for the user', async (t) => {
      service.will(
        admit((user) => {
          user.name = 'Jo Doe'
          user.nats.pub = { allow: ['>'] }
        }),
      )
      const one = await client(t, { auth_token: 'x' })
      await one.flush()
      assert.equal((await connz(one))['authorized_user'], 'Jo Doe')
      assert.equal((await info(one))['user'], 'Jo Doe')
    })

    it('decides about configured users too, but for its own', async (t) => {
      service.will((request) => response(request, issuer, { error: 'no' }))
      await ends(await client(t, { user: 'local', pass: 'pw' }), [], VIOLATION)
      const byNkey = await RawClient.connect(t, server.port)
      const sig = Buffer.from(nkeyUser.sign(Buffer.from(byNkey.info.nonce!))).toString('base64url')
      await ends(byNkey, [connect({ nkey: nkeyUser.publicKey, sig })], VIOLATION)
      assert.deepEqual(
        service.requests.map(({ claims }) => claims.nats.client_info.user),
        ['local', nkeyUser.publicKey],
      )
      service.will(() => assert.fail('nobody should ask'))
      await answers(await client(t, { user: 'auth', pass: 'pw' }), [], '')
    })

    it('refuses a user of the service with a wrong password without asking', async (t) => {
      service.will(admit())
      await ends(await client(t, { user: 'auth', pass: 'wrong' }), [], VIOLATION)
      assert.equal(service.requests.length, 0)
    })

    it('keeps clients of its account from asking', async (t) => {
      const one = await client(t, { user: 'auth', pass: 'pw' })
      const denied = wire(`-ERR 'Permissions Violation for Publish to "${CALLOUT}"'`)
      await answers(one, [`PUB ${CALLOUT} 0`, ''], denied)
      assert.deepEqual((await info(one))['permissions'], { publish: { deny: [CALLOUT] }, subscribe: {} })
      service.will((request) =>
        response(request, issuer, { jwt: userJwt(request, issuer, (user) => (user.aud = 'AUTH')) }),
      )
      const placed = await client(t)
      await answers(placed, [`PUB ${CALLOUT} 0`, ''], denied)
      service.will(admit((user) => (user.nats.pub = { allow: ['>'] })))
      await answers(await client(t), [`PUB ${CALLOUT} 0`, ''], '')
    })

    it('ends a client when its JWT does', async (t) => {
      service.will(admit((user) => (user.exp = soon())))
      const one = await client(t)
      await one.flush()
      assert.match(await one.closed(), /^-ERR 'User Authentication Expired'\r\n$/)
      assert.equal((await connz(one, 'closed'))['reason'], 'Authentication Expired')
    })

    it('holds to the connections of the account', async (t) => {
      service.will((request) =>
        response(request, issuer, { jwt: userJwt(request, issuer, (user) => (user.aud = 'LIMITED')) }),
      )
      await answers(await client(t), [], '')
      const two = await client(t)
      await ends(two, [], wire("-ERR 'maximum account active connections exceeded'"))
      assert.equal((await connz(two, 'closed'))['reason'], 'Maximum Account Connections Exceeded')
    })

    it('does not apply the limits of the JWT', async (t) => {
      service.will(
        admit((user) => {
          user.nats.subs = 1
          user.nats.payload = 1
          user.nats.pub = { allow: ['>'] }
          user.nats.src = ['10.0.0.0/8']
        }),
      )
      await answers(await client(t), ['SUB a 1', 'SUB b 2', 'PUB a 5', 'hello'], wire('MSG a 1 5', 'hello'))
    })

    it('has nothing for clients that do not say CONNECT', async (t) => {
      await ends(await RawClient.connect(t, server.port), ['PING'], VIOLATION)
    })

    const REFUSED: Record<string, { decide: Decision; log: RegExp; reason?: string }> = {
      'that says why': {
        decide: (request) => response(request, issuer, { error: 'not on Sundays' }),
        log: /Auth callout service returned an error: not on Sundays/,
      },
      'that is empty': {
        decide: () => '',
        log: /Auth callout violation: "no reason supplied" on account "AUTH"/,
      },
      'that is nonsense': { decide: () => 'eyJnonsense', log: /expected 3 chunks|Expected 3 chunks/ },
      'of a stranger': {
        decide: (request) => response(request, stranger, { jwt: userJwt(request, issuer) }),
        log: /Auth callout signing key is unknown/,
      },
      'for another user': {
        decide: (request) =>
          response(request, issuer, { jwt: userJwt(request, issuer) }, (claims) => {
            claims.sub = createKeyPair('user').publicKey
          }),
        log: /Auth callout violation: auth callout response is not for expected user/,
      },
      'for another server': {
        decide: (request) =>
          response(request, issuer, { jwt: userJwt(request, issuer) }, (claims) => {
            claims.aud = createKeyPair('server').publicKey
          }),
        log: /Auth callout violation: auth callout response is not for server/,
      },
      'for no server': {
        decide: (request) =>
          response(request, issuer, { jwt: userJwt(request, issuer) }, (claims) => {
            delete claims.aud
          }),
        log: /Authorization response had validation errors: /,
      },
      'that has expired': {
        decide: (request) =>
          response(request, issuer, { jwt: userJwt(request, issuer) }, (claims) => {
            claims.exp = 1_000
          }),
        log: /Authorization response had validation errors: claim is expired/,
      },
      'with neither a JWT nor an error': {
        decide: (request) => response(request, issuer, {}),
        log: /Authorization response had validation errors: /,
      },
      'with a JWT that nobody can read': {
        decide: (request) => response(request, issuer, { jwt: 'x.y.z' }),
        log: /./,
      },
      'with a user of a stranger': {
        decide: (request) =>
          response(request, issuer, { jwt: userJwt(request, stranger, (user) => (user.aud = 'APP')) }),
        log: /Wrong issuer for auth callout response on account "AUTH", expected "A\w{55}" got "A\w{55}"/,
      },
      'with another user than asked for': {
        decide: (request) =>
          response(request, issuer, {
            jwt: encode({ ...newUserClaims(createKeyPair('user').publicKey), aud: 'APP' }, issuer),
          }),
        log: /Expected authorized user of "U\w{55}" but got "U\w{55}" on account "AUTH"/,
      },
      'with a user that has expired': {
        decide: admit((user) => (user.exp = 1_000)),
        log: /Error validating user JWT: claim is expired/,
      },
      'with a user for no account': {
        decide: admit((user) => delete user.aud),
        log: /No valid account "" for auth callout response on account "AUTH": account missing/,
      },
      'with a user for an unknown account': {
        decide: admit((user) => (user.aud = 'NOWHERE')),
        log: /No valid account "NOWHERE" for auth callout response on account "AUTH": account missing/,
      },
      'with an issuer_account': {
        decide: admit((user) => (user.nats.issuer_account = stranger.publicKey)),
        log: /Error non operator mode account "AUTH": attempted to use issuer_account/,
      },
      'with a user outside its times': {
        decide: admit((user) => (user.nats.times = [{ start: '00:00:00', end: '00:00:00' }])),
        log: /Authorized user on account "AUTH" outside of valid connect times/,
      },
      'with a user for another connection type': {
        decide: admit((user) => (user.nats.allowed_connection_types = ['WEBSOCKET'])),
        log: /Authorized user on account "AUTH" not allowed to use connection type/,
      },
      'with a user that has to come by a proxy': {
        decide: admit((user) => (user.nats.proxy_required = true)),
        log: /Proxy connection required/,
        reason: 'Proxy Required',
      },
      'with a user for no known connection type': {
        decide: admit((user) => (user.nats.allowed_connection_types = ['PIGEON'])),
        log: /Authorized user on account "AUTH" using invalid connection type/,
      },
    }
    for (const [what, { decide, log, reason }] of Object.entries(REFUSED)) {
      it(`refuses on an answer ${what}`, async (t) => {
        service.will(decide)
        const from = server.log().length
        const one = await client(t)
        await ends(one, [], VIOLATION)
        assert.equal((await connz(one, 'closed'))['reason'], reason ?? 'Authentication Failure')
        await waitFor(() => log.test(server.log().slice(from)), { what: `${log} in the log` })
        const refusal = /\[ERR\] .* - authentication error - User "joe"/
        await waitFor(() => refusal.test(server.log().slice(from)), { what: `${refusal} in the log` })
      })
    }

    it('refuses when the service says nothing in time', async (t) => {
      const impatient = await Engine.start(t, { engine: engine.path, config: config(0.7), args: ['-D'] })
      const silent = await CalloutService.start(impatient.url, { user: 'auth', pass: 'pw' })
      t.after(() => silent.stop())
      const one = await RawClient.connect(t, impatient.port)
      await ends(one, [connect({ user: 'joe', pass: 'secret' })], VIOLATION)
      assert.equal(silent.requests.length, 1)
      await impatient.waitForLog(/Authorization callout response not received in time on account "AUTH"/)
    })

    it('tells the system account, and the account of the service in its words', async (t) => {
      const listener = await client(t, { user: 'auth', pass: 'pw' })
      listener.say('SUB $SYS.ACCOUNT.CLIENT.AUTH.ERR 1')
      await listener.flush()
      await system.flush()
      service.will((request) => response(request, issuer, { error: 'not on Sundays' }))
      const one = await client(t, { user: 'joe', name: 'app' })
      await ends(one, [], VIOLATION)
      const inside = JSON.parse((await listener.message()).payload) as Record<string, unknown>
      const outside = JSON.parse((await system.message()).payload) as Record<string, unknown>
      assert.equal(inside['reason'], 'Auth callout service returned an error: not on Sundays')
      assert.equal(outside['reason'], 'Authentication Failure')
      for (const event of [inside, outside]) {
        assert.equal(event['type'], 'io.nats.server.advisory.v1.client_disconnect')
        const about = event['client'] as Record<string, unknown>
        assert.deepEqual([about['user'], about['name'], about['id']], ['joe', 'app', one.info.client_id])
      }
      assert.equal((inside['client'] as Record<string, unknown>)['acc'], 'AUTH')
      assert.equal((outside['client'] as Record<string, unknown>)['acc'], '$G')
    })
  })
}
