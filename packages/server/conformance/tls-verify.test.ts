// Client certificates: asked for, checked, pinned.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import {
  Authority,
  type CertificateFiles,
  type Engine,
  needsOpenssl,
  RawClient,
  tempFolder,
} from '@ngs/testkit'
import { alice, authority, caFile, localhost, serverFiles, stranger, trusting } from './certificates.ts'
import { closeReason, onEveryEngine, QUIET } from './support.ts'

const HTTP = 'http: "127.0.0.1:-1"\n'
const VERIFY = `${serverFiles()}, ${caFile}, verify: true`
const BARE_VERIFY = `${serverFiles()}, verify: true`
const bob = authority.issue({ subject: '/CN=bob', key: 'rsa' })

async function comesIn(t: TestContext, server: Engine, own?: CertificateFiles): Promise<RawClient> {
  const client = await RawClient.connect(t, server.port, { tls: trusting(own) })
  client.say(QUIET)
  await client.pingPong()
  return client
}

/** The client sees the refusal in the handshake, or right after it: with TLS 1.3 its own side is done before the server's. */
async function isRefused(t: TestContext, server: Engine, own?: CertificateFiles): Promise<void> {
  const client = await RawClient.connect(t, server.port)
  const cid = client.info.client_id
  await assert.rejects(async () => {
    await client.startTls(trusting(own))
    await client.pingPong()
  })
  assert.equal(await closeReason(server, cid), 'TLS Handshake Failure')
}

