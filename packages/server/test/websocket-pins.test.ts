// Pinned client certificates of the WebSocket port, which the official server does not look at.
import assert from 'node:assert/strict'
import { after, describe, it, type TestContext } from 'node:test'
import {
  Authority,
  type CertificateFiles,
  Engine,
  needsOpenssl,
  RawWebSocket,
  tempFolder,
} from '@ngs/testkit'

describe('pinned_certs of websocket', needsOpenssl(), () => {
  const folder = tempFolder()
  after(folder.remove)
  const authority = new Authority(folder.path)
  const server = authority.issue({ subject: '/CN=localhost', names: ['DNS:localhost'] })
  const pinned = authority.issue({ subject: '/CN=pinned' })
  const other = authority.issue({ subject: '/CN=other' })

  it('let in the pinned ones alone', async (t) => {
    const files = `cert_file: "${server.certFile}", key_file: "${server.keyFile}", ca_file: "${authority.caFile}"`
    const engine = await Engine.start(t, {
      config: `websocket { listen: "127.0.0.1:-1", tls { ${files}, verify: true, pinned_certs: ["${pinned.keyId}"] } }`,
    })
    const open = (context: TestContext, { cert, key }: CertificateFiles): Promise<RawWebSocket> =>
      RawWebSocket.connect(context, engine.websocketUrl, {
        tls: { ca: authority.ca, servername: 'localhost', cert, key },
      })
    assert.match(await (await open(t, pinned)).until('\r\n'), /^INFO /)
    await assert.rejects(open(t, other), /the connection ended/)
    await engine.waitForLog(/\[ERR\] 127.0.0.1:\d+ - websocket handshake error: certificate not pinned/)
  })
})
