import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { encode, unverifiedDecode } from '@ngs/identity/node'
import { meaningOf } from './support/meaning.ts'
import { OldStore } from './support/old-store.ts'
import { needsOfficial, normalize, Sandbox, type WireClaims } from './support/sandbox.ts'
import { words } from './support/scenario.ts'
import { needsTerminal, Terminal } from './support/terminal.ts'

/** Stores of the first token format: refused until upgraded, then worked on, token by token. */

test('only what cannot harm works on a store of version 1', needsOfficial, async (t) => {
  const old = new OldStore()
  const pair = { ours: Sandbox.create(t, 'ours'), official: Sandbox.create(t, 'official') }
  for (const sandbox of Object.values(pair)) old.putInto(sandbox)
  const before = pair.ours.tree().length
  for (const line of [
    'list accounts',
    'describe account A',
    'add user x --account A',
    'edit account A --tag z',
    'validate --all-accounts',
    'generate config --mem-resolver',
    'env',
    'add operator --url Old.jwt',
  ]) {
    const [ours, official] = await Promise.all([pair.ours.run(words(line)), pair.official.run(words(line))])
    assert.equal(ours.code, official.code, line)
    if (line.startsWith('list')) assert.match(ours.stderr, /version 1[\s\S]*nsc upgrade-jwt/)
  }
  // All that has come is nsc.json and its folders.
  assert.equal(pair.ours.tree().length, before + 4)
  const declined = await pair.ours.ok(['upgrade-jwt'])
  assert.match(declined.stderr, /Declined to convert at this time/)
  assert.equal(unverifiedDecode(pair.ours.token('Old')).header.alg, 'ed25519')
})

test('without the identity key, and in a managed store, nothing is upgraded', async (t) => {
  const old = new OldStore()
  const nsc = Sandbox.create(t, 'ours')
  old.putInto(nsc)
  const { publicKey } = old.operator
  fs.rmSync(path.join(nsc.keys, 'keys/O', publicKey.slice(1, 3), `${publicKey}.nk`))
  assert.match((await nsc.ok(['upgrade-jwt'])).stderr, /Identity Key for Operator Old not found/)
  const info = path.join(nsc.stores, 'Old/.nsc')
  fs.writeFileSync(info, fs.readFileSync(info, 'utf8').replace('"managed":false', '"managed":true'))
  assert.match((await nsc.ok(['upgrade-jwt'])).stderr, /No change was made! The store is managed/)
})

test('upgrade-jwt keeps the store as it was and converts the operator', needsTerminal, async (t) => {
  const nsc = Sandbox.create(t, 'ours')
  new OldStore().putInto(nsc)
  const before = unverifiedDecode(nsc.token('Old')).payload as unknown as WireClaims
  const names = fs.readdirSync(path.join(nsc.stores, 'Old'), { recursive: true }).sort()
  const terminal = new Terminal(nsc, ['upgrade-jwt'])
  await terminal.answer('Back up the store and convert it now?', 'y')
  const { code, screen } = await terminal.exit()
  assert.equal(code, 0)
  assert.match(screen, /Converted Operator: Old/)
  assert.deepEqual(
    fs.readdirSync(nsc.path('Old-jwtV1-upgrade-backup/Old'), { recursive: true }).sort(),
    names,
  )
  const { nats, sub, iss } = nsc.claims('Old')
  assert.deepEqual(
    [sub, iss, nats.type, nats.version, nats.tags],
    [before.sub, before.sub, 'operator', 2, ['old']],
  )
  assert.deepEqual(nats.signing_keys, before.nats.signing_keys)
  assert.equal(nats.system_account, before.nats.system_account)
  // The copy in the working directory is not taken for a store to work on.
  await nsc.ok(words('list accounts'))
  assert.match((await nsc.ok(['upgrade-jwt'])).stderr, /already upgraded to version 2/)
})

test(
  'accounts and users of version 1 are read and converted as the official program does',
  needsOfficial,
  async (t) => {
    const old = new OldStore()
    const pair = { ours: Sandbox.create(t, 'ours'), official: Sandbox.create(t, 'official') }
    // The operator alone is converted, as upgrade-jwt does.
    const first = Sandbox.create(t, 'ours')
    old.putInto(first)
    const { nats, name, sub } = first.claims('Old')
    const { identity, ...kept } = nats
    const upgraded = encode(
      { name, sub, iss: sub, iat: 1, jti: '', nats: { ...kept, type: 'operator', version: 2 } },
      old.operator,
    )
    for (const sandbox of Object.values(pair)) {
      old.putInto(sandbox)
      fs.writeFileSync(path.join(sandbox.stores, 'Old/Old.jwt'), upgraded)
    }
    const differences: unknown[] = []
    for (const line of [
      'list keys --all',
      'describe account A',
      'describe account A --json',
      'describe account B',
      'describe account B --field nats.imports',
      'describe user u --account A',
      'describe user u --account A --json',
      'describe jwt --file activation.jwt',
      'validate --all-accounts',
      'revocations list-users --account A',
      'export keys --all --include-jwts --dir out',
      'edit user u --account A --tag z --rm-source-network 10.0.0.0/8',
      'edit account A --tag z --js-disable',
      'revocations add-user --account A --name u',
      'add user n --account A',
      'delete import --account B --subject str.a',
      'edit operator --tag n',
      'validate --all-accounts',
      'generate creds --account A --name u',
    ]) {
      const [ours, official] = await Promise.all(
        [pair.ours, pair.official].map(async (sandbox) => {
          const { code, stdout, stderr } = await sandbox.run(words(line))
          const text = normalize(`${stdout}${stderr}`, sandbox).replace(/"iss": "O+"/g, '')
          return { line, code, meaning: meaningOf(text) }
        }),
      )
      try {
        assert.deepEqual(ours, official)
      } catch (thrown) {
        differences.push((thrown as Error).message)
      }
    }
    assert.deepEqual(differences, [])
    for (const parts of [[], ['A'], ['A', 'u'], ['B']] as [][]) {
      const [ours, official] = [pair.ours, pair.official].map((sandbox) => {
        const { iat, jti, ...claims } = sandbox.claims('Old', ...parts)
        return JSON.stringify(claims).replace(/:1\d{9}\b/g, ':0')
      })
      assert.deepEqual(JSON.parse(ours ?? ''), JSON.parse(official ?? ''))
    }
  },
)
