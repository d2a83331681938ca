import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import {
  createKeyPair,
  decodeAccount,
  decodeOperator,
  decodeUser,
  isBlocking,
  parseCreds,
  validate,
  verifyChain,
} from '@ngs/identity/node'
import { DEADLINE_MS, Engine, enginesUnderTest, tempDir } from '@ngs/testkit'
import { type PrepareOptions, prepareDataDir, ServiceError } from '../src/index.ts'

const server = { host: '127.0.0.1', port: -1, websocketPort: -1, monitoringPort: -1 }
const prepare = (dataDir: string, more: Partial<PrepareOptions> = {}) =>
  prepareDataDir({ dataDir, server, ...more })

function everyFile(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
const contents = (dir: string): Record<string, string> =>
  Object.fromEntries(everyFile(dir).map((path) => [path, readFileSync(path, 'utf8')]))

const refusal = (code: string, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ServiceError, String(error))
  assert.equal(error.code, code)
  assert.match(error.message, text)
  return true
}

describe('the data directory', () => {
  it('is made with secrets for its owner alone, and is not changed by a second start', (t) => {
    const dir = join(tempDir(t), 'a', 'b')
    prepare(dir)
    const before = contents(dir)
    for (const path of everyFile(dir)) assert.equal(statSync(path).mode & 0o777, 0o600, path)
    for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
      if (entry.isDirectory())
        assert.equal(statSync(join(entry.parentPath, entry.name)).mode & 0o777, 0o700, entry.name)
    }
    assert.equal(statSync(dir).mode & 0o777, 0o700)
    prepare(dir)
    assert.deepEqual(contents(dir), before)
    assert.match(readFileSync(join(dir, 'operator.token'), 'utf8'), /^[\w-]{43}\n$/)
  })

  it('holds an operator whose chain verifies', (t) => {
    const dir = join(tempDir(t), 'data')
    prepare(dir, {
      publicUrl: 'https://NGS.example/',
      natsUrls: ['nats://Connect.example:4222', 'ws://connect.example:80'],
    })
    const read = (name: string) => readFileSync(join(dir, name), 'utf8')
    const operator = decodeOperator(read('operator.jwt'))
    assert.equal(operator.iss, operator.sub)
    assert.equal(operator.name, 'ngs')
    assert.equal(operator.nats.account_server_url, 'https://ngs.example/jwt/v1')
    assert.deepEqual(operator.nats.operator_service_urls, [
      'nats://connect.example:4222',
      'ws://connect.example',
    ])
    assert.equal(operator.nats.strict_signing_key_usage, undefined)
    assert.equal(operator.nats.signing_keys?.length, 1)
    assert.equal(isBlocking(validate(operator), { includeTime: true }), false)
    const system = decodeAccount(read('system.jwt'))
    assert.equal(operator.nats.system_account, system.sub)
    assert.equal(system.iss, operator.nats.signing_keys?.[0])
    for (const name of ['system', 'demo']) {
      const { jwt, seed } = parseCreds(read(`${name}.creds`))
      assert.ok(seed?.startsWith('SU'))
      const chain = verifyChain({ operators: [operator], account: read(`${name}.jwt`), user: jwt })
      assert.equal(chain.ok, true, chain.ok ? '' : chain.reason)
    }
  })

  it('takes new URLs into the operator token and keeps everything else', (t) => {
    const dir = join(tempDir(t), 'data')
    prepare(dir)
    const before = contents(dir)
    const old = decodeOperator(before[join(dir, 'operator.jwt')]!)
    prepare(dir, { publicUrl: 'http://elsewhere:1234' })
    const after = contents(dir)
    const fresh = decodeOperator(after[join(dir, 'operator.jwt')]!)
    assert.equal(fresh.nats.account_server_url, 'http://elsewhere:1234/jwt/v1')
    assert.equal(fresh.sub, old.sub)
    assert.ok(fresh.iat > old.iat)
    const changed = Object.keys(after).filter((path) => after[path] !== before[path])
    assert.deepEqual(changed, [join(dir, 'operator.jwt'), join(dir, 'server.conf')])
  })

  it('is completed when a first start was cut short at any point', (t) => {
    const whole = join(tempDir(t), 'whole')
    prepare(whole)
    // Files in the order of their making; a start that was cut short has a beginning of them.
    const order = [
      ...['operator', 'operator-signing', 'system-account', 'demo-account'].map((name) =>
        join('keys', `${name}.nk`),
      ),
      ...['system.jwt', 'demo.jwt', 'system.creds', 'demo.creds', 'operator.token'],
    ]
    for (let count = 0; count <= order.length; count++) {
      const dir = join(tempDir(t), 'cut')
      mkdirSync(join(dir, 'keys'), { recursive: true })
      for (const name of order.slice(0, count))
        writeFileSync(join(dir, name), readFileSync(join(whole, name)))
      prepare(dir)
      for (const name of order.slice(0, count)) {
        assert.equal(readFileSync(join(dir, name), 'utf8'), readFileSync(join(whole, name), 'utf8'), name)
      }
      assert.deepEqual(
        everyFile(dir).map((path) => path.slice(dir.length)),
        everyFile(whole).map((path) => path.slice(whole.length)),
      )
    }
  })

  it('survives kill -9 while it is being made', async (t) => {
    const script = join(import.meta.dirname, 'prepare-process.ts')
    for (let round = 0; round < 6; round++) {
      const dir = join(tempDir(t), 'data')
      const child = spawn(process.execPath, [script, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
      const ended = new Promise((resolve) => child.on('exit', resolve))
      // The child says when it begins; the rounds kill it after ever more of its work.
      await new Promise((resolve) => child.stdout.once('data', resolve))
      await new Promise((resolve) => setTimeout(resolve, round * 3))
      child.kill('SIGKILL')
      await ended
      const { operator } = prepare(dir)
      assert.equal(prepare(dir).operator, operator)
    }
  })

  it('refuses what is damaged, names the file and says what to do', (t) => {
    const cases: [string, (path: string) => void, RegExp][] = [
      [
        'keys/operator.nk',
        (path) => rmSync(path),
        /operator\.nk is damaged: the seed of O\w+ is missing; restore it from a backup/,
      ],
      ['keys/operator.nk', (path) => writeFileSync(path, 'garbage'), /operator\.nk is damaged: .*seed/],
      [
        'keys/operator.nk',
        (path) => writeFileSync(path, createKeyPair('operator').seed),
        /of O\w+, not of O\w+/,
      ],
      [
        'keys/system-account.nk',
        (path) => writeFileSync(path, createKeyPair('user').seed),
        /of a user key, not of an account key/,
      ],
      ['keys/demo-account.nk', (path) => writeFileSync(path, ''), /demo-account\.nk is damaged/],
      ['ngs.json', (path) => writeFileSync(path, '{"format":1'), /ngs\.json is damaged: it is not JSON/],
      ['ngs.json', (path) => writeFileSync(path, '{"format":1}'), /ngs\.json is damaged/],
      ['ngs.json', (path) => writeFileSync(path, '{"format":7}'), /written by a newer version/],
      [
        'operator.jwt',
        (path) => writeFileSync(path, 'x.y.z'),
        /operator\.jwt is damaged.*delete it to have it signed again/,
      ],
      ['system.jwt', (path) => writeFileSync(path, ''), /system\.jwt is damaged/],
      ['system.creds', (path) => writeFileSync(path, 'nothing'), /system\.creds is damaged.*delete it/],
      ['operator.token', (path) => writeFileSync(path, 'short'), /operator\.token is damaged.*delete it/],
    ]
    for (const [name, damage, text] of cases) {
      const dir = join(tempDir(t), 'data')
      prepare(dir)
      damage(join(dir, name))
      assert.throws(() => prepare(dir), refusal('data-dir-damaged', text), name)
    }
  })

  it('does not start anew where accounts are', (t) => {
    const dir = join(tempDir(t), 'data')
    prepare(dir)
    rmSync(join(dir, 'ngs.json'))
    writeFileSync(join(dir, 'ngs.db'), '')
    assert.throws(
      () => prepare(dir),
      refusal('data-dir-damaged', /ngs\.json is damaged: it is missing though/),
    )
  })

  it('makes again what can be made again', (t) => {
    const dir = join(tempDir(t), 'data')
    const { operator } = prepare(dir)
    for (const name of [
      'operator.jwt',
      'system.jwt',
      'demo.jwt',
      'system.creds',
      'demo.creds',
      'operator.token',
      'server.conf',
    ]) {
      rmSync(join(dir, name))
    }
    assert.equal(prepare(dir).operator, operator)
    assert.equal(decodeUser(parseCreds(readFileSync(join(dir, 'system.creds'), 'utf8')).jwt).name, 'sys')
  })

  it('takes back rights on secrets', (t) => {
    const dir = join(tempDir(t), 'data')
    prepare(dir)
    const path = join(dir, 'keys', 'operator.nk')
    chmodSync(path, 0o644)
    chmodSync(dir, 0o755)
    prepare(dir)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(dir).mode & 0o777, 0o700)
  })

  it('refuses a path that is no directory and options that make no sense', (t) => {
    const file = join(tempDir(t), 'file')
    writeFileSync(file, '')
    assert.throws(() => prepare(file), refusal('data-dir-unusable', /cannot use the directory .*file/))
    const dir = join(tempDir(t), 'data')
    assert.throws(
      () => prepare(dir, { publicUrl: 'ftp://x' }),
      refusal('bad-option', /public URL "ftp:\/\/x"/),
    )
    assert.throws(
      () => prepare(dir, { natsUrls: ['nats://u:p@h:1'] }),
      refusal('bad-option', /without credentials/),
    )
    assert.throws(() => prepare(dir, { natsUrls: [] }), refusal('bad-option', /at least one/))
    assert.throws(
      () => prepare(dir, { server: { ...server, region: 'a\nb' } }),
      refusal('bad-option', /control characters/),
    )
    assert.throws(() => prepare(dir, { server: { ...server, port: 70_000 } }), refusal('bad-option', /70000/))
  })

  for (const engine of enginesUnderTest()) {
    it(`gives a configuration that ${engine.name} runs on`, async (t) => {
      const dir = join(tempDir(t), 'da ta"\\')
      const place = { region: 'Test "1"', location: 'Back\\slash, Straße' }
      const prepared = prepare(dir, { server: { ...server, name: 'n1', ...place } })
      const config = readFileSync(prepared.serverConfig!, 'utf8')
      const running = await Engine.start(t, { engine: engine.path, config })
      const nc = await connect({
        servers: running.url,
        authenticator: credsAuthenticator(readFileSync(prepared.systemCreds)),
      })
      t.after(() => nc.close())
      const answer = await nc.request('$SYS.REQ.SERVER.PING', '', { timeout: DEADLINE_MS })
      const info = answer.json<{
        server: { name: string; tags: string[]; metadata: Record<string, string> }
      }>().server
      assert.equal(info.name, 'n1')
      assert.deepEqual(info.metadata, place)
      assert.deepEqual(info.tags, ['region:test "1"', 'location:back\\slash, straße'])
      assert.ok(running.websocketUrl.startsWith('ws://'))
      assert.equal((await running.monitor('/varz'))['server_name'], 'n1')
      const stored = readdirSync(join(dir, 'accounts')).sort()
      assert.ok(stored.includes(`${prepared.systemAccount}.jwt`), `${stored}`)
    })
  }
})
