import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needsOfficial, Sandbox } from './support/sandbox.ts'
import { runBoth, type Step } from './support/scenario.ts'

test('streams and exit codes: nothing set up', needsOfficial, async (t) => {
  await runBoth(t, [
    ['list', 'operators'],
    ['list', 'accounts'],
    ['list', 'users'],
    ['list', 'keys'],
    ['describe', 'operator'],
    ['describe', 'operator', 'nope'],
    ['describe', 'account'],
    ['describe', 'user'],
    ['add', 'account', 'A'],
    ['add', 'user', 'u'],
    ['add', 'export', '--subject', 'x'],
    ['edit', 'operator', '--tag', 'x'],
    ['delete', 'account', 'A'],
    ['generate', 'creds'],
    ['generate', 'config', '--mem-resolver'],
    ['validate'],
    ['push'],
    ['pull'],
    ['tool', 'pub', 'x'],
    ['env', '-o', 'nope'],
    ['select', 'operator', 'nope'],
    ['init', '-o', 'nope', '-n', 'x'],
    ['add', 'operator', '-u', '/no/such/file'],
    ['add', 'operator', '-u', 'http://127.0.0.1:1/x'],
    ['add', 'operator'],
    ['add', 'operator', 'x', '--force'],
    ['env'],
  ])
})

test('streams and exit codes: calls that are wrong', needsOfficial, async (t) => {
  await runBoth(t, [
    ['init', '-n', 'Op'],
    ['nope'],
    ['tol', 'pub'],
    ['version'],
    ['add', 'user', '--nope'],
    ['add', 'user', '-z'],
    ['add', 'user', 'a', 'b'],
    ['add', 'user', '--name'],
    ['add', 'user', '-n'],
    ['env', 'x'],
    ['env', '--nope'],
    ['select', 'account'],
    ['select', 'account', 'a', 'b'],
    ['tool', 'pub'],
    ['add', 'export', 'x'],
    ['push', 'x'],
    ['edit', 'user', '--max-responses', '3'],
    ['edit', 'user', '-K', '/no/such/key', '--tag', 'official-signs-anyway', '--subs=x'],
    ['--nope'],
    ['-x'],
    ['add', 'user', '--', '--dashes'],
    ['add', 'account', '-nJoined'],
    ['add', 'account', '-n=Equals'],
    ['delete', 'user', '-DCR', '-n', 'nope', '-a', 'Joined'],
    ['describe', 'account', '-WJ', 'Joined', '-F', 'name'],
    ['describe', '-J', 'account', 'Joined', '-F', 'sub'],
    ['-i=false', 'list', 'accounts'],
    ['create', 'account', 'Alias'],
    ['list', 'account'],
    ['list', 'operator'],
  ])
})

test('streams and exit codes: several operators, accounts and users', needsOfficial, async (t) => {
  await runBoth(t, [
    ['add', 'operator', 'One'],
    ['add', 'account', 'A'],
    ['add', 'account', 'B'],
    ['add', 'operator', 'Two'],
    ['list', 'accounts'],
    ['describe', 'account'],
    ['validate'],
    ['env', '-o', 'One'],
    ['env', '-a', 'nope'],
    ['add', 'user', 'u1', '-a', 'A'],
    ['add', 'user', 'u2', '-a', 'A'],
    ['edit', 'user', '--tag', 'x', '-a', 'A'],
    ['describe', 'user', '-a', 'A'],
    ['describe', 'user', 'nope', '-a', 'A'],
    ['tool', 'pub', 'x', '-a', 'A'],
    ['tool', 'pub', 'x', '-a', 'A', '-u', 'u1'],
    ['generate', 'creds', '-a', 'A'],
    ['push', '-a', 'A'],
    ['push', '-A', '-a', 'A'],
    ['push', '-A', '-u', 'ftp://x'],
    ['push', '-A', '-u', 'http://127.0.0.1:1'],
    ['push', '-A', '-u', 'nats://127.0.0.1:1'],
    ['push', '-D', '-P', '-u', 'nats://127.0.0.1:1'],
    ['push', '-P', '-u', 'http://127.0.0.1:1'],
    ['pull', '-A'],
    ['env', '-s', 'empty'],
    ['list', 'accounts', '-o', 'One'],
    (sandbox): readonly string[] => ['env', '-s', sandbox.stores],
    ['list', 'accounts', '-o', 'Two'],
    ['list', 'accounts', '-o', 'One'],
    ['list', 'users', '-a', 'A'],
    ['delete', 'account', 'A', '--revoke=false'],
    ['env'],
    ['list', 'users'],
    ['add', 'account', 'with blank'],
    ['add', 'user', 'ünï.cödé 名'],
    ['describe', 'user', 'ünï.cödé 名'],
    ['list', 'users'],
    ['generate', 'creds', '-n', 'ünï.cödé 名'],
    ['describe', 'account', 'with blank'],
    ['validate', '-A'],
  ] satisfies Step[])
})

test('a report with one error goes to standard error as a whole', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  await sandbox.ok(['init', '-n', 'Op'])
  await sandbox.ok(['edit', 'signing-key', '--sk', 'generate', '--role', 'r'])
  const outcome = await sandbox.run(['add', 'user', 'x', '-K', 'r', '--allow-pub', 'a'])
  assert.equal(outcome.code, 1)
  assert.equal(outcome.stdout, '')
  assert.equal(
    outcome.stderr,
    '[ OK ] added pub "a"\n' +
      '[ERR ] scoped users require no permissions or limits set\n' +
      '[WARN] user was NOT edited as the edits conflict with signing key scope\n' +
      'Error: 1 job failed - 1 job succeeded and 1 had warnings\n',
  )
})

test('help goes to standard output, usage after errors to standard error', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  for (const args of [
    [],
    ['--help'],
    ['add'],
    ['add', 'nope'],
    ['add', 'user', '--help'],
    ['help', 'add', 'user'],
  ]) {
    const { code, stdout, stderr } = await sandbox.run(args)
    assert.deepEqual([code, stderr], [0, ''], args.join(' '))
    assert.match(stdout, /Usage: nsc/)
  }
  const { code, stdout, stderr } = await sandbox.run(['env', '--nope'])
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /^Error: unknown flag: --nope\nUsage: nsc env/)
})

test('nothing waits for input without a terminal', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  const init = await sandbox.run(['init'])
  assert.equal(init.code, 1)
  assert.match(init.stderr, /--name NAME/)
  await sandbox.ok(['init', '-n', 'Op'])
  const user = await sandbox.run(['add', 'user', '-i'])
  assert.equal(user.code, 1)
  assert.match(user.stderr, /there is no terminal - .* --name/)
})
