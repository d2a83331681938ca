import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { AccountServer } from './support/account-server.ts'
import { Sandbox } from './support/sandbox.ts'

const NSC = path.resolve(import.meta.dirname, '../bin/nsc')

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`${signal} during a push leaves no lock and no spare files`, async (t) => {
    const server = await AccountServer.start(t)
    const nsc = Sandbox.create(t, 'ours')
    await nsc.ok(['add', 'operator', '--url', server.operatorUrl])
    await nsc.ok(['add', 'account', 'A'])
    const before = nsc.tree()
    const reached = new Promise<void>((resolve) => {
      // It answers when the test is over.
      server.signed = () => {
        resolve()
        return new Promise((answered) => t.after(() => answered()))
      }
    })
    const child = spawn(NSC, ['edit', 'account', 'A', '--tag', 'x'], {
      env: { PATH: process.env['PATH'], HOME: nsc.home },
    })
    await reached
    assert.ok(fs.existsSync(path.join(nsc.stores, 'T/.nsc.lock')))
    child.kill(signal)
    const [code, by] = await once(child, 'exit')
    // The signal ends it as it ends any program: shells stop their scripts for that.
    assert.deepEqual([code, by], [null, signal])
    assert.deepEqual(nsc.tree(), before)
  })

test('where there are no hard links, copies do: on a USB stick', async (t) => {
  const nsc = Sandbox.create(t, 'ours')
  const noLinks = () => {
    throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' })
  }
  t.mock.method(fs, 'linkSync', noLinks)
  for (const call of [
    'init -n Op',
    'add account A',
    'add user u',
    'edit account A --tag x',
    'edit user u --tag y',
  ])
    await nsc.ok(call.split(' '))
  await nsc.ok(['validate', '-A'])
  const before = nsc.tree()
  const token = nsc.token('Op', 'A')
  // The second file of the run cannot be written: the first gets its former content back.
  const rename = fs.renameSync
  t.mock.method(fs, 'renameSync', (from: string, to: string) => {
    if (to.endsWith('.creds')) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    rename(from, to)
  })
  const { code, stderr } = await nsc.run(['edit', 'user', 'u', '--tag', 'z'])
  assert.equal(code, 1)
  assert.match(stderr, /no space left on device[\s\S]*nothing was changed/)
  assert.deepEqual(nsc.tree(), before)
  assert.equal(nsc.token('Op', 'A'), token)
  assert.deepEqual(nsc.claims('Op', 'A', 'u').nats.tags, ['y'])
})

test('what fails before anything is written says nothing of taking back, and leaves nothing', async (t) => {
  const nsc = Sandbox.create(t, 'ours')
  await nsc.ok(['init', '-n', 'Op'])
  const before = nsc.tree()
  for (const call of [
    ['describe', 'account', 'Op', '--output-file', nsc.home],
    ['generate', 'profile', 'nsc://Op', '--output-file', nsc.home],
    ['generate', 'config', '--mem-resolver', '--dir', 'made', '--sys-account', 'nope'],
  ]) {
    const { code, stderr } = await nsc.run(call)
    assert.equal(code, 1)
    assert.doesNotMatch(stderr, /taken back/)
    assert.deepEqual(nsc.tree(), before, call.join(' '))
  }
})
