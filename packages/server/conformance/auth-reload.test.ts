// What a reload does about proxies and callout services, and to the clients that came by them.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { createKeyPair, encodeBase64Url, type KeyPair } from '@ngs/identity/node'
import type { RawClient } from '@ngs/testkit'
import { CalloutService, response, userJwt } from './callout-service.ts'
import { refused, reload } from './reloading.ts'
import { closeReason, nobodyIn, onEveryEngine, wire } from './support.ts'

const HTTP = 'http: "127.0.0.1:-1"\n'
const [one, two, three] = [createKeyPair('user'), createKeyPair('user'), createKeyPair('user')]
const proxies = (...keys: KeyPair[]): string =>
  `${HTTP}proxies { trusted: [ ${keys.map(({ publicKey }) => `{ key: ${publicKey} }`).join(', ')} ] }\n`

onEveryEngine('a reload of trusted proxies', proxies(one, two), (bench) => {
  const through = async (t: TestContext, proxy: KeyPair | null): Promise<RawClient> => {
    const client = await bench.client(t)
    const proxy_sig = proxy === null ? '' : encodeBase64Url(proxy.sign(Buffer.from(client.info.nonce!)))
    client.connect({ verbose: false, pedantic: false, proxy_sig })
    await client.flush()
    return client
  }
  it('closes those who came by one that is gone, and lets those of a new one in', async (t) => {
    const gone = await through(t, one)
    const stays = await through(t, two)
    const direct = await through(t, null)
    const log = await reload(bench.server, proxies(two, three))
    assert.ok(
      log.includes(`[INF] Reloaded: proxies trusted keys ["${one.publicKey}"] were removed`),
      `${log}`,
    )
    assert.ok(log.includes(`[INF] Reloaded: proxies trusted keys ["${three.publicKey}"] were added`))
    assert.equal(await gone.closed(), wire("-ERR 'Authorization Violation'"))
    assert.equal(await closeReason(bench.server, gone.info.client_id), 'Proxy Not Trusted')
    assert.equal(await stays.flush(), '')
    assert.equal(await direct.flush(), '')
    assert.equal(await (await through(t, three)).flush(), '')
  })
})

const issuer = createKeyPair('account')
const callout = (lines: string, more = ''): string => `${HTTP}
accounts { AUTH { users: [ { user: auth, password: pw } ] }, APP { limits: { max_connections: 1 } } }
authorization {
  timeout: 30
  auth_callout { issuer: ${issuer.publicKey}, account: AUTH, auth_users: [ auth ], ${lines} }
  ${more}
}`

onEveryEngine('a reload with a callout service', callout(''), (bench) => {
  const service = async (t: TestContext, account: string): Promise<CalloutService> => {
    const made = await CalloutService.start(bench.server.url, { user: 'auth', pass: 'pw' })
    t.after(() => made.stop())
    made.will((request) =>
      response(request, issuer, { jwt: userJwt(request, issuer, (user) => (user.aud = account)) }),
    )
    return made
  }

  it('cannot change the service', async () => {
    assert.match(
      await refused(
        bench.server,
        callout(`xkey: ${'XCHUBRNNW2HSKYSK4WZBJ2TWPJXMSTMCTU6XWXQ22G5G6PRBHAUF76G7'}`),
      ),
      /^config reload not supported for AuthCallout: old=/,
    )
    assert.equal(
      await refused(bench.server, callout('', 'proxy_required: true')),
      'config reload not supported for ProxyRequired: old=false, new=true',
    )
  })
  it('asks about everybody again, and closes who came under a name that the configuration does not have', async (t) => {
    const { requests } = await service(t, 'APP')
    const nameless = await bench.client(t)
    nameless.connect({ verbose: false, pedantic: false, auth_token: 'x' })
    nameless.say('SUB a 1')
    await nameless.flush()
    await reload(bench.server, callout(''))
    assert.equal(await nameless.flush(), '')
    assert.equal(requests.length, 2)
    nameless.say('PUB a 0', '')
    assert.equal(await nameless.flush(), wire('MSG a 1 0', ''))
    nameless.destroy()
    await nobodyIn(bench.server, 'APP')
    const named = await bench.client(t)
    named.connect({ verbose: false, pedantic: false, user: 'joe' })
    await named.flush()
    await reload(bench.server, callout(''))
    assert.equal(await named.closed(), '')
    assert.equal(await closeReason(bench.server, named.info.client_id), 'Client Closed')
    assert.equal(requests.length, 3)
    await nobodyIn(bench.server, 'APP')
  })
  it('closes who is not wanted any more', async (t) => {
    const made = await service(t, 'APP')
    const client = await bench.client(t)
    client.connect({ verbose: false, pedantic: false, auth_token: 'x' })
    await client.flush()
    made.will((request) => response(request, issuer, { error: 'not today' }))
    await reload(bench.server, callout(''))
    assert.equal(await client.closed(), wire("-ERR 'Authorization Violation'"))
    assert.equal(await closeReason(bench.server, client.info.client_id), 'Authentication Failure')
  })
})

const systemUsers = (password: string): string =>
  `${HTTP}accounts { $SYS { users: [ { user: admin, password: ${password} } ] } }\n`

onEveryEngine('a reload with users of the system account alone', systemUsers('a'), (bench) => {
  it('leaves the nameless guests where they are', async (t) => {
    const guest = await bench.client(t)
    guest.connect({ verbose: false, pedantic: false })
    guest.say('SUB a 1')
    await guest.flush()
    const admin = await bench.client(t)
    admin.connect({ verbose: false, pedantic: false, user: 'admin', pass: 'a' })
    await admin.flush()
    await reload(bench.server, systemUsers('b'))
    guest.say('PUB a 0', '')
    assert.equal(await guest.flush(), wire('MSG a 1 0', ''))
    assert.equal(await admin.closed(), wire("-ERR 'Authorization Violation'"))
  })
})
