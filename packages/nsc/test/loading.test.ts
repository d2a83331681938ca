import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Sandbox } from './support/sandbox.ts'

/** What a command loads decides how fast it starts: each loads its own code and what that needs, nothing else. */

const PACKAGES = path.resolve(import.meta.dirname, '../..')

/** Runs the program, and lists what it loads: our files as `nsc/cli/run.ts`, libraries by their name. */
async function loadedBy(t: TestContext, sandbox: Sandbox, args: readonly string[]): Promise<string[]> {
  const list = sandbox.path('loaded.txt')
  const hook = sandbox.path('hook.mjs')
  fs.writeFileSync(
    hook,
    `import fs from 'node:fs'
    import { registerHooks } from 'node:module'
    const seen = new Set()
    registerHooks({ load: (url, context, next) => (seen.add(url), next(url, context)) })
    process.on('exit', () => fs.writeFileSync(${JSON.stringify(list)}, [...seen].join('\\n')))`,
  )
  const { code, stderr } = await sandbox.run(args, {
    spawned: true,
    env: { NODE_OPTIONS: `--import ${pathToFileURL(hook)}` },
  })
  assert.equal(code, 0, stderr)
  const root = pathToFileURL(PACKAGES).href
  const names = fs
    .readFileSync(list, 'utf8')
    .split('\n')
    .filter((url) => url !== '' && url !== pathToFileURL(hook).href)
    .map((url) =>
      url.startsWith(root)
        ? url.slice(root.length + 1).replace('/src/', '/')
        : url.replace(/^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/.*$/, '$1'),
    )
  t.diagnostic(`nsc ${args.join(' ')}: ${names.length} modules`)
  return [...new Set(names)].sort()
}

/** Shared by all commands: finding the command, its flags, folders and context. */
const EVERY_COMMAND = [
  'commander',
  ...['cli/flags', 'cli/program', 'cli/registry', 'cli/run', 'environment', 'errors', 'files'],
  ...[
    'index',
    'interrupt',
    'journal',
    'json',
    'keystore/keystore',
    'main',
    'names',
    'session',
    'store/context',
  ],
  ...['store/operator-store', 'text', 'values', 'version'],
].map((name) => (name === 'commander' ? name : `nsc/${name}.ts`))

test('--version loads nothing but the program itself', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  assert.deepEqual(await loadedBy(t, sandbox, ['--version']), [
    'nsc/index.ts',
    'nsc/interrupt.ts',
    'nsc/main.ts',
    'nsc/version.ts',
  ])
})

test('describe account loads what it prints with, and no network, prompts or cryptography library', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  await sandbox.ok(['init', '--name', 'A'])
  const loaded = await loadedBy(t, sandbox, ['describe', 'account'])
  assert.deepEqual(
    loaded.filter((name) => name.startsWith('nsc/') || name === 'commander'),
    [
      ...EVERY_COMMAND,
      ...['cli/common-flags', 'cli/describe', 'commands/describe-account', 'commands/describe-shared'].map(
        (name) => `nsc/${name}.ts`,
      ),
      ...['commands/name-of', 'describe/account', 'describe/common', 'table'].map((name) => `nsc/${name}.ts`),
    ].sort(),
  )
  assert.deepEqual(
    loaded.filter((name) => !name.startsWith('nsc/') && !name.startsWith('identity/')),
    [
      ...['commander', 'node:async_hooks', 'node:child_process', 'node:crypto', 'node:events', 'node:os'],
      ...['node:path', 'node:process', 'node:util'],
    ],
  )
  assert.ok(!loaded.includes('identity/xkeys.ts'))
})

for (const [args, own] of [
  [['env'], ['cli/context', 'commands/env']],
  [
    ['list', 'accounts'],
    ['cli/list', 'commands/list-accounts', 'commands/list-shared'],
  ],
  [['describe', 'operator'], ['commands/describe-operator']],
] as const)
  test(`${args.join(' ')} loads the code of no other command`, async (t) => {
    const sandbox = Sandbox.create(t, 'ours')
    await sandbox.ok(['init', '--name', 'A'])
    const loaded = await loadedBy(t, sandbox, args)
    for (const name of own) assert.ok(loaded.includes(`nsc/${name}.ts`), name)
    const foreign = loaded.filter((name) => /^nsc\/(commands|remote|dialogs)\//.test(name))
    const allowed = new Set(
      [...own, 'commands/describe-shared', 'commands/name-of'].map((name) => `nsc/${name}.ts`),
    )
    assert.deepEqual(
      foreign.filter((name) => !allowed.has(name)),
      [],
    )
    for (const library of ['@clack/prompts', '@nats-io/nats-core', '@noble/curves', 'node:http'])
      assert.ok(!loaded.includes(library), library)
  })
