// Auth callout and guests: the service decides about clients that bring nothing, too, even about those that never say CONNECT.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { createKeyPair } from '@ngs/identity/node'
import { CalloutService, response, userJwt } from './callout-service.ts'
import { reload } from './reloading.ts'
import { ends, onEveryEngine, wire } from './support.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")
const issuer = createKeyPair('account')

onEveryEngine(
  'auth callout and a guest',
  `no_auth_user: guest
accounts { AUTH { users: [ { user: auth, password: pw } ] }, APP { users: [ { user: guest, password: g } ] } }
authorization { timeout: 30, auth_callout { issuer: ${issuer.publicKey}, account: AUTH, auth_users: [ auth ] } }`,
  (bench) => {
    const started = async (t: TestContext): Promise<CalloutService> => {
      const service = await CalloutService.start(bench.server.url, { user: 'auth', pass: 'pw' })
      t.after(() => service.stop())
      service.will((request) =>
        response(request, issuer, {
          jwt: userJwt(request, issuer, (user) => {
            user.aud = 'APP'
            user.nats.pub = { allow: ['yes'] }
          }),
        }),
      )
      return service
    }
    it('asks about the guest', async (t) => {
      const service = await started(t)
      const one = await bench.client(t, 'CONNECT {"verbose":false}', 'PUB no 0', '')
      assert.equal(await one.flush(), wire(`-ERR 'Permissions Violation for Publish to "no"'`))
      const { connect_opts } = service.requests[0]!.claims.nats
      assert.deepEqual([connect_opts.user, connect_opts.pass], ['guest', 'g'])
    })
    it('asks when the first operation is none, and goes on with that then', async (t) => {
      const service = await started(t)
      const one = await bench.client(t, 'PING', 'SUB a 1', 'PUB no 0', '', 'PING')
      await one.expect('PONG', '+OK', `-ERR 'Permissions Violation for Publish to "no"'`, 'PONG')
      assert.equal(service.requests[0]!.claims.nats.connect_opts.user, 'guest')
      const pieces = await bench.client(t)
      for (const piece of ['P', 'IN', 'G\r', '\nPING\r\n']) pieces.send(piece)
      await pieces.expect('PONG', 'PONG')
      assert.equal(service.requests.length, 2)
    })
    it('takes no for an answer', async (t) => {
      const service = await started(t)
      service.will((request) => response(request, issuer, { error: 'no' }))
      await ends(await bench.client(t), ['PING', 'SUB a 1'], VIOLATION)
    })
  },
)

const nowhere = `authorization { users: [ { user: auth, password: pw } ]
  auth_callout { issuer: ${issuer.publicKey}, account: NOWHERE, auth_users: [ auth, ghost ] } }`

onEveryEngine('auth callout in an account that is not there', nowhere, (bench) => {
  it('lets nobody in but its own users', async (t) => {
    await ends(await bench.client(t), ['CONNECT {"user":"joe","verbose":false}'], VIOLATION)
    const two = await bench.client(t, 'CONNECT {"user":"auth","pass":"pw","verbose":false}')
    assert.equal(await two.flush(), '')
    await bench.server.waitForLog(
      /\[WRN\] No valid account "NOWHERE" for auth callout request: account missing/,
    )
  })
  it('is said by a reload', async () => {
    // The official server says so at the start, too, where no log is open yet.
    const log = await reload(bench.server, nowhere)
    assert.ok(log.includes('[ERR] Authorization callout account "NOWHERE" not valid'), `${log}`)
    assert.ok(log.includes('[ERR] Authorization callout user "ghost" not valid: account missing'))
    assert.ok(!log.some((line) => line.includes('callout user "auth"')))
  })
})

const ghost = `authorization { users: [ { user: auth, password: pw } ]
  auth_callout { issuer: ${issuer.publicKey}, auth_users: [ auth, ghost ] } }`

onEveryEngine('auth callout with an unknown user', ghost, (bench) => {
  it('is said by a reload', async () => {
    const log = await reload(bench.server, ghost)
    assert.ok(log.includes('[ERR] Authorization callout user "ghost" not valid: <nil>'), `${log}`)
  })
})
