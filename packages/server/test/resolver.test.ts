// The stores of account JWTs.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createKeyPair, decodeAccount, encode, type KeyPair, newAccountClaims } from '@ngs/identity/node'
import { tempDir } from '@ngs/testkit'
import { type DirectoryOptions, DirectoryResolver, FULL } from '../src/auth/resolver/directory.ts'
import { MemoryResolver } from '../src/auth/resolver/memory.ts'
import { UrlResolver } from '../src/auth/resolver/url.ts'

const operator = createKeyPair('operator')

/** A token of an account, new unless its keys are given. */
function make(issuedAt = 1_700_000_000, pair: KeyPair = createKeyPair('account'), exp?: number, name = 'A') {
  const claims = newAccountClaims(pair.publicKey, name)
  if (exp !== undefined) claims.exp = exp
  return { key: pair.publicKey, pair, token: encode(claims, operator, { issuedAt }) }
}

function open(t: TestContext, dir: string, options: Partial<DirectoryOptions> = {}): DirectoryResolver {
  const store = new DirectoryResolver(dir, { ...FULL, ...options })
  t.after(() => store.close())
  return store
}

describe('the directory of account JWTs', () => {
  it('keeps tokens over a restart, one file each, for its owner alone', async (t) => {
    const dir = join(tempDir(t), 'deep', 'jwt')
    const first = open(t, dir)
    const accounts = [make(), make(), make()]
    for (const { key, token } of accounts) assert.deepEqual(await first.save(key, token), { ok: true })
    assert.equal(statSync(dir).mode & 0o777, 0o700)
    for (const { key, token } of accounts) {
      assert.equal(readFileSync(join(dir, `${key}.jwt`), 'utf8'), token)
      assert.equal(statSync(join(dir, `${key}.jwt`)).mode & 0o777, 0o600)
    }
    assert.equal(readdirSync(dir).length, 3, 'no temporary file is left')
    const second = open(t, dir)
    assert.deepEqual(second.list().toSorted(), accounts.map(({ key }) => key).toSorted())
    assert.ok(second.hash().equals(first.hash()))
    assert.equal(await second.fetch(accounts[0]!.key), accounts[0]!.token)
    assert.equal(await second.fetch(make().key), null)
  })

  it('reads what others put there: folders by the last two characters, a line end; nothing that is no account', async (t) => {
    const dir = tempDir(t)
    const [sharded, plain] = [make(), make()]
    mkdirSync(join(dir, sharded.key.slice(-2)))
    writeFileSync(join(dir, sharded.key.slice(-2), `${sharded.key}.jwt`), sharded.token)
    writeFileSync(join(dir, `${plain.key}.jwt`), `${plain.token}\n`)
    writeFileSync(join(dir, 'stranger.jwt'), 'x')
    writeFileSync(join(dir, `${make().key}.jwt`), 'no token')
    writeFileSync(join(dir, `${make().key}.jwt.deleted`), make().token)
    const store = open(t, dir)
    assert.deepEqual(store.list().toSorted(), [sharded.key, plain.key].toSorted())
    assert.equal(await store.fetch(plain.key), plain.token)
    const newer = make(1_700_000_001, sharded.pair)
    await store.save(newer.key, newer.token)
    assert.equal(
      readFileSync(join(dir, newer.key.slice(-2), `${newer.key}.jwt`), 'utf8'),
      newer.token,
      'in its place',
    )
  })

  it('clears away what a killed process left half written', (t) => {
    const dir = tempDir(t)
    const { key, token } = make()
    writeFileSync(join(dir, `${key}.jwt`), token)
    writeFileSync(join(dir, `${key}.jwt.0123456789ab.tmp`), token.slice(0, 50))
    assert.deepEqual(open(t, dir).list(), [key])
    assert.deepEqual(readdirSync(dir), [`${key}.jwt`])
  })

  it('leaves whole files when it is killed between writes', async (t) => {
    const dir = tempDir(t)
    const module = JSON.stringify(join(import.meta.dirname, '../src/auth/resolver/directory.ts'))
    const accounts = [make(), make(), make()]
    // Two versions of each account, of different length, written over each other until the kill comes.
    const versions = accounts.map(({ pair, token }) => [
      token,
      make(1_700_000_001, pair, undefined, 'A longer name').token,
    ])
    const script = `
      const { DirectoryResolver, FULL } = await import(${module})
      const store = new DirectoryResolver(${JSON.stringify(dir)}, FULL)
      const keys = ${JSON.stringify(accounts.map(({ key }) => key))}
      const versions = ${JSON.stringify(versions)}
      for (let i = 0; ; i++) {
        await Promise.all(keys.map((key, k) => store.save(key, versions[k][i % 2])))
        if (i === 0) console.log('writing')
      }`
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      t.after(() => child.kill('SIGKILL'))
      await new Promise((resolve) => child.stdout.once('data', resolve))
      await new Promise((resolve) => setTimeout(resolve, 20 + 30 * round))
      const gone = new Promise((resolve) => child.on('exit', resolve))
      child.kill('SIGKILL')
      await gone
      const store = open(t, dir)
      assert.equal(store.list().length, accounts.length)
      for (const [k, { key }] of accounts.entries()) {
        const token = await store.fetch(key)
        assert.ok(versions[k]!.includes(token ?? ''), 'one of the two, whole')
        assert.equal(decodeAccount(token!).sub, key)
      }
      assert.equal(readdirSync(dir).length, accounts.length)
    }
  })

  it('does what is asked for an account in that order, without being waited for', async (t) => {
    const dir = tempDir(t)
    const store = open(t, dir)
    const pair = createKeyPair('account')
    const tokens = Array.from({ length: 10 }, (_, i) => make(1_700_000_000 - i, pair).token)
    const all = tokens.map((token) => store.save(pair.publicKey, token))
    await Promise.all(all)
    assert.equal(await store.fetch(pair.publicKey), tokens.at(-1))
    const saved = store.save(pair.publicKey, tokens[0]!)
    const deleted = store.delete(pair.publicKey)
    await Promise.all([saved, deleted])
    assert.equal(await store.fetch(pair.publicKey), null)
    assert.ok(store.hash().equals(Buffer.alloc(32)))
  })

  it('tells by its hash whether two hold the same', async (t) => {
    const [one, two] = [open(t, tempDir(t)), open(t, tempDir(t))]
    assert.ok(one.hash().equals(Buffer.alloc(32)))
    const [a, b] = [make(), make()]
    await one.save(a.key, a.token)
    await one.save(b.key, b.token)
    await two.save(b.key, b.token)
    assert.ok(!one.hash().equals(two.hash()))
    await two.save(a.key, a.token)
    assert.ok(one.hash().equals(two.hash()))
  })

  it('keeps the newer of two tokens when merging and any token that is pushed', async (t) => {
    const store = open(t, tempDir(t))
    const newer = make(1_700_000_100)
    const older = make(1_700_000_000, newer.pair)
    assert.equal(await store.merge(newer.key, newer.token), true)
    assert.equal(await store.merge(newer.key, older.token), false)
    assert.equal(await store.merge(newer.key, newer.token), false, 'the same id')
    assert.equal(await store.fetch(newer.key), newer.token)
    await store.save(newer.key, older.token)
    assert.equal(await store.fetch(newer.key), older.token)
    assert.equal(await store.merge(newer.key, newer.token), true)
  })

  it('is full at its limit, also for tokens that come at once, and not for accounts it has', async (t) => {
    const store = open(t, tempDir(t), { limit: 2 })
    const [a, b, c] = [make(), make(), make()]
    const outcomes = await Promise.all([a, b, c].map(({ key, token }) => store.save(key, token)))
    assert.deepEqual(outcomes, [{ ok: true }, { ok: true }, { ok: false, reason: 'jwt store is full' }])
    const newer = make(1_700_000_001, a.pair)
    assert.deepEqual(await store.save(newer.key, newer.token), { ok: true })
    assert.equal(await store.merge(c.key, c.token), false)
    await store.delete(a.key)
    assert.deepEqual(await store.save(c.key, c.token), { ok: true })
  })

  it('deletes softly or for good, and what it does not have without a word', async (t) => {
    const dir = tempDir(t)
    const [a, b] = [make(), make()]
    const soft = open(t, dir)
    await soft.save(a.key, a.token)
    await soft.delete(a.key)
    await soft.delete(a.key)
    assert.deepEqual(readdirSync(dir), [`${a.key}.jwt.deleted`])
    assert.ok(soft.hash().equals(Buffer.alloc(32)))
    const hard = open(t, dir, { hardDelete: true })
    await hard.save(b.key, b.token)
    await hard.delete(b.key)
    assert.deepEqual(readdirSync(dir), [`${a.key}.jwt.deleted`])
  })

  it('sweeps away what has expired', async (t) => {
    const dir = tempDir(t)
    const store = open(t, dir)
    const [stays, goes] = [make(), make(1_700_000_000, undefined, 1_800_000_000)]
    await store.save(stays.key, stays.token)
    await store.save(goes.key, goes.token)
    await store.sweep(1_799_999_999_000)
    assert.equal(store.list().length, 2)
    await store.sweep(1_800_000_000_000)
    assert.deepEqual(store.list(), [stays.key])
    assert.ok(!existsSync(join(dir, `${goes.key}.jwt`)))
  })

  it('says why it cannot save, and leaves nothing behind', async (t) => {
    const dir = tempDir(t)
    const store = open(t, dir)
    const { key, token } = make()
    mkdirSync(join(dir, `${key}.jwt`))
    const outcome = await store.save(key, token)
    assert.match(outcome.ok ? '' : outcome.reason, /EISDIR|ENOTEMPTY|EEXIST|EPERM/)
    assert.equal(await store.fetch(key), null)
    assert.deepEqual(readdirSync(dir), [`${key}.jwt`])
  })

  it('names the folder that it cannot use', (t) => {
    const file = join(tempDir(t), 'file')
    writeFileSync(file, '')
    assert.throws(() => open(t, file), new RegExp(`account store ${file} cannot be used`))
  })
})

