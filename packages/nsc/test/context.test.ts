import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { needsOfficial, normalize, Sandbox } from './support/sandbox.ts'

/** Stores with 0, 1 or 2 operators of 0 to 2 accounts, made by ours, and a way to ask both programs about them. */
async function stores(t: TestContext, operators: Record<string, string[]>): Promise<Sandbox> {
  const sandbox = Sandbox.create(t, 'ours')
  for (const [operator, accounts] of Object.entries(operators)) {
    await sandbox.ok(['add', 'operator', operator])
    for (const account of accounts) await sandbox.ok(['add', 'account', account])
  }
  return sandbox
}

async function assertSame(
  sandbox: Sandbox,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const config = sandbox.path('.config/nats/nsc/nsc.json')
  const before = fs.existsSync(config) ? fs.readFileSync(config, 'utf8') : null
  const runs = []
  for (const which of ['ours', 'official'] as const) {
    const { code, stdout, stderr } = await sandbox.run(args, { which, ...options })
    const after = fs.existsSync(config) ? fs.readFileSync(config, 'utf8') : null
    runs.push({
      code,
      stdout: normalize(stdout, sandbox).trimEnd(),
      // The official program names itself by its path.
      stderr: normalize(stderr, sandbox)
        .trimEnd()
        .replace(/`\S+\/nsc keys/, '`nsc keys'),
      config: after,
    })
    if (before !== null) fs.writeFileSync(config, before)
  }
  assert.deepEqual(
    runs[0],
    runs[1],
    `${args.join(' ')} in ${options.cwd ?? '~'} with ${JSON.stringify(options.env ?? {})}`,
  )
  return `${runs[0]?.stdout}${runs[0]?.stderr}`
}

test('nsc.json: both programs read and write the same', needsOfficial, async (t) => {
  const sandbox = await stores(t, { One: ['A', 'B'] })
  const config = () => sandbox.read('.config/nats/nsc/nsc.json')
  assert.match(
    config(),
    /^\{"store_root":"[^"]+","operator":"One","account":"B","github_updates":"nats-io\/nsc","last_update":\d+\}$/,
  )
  const ours = config()
  await sandbox.ok(['env', '-a', 'A'], { which: 'official' })
  assert.equal(config(), ours.replace('"account":"B"', '"account":"A"'))
  await sandbox.ok(['env', '-a', 'B'])
  assert.equal(config(), ours)
  assert.equal((fs.statSync(sandbox.path('.config/nats/nsc/nsc.json')).mode & 0o777).toString(8), '600')
})

test('operator and account by working directory', needsOfficial, async (t) => {
  for (const operators of [{}, { One: ['A'] }, { One: ['A', 'B'], Two: ['C', 'D'] }]) {
    const sandbox = await stores(t, operators)
    fs.mkdirSync(sandbox.stores, { recursive: true })
    await sandbox.run(['env'])
    const folders = [sandbox.home, sandbox.stores, path.join(sandbox.stores, '..')]
    for (const [operator, accounts] of Object.entries(operators)) {
      folders.push(path.join(sandbox.stores, operator), path.join(sandbox.stores, operator, 'accounts'))
      for (const account of accounts) folders.push(path.join(sandbox.stores, operator, 'accounts', account))
    }
    for (const cwd of folders)
      for (const env of [{}, { NSC_CWD_ONLY: '1' }]) {
        await assertSame(sandbox, ['env'], { cwd, env })
        if (folders.length > 3) await assertSame(sandbox, ['list', 'accounts'], { cwd, env })
      }
  }
})

test('folders by variables and flags', needsOfficial, async (t) => {
  const sandbox = await stores(t, { One: ['A', 'B'], Two: ['C'] })
  const dirs = ['x1', 'x2', 'x3'].map((name) => sandbox.path(name))
  for (const dir of dirs) fs.mkdirSync(dir)
  const [x1 = '', x2 = '', x3 = ''] = dirs
  for (const env of [
    { NSC_HOME: x1 },
    { NKEYS_PATH: x2 },
    { XDG_CONFIG_HOME: x1, XDG_DATA_HOME: x2 },
    { NSC_CWD_ONLY: '' },
    { NATS_CA: '/ca.pem' },
  ])
    await assertSame(sandbox, ['env'], { env: env as Record<string, string> })
  for (const args of [
    ['--data-dir', x3],
    ['--keystore-dir', x3],
    ['--config-dir', sandbox.path('.config/nats/nsc')],
    ['-H', x3],
  ])
    await assertSame(sandbox, ['env', ...args])
  await assertSame(sandbox, ['env', '-o', 'One'], { env: { NSC_CWD_ONLY: '1' } })
  await assertSame(sandbox, ['env', '-o', 'Two', '-a', 'C'])
  await assertSame(sandbox, ['env', '-o', 'Two', '-a', 'A'])
  await assertSame(sandbox, ['env', '-s', x3])
})

test('stores and keys of the earliest layout are found', needsOfficial, async (t) => {
  const sandbox = await stores(t, { One: ['A'] })
  fs.mkdirSync(sandbox.path('.nsc'))
  fs.renameSync(sandbox.stores, sandbox.path('.nsc/nats'))
  fs.renameSync(sandbox.keys, sandbox.path('.nkeys'))
  const config = JSON.parse(sandbox.read('.config/nats/nsc/nsc.json'))
  fs.rmSync(sandbox.path('.config'), { recursive: true })
  fs.writeFileSync(
    sandbox.path('.nsc/nsc.json'),
    JSON.stringify({ ...config, store_root: sandbox.path('.nsc/nats') }),
  )
  await assertSame(sandbox, ['env'])
  await assertSame(sandbox, ['list', 'keys'])
  fs.writeFileSync(sandbox.path('.nkeys/stray.nk'), 'x')
  await assertSame(sandbox, ['list', 'keys'])
})

test('a torn nsc.json is not overwritten', async (t) => {
  const sandbox = await stores(t, { One: ['A'] })
  fs.writeFileSync(sandbox.path('.config/nats/nsc/nsc.json'), '{"store_root":"/x')
  const { code, stderr } = await sandbox.run(['list', 'accounts'])
  assert.equal(code, 1)
  assert.match(stderr, /nsc\.json` is not valid JSON - remove it or repair it/)
  assert.equal(sandbox.read('.config/nats/nsc/nsc.json'), '{"store_root":"/x')
})
