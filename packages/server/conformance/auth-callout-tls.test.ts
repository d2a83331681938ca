// Auth callout and TLS: the service learns what the handshake was and which certificates stood behind it.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import { createKeyPair } from '@ngs/identity/node'
import { needsOpenssl, RawClient } from '@ngs/testkit'
import { CalloutService, response, userJwt } from './callout-service.ts'
import { alice, authority, caFile, serverFiles, trusting } from './certificates.ts'
import { type Bench, onEveryEngine } from './support.ts'

const issuer = createKeyPair('account')
const config = (tls: string): string => `tls { ${serverFiles()}, ${caFile}, ${tls} }
authorization { users: [ { user: auth, password: pw } ], auth_callout { issuer: ${issuer.publicKey}, auth_users: [ auth ] } }`

/** What the service is told about a client's TLS. */
async function told(t: TestContext, bench: Bench, own?: typeof alice): Promise<Record<string, unknown>> {
  const { cert, key } = alice
  const service = await CalloutService.start(bench.server.url, {
    user: 'auth',
    pass: 'pw',
    tls: { ca: authority.ca.toString(), cert: cert.toString(), key: key.toString() },
  })
  t.after(() => service.stop())
  service.will((request) =>
    response(request, issuer, { jwt: userJwt(request, issuer, (user) => (user.aud = '$G')) }),
  )
  const one = await RawClient.connect(t, bench.server.port, { tls: trusting(own) })
  one.connect({ verbose: false, pedantic: false, user: 'joe' })
  assert.equal(await one.flush(), '')
  return { ...service.requests[0]!.claims.nats.client_tls }
}

describe('auth callout and TLS', needsOpenssl(), () => {
  onEveryEngine('auth callout with certificates of clients', config('verify: true'), (bench) => {
    it('shows the chain that was verified', async (t) => {
      const { version, cipher, certs, verified_chains } = await told(t, bench, alice)
      assert.equal(version, '1.3')
      assert.match(String(cipher), /^TLS_[A-Z0-9_]+$/)
      assert.equal(certs, undefined)
      const [chain, ...others] = verified_chains as string[][]
      assert.deepEqual(others, [])
      const serials = chain!.map((pem) => new X509Certificate(pem).serialNumber)
      assert.deepEqual(
        serials,
        [alice.cert, authority.ca].map((pem) => new X509Certificate(pem).serialNumber),
      )
      assert.match(chain![0]!, /^-----BEGIN CERTIFICATE-----\n[\s\S]*\n-----END CERTIFICATE-----\n$/)
    })
  })
  onEveryEngine('auth callout with TLS', config('timeout: 2'), (bench) => {
    it('shows the handshake alone where nobody asks for certificates', async (t) => {
      const { version, cipher, ...rest } = await told(t, bench)
      assert.equal(version, '1.3')
      assert.match(String(cipher), /^TLS_/)
      assert.deepEqual(rest, {})
    })
  })
})
