import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { GLOBAL_FLAGS, interpret } from '../src/cli/program.ts'
import { ENTRIES } from '../src/cli/registry.ts'
import { type CommandSpec, type FlagSpec, type GroupSpec, isGroup } from '../src/cli/spec.ts'
import { needsOfficial, Sandbox } from './support/sandbox.ts'

interface Listed {
  path: string[]
  command: CommandSpec
  groupFlags: readonly FlagSpec[]
}

/** Every command that is built. */
async function commands(): Promise<Listed[]> {
  const all: Listed[] = []
  const walk = (words: string[], spec: CommandSpec | GroupSpec, groupFlags: readonly FlagSpec[]) => {
    if (!isGroup(spec)) all.push({ path: words, command: spec, groupFlags })
    else
      for (const child of spec.commands)
        walk([...words, child.name], child, [...groupFlags, ...(spec.flags ?? [])])
  }
  for (const entry of ENTRIES) walk([entry.name], await entry.load(), [])
  return all
}

/** Flags as the official program's help lists them, with their letters. */
function flagsOfHelp(help: string): Map<string, string> {
  const flags = new Map<string, string>()
  for (const [, short = '', name = ''] of help.matchAll(/^ {2,}(?:-(\w), | {4})--([\w-]+)/gm))
    flags.set(name, short)
  return flags
}

test('every command has a summary and examples that it understands', async () => {
  for (const { path, command } of await commands()) {
    assert.ok(command.summary !== '', path.join(' '))
    if (!command.hidden) assert.ok(command.examples?.length, `${path.join(' ')} has no examples`)
    for (const example of command.examples ?? []) {
      const words = [...example.replace(/ {2,}#.*$/, '').matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
        ([, double, single, bare]) => double ?? single ?? bare ?? '',
      )
      assert.equal(words.shift(), 'nsc', example)
      const invocation = await interpret(words, ENTRIES, (line) => assert.fail(`${example}: ${line}`))
      assert.equal(invocation.kind === 'command' && invocation.command.summary, command.summary, example)
    }
  }
})

test('every flag says what it is for, and has a name and letter of its own', async () => {
  for (const { path, command, groupFlags } of await commands()) {
    const flags = [...GLOBAL_FLAGS, ...groupFlags, ...(command.flags ?? [])]
    for (const flag of flags)
      if (!flag.deprecated) assert.ok(flag.text !== '', `${path.join(' ')} --${flag.name}`)
    const names = flags.map(({ name }) => name)
    assert.equal(new Set(names).size, names.length, path.join(' '))
    const letters = flags.flatMap(({ short }) => (short ? [short] : []))
    assert.equal(new Set(letters).size, letters.length, path.join(' '))
  }
})

test('every flag of the official program is there, with its letter', needsOfficial, async (t) => {
  const sandbox = Sandbox.create(t, 'official')
  for (const { path, command, groupFlags } of await commands()) {
    if (command.hidden || (path.length === 1 && ENTRIES.find(({ name }) => name === path[0])?.hidden))
      continue
    const { stdout } = await sandbox.ok([...path, '--help'])
    const ours = new Map(
      [...GLOBAL_FLAGS, ...groupFlags, ...(command.flags ?? [])].map(({ name, short = '' }) => [name, short]),
    )
    const official = flagsOfHelp(stdout)
    assert.ok(official.size > GLOBAL_FLAGS.length, stdout)
    for (const [name, short] of official) {
      if (name === 'help') continue
      assert.equal(ours.get(name), short, `${path.join(' ')} --${name}`)
    }
  }
})

test('help of every command shows its flags and examples', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  for (const { path, command } of await commands()) {
    const { code, stdout } = await sandbox.run([...path, '--help'])
    assert.equal(code, 0)
    for (const flag of command.flags ?? [])
      assert.equal(
        stdout.includes(`--${flag.name}`),
        !(flag.hidden || flag.deprecated),
        `${path.join(' ')} --${flag.name}`,
      )
    for (const example of command.examples ?? []) assert.ok(stdout.includes(example), example)
  }
})

test('the version is that of the package, and the command set it follows', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  const manifest = JSON.parse(fs.readFileSync(path.resolve(import.meta.dirname, '../package.json'), 'utf8'))
  for (const flag of ['--version', '-v']) {
    const { code, stdout } = await sandbox.run([flag], { spawned: true })
    assert.deepEqual([code, stdout], [0, `nsc version 2.14.0 (NGS ${manifest.version})\n`])
  }
})
