import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needsOfficial, Sandbox } from './support/sandbox.ts'
import { words } from './support/scenario.ts'

test('both generate the same configuration from one store', needsOfficial, async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  await sandbox.ok(['init', '-n', 'Op'])
  await sandbox.ok(['add', 'account', 'B'])
  const outputs = async (kind: string) => {
    const ours = await sandbox.ok(['generate', 'config', kind])
    const official = await sandbox.ok(['generate', 'config', kind], { which: 'official' })
    return [ours.stdout, official.stdout] as const
  }
  const [memory, officialMemory] = await outputs('--mem-resolver')
  assert.equal(memory, officialMemory)
  const bare = (text: string) =>
    text
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.trim().startsWith('#'))
      .join('\n')
  for (const kind of ['--nats-resolver', '--nats-resolver-cache']) {
    const [ours, official] = await outputs(kind)
    assert.equal(bare(ours), bare(official), kind)
  }
})

test('one store, both programs in turn', needsOfficial, async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  const ours = (...args: string[]) => sandbox.ok(args)
  const official = (...args: string[]) => sandbox.ok(args, { which: 'official' })
  await official('init', '-n', 'Op')
  await ours('add', 'account', 'A', '--allow-pub', 'x')
  await official('add', 'user', 'bob', '--allow-sub', 'news.>')
  const creds = () => sandbox.read('.local/share/nats/nsc/keys/creds/Op/A/bob.creds')
  const before = {
    creds: creds(),
    iat: sandbox.claims('Op', 'A', 'bob').iat,
    token: sandbox.token('Op', 'A', 'bob'),
  }
  await ours('edit', 'user', 'bob', '--tag', 'edited')
  assert.ok(sandbox.claims('Op', 'A', 'bob').iat >= before.iat)
  assert.equal(creds().replace(sandbox.token('Op', 'A', 'bob'), ''), before.creds.replace(before.token, ''))
  await official('edit', 'account', 'A', '--sk', 'generate')
  await ours(
    'edit',
    'signing-key',
    '--sk',
    sandbox.claims('Op', 'A').nats.signing_keys[0],
    '--role',
    'r',
    '--allow-sub',
    'a',
  )
  await official('add', 'user', 'eve', '-K', 'r')
  await ours('edit', 'user', 'eve', '--tag', 'x')
  await official('edit', 'signing-key', '--role', 'r', '--allow-sub', 'b')
  await ours('add', 'user', 'dan', '-K', 'r')
  for (const line of [
    'describe account',
    'describe account --json',
    'describe account --raw',
    'describe account --field nats.signing_keys[0].template',
    'describe user bob',
    'describe user eve',
    'describe user dan --json',
    'list accounts',
    'list users',
    'list keys --all',
    'list keys --all --json',
    'list keys --all --show-seeds',
    'env',
    'validate --all-accounts',
  ])
    assert.deepEqual(
      await sandbox.run(words(line)),
      await sandbox.run(words(line), { which: 'official' }),
      line,
    )
  // Private exports crosswise.
  await official('add', 'account', 'B')
  await ours('add', 'export', '--account', 'A', '--private', '--subject', 'o.>')
  await official(
    'generate',
    'activation',
    '--account',
    'A',
    '--target-account',
    'B',
    '-o',
    sandbox.path('t1'),
  )
  await ours('add', 'import', '--account', 'B', '--token', sandbox.path('t1'))
  await official('delete', 'import', '--account', 'B')
  await ours('generate', 'activation', '--account', 'A', '--target-account', 'B', '-o', sandbox.path('t2'))
  await official('add', 'import', '--account', 'B', '--token', sandbox.path('t2'))
  const hash = (text: string) => /Hash ID\s+\|\s+(\S+)/.exec(text)?.[1]
  assert.equal(
    hash((await ours('describe', 'jwt', '-f', sandbox.path('t1'))).stdout),
    hash((await official('describe', 'jwt', '-f', sandbox.path('t2'))).stdout),
  )
  await official(
    'revocations',
    'add_activation',
    '--account',
    'A',
    '--target-account',
    'B',
    '--subject',
    'o.>',
  )
  await ours(
    'revocations',
    'delete_activation',
    '--account',
    'A',
    '--target-account',
    'B',
    '--subject',
    'o.>',
  )
  await ours('revocations', 'add-user', '--account', 'A', '--name', 'bob')
  await official('revocations', 'delete-user', '--account', 'A', '--name', 'bob')
  // Strict mode turned on by one is obeyed by the other.
  assert.deepEqual(
    await sandbox.run(['edit', 'operator', '--require-signing-keys']),
    await sandbox.run(['edit', 'operator', '--require-signing-keys'], { which: 'official' }),
  )
  await official('edit', 'operator', '--sk', 'generate')
  await ours('validate', '--all-accounts')
  await official('validate', '--all-accounts')
})