describe('client certificates', needsOpenssl(), () => {
  onEveryEngine('verify', `${HTTP}tls { ${VERIFY} }`, (bench) => {
    it('is announced by INFO', async (t) => {
      assert.equal((await bench.client(t)).info['tls_verify'], true)
    })
    it('lets those in whose certificate the authority signed', async (t) => {
      await comesIn(t, bench.server, alice)
      await comesIn(t, bench.server, bob)
    })
    it('refuses a client without certificate', (t) => isRefused(t, bench.server))
    it("refuses a stranger's certificate", (t) => isRefused(t, bench.server, stranger))
    it('shows the certificate in /connz?auth=1', async (t) => {
      const client = await comesIn(t, bench.server, alice)
      interface Connection {
        cid: number
        tls_peer_certs?: { subject: string; spki_sha256: string; cert_sha256: string }[]
      }
      const { connections } = await bench.server.monitor<{ connections: Connection[] }>('/connz?auth=1')
      const mine = connections.find(({ cid }) => cid === client.info.client_id)!
      assert.equal(mine.tls_peer_certs?.[0]?.subject, 'CN=alice,O=Acme')
      assert.equal(mine.tls_peer_certs[0].spki_sha256, alice.keyId)
    })
  })

  const folder = tempFolder()
  after(folder.remove)
  const between = new Authority(folder.path, 'Between', authority)
  const carol = between.issue({ subject: '/O=Acme/CN=carol' })
  const withChain = { ...carol, cert: Buffer.concat([carol.cert, between.ca]) }
  onEveryEngine('verify by an authority that is under another', `${HTTP}tls { ${VERIFY} }`, (bench) => {
    it('takes certificates that come with what leads to it', async (t) => {
      await comesIn(t, bench.server, withChain)
    })
    it('refuses those that come alone', (t) => isRefused(t, bench.server, carol))
  })
  onEveryEngine(
    'verify by an authority in between alone',
    `${HTTP}tls { ${BARE_VERIFY}, ca_file: "${between.caFile}" }`,
    (bench) => {
      it('takes what that one signed', async (t) => {
        await comesIn(t, bench.server, carol)
        await comesIn(t, bench.server, withChain)
      })
      it('refuses what the one above signed', (t) => isRefused(t, bench.server, alice))
    },
  )
  const broken = join(folder.path, 'broken.pem')
  writeFileSync(
    broken,
    `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${authority.ca.toString()}`,
  )
  onEveryEngine(
    'verify by a file with more than certificates',
    `${HTTP}tls { ${BARE_VERIFY}, ca_file: "${broken}" }`,
    (bench) => {
      it('takes what can be read of it', async (t) => {
        await comesIn(t, bench.server, alice)
      })
      it('refuses strangers', (t) => isRefused(t, bench.server, stranger))
    },
  )

  onEveryEngine(
    'pinned_certs',
    `${HTTP}debug: true\ntls { ${VERIFY}, pinned_certs: ["${alice.keyId}"] }`,
    (bench) => {
      it('lets the pinned ones in', async (t) => {
        await comesIn(t, bench.server, alice)
      })
      it('refuses others that the authority signed', (t) => isRefused(t, bench.server, bob))
      it('says whom in debug mode', async (t) => {
        await isRefused(t, bench.server, bob)
        await bench.server.waitForLog(new RegExp(`Failed pinned cert test for key id: ${bob.keyId}`))
      })
    },
  )

  onEveryEngine('a reload of TLS', `${HTTP}tls { ${VERIFY} }`, (bench) => {
    const ask = (tls: string | null): void => {
      const block = tls === null ? '' : `tls { ${tls} }`
      writeFileSync(bench.server.configFile, `listen: "127.0.0.1:-1"\n${HTTP}${block}`)
      bench.server.kill('SIGHUP')
    }
    const reload = async (tls: string | null): Promise<void> => {
      const before = bench.server.log().split('Reloaded server configuration').length
      ask(tls)
      await bench.server.waitForLog(new RegExp(`(Reloaded server configuration[^]*){${before}}`))
    }
    it('gives new connections the new certificate and leaves the old ones alone', async (t) => {
      const old = await comesIn(t, bench.server, alice)
      const other = authority.issue({ subject: '/CN=other', names: ['DNS:other.example'] })
      await reload(`${serverFiles(other)}, ${caFile}, verify: true`)
      await old.pingPong()
      await assert.rejects(comesIn(t, bench.server, alice), /Hostname\/IP does not match|altnames/)
      await reload(VERIFY)
      await comesIn(t, bench.server, alice)
    })
    it('cuts those who are no longer pinned', async (t) => {
      const [one, two] = [await comesIn(t, bench.server, alice), await comesIn(t, bench.server, bob)]
      await reload(`${VERIFY}, pinned_certs: ["${bob.keyId}"]`)
      assert.equal(await one.closed(), '')
      assert.equal(await closeReason(bench.server, one.info.client_id), 'TLS Handshake Failure')
      await two.pingPong()
      await reload(VERIFY)
    })
    it('turns TLS off and on, and the order of handshake and INFO round', async (t) => {
      const before = await comesIn(t, bench.server, alice)
      await reload(null)
      const plain = await RawClient.connect(t, bench.server.port)
      assert.equal(plain.info['tls_required'], undefined)
      await plain.pingPong()
      await reload(`${VERIFY}, handshake_first: true`)
      const first = await RawClient.connect(t, bench.server.port, { tls: trusting(alice), tlsFirst: true })
      await first.pingPong()
      await reload(VERIFY)
      await comesIn(t, bench.server, alice)
      for (const client of [before, plain, first]) await client.pingPong()
    })
    it('is refused when the certificate cannot be used', async (t) => {
      ask(`cert_file: "/no", key_file: "${localhost.keyFile}"`)
      await bench.server.waitForLog(/Failed to reload server configuration: .*open \/no: no such file/)
      await comesIn(t, bench.server, alice)
    })
    it('is refused for the rate limit and for mapping', async () => {
      for (const [option, name] of [
        ['connection_rate_limit: 7', 'TLSRateLimit: old=0, new=7'],
        ['verify_and_map: true', 'TLSMap: old=false, new=true'],
      ]) {
        ask(`${VERIFY}, ${option}`)
        await bench.server.waitForLog(new RegExp(`config reload not supported for ${name}`))
      }
    })
  })
})
