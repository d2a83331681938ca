import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DIALOG_COMMANDS } from '../src/dialogs/index.ts'
import { Sandbox } from './support/sandbox.ts'

/** Without a terminal nothing waits: -i names the flags its questions are about, and everything else names what is missing. */

async function filled(sandbox: Sandbox): Promise<void> {
  for (const args of [
    ['add', 'operator', '--name', 'O', '--sys', '--generate-signing-key'],
    ['edit', 'operator', '--account-jwt-server-url', 'nats://localhost:4222', '--tag', 'x'],
    ['add', 'account', 'A'],
    ['add', 'account', 'B'],
    ['edit', 'account', 'B', '--sk', 'generate', '--tag', 'x'],
    ['add', 'user', '--account', 'A', 'u1'],
    ['add', 'user', '--account', 'A', 'u2'],
    ['add', 'export', '--account', 'A', '--subject', 'a.>'],
    ['add', 'export', '--account', 'A', '--subject', 'p.>', '--private'],
    ['add', 'export', '--account', 'A', '--subject', 'q.>', '--private', '--service'],
    ['add', 'export', '--account', 'B', '--subject', 'b.>'],
    ['add', 'export', '--account', 'B', '--subject', 'c.*', '--service'],
    ['add', 'import', '--account', 'A', '--src-account', 'B', '--remote-subject', 'b.>'],
    ['revocations', 'add-user', '--account', 'A', '--name', 'u1'],
  ])
    await sandbox.ok(args)
}

test('-i without a terminal names the flags that answer its questions, for every command that has questions', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  await filled(sandbox)
  const before = sandbox.tree().concat(sandbox.token('O', 'A'), sandbox.token('O', 'B'))
  for (const command of DIALOG_COMMANDS) {
    const words = command.split(' ')
    const args = /^tool (?!rtt)/.test(command) ? ['subject'] : []
    const { code, stderr } = await sandbox.run([...words, ...args, '-i'])
    assert.equal(code, 1, command)
    const named =
      /there is no terminal - leave it out and give the values as flags: (.*)/.exec(stderr)?.[1] ?? ''
    const { stdout: help } = await sandbox.ok([...words, '--help'])
    assert.match(named, /^--/, `${command}: ${stderr}`)
    for (const flag of named.split(', ')) assert.ok(help.includes(flag), `${command} ${flag}`)
  }
  assert.deepEqual(sandbox.tree().concat(sandbox.token('O', 'A'), sandbox.token('O', 'B')), before)
})

test('what is given is not asked for', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  await filled(sandbox)
  const { stderr } = await sandbox.run([
    'add',
    'user',
    '-i',
    '--account',
    'A',
    '--name',
    'new',
    '--expiry',
    '1d',
  ])
  assert.match(stderr, /flags: --public-key, --start$/m)
  const { code } = await sandbox.run(['describe', 'user', '-i', '--account', 'A', '--name', 'u1'])
  assert.equal(code, 0, 'nothing was left to ask')
})

test('without -i and without a terminal the error names what is missing', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  await filled(sandbox)
  await sandbox.ok(['add', 'operator', '--name', 'P'])
  for (const [args, message] of [
    [['add', 'user', '--account', 'A'], /user name is required[\s\S]*--name/],
    [['add', 'export', '--account', 'A'], /subject is required[\s\S]*--subject/],
    [['add', 'import', '--account', 'A'], /src-account, remote-subject/],
    [['edit', 'user', '--account', 'A', '--bearer'], /user name is required[\s\S]*--name/],
    [['generate', 'activation', '--account', 'A'], /a subject is required[\s\S]*--subject/],
    [['init'], /nsc init --name NAME/],
  ] as [string[], RegExp][]) {
    await sandbox.ok(['env', '--operator', 'O'])
    const { code, stderr } = await sandbox.run(args)
    assert.equal(code, 1)
    assert.match(stderr, message)
  }
})
