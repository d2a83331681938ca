// The directory of account JWTs; windows of place and time.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createKeyPair, encode, newAccountClaims } from '@ngs/identity/node'
import { tempDir } from '@ngs/testkit'
import { DirectoryResolver } from '../src/auth/resolver/directory.ts'
import { inNetworks, timeLeft } from '../src/auth/windows.ts'

const operator = createKeyPair('operator')
const make = (issuedAt = 1_700_000_000, key = createKeyPair('account')) => {
  const claims = newAccountClaims(key.publicKey, 'A')
  return { key: key.publicKey, pair: key, token: encode(claims, operator, { issuedAt }) }
}

describe('the directory resolver', () => {
  it('keeps tokens over a restart, one file each, for its owner alone', async (t) => {
    const dir = join(tempDir(t), 'jwt')
    const first = new DirectoryResolver(dir, { limit: 0, hardDelete: false })
    t.after(() => first.close())
    const accounts = [make(), make(), make()]
    for (const { key, token } of accounts) assert.deepEqual(first.save(key, token), { ok: true })
    assert.equal(statSync(dir).mode & 0o777, 0o700)
    for (const { key, token } of accounts) {
      assert.equal(readFileSync(join(dir, `${key}.jwt`), 'utf8'), token)
      assert.equal(statSync(join(dir, `${key}.jwt`)).mode & 0o777, 0o600)
    }
    assert.equal(readdirSync(dir).length, 3, 'no temporary file is left')
    writeFileSync(join(dir, 'stranger.jwt'), 'x')
    const second = new DirectoryResolver(dir, { limit: 0, hardDelete: false })
    t.after(() => second.close())
    assert.deepEqual(second.list().toSorted(), accounts.map(({ key }) => key).toSorted())
    assert.ok(second.hash().equals(first.hash()))
    assert.equal(await second.fetch(accounts[0]!.key), accounts[0]!.token)
    assert.equal(await second.fetch(make().key), null)
  })
  it('tells by its hash whether two hold the same', (t) => {
    const one = new DirectoryResolver(tempDir(t), { limit: 0, hardDelete: false })
    const two = new DirectoryResolver(tempDir(t), { limit: 0, hardDelete: false })
    t.after(() => one.close())
    t.after(() => two.close())
    assert.ok(one.hash().equals(Buffer.alloc(32)))
    const [a, b] = [make(), make()]
    one.save(a.key, a.token)
    one.save(b.key, b.token)
    two.save(b.key, b.token)
    assert.ok(!one.hash().equals(two.hash()))
    two.save(a.key, a.token)
    assert.ok(one.hash().equals(two.hash()))
  })
  it('keeps the newer of two tokens when merging and any token that is pushed', async (t) => {
    const store = new DirectoryResolver(tempDir(t), { limit: 0, hardDelete: false })
    t.after(() => store.close())
    const newer = make(1_700_000_100)
    const older = make(1_700_000_000, newer.pair)
    store.save(newer.key, newer.token)
    assert.equal(store.merge(newer.key, older.token), false)
    assert.equal(await store.fetch(newer.key), newer.token)
    store.save(newer.key, older.token)
    assert.equal(await store.fetch(newer.key), older.token)
    assert.equal(store.merge(newer.key, newer.token), true)
  })
  it('is full at its limit and deletes softly or for good', (t) => {
    const dir = tempDir(t)
    const soft = new DirectoryResolver(dir, { limit: 1, hardDelete: false })
    t.after(() => soft.close())
    const [a, b] = [make(), make()]
    soft.save(a.key, a.token)
    assert.deepEqual(soft.save(b.key, b.token), { ok: false, reason: 'jwt store is full' })
    soft.delete(a.key)
    assert.ok(existsSync(join(dir, `${a.key}.jwt.deleted`)))
    assert.ok(soft.hash().equals(Buffer.alloc(32)))
    const hard = new DirectoryResolver(dir, { limit: 1, hardDelete: true })
    t.after(() => hard.close())
    hard.save(b.key, b.token)
    hard.delete(b.key)
    assert.ok(!readdirSync(dir).some((name) => name.startsWith(b.key)))
  })
})

describe('windows', () => {
  const at = (time: string): Date => new Date(`2026-03-01T${time}Z`)
  it('of time know midnight and zones', () => {
    const night = [{ start: '22:00:00', end: '02:00:00' }]
    assert.equal(timeLeft(night, 'UTC', at('23:00:00')), 3 * 3600_000)
    assert.equal(timeLeft(night, 'UTC', at('01:59:00')), 60_000)
    assert.equal(timeLeft(night, 'UTC', at('12:00:00')), null)
    assert.equal(timeLeft(night, 'Asia/Tokyo', at('14:00:00')), 3 * 3600_000)
    assert.equal(timeLeft([{ start: '10:00:00', end: '10:00:00' }], 'UTC', at('10:00:00')), null)
    assert.equal(
      timeLeft(
        [
          { start: '08:00:00', end: '10:00:00' },
          { start: '08:00:00', end: '12:00:00' },
        ],
        'UTC',
        at('09:00:00'),
      ),
      3 * 3600_000,
    )
    assert.equal(
      timeLeft([{ start: '08:00:00', end: '10:00:00' }], 'UTC', at('08:00:00')),
      null,
      'the ends do not belong to it',
    )
  })
  it('of place know both families', () => {
    assert.ok(inNetworks('10.1.2.3', ['192.168.0.0/16', '10.0.0.0/8']))
    assert.ok(!inNetworks('11.1.2.3', ['10.0.0.0/8']))
    assert.ok(inNetworks('fd00::1', ['fd00::/8']))
    assert.ok(!inNetworks('10.1.2.3', ['nonsense']))
  })
})
