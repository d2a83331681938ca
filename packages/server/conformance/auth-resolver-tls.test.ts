// resolver_tls: an account server over HTTPS, which may want to know who asks.
import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import { describe, it, type TestContext } from 'node:test'
import { encode, newAccountClaims } from '@ngs/identity/node'
import { enginesUnderTest, needsOpenssl } from '@ngs/testkit'
import { alice, authority, caFile, localhost, serverFiles, strangers } from './certificates.ts'
import { World } from './world.ts'

/** An account server that only talks to clients of the authority, and a world that asks it. */
async function ask(t: TestContext, engine: string, tls: string): Promise<World> {
  const tokens = new Map<string, string>()
  const server = createServer(
    {
      cert: localhost.cert,
      key: localhost.key,
      ca: authority.ca,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (request, response) => {
      const token = tokens.get(request.url!.slice(1))
      response.writeHead(request.url === '/' || token !== undefined ? 200 : 404).end(token ?? '')
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  const { port } = server.address() as { port: number }
  const world = new World({
    resolver: `URL("https://127.0.0.1:${port}/")`,
    preloadSystem: false,
    config: `resolver_tls { ${tls} }`,
  })
  const { publicKey } = world.systemKey
  tokens.set(publicKey, encode(newAccountClaims(publicKey, 'SYS'), world.signingKey))
  await world.start(engine, t)
  return world
}

describe('a resolver over HTTPS', needsOpenssl(), () => {
  for (const engine of enginesUnderTest()) {
    it(`shows its certificate, and trusts the authority [${engine.name}]`, async (t) => {
      const world = await ask(t, engine.path, `${serverFiles(alice)}, ${caFile}`)
      assert.equal(await (await world.client(t, world.systemKey)).flush(), '')
    })
    it(`does not start without the certificate that it is asked for [${engine.name}]`, async (t) => {
      await assert.rejects(ask(t, engine.path, caFile), /could not fetch/)
    })
    it(`does not start when it does not trust the account server [${engine.name}]`, async (t) => {
      const ca = `ca_file: "${strangers.caFile}"`
      await assert.rejects(ask(t, engine.path, `${serverFiles(alice)}, ${ca}`), /could not fetch/)
    })
    it(`trusts anybody when told so [${engine.name}]`, async (t) => {
      const ca = `ca_file: "${strangers.caFile}", insecure: true`
      const world = await ask(t, engine.path, `${serverFiles(alice)}, ${ca}`)
      assert.equal(await (await world.client(t, world.systemKey)).flush(), '')
    })
  }
})
