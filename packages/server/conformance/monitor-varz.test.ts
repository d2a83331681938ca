// /varz under many configurations, and secure connections in /connz: the same from both engines.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  type Cleanup,
  Engine,
  enginesUnderTest,
  needsOpenssl,
  needsPeer,
  peer,
  RawClient,
  tempDir,
  waitFor,
} from '@ngs/testkit'
import { alice, caFile, serverFiles, trusting } from './certificates.ts'
import { type ShapeOptions, shape } from './shape.ts'

const TLS = `tls { ${serverFiles()}, ${caFile}, verify: true, timeout: 3 }`
const PIN = 'a8f407340dcc719864214b85ed96f98d16cbffa8f509d9fa4ca237b7bb3f9c32'

const CONFIGURATIONS: Readonly<Record<string, string>> = {
  'nothing but monitoring': '',
  'other numbers': `
    server_name: numbers
    max_connections: 100
    max_subscriptions: 50
    max_control_line: 2kb
    max_payload: 2mb
    max_pending: 8mb
    ping_interval: "30s"
    ping_max: 5
    write_deadline: "3s"
    write_timeout: close
    lame_duck_duration: "40s"
    authorization { timeout: 2.5, token: secret }
  `,
  'names and an advertised address': `
    server_name: a-name
    client_advertise: "example.com:5222"
    http_base_path: "/"
    server_tags: one
    server_metadata: { z: last, a: first }
    feature_flags: { js_ack_fc_v2: true, made_up: true }
    no_system_account: true
  `,
  'WebSocket in clear text': `
    no_auth_user: guest
    authorization { users: [ { user: guest, password: guest } ] }
    websocket { listen: "127.0.0.1:-1", no_tls: true, compression: true, advertise: "ws.example.com:443", no_auth_user: guest }
  `,
  'TLS on every port': `
    ${TLS}
    websocket { listen: "127.0.0.1:-1"
      tls { ${serverFiles()}, pinned_certs: ["${PIN}"] }
      handshake_timeout: "4s"
      same_origin: true
      allowed_origins: ["https://example.com", "https://example.org:8443"]
    }
  `,
  'TLS for those who want it': `tls { ${serverFiles()} }\nallow_non_tls: true`,
  'the user from the certificate': `tls { ${serverFiles()}, ${caFile}, verify_and_map: true, timeout: 1.5 }
    authorization { users: [ { user: "alice@acme.example" } ] }`,
}

const OPTIONS: ShapeOptions = { volatile: ['subscriptions', 'go'] }

async function start(t: Cleanup, config: string): Promise<Engine[]> {
  const text = `http: "127.0.0.1:-1"\n${config}`
  return Promise.all(
    [enginesUnderTest()[0]!.path, peer('nats-server')].map((engine) =>
      Engine.start(t, { engine, config: text }),
    ),
  )
}

const needs = needsPeer('nats-server').skip === false ? needsOpenssl() : needsPeer('nats-server')

describe('/varz on both engines', needs, () => {
  for (const [name, config] of Object.entries(CONFIGURATIONS)) {
    it(`is the same with ${name}`, async (t) => {
      const [ours, official] = await start(t, config)
      const varz = async (server: Engine) => shape(await server.monitor('/varz'), OPTIONS)
      assert.equal(await varz(ours!), await varz(official!))
    })
  }
  it('counts the cores that the server may run on', async (t) => {
    if (spawnSync('taskset', ['-c', '0', 'true']).status !== 0) return t.skip('needs taskset, and core 0')
    const bound = join(tempDir(t), 'bound')
    const cores = await Promise.all(
      [enginesUnderTest()[0]!.path, peer('nats-server')].map(async (engine, i) => {
        writeFileSync(`${bound}${i}`, `#!/bin/sh\nexec taskset -c 0 '${engine}' "$@"\n`, { mode: 0o755 })
        const server = await Engine.start(t, { engine: `${bound}${i}`, config: 'http: "127.0.0.1:-1"' })
        return (await server.monitor<{ cores: number }>('/varz')).cores
      }),
    )
    assert.deepEqual(cores, [1, 1])
  })
  it('changes with a reload, and says when', async (t) => {
    for (const server of await start(t, 'max_payload: 1000\n')) {
      const varz = () =>
        server.monitor<{ max_payload: number; config_load_time: string; config_digest: string }>('/varz')
      const before = await varz()
      writeFileSync(
        server.configFile,
        'listen: "127.0.0.1:-1"\nhttp: "127.0.0.1:-1"\nmax_payload: 2000\nserver_tags: new\n',
      )
      server.kill('SIGHUP')
      await waitFor(async () => (await varz()).max_payload === 2000, { what: 'the new max_payload' })
      const now = await varz()
      assert.ok(now.config_load_time > before.config_load_time)
      assert.notEqual(now.config_digest, before.config_digest)
    }
  })
})

describe('/connz of secure connections on both engines', needs, () => {
  it('tells version, cipher and certificates', async (t) => {
    const engines = await start(
      t,
      `tls { ${serverFiles()}, ${caFile}, verify_and_map: true, cipher_suites: ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"] }
      authorization { users: [ { user: "alice@acme.example" } ] }`,
    )
    // A client that trusts the authority would send its certificate, too.
    const own = { cert: alice.cert, key: alice.key, rejectUnauthorized: false }
    const told = await Promise.all(
      engines.map(async (server) => {
        for (const more of [{}, { maxVersion: 'TLSv1.2' as const }]) {
          const client = await RawClient.connect(t, server.port, { tls: { ...own, ...more } })
          client.connect({ verbose: false, name: 'alice' })
          await client.flush()
        }
        const gone = await RawClient.connect(t, server.port, { tls: own })
        gone.connect({ verbose: false, name: 'gone' })
        await gone.flush()
        gone.end()
        const closed = () => server.monitor<{ total: number }>('/connz?state=closed&auth=1')
        await waitFor(async () => (await closed()).total === 1, { what: 'a closed connection' })
        const answers = [
          await server.monitor('/connz?auth=1'),
          await server.monitor('/connz'),
          await closed(),
        ]
        return answers.map((answer) => shape(answer)).join('\n')
      }),
    )
    assert.match(told[0]!, /tls_version: "1.3"[\s\S]*tls_version: "1.2"/)
    assert.match(told[0]!, /tls_peer_certs/)
    assert.equal(told[0], told[1])
  })
  it('tells that the handshake came first', async (t) => {
    const engines = await start(t, `tls { ${serverFiles()}, handshake_first: true }`)
    const told = await Promise.all(
      engines.map(async (server) => {
        const client = await RawClient.connect(t, server.port, { tls: trusting(), tlsFirst: true })
        client.connect({ verbose: false })
        await client.flush()
        return shape(await server.monitor('/connz'))
      }),
    )
    assert.match(told[0]!, /tls_first: true/)
    assert.equal(told[0], told[1])
  })
})
