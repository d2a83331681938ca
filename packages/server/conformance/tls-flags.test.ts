// The --tls flags, which stand above the `tls` block.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Engine, enginesUnderTest, needsOpenssl, RawClient, run } from '@ngs/testkit'
import { alice, authority, localhost, strangers, trusting } from './certificates.ts'

const { certFile: cert, keyFile: key } = localhost

for (const { name, path } of enginesUnderTest()) {
  describe(`TLS flags [${name}]`, needsOpenssl(), () => {
    it('replace the certificates of the file', async (t) => {
      const config = `tls { cert_file: "${strangers.caFile}", key_file: "${strangers.caFile.replace('.pem', '-key.pem')}", timeout: 5 }`
      const args = ['--tlscert', cert, '--tlskey', key, '--tlscacert', authority.caFile, '--tlsverify']
      const engine = await Engine.start(t, { engine: path, config, args })
      const client = await RawClient.connect(t, engine.port, { tls: trusting(alice) })
      assert.deepEqual([client.info['tls_required'], client.info['tls_verify']], [true, true])
      await client.pingPong()
    })
    it('turn TLS off with --tls=false', async (t) => {
      const config = `tls { cert_file: "${cert}", key_file: "${key}" }`
      const engine = await Engine.start(t, {
        engine: path,
        config,
        args: ['--tls=false', '--tlscert', '/no'],
      })
      const client = await RawClient.connect(t, engine.port)
      assert.equal(client.info['tls_required'], undefined)
      await client.pingPong()
    })
    it('want a certificate and its key', async () => {
      for (const [args, text] of [
        [['--tls'], 'TLS Server certificate must be present and valid'],
        [['--tlscert', cert], 'TLS Server private key must be present and valid'],
        [
          ['--tlscert', '/no', '--tlskey', key],
          `error parsing X509 certificate/key pair: open /no: no such file or directory`,
        ],
      ] as const) {
        const { code, stderr } = await run(path, ['-p', '-1', ...args])
        assert.equal(code, 1)
        assert.equal(stderr.slice(stderr.indexOf(': ') + 2), `${text}\n`)
      }
    })
  })
}
