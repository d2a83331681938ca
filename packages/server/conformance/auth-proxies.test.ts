// Trusted proxies: who passes a client on signs the nonce besides, and some users come in that way only.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { createKeyPair, encodeBase64Url, type KeyPair, newUserScope } from '@ngs/identity/node'
import type { RawClient } from '@ngs/testkit'
import { closeReason, onEveryEngine, wire } from './support.ts'
import { inEveryWorld } from './world.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")
const HTTP = 'http: "127.0.0.1:-1"\n'
const proxy = createKeyPair('user')
const second = createKeyPair('server')
const stranger = createKeyPair('user')
const nkey = createKeyPair('user')
const PROXIES = `proxies { trusted: [ { key: ${proxy.publicKey} }, { public_key: ${second.publicKey} } ] }\n`
const signed = (client: RawClient, by: KeyPair): string =>
  encodeBase64Url(by.sign(Buffer.from(client.info.nonce!)))

onEveryEngine(
  'trusted proxies',
  `${HTTP}${PROXIES}
authorization { users: [
  { user: proxied, password: p, proxy_required: true }
  { user: any, password: p }
  { nkey: ${nkey.publicKey}, proxy_required: true }
] }`,
  (bench) => {
    const attempt = async (
      t: TestContext,
      fields: Record<string, unknown>,
      by: KeyPair | null,
      encode = (sig: string): string => sig,
    ): Promise<RawClient> => {
      const one = await bench.client(t)
      const proxy_sig = by === null ? undefined : encode(signed(one, by))
      const sig = fields['nkey'] === undefined ? undefined : signed(one, nkey)
      one.connect({ verbose: false, pedantic: false, ...fields, sig, proxy_sig })
      return one
    }
    const refused = async (one: RawClient, reason: string): Promise<void> => {
      assert.equal(await one.closed(), VIOLATION)
      assert.equal(await closeReason(bench.server, one.info.client_id), reason)
    }

    it('make INFO carry a nonce', async (t) => {
      assert.match((await bench.client(t)).info.nonce ?? '', /^[\w-]{15}$/)
    })
    it('bring in users that have to come by one', async (t) => {
      for (const by of [proxy, second]) {
        assert.equal(await (await attempt(t, { user: 'proxied', pass: 'p' }, by)).flush(), '')
        assert.equal(await (await attempt(t, { nkey: nkey.publicKey }, by)).flush(), '')
      }
      await refused(await attempt(t, { user: 'proxied', pass: 'p' }, null), 'Proxy Required')
      await refused(await attempt(t, { nkey: nkey.publicKey }, null), 'Proxy Required')
    })
    it('bring in others as well, and do not replace their password', async (t) => {
      assert.equal(await (await attempt(t, { user: 'any', pass: 'p' }, proxy)).flush(), '')
      assert.equal(await (await attempt(t, { user: 'any', pass: 'p' }, null)).flush(), '')
      await refused(await attempt(t, { user: 'proxied', pass: 'x' }, proxy), 'Authentication Failure')
    })
    it('are known by their signature, whomever they bring', async (t) => {
      await refused(await attempt(t, { user: 'any', pass: 'p' }, stranger), 'Proxy Not Trusted')
      const padded = (sig: string): string => Buffer.from(sig, 'base64url').toString('base64')
      await refused(await attempt(t, { user: 'any', pass: 'p' }, proxy, padded), 'Proxy Not Trusted')
      await refused(await attempt(t, { user: 'any', pass: 'p' }, proxy, () => '!!!'), 'Proxy Not Trusted')
    })
    it('are shown in /connz of those who are refused, too', async (t) => {
      const one = await attempt(t, { user: 'any', pass: 'wrong' }, second)
      await refused(one, 'Authentication Failure')
      const { connections } = await bench.server.monitor<{ connections: { proxy?: { key: string } }[] }>(
        `/connz?state=closed&cid=${one.info.client_id}`,
      )
      assert.deepEqual(connections[0]?.proxy, { key: second.publicKey })
    })
    it('are shown in /connz', async (t) => {
      const one = await attempt(t, { user: 'any', pass: 'p' }, second)
      await one.flush()
      const { connections } = await bench.server.monitor<{
        connections: { cid: number; proxy?: { key: string } }[]
      }>('/connz')
      assert.deepEqual(connections.find(({ cid }) => cid === one.info.client_id)?.proxy, {
        key: second.publicKey,
      })
    })
  },
)

onEveryEngine(
  'a token that has to come by a proxy',
  `${HTTP}${PROXIES}authorization { token: t, proxy_required: true }`,
  (bench) => {
    it('is refused without one', async (t) => {
      const one = await bench.client(t)
      one.connect({ auth_token: 't' })
      assert.equal(await one.closed(), VIOLATION)
      assert.equal(await closeReason(bench.server, one.info.client_id), 'Proxy Required')
      const two = await bench.client(t)
      two.connect({ verbose: false, auth_token: 't', proxy_sig: signed(two, proxy) })
      assert.equal(await two.flush(), '')
    })
  },
)

onEveryEngine(
  'no proxy to trust',
  `${HTTP}authorization { users: [ { user: any, password: p }, { user: proxied, password: p, proxy_required: true } ] }`,
  (bench) => {
    it('leaves signatures of proxies without a meaning', async (t) => {
      const one = await bench.client(t)
      one.connect({ verbose: false, user: 'any', pass: 'p', proxy_sig: 'x' })
      assert.equal(await one.flush(), '')
      const two = await bench.client(t)
      two.connect({ verbose: false, user: 'proxied', pass: 'p', proxy_sig: 'x' })
      assert.equal(await two.closed(), VIOLATION)
      assert.equal(await closeReason(bench.server, two.info.client_id), 'Proxy Required')
    })
  },
)

inEveryWorld('trusted proxies of an operator', { config: PROXIES }, (world) => {
  it('bring in users whose JWT, or the scope of whose key, demands one', async (t) => {
    const scope = createKeyPair('account')
    const { key } = await world.account((account) => {
      const made = newUserScope(scope.publicKey)
      made.template.proxy_required = true
      account.nats.signing_keys = [made]
    })
    const attempts = [
      {
        signer: key,
        change: (user: { nats: { proxy_required?: boolean } }) => (user.nats.proxy_required = true),
      },
      {
        signer: scope,
        change: (user: { nats: object }) =>
          Object.assign(user.nats, { issuer_account: key.publicKey, subs: 0, data: 0, payload: 0 }),
      },
    ]
    for (const { signer, change } of attempts) {
      const user = createKeyPair('user')
      const plain = await world.client(t, signer, change, { key: user })
      assert.equal(await plain.closed(), VIOLATION)
      assert.equal(await world.closeReason(plain), 'Proxy Required')
      const one = await world.client(t, signer, change, { key: user, send: false })
      one.connect({
        verbose: false,
        pedantic: false,
        jwt: one.jwt,
        sig: signed(one, user),
        proxy_sig: signed(one, proxy),
      })
      assert.equal(await one.flush(), '')
    }
  })
})
