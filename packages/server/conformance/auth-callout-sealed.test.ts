// Auth callout with a curve key: requests are sealed to the service, answers may be sealed to the server. And which accounts are asked
// about.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { credsAuthenticator } from '@nats-io/transport-node'
import { createCurveKeyPair, createKeyPair, encode, formatCreds, newUserClaims } from '@ngs/identity/node'
import { type RawClient, waitFor } from '@ngs/testkit'
import { type CalloutRequest, CalloutService, response, userJwt } from './callout-service.ts'
import { answers, ends, onEveryEngine, wire } from './support.ts'
import { inEveryWorld } from './world.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")
const connect = (fields: Record<string, unknown>): string =>
  `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, ...fields })}`

const issuer = createKeyPair('account')
const curve = createCurveKeyPair()

/** What the service reads with its curve key: the header names the server's. */
function opening(service: CalloutService): void {
  service.open = (message) =>
    Buffer.from(curve.open(message.data, message.headers?.get('Nats-Server-Xkey') ?? '')).toString()
}
const sealed = ({ message }: CalloutRequest, answer: string, by = curve): Uint8Array =>
  by.seal(Buffer.from(answer), message.headers!.get('Nats-Server-Xkey'))

onEveryEngine(
  'auth callout with a curve key',
  `
accounts {
  AUTH { users: [ { user: auth, password: pw } ] }
  APP {}
  OTHER { users: [ { user: other, password: pw } ] }
  ASKED { users: [ { user: asked, password: pw } ] }
}
authorization {
  timeout: 30
  auth_callout {
    issuer: ${issuer.publicKey}, account: AUTH, auth_users: [ auth ], xkey: ${curve.publicKey}, allowed_accounts: [ ASKED ]
  }
}`,
  (bench) => {
    const started = async (t: TestContext): Promise<CalloutService> => {
      const service = await CalloutService.start(bench.server.url, { user: 'auth', pass: 'pw' })
      t.after(() => service.stop())
      opening(service)
      return service
    }
    const admitting = (request: CalloutRequest): string =>
      response(request, issuer, { jwt: userJwt(request, issuer, (user) => (user.aud = 'APP')) })

    it('seals requests, and takes answers sealed or in the open', async (t) => {
      const service = await started(t)
      service.will(admitting)
      const one = await bench.client(t)
      await answers(one, [connect({ user: 'joe', pass: 'pw' })], '')
      const [{ claims, message }] = service.requests as [CalloutRequest]
      assert.equal(claims.nats.server_id.xkey, one.info['xkey'])
      assert.equal(message.headers!.get('Nats-Server-Xkey'), one.info['xkey'])
      assert.match(String(one.info['xkey']), /^X[A-Z2-7]{55}$/)
      assert.equal(message.data.subarray(0, 4).toString(), Buffer.from('xkv1').toString())
      service.will((request) => sealed(request, admitting(request)))
      await answers(await bench.client(t), [connect({ user: 'joe', pass: 'pw' })], '')
    })

    it('believes no seal but the one of the service, and nothing that is damaged', async (t) => {
      const service = await started(t)
      service.will((request) => sealed(request, admitting(request), createCurveKeyPair()))
      await ends(await bench.client(t), [connect({ user: 'joe' })], VIOLATION)
      service.will((request) => sealed(request, admitting(request)).subarray(0, 20))
      await ends(await bench.client(t), [connect({ user: 'joe' })], VIOLATION)
      service.will(() => 'xkv1')
      await ends(await bench.client(t), [connect({ user: 'joe' })], VIOLATION)
    })

    it('trusts a seal of the service for the signature of the answer, not for that of the user', async (t) => {
      const stranger = createKeyPair('account')
      const service = await started(t)
      const user = (request: CalloutRequest, signer = issuer): string =>
        userJwt(request, signer, (claims) => (claims.aud = 'APP'))
      service.will((request) => sealed(request, response(request, stranger, { jwt: user(request) })))
      await answers(await bench.client(t), [connect({ user: 'joe' })], '')
      service.will((request) => response(request, stranger, { jwt: user(request) }))
      await ends(await bench.client(t), [connect({ user: 'joe' })], VIOLATION)
      service.will((request) => sealed(request, response(request, issuer, { jwt: user(request, stranger) })))
      await ends(await bench.client(t), [connect({ user: 'joe' })], VIOLATION)
    })

    it('asks about users of the allowed accounts, and about strangers; others are let in as ever', async (t) => {
      const service = await started(t)
      service.will((request) => response(request, issuer, { error: 'no' }))
      await answers(await bench.client(t), [connect({ user: 'other', pass: 'pw' })], '')
      assert.equal(service.requests.length, 0)
      await ends(await bench.client(t), [connect({ user: 'asked', pass: 'pw' })], VIOLATION)
      await ends(await bench.client(t), [connect({ user: 'joe', pass: 'pw' })], VIOLATION)
      // A wrong password leaves a client in the global account, which is always asked about.
      await ends(await bench.client(t), [connect({ user: 'other', pass: 'wrong' })], VIOLATION)
      assert.equal(service.requests.length, 3)
    })
  },
)

inEveryWorld(
  'auth callout of an account with a curve key',
  { config: 'authorization { timeout: 30 }' },
  (world) => {
    it('seals requests, and takes answers sealed or in the open', async (t) => {
      const user = createKeyPair('user')
      const { key } = await world.account((account) => {
        account.nats.authorization = { auth_users: [user.publicKey], xkey: curve.publicKey }
      })
      const creds = formatCreds(encode(newUserClaims(user.publicKey), key), user.seed)
      const service = await CalloutService.start(world.server.url, {
        authenticator: credsAuthenticator(Buffer.from(creds)),
      })
      t.after(() => service.stop())
      opening(service)
      const client = (): Promise<RawClient> =>
        world.client(t, key, (sentinel) => (sentinel.nats.bearer_token = true), { sign: null })
      const admitting = (request: CalloutRequest): string =>
        response(request, key, { jwt: userJwt(request, key) })
      service.will(admitting)
      assert.equal(await (await client()).flush(), '')
      service.will((request) => sealed(request, admitting(request)))
      assert.equal(await (await client()).flush(), '')
      service.will((request) => sealed(request, admitting(request), createCurveKeyPair()))
      assert.equal(await (await client()).closed(), VIOLATION)
      await waitFor(
        () => /Error decrypting auth callout response on account "A\w+": /.test(world.server.log()),
        { what: 'the log to say so' },
      )
    })
  },
)
