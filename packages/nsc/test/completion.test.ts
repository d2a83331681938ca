import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { Sandbox } from './support/sandbox.ts'

const OURS = path.resolve(import.meta.dirname, '../bin/nsc')

async function filled(t: TestContext): Promise<Sandbox> {
  const sandbox = Sandbox.create(t, 'ours')
  for (const args of [
    ['add', 'operator', '--name', 'Ops'],
    ['add', 'account', 'Weather'],
    ['add', 'account', 'Wet Works'],
    ['add', 'user', '--account', 'Weather', 'bob'],
    ['add', 'user', '--account', 'Weather', 'eve'],
    ['add', 'user', '--account', 'Wet Works', 'drip'],
    ['add', 'export', '--account', 'Weather', '--subject', 'wx.>'],
    ['edit', 'signing-key', '--account', 'Weather', '--sk', 'generate', '--role', 'reader'],
  ])
    await sandbox.ok(args)
  return sandbox
}

async function candidates(sandbox: Sandbox, ...words: string[]): Promise<string[]> {
  const { stdout } = await sandbox.ok(['__complete', '--no-descriptions', '--', ...words])
  return stdout.trimEnd().split('\n')
}

test('commands, flags, and names from the store are offered where they can stand', async (t) => {
  const sandbox = await filled(t)
  const cases: [words: string[], expected: string[]][] = [
    [['ad'], ['add', ':none']],
    [
      ['add', 'us'],
      ['user', ':none'],
    ],
    [
      ['create', 'acc'],
      ['account', ':none'],
    ],
    [
      ['describe', 'account', ''],
      ['Weather', 'Wet Works', ':none'],
    ],
    [
      ['describe', 'account', '--name', 'Wet'],
      ['Wet Works', ':none'],
    ],
    [
      ['describe', 'account', '--name=Wea'],
      ['Weather', ':none'],
    ],
    [
      ['describe', 'account', '--name', '=', 'Wea'],
      ['Weather', ':none'],
    ],
    [
      ['describe', 'account', '-n', 'Wea'],
      ['Weather', ':none'],
    ],
    [
      ['edit', 'user', '--account', 'Weather', ''],
      ['bob', 'eve', ':none'],
    ],
    [
      ['edit', 'user', '-a', 'Wet Works', '--name', ''],
      ['drip', ':none'],
    ],
    [
      ['delete', 'user', '-a', 'Weather', '--name', 'bob,'],
      ['bob,bob', 'bob,eve', ':none'],
    ],
    [['add', 'user', ''], [':none']],
    [
      ['add', 'user', '-a', 'Weather', '-K', ''],
      ['reader', ':none'],
    ],
    [
      ['select', 'operator', ''],
      ['Ops', ':none'],
    ],
    [
      ['delete', 'export', '-a', 'Weather', '--subject', ''],
      ['wx.>', ':none'],
    ],
    [
      ['add', 'export', '--response-type', 'S'],
      ['Singleton', 'Stream', ':none'],
    ],
    [['add', 'import', '--token', ''], [':files']],
    [
      ['add', 'import', '--sr'],
      ['--src-account', ':none'],
    ],
    [['add', 'import', '--src-account', 'A', '--src'], [':none']],
    [['nonsense', ''], [':none']],
    [['tool', 'pub', '--user', '', ''], [':none']],
  ]
  for (const [words, expected] of cases)
    assert.deepEqual(await candidates(sandbox, ...words), expected, words.join(' '))
  const flags = await candidates(sandbox, 'add', 'user', '--')
  for (const flag of ['--name', '--allow-pub', '--account', '--private-key', '--help'])
    assert.ok(flags.includes(flag), flag)
  assert.ok(!flags.includes('--max-responses'), 'deprecated flags are not offered')
  const { stdout } = await sandbox.ok(['__complete', '--', 'add', 'us'])
  assert.equal(stdout, 'user\tAdd a user to an account\n:none\n')
})

test('completing makes no files', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  assert.deepEqual(await candidates(sandbox, 'describe', 'account', ''), [':none'])
  assert.deepEqual(sandbox.tree(), [])
})

/** Runs a shell with the program on its PATH as nsc. */
function shell(sandbox: Sandbox, program: string, args: string[], script: string): string {
  const bin = sandbox.path('bin')
  fs.mkdirSync(bin, { recursive: true })
  if (!fs.existsSync(path.join(bin, 'nsc'))) fs.symlinkSync(OURS, path.join(bin, 'nsc'))
  const env = { PATH: `${bin}:${process.env['PATH']}`, HOME: sandbox.home, TERM: 'dumb' }
  return execFileSync(program, [...args, script], {
    env,
    cwd: sandbox.home,
    encoding: 'utf8',
    timeout: 120_000,
  })
}

const without = (program: string) =>
  spawnSync(program, ['--version']).error ? { skip: `${program} is not on this machine` } : {}

test('the bash script completes in bash', without('bash'), async (t) => {
  const sandbox = await filled(t)
  const ask = (...words: string[]) =>
    shell(
      sandbox,
      'bash',
      ['--norc', '-c'],
      `source <(nsc completion bash)
      complete -p nsc >/dev/null || exit 1
      COMP_WORDS=(nsc ${words.join(' ')}); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
      _nsc 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`,
    )
  assert.equal(ask('add', 'us'), 'user\n')
  assert.equal(ask('describe', 'account', "''"), 'Weather\nWet\\ Works\n')
  // Bash keeps words as they were typed.
  for (const typed of [`'Wet\\ Works'`, `"'Wet Works'"`, `'"Wet Works"'`])
    assert.equal(ask('edit', 'user', '-a', typed, "''"), 'drip\n')
  assert.equal(ask('describe', 'account', `'"Wet W'`), 'Wet\\ Works\n')
  assert.equal(ask('add', 'account', '--exp'), '--expiry\n')
})

test('the zsh script completes in zsh', without('zsh'), async (t) => {
  const sandbox = await filled(t)
  // What would be shown is caught where zsh takes it over.
  const ask = (...words: string[]) =>
    shell(
      sandbox,
      'zsh',
      ['-f', '-c'],
      `compdef() { :; }
      _describe() { print -rl -- "\${(@P)\${@[-1]}}" }
      _files() { print FILES }
      source <(nsc completion zsh)
      words=(nsc ${words.join(' ')}); CURRENT=$#words
      _nsc`,
    )
  assert.equal(ask('add', 'us'), 'user:Add a user to an account\n')
  assert.equal(ask('describe', 'account', "''"), 'Weather:account\nWet Works:account\n')
  assert.equal(ask('edit', 'user', '-a', 'Weather', "''"), 'bob\neve\n')
  assert.equal(ask('add', 'import', '--token', "''"), 'FILES\n')
})

test('the fish script completes in fish', without('fish'), async (t) => {
  const sandbox = await filled(t)
  fs.writeFileSync(sandbox.path('some.jwt'), '')
  const ask = (line: string) =>
    shell(sandbox, 'fish', ['--no-config', '-c'], `nsc completion fish | source; complete -C "${line}"`)
  assert.equal(ask('nsc add us'), 'user\tAdd a user to an account\n')
  assert.equal(ask('nsc describe account W'), 'Weather\taccount\nWet Works\taccount\n')
  assert.equal(ask('nsc edit user -a Weather '), 'bob\neve\n')
  assert.match(ask('nsc add import --token '), /some\.jwt/)
})
