// The store and what the service does with it over restarts.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tempDir, waitFor } from '@ngs/testkit'
import { pino } from 'pino'
import { Catalogue } from '../src/plans/catalogue.ts'
import {
  type AccountRow,
  allAccounts,
  countAccounts,
  findAccount,
  saveAccount,
} from '../src/store/accounts.ts'
import {
  dueEntries,
  enqueue,
  hurry,
  markDelivered,
  nextDueAt,
  postpone,
  waitingAccounts,
} from '../src/store/outbox.ts'
import { Store } from '../src/store/store.ts'
import { nowSeconds, Owner, TestSystem } from './support.ts'

const row = (key: string, version = 1): AccountRow => ({
  public_key: key,
  name: key,
  plan: 'free',
  state: 'active',
  client_token: 'c',
  client_iat: 1,
  client_digests: '[]',
  signed_token: `s${version}`,
  signed_iat: version,
  expires_at: 0,
  created_at: 1,
  updated_at: 1,
})

describe('the store', () => {
  it('keeps its files for its owner, and one process at a time', async (t) => {
    const dir = tempDir(t)
    const path = join(dir, 'ngs.db')
    const store = await Store.open(path)
    await store.transaction((queries) => saveAccount(queries, null, row('A')))
    assert.ok(readdirSync(dir).includes('ngs.db-wal'))
    for (const name of readdirSync(dir)) assert.equal(statSync(join(dir, name)).mode & 0o777, 0o600, name)
    await assert.rejects(Store.open(path), { code: 'data-dir-in-use' })
    await store.close()
    const again = await Store.open(path)
    assert.equal((await findAccount(again.db, 'A'))?.name, 'A')
    await again.close()
  })

  it('refuses a file that is no database, and one from the future', async (t) => {
    const path = join(tempDir(t), 'ngs.db')
    writeFileSync(path, 'not a database, but long enough to look like a file with something in it'.repeat(20))
    await assert.rejects(Store.open(path), {
      code: 'data-dir-damaged',
      message: /cannot open the database .*ngs\.db/,
    })
    const future = join(tempDir(t), 'ngs.db')
    const store = await Store.open(future)
    await store.db
      .insertInto('kysely_migration' as never)
      .values({ name: '9999-later', timestamp: 'x' } as never)
      .execute()
    await store.close()
    await assert.rejects(Store.open(future), {
      code: 'data-dir-damaged',
      message: /written by a newer version/,
    })
  })

  it('undoes the whole of a transaction that fails', async (t) => {
    const store = await Store.open(join(tempDir(t), 'ngs.db'))
    t.after(() => store.close())
    await assert.rejects(
      store.transaction(async (queries) => {
        await saveAccount(queries, null, row('A'))
        await enqueue(queries, 'A', 1)
        throw new Error('no')
      }),
    )
    assert.deepEqual([await countAccounts(store.db), (await waitingAccounts(store.db)).size], [0, 0])
  })

  it('notices that somebody else has changed an account meanwhile', async (t) => {
    const store = await Store.open(join(tempDir(t), 'ngs.db'))
    t.after(() => store.close())
    assert.equal(await saveAccount(store.db, null, row('A')), true)
    assert.equal(await saveAccount(store.db, null, row('A')), false)
    assert.equal(await saveAccount(store.db, row('A', 1), row('A', 2)), true)
    assert.equal(await saveAccount(store.db, row('A', 1), row('A', 3)), false)
    assert.equal((await findAccount(store.db, 'A'))?.signed_iat, 2)
  })

  it('keeps the newest version of an account in the outbox, until that one is delivered', async (t) => {
    const store = await Store.open(join(tempDir(t), 'ngs.db'))
    t.after(() => store.close())
    const { db } = store
    for (const key of ['A', 'B']) await saveAccount(db, null, row(key))
    assert.equal(await nextDueAt(db), null)
    await enqueue(db, 'A', 1)
    await postpone(db, 'A', 1, 3, 5000)
    assert.equal(await nextDueAt(db), 5000)
    assert.deepEqual(await dueEntries(db, 4999, 10), [])
    assert.equal((await dueEntries(db, 5000, 10))[0]?.attempts, 3)
    await saveAccount(db, row('A', 1), row('A', 2))
    await enqueue(db, 'A', 2)
    await markDelivered(db, 'A', 1)
    await postpone(db, 'A', 1, 9, 9999)
    assert.deepEqual(await dueEntries(db, 0, 10), [
      { publicKey: 'A', token: 's2', version: 2, attempts: 0, expiresAt: 0 },
    ])
    await markDelivered(db, 'A', 2)
    assert.equal((await waitingAccounts(db)).size, 0)
    await enqueue(db, 'B', 1)
    await postpone(db, 'B', 1, 1, 10 ** 15)
    await hurry(db)
    assert.equal((await dueEntries(db, 0, 10)).length, 1)
  })

  it('reads many accounts a page at a time, each once', async (t) => {
    const store = await Store.open(join(tempDir(t), 'ngs.db'))
    t.after(() => store.close())
    const keys = Array.from({ length: 25 }, (_, i) => `A${String(i).padStart(2, '0')}`)
    for (const key of keys) await saveAccount(store.db, null, row(key))
    for (const size of [1, 7, 25, 100]) {
      const seen: string[] = []
      for await (const account of allAccounts(store.db, size)) seen.push(account.public_key)
      assert.deepEqual(seen, keys)
    }
  })
})