describe('a cache', () => {
  const cache = { evict: true, hardDelete: true }

  it('makes room by dropping what was used longest ago', async (t) => {
    const dir = tempDir(t)
    const store = open(t, dir, { ...cache, limit: 2 })
    const [a, b, c] = [make(), make(), make()]
    await store.save(a.key, a.token)
    await store.save(b.key, b.token)
    await store.fetch(a.key)
    await store.save(c.key, c.token)
    assert.deepEqual(store.list().toSorted(), [a.key, c.key].toSorted())
    assert.ok(!existsSync(join(dir, `${b.key}.jwt`)))
  })

  it('drops what was not used for long', async (t) => {
    const store = open(t, tempDir(t), { ...cache, limit: 10, ttlMs: 60_000 })
    const { key, token } = make()
    await store.save(key, token)
    await store.sweep(Date.now() + 59_000)
    assert.deepEqual(store.list(), [key])
    await store.sweep(Date.now() + 60_000)
    assert.deepEqual(store.list(), [])
  })
})

describe('other resolvers', () => {
  it('in memory serve what was preloaded', async () => {
    const { key, token } = make()
    const resolver = new MemoryResolver(new Map([[key, token]]))
    assert.equal(await resolver.fetch(key), token)
    assert.equal(await resolver.fetch(make().key), null)
  })

  it('ask a URL, and say what went wrong there', async (t) => {
    const { key, token } = make()
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(request.url!)
      if (request.url === '/accounts/') response.end()
      else if (request.url === `/accounts/${key}`) response.end(`${token}\n`)
      else if (request.url === '/accounts/slow') return
      else response.writeHead(404).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.closeAllConnections())
    t.after(() => server.close())
    const { port } = server.address() as { port: number }
    const resolver = new UrlResolver(`http://127.0.0.1:${port}/accounts`, 200)
    await resolver.check()
    assert.equal(await resolver.fetch(key), token)
    await assert.rejects(
      resolver.fetch('other'),
      /could not fetch <"http:.*\/accounts\/other">: 404 Not Found/,
    )
    await assert.rejects(resolver.fetch('slow'), /could not fetch .*timeout/)
    assert.deepEqual(asked, ['/accounts/', `/accounts/${key}`, '/accounts/other', '/accounts/slow'])
    const nobody = new UrlResolver('http://127.0.0.1:1/accounts/', 200)
    await assert.rejects(nobody.check(), {
      code: 'resolver',
      message: /could not fetch .*ECONNREFUSED|bad port/,
    })
  })
})
