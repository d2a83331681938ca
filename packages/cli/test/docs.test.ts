// docs/cli.md: its commands work, in its order, and it names exactly the commands and flags that there are.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tempDir } from '@ngs/testkit'
import type { Command } from 'commander'
import { createProgram } from '../src/program.ts'
import { environment, root, Up } from './support.ts'

const doc = readFileSync(join(root, 'docs/cli.md'), 'utf8')

function shell(
  script: string,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-e', '-x', '-c', script], { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        text += chunk
      })
    }
    child.on('close', (code) => resolve({ code, text }))
  })
}

/** Every command, groups included, without the verbs that are nsc's. */
function commandsOf(group: Command, prefix = ''): { path: string; command: Command }[] {
  return group.commands.flatMap((command) => {
    const path = `${prefix}${command.name()}`
    return [{ path, command }, ...commandsOf(command, `${path} `)]
  })
}

/** Every file is in the table of the page, what the table is about is there, and nobody else can read any of it. */
function checkDataDir(dataDir: string): void {
  const page = readFileSync(join(root, 'docs/service.md'), 'utf8')
  const [, section] = /^## The data directory$([\s\S]*?)^## /m.exec(page)!
  const rows = section!.split('\n').filter((line) => line.startsWith('| `'))
  const names = (text: string) => [...text.matchAll(/`([\w./-]+)`/g)].map((match) => match[1]!)
  const subjects = rows.flatMap((line) => names(line.split('|')[1]!))
  assert.deepEqual(
    subjects.filter((name) => !existsSync(join(dataDir, name))),
    [],
  )
  const mentioned = names(rows.join())
  const found = globSync('**', { cwd: dataDir })
  // A file, a folder by the files in it, or whatever is in a folder.
  const isMentioned = (path: string) =>
    mentioned.some(
      (name) => name === path || name.startsWith(`${path}/`) || name === `${path.split('/')[0]}/`,
    )
  assert.deepEqual(
    found.filter((path) => path !== '.' && !isMentioned(path)),
    [],
  )
  // The server writes its ports file as everybody's; the folder is not.
  assert.deepEqual(
    found.filter((path) => !path.startsWith('run/') && (statSync(join(dataDir, path)).mode & 0o077) !== 0),
    [],
  )
}

describe('docs/cli.md', () => {
  const program = createProgram(
    { stdout: process.stdout, stderr: process.stderr, stdin: process.stdin, env: {}, cwd: '/' },
    () => {},
  )

  it('shows commands that work, one after the other', async (t) => {
    const blocks = [...doc.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((match) => match[1]!)
    assert.equal(blocks.length, 3)
    const dir = tempDir(t)
    const up = await Up.start(t, join(dir, 'ngs'), ['--region', 'r1'])
    const home = join(dir, 'home')
    mkdirSync(home)
    const env = environment(home, {
      NGS_URL: up.urls.http,
      NGS_DATA_DIR: up.dataDir,
      PATH: `${join(root, 'packages/cli/bin')}:${join(root, 'packages/nsc/bin')}:${process.env['PATH']}`,
    })
    const { code, text } = await shell(blocks.join('\n'), env, home)
    assert.equal(code, 0, text)
    assert.match(text, /\[r1\]: "hello"/)
    assert.match(text, /Demo is on the plan developer now/)
    await t.test('whose data directory is what docs/service.md says it is', () => checkDataDir(up.dataDir))
    assert.equal(await up.stop(), 0)
  })

  it('names every command', () => {
    for (const { path } of commandsOf(program)) {
      const shown = new RegExp(`\\bngs ${path}\\b|\`${path}\``)
      assert.match(doc, shown, path)
    }
  })

  it('names every flag and no other', () => {
    const flags = new Set(
      commandsOf(program).flatMap(({ command }) =>
        command.options.flatMap(({ long, short }) => [long, short]),
      ),
    )
    flags.delete(undefined)
    const documented = new Set(
      [...doc.matchAll(/`([^`\n]+)`/g)].flatMap((code) => code[1]!.match(/(?<![\w-])--?[a-z][a-z-]*/g) ?? []),
    )
    // Of every command, and of the program as a whole.
    documented.delete('--help')
    // Short for --name of signup, which is nsc's as well.
    flags.delete('-n')
    documented.delete('-n')
    documented.delete('-o')
    flags.delete('--name')
    documented.delete('--name')
    assert.deepEqual([...documented].sort(), [...flags].sort())
  })

  it('agrees with the defaults of ngs up', () => {
    const up = program.commands.find((command) => command.name() === 'up')!
    const defaults = ['port', 'wsPort', 'monitorPort', 'httpPort'].map((name) => up.getOptionValue(name))
    assert.ok(doc.includes(`| ${defaults.join(', ')}; 0 is any free port |`))
    assert.ok(doc.includes(`\`${up.getOptionValue('host')}\` by default`))
  })
})
