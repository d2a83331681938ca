// docs/server.md, docs/sharing.md and docs/monitoring.md: their configurations are read, their commands run.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { createCurveKeyPair, createKeyPair } from '@ngs/identity/node'
import { Authority, Engine, needsOpenssl, needsPeer, ngsServer, peer, run, tempDir } from '@ngs/testkit'

const page = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../../docs', `${name}.md`), 'utf8')
const blocks = (name: string): string[] =>
  [...page(name).matchAll(/^```\n([\s\S]*?)^```/gm)].map(([, text]) => text!)
const configurations = (name: string): string[] => blocks(name).filter((text) => /^\w+ \{/.test(text))
const commands = (name: string, program: string): string[] =>
  blocks(name)
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.startsWith(`${program} `))
    .map((line) => line.replace(/\s+#.*/, ''))

/** What a reader fills in: `A...` and `X...` are keys. */
function filledIn(text: string, folder: string): string {
  return text
    .replaceAll('issuer: A...', `issuer: ${createKeyPair('account').publicKey}`)
    .replaceAll('xkey: X...', `xkey: ${createCurveKeyPair().publicKey}`)
    .replaceAll('/etc/ngs', folder)
}

describe('the documents of the server', () => {
  for (const name of ['server', 'sharing'])
    it(`show configurations that the server takes: ${name}.md`, needsOpenssl(), async (t) => {
      const folder = tempDir(t)
      const authority = new Authority(folder)
      const { certFile, keyFile } = authority.issue({ subject: '/CN=server', names: ['DNS:localhost'] })
      copyFileSync(certFile, join(folder, 'server.pem'))
      copyFileSync(keyFile, join(folder, 'server-key.pem'))
      copyFileSync(authority.caFile, join(folder, 'clients-ca.pem'))
      const texts = configurations(name)
      assert.ok(texts.length >= 3, 'the page has its blocks')
      for (const text of texts) {
        const file = join(folder, 'nats-server.conf')
        writeFileSync(file, filledIn(text, folder))
        const { code, stdout, stderr } = await run(ngsServer, ['-t', '-c', file])
        assert.equal(code, 0, `${text}\n${stdout}${stderr}`)
      }
    })

  it('show command lines of ngs-server that work', async (t) => {
    const folder = tempDir(t)
    writeFileSync(join(folder, 'nats-server.conf'), 'debug: false')
    const lines = commands('server', 'ngs-server')
    assert.ok(lines.length >= 4)
    // Checked instead of started, where they would not end by themselves.
    for (const line of lines) {
      const args = line.split(' ').slice(1)
      const { code, stderr } = await run(
        ngsServer,
        args.includes('-t') ? args : ['-t', '-c', 'nats-server.conf', ...args],
        {
          cwd: folder,
        },
      )
      assert.equal(code, 0, `${line}\n${stderr}`)
    }
  })

  it('show command lines of nats that work', needsPeer('nats'), async (t) => {
    const server = await Engine.start(t, {
      config: `server_name: watched
        accounts { SYS { users: [ { user: sys, password: sys } ] } }
        system_account: SYS`,
    })
    const identity = ['-s', server.url, '--user', 'sys', '--password', 'sys']
    const lines = commands('monitoring', 'nats')
    assert.ok(lines.length >= 4)
    for (const line of lines.filter((text) => !text.startsWith('nats events'))) {
      const args = line.split(' ').slice(1)
      const missing = args.includes('CID')
      const values = args.map((word) => (word === 'CID' ? '4096' : word === 'SERVER_ID' ? 'X' : word))
      const { code, stdout, stderr } = await run(peer('nats'), [...identity, '--timeout', '2s', ...values])
      // Nobody has that number: it is the words of the command that are judged.
      if (missing) assert.doesNotMatch(stderr, /unknown|expected|unexpected|enum value/, line)
      else assert.equal(code, 0, `${line}\n${stdout}${stderr}`)
    }
    const { status, stdout } = spawnSync(peer('nats'), ['events', '--help'], { encoding: 'utf8' })
    assert.equal(status, 0)
    assert.match(stdout, /--all/)
  })

  it('link only to files that exist', () => {
    const docs = join(import.meta.dirname, '../../../docs')
    for (const name of ['server', 'sharing', 'monitoring', 'limits', 'architecture'])
      for (const [, target] of page(name).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g))
        readFileSync(join(dirname(join(docs, name)), target!))
  })
})
