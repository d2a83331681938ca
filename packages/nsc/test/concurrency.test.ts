import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { needsOfficial, Sandbox } from './support/sandbox.ts'

/** Runs calls a few at a time, as many people at once would. */
async function inParallel<T>(work: readonly (() => Promise<T>)[], width = 8): Promise<T[]> {
  const results: T[] = []
  const queue = [...work.entries()]
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await next[1]()
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}

test('50 users added at once by both programs are all there', needsOfficial, async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  sandbox.spawned = true
  await sandbox.ok(['init', '-n', 'Op'])
  const names = Array.from({ length: 50 }, (_, index) => `u${index}`)
  await inParallel(
    names.map((name, index) => () => {
      const which = index % 2 === 0 ? 'ours' : 'official'
      return sandbox.ok(['add', 'user', name, '-a', 'Op'], { which })
    }),
  )
  const listed = JSON.parse((await sandbox.ok(['list', 'users', '--json'])).stderr) as {
    name: string
    public_key: string
  }[]
  assert.deepEqual(new Set(listed.map(({ name }) => name)), new Set(['Op', ...names]))
  assert.equal(new Set(listed.map(({ public_key }) => public_key)).size, 51)
  for (const name of names) {
    const creds = sandbox.read('.local/share/nats/nsc/keys/creds/Op/Op', `${name}.creds`)
    assert.ok(creds.includes(sandbox.token('Op', 'Op', name)), name)
  }
  JSON.parse(sandbox.read('.config/nats/nsc/nsc.json'))
  await sandbox.ok(['validate'])
})

test('edits of one account at once are all kept', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  sandbox.spawned = true
  await sandbox.ok(['init', '-n', 'Op'])
  const tags = Array.from({ length: 16 }, (_, index) => `t${String(index).padStart(2, '0')}`)
  await inParallel(tags.map((tag) => () => sandbox.ok(['edit', 'account', '--tag', tag])))
  assert.deepEqual(sandbox.claims('Op', 'Op').nats.tags, tags)
  assert.deepEqual(
    fs.readdirSync(path.join(sandbox.stores, 'Op')).sort(),
    ['.nsc', 'Op.jwt', 'accounts'],
    'no lock and no temporary file is left',
  )
})

test('two that add the same user: one wins, the other says so', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  sandbox.spawned = true
  await sandbox.ok(['init', '-n', 'Op'])
  const outcomes = await Promise.all([1, 2, 3].map(() => sandbox.run(['add', 'user', 'bob'])))
  assert.deepEqual(outcomes.map(({ code }) => code).sort(), [0, 1, 1])
  const creds = sandbox.read('.local/share/nats/nsc/keys/creds/Op/Op/bob.creds')
  assert.ok(creds.includes(sandbox.token('Op', 'Op', 'bob')))
})

test('the lock of a process that died does not stop anyone', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  sandbox.spawned = true
  await sandbox.ok(['init', '-n', 'Op'])
  const os = await import('node:os')
  // No process has the largest number.
  fs.writeFileSync(path.join(sandbox.stores, 'Op/.nsc.lock'), `4194304 ${os.hostname()} abc\n`)
  await sandbox.ok(['add', 'user', 'bob'])
  assert.ok(!fs.existsSync(path.join(sandbox.stores, 'Op/.nsc.lock')))
})
