// verify_and_map: the client's certificate names the user.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { needsOpenssl, RawClient } from '@ngs/testkit'
import { authority, caFile, serverFiles, strangers, trusting } from './certificates.ts'
import { closeReason, onEveryEngine, wire } from './support.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")
const QUIET = { verbose: false, pedantic: false }

/** Subject and names of a certificate, and the user that it is taken for; null for none. */
const CERTIFICATES: Record<string, { subject: string; names?: string[]; user: string | null }> = {
  'an e-mail address': { subject: '/CN=x', names: ['email:mail@acme.example'], user: 'mail@acme.example' },
  'a DNS name': { subject: '/CN=x', names: ['DNS:host.acme.example'], user: 'host.acme.example' },
  'a URI': { subject: '/CN=x', names: ['URI:spiffe://acme/app'], user: 'spiffe://acme/app' },
  'the second of its DNS names': {
    subject: '/CN=x',
    names: ['DNS:unknown.example', 'DNS:host.acme.example'],
    user: 'host.acme.example',
  },
  'an e-mail address before a DNS name and a URI': {
    subject: '/CN=x',
    names: ['URI:spiffe://acme/app', 'DNS:host.acme.example', 'email:mail@acme.example'],
    user: 'mail@acme.example',
  },
  'a DNS name before its subject': {
    subject: '/O=Acme/CN=alice',
    names: ['DNS:host.acme.example'],
    user: 'host.acme.example',
  },
  'a subject': { subject: '/O=Acme/CN=alice', user: 'CN=alice,O=Acme' },
  'a subject although its other names are unknown': {
    subject: '/O=Acme/CN=alice',
    names: ['DNS:unknown.example', 'email:nobody@acme.example', 'URI:urn:x'],
    user: 'CN=alice,O=Acme',
  },
  'a subject that is written in another order': { subject: '/CN=bob/O=Acme', user: 'CN=bob,O=Acme' },
  'a subject with domain components': {
    subject: '/DC=example/DC=acme/O=Acme/CN=carol',
    user: 'CN=carol,O=Acme,DC=acme,DC=example',
  },
  'a subject with two attributes in one part': {
    subject: '/O=Acme/CN=dave+OU=dev',
    user: 'CN=dave+OU=dev,O=Acme',
  },
  'a subject with characters that are escaped': {
    subject: '/O=Acme, Inc./CN=erin',
    user: 'CN=erin,O=Acme\\\\, Inc.',
  },
  'a subject of several units, as the official server prints it': {
    subject: '/OU=one/OU=two/CN=frank/emailAddress=f@acme.example',
    user: 'CN=frank,OU=one+OU=two',
  },
  'a subject of international letters': { subject: '/O=Ürün/CN=gül', user: 'CN=gül,O=Ürün' },
  'a subject in another case': { subject: '/O=ACME/CN=alice', user: null },
  'part of a subject': { subject: '/CN=alice', user: null },
  'more than a subject': { subject: '/C=DE/O=Acme/CN=alice', user: null },
  'nothing that is known': { subject: '/CN=x', names: ['DNS:unknown.example'], user: null },
  'a user of another connection type': { subject: '/CN=websocket', user: null },
}

const users = [...new Set(Object.values(CERTIFICATES).map(({ user }) => user))].filter(
  (user) => user !== null,
)
const config = `
http: "127.0.0.1:-1"
tls { ${serverFiles()}, ${caFile}, verify_and_map: true }
authorization { timeout: 30, users: [
  ${users.map((user) => `{ user: "${user}" }`).join('\n  ')}
  { user: "CN=websocket", allowed_connection_types: [ WEBSOCKET ] }
  { user: "CN=guarded", password: pw }
] }`

