// TLS on the client port: INFO first and then the handshake, or the other way round; both kinds of clients on one port.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { type CertificateFiles, type Engine, needsOpenssl, RawClient, waitFor } from '@ngs/testkit'
import { authority, localhost, serverFiles, trusting } from './certificates.ts'
import { closeReason, onEveryEngine, QUIET } from './support.ts'

const HTTP = 'http: "127.0.0.1:-1"\n'

const secure = (t: TestContext, server: Engine, options = {}): Promise<RawClient> =>
  RawClient.connect(t, server.port, { tls: trusting(), ...options })

describe('TLS', needsOpenssl(), () => {
  onEveryEngine('TLS after INFO', `${HTTP}tls { ${serverFiles()}, timeout: 30 }`, (bench) => {
    it('is announced by INFO and carries the protocol', async (t) => {
      const client = await secure(t, bench.server)
      const { tls_required, tls_verify, tls_available } = client.info
      assert.deepEqual([tls_required, tls_verify, tls_available], [true, undefined, undefined])
      client.say(QUIET, 'SUB a 1', 'PUB a 2', 'hi', 'PING')
      await client.expect('MSG a 1 2', 'hi', 'PONG')
    })
    it('is what the ports file says', () => {
      assert.match(bench.server.url, /^tls:/)
    })
    it('carries a message of a megabyte, and many small ones in one piece', async (t) => {
      const client = await secure(t, bench.server)
      const big = 'x'.repeat(1024 * 1024)
      client.say(QUIET, 'SUB a 1', `PUB a ${big.length}`, big)
      await client.expect(`MSG a 1 ${big.length}`, big)
      const count = 20_000
      client.send('PUB a 3\r\nabc\r\n'.repeat(count))
      const one = 'MSG a 1 3\r\nabc\r\n'
      assert.equal((await client.bytes(one.length * count)).toString(), one.repeat(count))
    })
    it('ends a client that goes on in clear text without a word', async (t) => {
      const client = await bench.client(t, 'CONNECT {}', 'PING')
      // An alert of TLS at most: none of it is protocol.
      assert.doesNotMatch(await client.closed(), /ERR|PONG|OK/)
      assert.equal(await closeReason(bench.server, client.info.client_id), 'TLS Handshake Failure')
    })
    it('notes a client that leaves in the middle of the handshake', async (t) => {
      const client = await bench.client(t)
      client.end()
      assert.equal(await closeReason(bench.server, client.info.client_id), 'TLS Handshake Failure')
    })
    it('notes the orderly end of a secure connection', async (t) => {
      const client = await secure(t, bench.server)
      client.say(QUIET)
      await client.flush()
      client.end()
      assert.equal(await closeReason(bench.server, client.info.client_id), 'Client Closed')
    })
    it('says why on a secure connection before it closes', async (t) => {
      const client = await secure(t, bench.server)
      client.say(QUIET, 'PUB a 9999999')
      assert.equal(await client.closed(), "-ERR 'Maximum Payload Violation'\r\n")
      assert.equal(await closeReason(bench.server, client.info.client_id), 'Maximum Message Payload Exceeded')
    })
    it('is what /connz shows', async (t) => {
      const client = await secure(t, bench.server)
      client.say(QUIET)
      await client.flush()
      const { connections } = await bench.server.monitor<{ connections: Record<string, unknown>[] }>('/connz')
      const mine = connections.find(({ cid }) => cid === client.info.client_id)!
      assert.equal(mine['tls_version'], '1.3')
      assert.equal(mine['tls_cipher_suite'], 'TLS_AES_128_GCM_SHA256')
    })
  })

  onEveryEngine('the timeout of TLS', `${HTTP}tls { ${serverFiles()}, timeout: 0.5 }`, (bench) => {
    it('ends a client that says nothing, without a word', async (t) => {
      const client = await bench.client(t)
      assert.equal(await client.closed(), '')
      assert.equal(await closeReason(bench.server, client.info.client_id), 'TLS Handshake Failure')
    })
  })
  onEveryEngine(
    'the timeout of TLS on a port for both',
    `tls { ${serverFiles()}, timeout: 0.5 }\nallow_non_tls: true`,
    (bench) => {
      it('serves fewer bytes than a decision takes', async (t) => {
        const client = await bench.client(t)
        client.send('PING\n')
        await client.expect('PONG')
      })
    },
  )
  onEveryEngine(
    'the timeout of TLS before INFO',
    `${HTTP}tls { ${serverFiles()}, handshake_first: true, timeout: 0.5 }`,
    (bench) => {
      it('has nothing to say to a client in clear text', async (t) => {
        const client = await RawClient.connect(t, bench.server.port, { readInfo: false })
        assert.equal(await client.closed(), '')
      })
    },
  )

  onEveryEngine(
    'TLS and clear text on one port',
    `tls { ${serverFiles()}, timeout: 30 }\nallow_non_tls: true`,
    (bench) => {
      it('is announced as available', async (t) => {
        const client = await bench.client(t)
        assert.deepEqual([client.info['tls_required'], client.info['tls_available']], [undefined, true])
      })
      it('lets a client in clear text in, whose first bytes are looked at', async (t) => {
        const client = await bench.client(t, QUIET, 'SUB a 1', 'PUB a 2', 'hi', 'PING')
        await client.expect('MSG a 1 2', 'hi', 'PONG')
      })
      it('lets a client with TLS in', async (t) => {
        const client = await secure(t, bench.server)
        client.say(QUIET, 'SUB a 1', 'PUB a 2', 'hi', 'PING')
        await client.expect('MSG a 1 2', 'hi', 'PONG')
      })
      it('takes its decision at the sixth byte', async (t) => {
        const client = await bench.client(t)
        client.send('PIN')
        client.send('G\r')
        client.send('\n')
        await client.expect('PONG')
      })
      it('answers a client that ends right behind its question', async (t) => {
        const client = await bench.client(t, QUIET, 'SUB a 1', 'PUB a 2', 'hi', 'PING')
        client.end()
        assert.equal(await client.closed(), 'MSG a 1 2\r\nhi\r\nPONG\r\n')
      })
    },
  )

  onEveryEngine(
    'TLS before INFO',
    `${HTTP}tls { ${serverFiles()}, handshake_first: true, timeout: 30 }`,
    (bench) => {
      it('sends INFO inside TLS only', async (t) => {
        const client = await secure(t, bench.server, { tlsFirst: true })
        assert.equal(client.info['tls_required'], true)
        client.say(QUIET, 'PING')
        await client.expect('PONG')
      })
      it('is what /connz shows', async (t) => {
        const client = await secure(t, bench.server, { tlsFirst: true })
        client.say(QUIET)
        await client.flush()
        const { connections } = await bench.server.monitor<{ connections: Record<string, unknown>[] }>(
          '/connz',
        )
        assert.equal(connections.find(({ cid }) => cid === client.info.client_id)!['tls_first'], true)
      })
      it('warns in the log', async () => {
        await bench.server.waitForLog(
          /\[WRN\] Clients that are not using "TLS Handshake First" option will fail to connect/,
        )
      })
    },
  )

  for (const delay of ['auto', '"300ms"']) {
    onEveryEngine(
      `TLS before INFO or after (${delay})`,
      `tls { ${serverFiles()}, handshake_first: ${delay} }`,
      (bench) => {
        it('sends INFO inside TLS to a client that begins with the handshake', async (t) => {
          // On a slow machine it may come too late and get INFO instead: until one comes in time.
          const client = await waitFor(() => secure(t, bench.server, { tlsFirst: true }).catch(() => null), {
            what: 'a client that comes in time',
          })
          assert.equal(client.info['tls_required'], true)
          client.say(QUIET, 'PING')
          await client.expect('PONG')
        })
        it('sends INFO in clear text to a client that waits for it', async (t) => {
          const client = await secure(t, bench.server)
          client.say(QUIET, 'PING')
          await client.expect('PONG')
        })
      },
    )
  }

  for (const first of [false, true]) {
    onEveryEngine(
      `TLS ${first ? 'before' : 'after'} INFO and no room for a client`,
      `tls { ${serverFiles()}, handshake_first: ${first} }\nmax_connections: 0`,
      (bench) => {
        it('is said in clear text', async (t) => {
          const client = await RawClient.connect(t, bench.server.port, { readInfo: !first })
          assert.equal(await client.closed(), "-ERR 'maximum connections exceeded'\r\n")
        })
      },
    )
  }

  onEveryEngine(
    'TLS with a rate limit',
    `tls { ${serverFiles()}, connection_rate_limit: 1, timeout: 0.5 }`,
    (bench) => {
      it('turns those away who come too fast', async (t) => {
        const clients = await Promise.all([1, 2, 3].map(() => bench.client(t)))
        const said = await Promise.all(clients.map((client) => client.closed()))
        // A silent client that was let in ends without a word. A second may begin anew between two of the three.
        assert.ok(
          said.includes("-ERR 'Connection throttling is active. Please try again later.'\r\n"),
          `${said}`,
        )
        assert.ok(said.includes(''), `${said}`)
        await bench.server.waitForLog(/\[WRN\] Rejected \d+ connections due to TLS rate limiting/)
      })
    },
  )

  const handshake = (t: TestContext, server: Engine, options: ConnectionOptions): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ ...trusting(), host: '127.0.0.1', port: server.port, ...options }, () =>
        resolve(socket),
      )
      // A refusal of TLS 1.3 comes after the client thinks that all is well.
      socket.on('error', reject)
      t.after(() => socket.destroy())
    })

  onEveryEngine('TLS 1.3 only', `tls { ${serverFiles()}, min_version: "1.3", first: true }`, (bench) => {
    it('refuses a client of TLS 1.2', async (t) => {
      await assert.rejects(handshake(t, bench.server, { maxVersion: 'TLSv1.2' }))
      assert.equal((await handshake(t, bench.server, {})).getProtocol(), 'TLSv1.3')
    })
  })

  const CHOICE = `cipher_suites: ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"], curve_preferences: ["CurveP384"]`
  onEveryEngine(
    'TLS with chosen ciphers and curves',
    `tls { ${serverFiles()}, ${CHOICE}, first: true }`,
    (bench) => {
      it('uses them with TLS 1.2, and goes on offering those of TLS 1.3', async (t) => {
        const old = await handshake(t, bench.server, { maxVersion: 'TLSv1.2' })
        assert.equal(old.getCipher().standardName, 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384')
        assert.match(JSON.stringify(old.getEphemeralKeyInfo()), /secp384r1/)
        assert.equal(
          (await handshake(t, bench.server, {})).getCipher().standardName,
          'TLS_AES_128_GCM_SHA256',
        )
      })
      it('refuses a client that has none of them', async (t) => {
        const ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256'
        await assert.rejects(handshake(t, bench.server, { maxVersion: 'TLSv1.2', ciphers }))
        await assert.rejects(handshake(t, bench.server, { ecdhCurve: 'X25519' }))
      })
    },
  )

  const other = authority.issue({ subject: '/CN=other', names: ['DNS:other.example', 'DNS:*.wild.example'] })
  const pair = ({ certFile, keyFile }: CertificateFiles): string =>
    `{ cert_file: "${certFile}", key_file: "${keyFile}" }`
  onEveryEngine(
    'TLS with several certificates',
    `tls { certs: [ ${pair(localhost)}, ${pair(other)} ], handshake_first: true }`,
    (bench) => {
      it('shows the one that the client asks for, else the first', async (t) => {
        const shown = async (servername: string): Promise<unknown> => {
          const options = { servername, checkServerIdentity: () => undefined }
          return (await handshake(t, bench.server, options)).getPeerCertificate().subject.CN
        }
        assert.equal(await shown('localhost'), 'localhost')
        assert.equal(await shown('other.example'), 'other')
        assert.equal(await shown('a.wild.example'), 'other')
        assert.equal(await shown('nobody.example'), 'localhost')
      })
    },
  )
})