describe('a restart', () => {
  it('brings a changed catalogue to the accounts that are on it', async (t) => {
    const plansFile = join(tempDir(t), 'plans.json')
    const file = structuredClone(Catalogue.load().file)
    const write = () => writeFileSync(plansFile, JSON.stringify(file))
    write()
    const system = await TestSystem.start(t, { service: { plansFile } })
    const [fits, full] = [new Owner('Fits'), new Owner('Full')]
    for (const owner of [fits, full]) {
      await system.push(owner.account, owner.sign())
      await system.setPlan(owner.account, 'developer')
    }
    full.claims.nats.imports = [
      { subject: 'a', account: fits.account, type: 'stream' },
      { subject: 'b', account: fits.account, type: 'stream' },
    ]
    await system.push(full.account, full.sign())
    const version = (await system.claims(fits.account)).iat
    await system.stopService()
    await system.startService()
    assert.equal((await system.claims(fits.account)).iat, version, 'nothing changed, nothing is signed')

    await system.stopService()
    file.plans[1]!.limits.payload = 8192
    file.plans[1]!.limits.imports = 1
    write()
    await system.startService()
    const limits = (await system.claims(fits.account)).nats.limits
    assert.deepEqual([limits.payload, limits.imports], [8192, 4])
    const nc = await fits.connect(t, system.natsUrl)
    await nc.flush()
    await waitFor(() => nc.info?.max_payload === 8192, { what: 'the new limit at the server' })
    // An account that has outgrown its plan keeps working with the limits it has.
    assert.equal((await system.claims(full.account)).nats.limits.payload, 4096)
    await (await full.connect(t, system.natsUrl)).flush()
  })

  it('refuses a catalogue without a plan that accounts are on', async (t) => {
    const plansFile = join(tempDir(t), 'plans.json')
    const file = structuredClone(Catalogue.load().file)
    writeFileSync(plansFile, JSON.stringify(file))
    const system = await TestSystem.start(t, { service: { plansFile } })
    const owner = new Owner()
    await system.push(owner.account, owner.sign())
    await system.setPlan(owner.account, 'business')
    await system.stopService()
    file.plans.pop()
    writeFileSync(plansFile, JSON.stringify(file))
    await assert.rejects(system.startService(), {
      code: 'bad-plans-file',
      message: /the plan catalogue lacks plans that accounts are on: "business" \(1 account\)/,
    })
  })

  it('keeps accounts, plans and revocations, and an audit log of who did what', async (t) => {
    const system = await TestSystem.start(t)
    const owner = new Owner('Audited')
    await system.push(owner.account, owner.sign())
    await system.setPlan(owner.account, 'project')
    owner.claims.nats.revocations = { '*': nowSeconds() }
    await system.push(owner.account, owner.sign())
    const before = await system.pull(owner.account)
    await system.stopService()
    const store = await Store.open(join(system.dataDir, 'ngs.db'))
    const log = await store.db.selectFrom('audit_log').selectAll().orderBy('id').execute()
    await store.close()
    assert.deepEqual(
      log.map((entry) => [entry.actor, entry.action]).sort(),
      [
        [`owner:${owner.account}`, 'created'],
        ['operator', 'plan-changed'],
        [`owner:${owner.account}`, 'updated'],
      ].sort(),
    )
    assert.deepEqual(JSON.parse(log.find((entry) => entry.action === 'plan-changed')!.detail).to, 'project')
    await system.startService()
    assert.equal(await system.pull(owner.account), before)
  })
})

describe('the log', () => {
  it('has no secrets, not even when everything is logged', async (t) => {
    let written = ''
    const write = (line: string) => {
      written += line
    }
    const logger = pino({ level: 'trace' }, { write })
    const system = await TestSystem.start(t, { service: { logger } })
    const owner = new Owner('Logged')
    const token = owner.sign()
    await system.push(owner.account, token)
    await system.push(owner.account, 'garbage')
    await system.setPlan(owner.account, 'developer')
    await system.http('GET', '/api/v1/operator/accounts', { bearer: 'wrong-token-of-somebody' })
    await system.http('GET', '/nowhere', { bearer: system.operatorToken })
    await system.stopService()
    assert.match(written, /account created/)
    const secrets = [
      system.operatorToken,
      'wrong-token-of-somebody',
      token,
      ...readdirSync(join(system.dataDir, 'keys')).map((name) =>
        readFileSync(join(system.dataDir, 'keys', name), 'utf8'),
      ),
      ...['system', 'demo'].map(
        (name) => /\n(SU\w+)\n/.exec(readFileSync(join(system.dataDir, `${name}.creds`), 'utf8'))![1]!,
      ),
    ]
    for (const secret of secrets)
      assert.ok(!written.includes(secret), `a secret of ${secret.length} characters is in the log`)
  })
})