describe('certificates as users', needsOpenssl(), () => {
  const issued = new Map(
    Object.entries(CERTIFICATES).map(([what, { subject, names = [] }]) => [
      what,
      authority.issue({ subject, names }),
    ]),
  )
  const guarded = authority.issue({ subject: '/CN=guarded' })

  onEveryEngine(
    'the time for CONNECT with TLS',
    `http: "127.0.0.1:-1"\ntls { ${serverFiles()}, timeout: 1.5 }\nauthorization { token: t }`,
    (bench) => {
      it('is a second more than that for the handshake, and begins after it', async (t) => {
        const { auth_timeout } = await bench.server.monitor<{ auth_timeout: number }>('/varz')
        assert.equal(auth_timeout, 2.5)
        const one = await RawClient.connect(t, bench.server.port, { tls: trusting() })
        assert.equal(await one.closed(), wire("-ERR 'Authentication Timeout'"))
        assert.equal(await closeReason(bench.server, one.info.client_id), 'Authentication Timeout')
      })
    },
  )

  onEveryEngine(
    'certificates that are only checked',
    `tls { ${serverFiles()}, ${caFile}, verify: true }
authorization { users: [ { user: "CN=alice,O=Acme", password: pw } ] }`,
    (bench) => {
      it('name nobody: a password is asked for', async (t) => {
        const certificate = issued.get('a subject')!
        const one = await RawClient.connect(t, bench.server.port, { tls: trusting(certificate) })
        one.connect(QUIET)
        assert.equal(await one.closed(), VIOLATION)
        const two = await RawClient.connect(t, bench.server.port, { tls: trusting(certificate) })
        two.connect({ ...QUIET, user: 'CN=alice,O=Acme', pass: 'pw' })
        assert.equal(await two.flush(), '')
      })
    },
  )

  onEveryEngine('verify_and_map', config, (bench) => {
    const client = async (
      t: TestContext,
      certificate: ReturnType<typeof authority.issue>,
      fields: Record<string, unknown> = {},
    ): Promise<RawClient> => {
      const one = await RawClient.connect(t, bench.server.port, { tls: trusting(certificate) })
      one.connect({ ...QUIET, ...fields })
      return one
    }
    const userOf = async (one: RawClient): Promise<string | undefined> => {
      const { connections } = await bench.server.monitor<{
        connections: { cid: number; authorized_user?: string }[]
      }>('/connz?auth=1')
      return connections.find(({ cid }) => cid === one.info.client_id)?.authorized_user
    }

    for (const [what, { user }] of Object.entries(CERTIFICATES)) {
      if (user === null) {
        it(`knows nobody by ${what}`, async (t) => {
          const one = await client(t, issued.get(what)!)
          assert.equal(await one.closed(), VIOLATION)
          assert.equal(await closeReason(bench.server, one.info.client_id), 'Authentication Failure')
        })
      } else {
        it(`knows a user by ${what}`, async (t) => {
          const one = await client(t, issued.get(what)!)
          assert.equal(await one.flush(), '')
          assert.equal(await userOf(one), user.replaceAll('\\\\', '\\'))
        })
      }
    }

    it('lets CONNECT name whomever it likes', async (t) => {
      const one = await client(t, issued.get('a DNS name')!, { user: 'mail@acme.example', pass: 'x' })
      // A password that nobody asks for is none of the user without one.
      assert.equal(await one.closed(), VIOLATION)
      const two = await client(t, issued.get('a DNS name')!, { user: 'mail@acme.example' })
      assert.equal(await two.flush(), '')
      assert.equal(await userOf(two), 'host.acme.example')
    })

    it('asks for the password besides, where the user has one', async (t) => {
      assert.equal(await (await client(t, guarded)).closed(), VIOLATION)
      assert.equal(await (await client(t, guarded, { pass: 'pw' })).flush(), '')
    })

    it('does not come to that without a certificate of the authority', async (t) => {
      const stranger = strangers.issue({ subject: '/O=Acme/CN=alice' })
      const one = await RawClient.connect(t, bench.server.port, { tls: trusting(stranger) }).catch(() => null)
      if (one !== null) {
        one.connect(QUIET)
        assert.doesNotMatch(await one.closed(), /PONG|ERR/)
      }
    })
  })
})
