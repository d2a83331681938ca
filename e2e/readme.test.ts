// Every command of the README's first minute, in its order, in one shell of a person with an empty home.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { root, System } from './system.ts'

const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => match[1]!)

describe('the README', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ngs-readme-'))
  let system: System
  before(async () => {
    mkdirSync(join(folder, 'home'))
    system = await System.start({ dataDir: join(folder, 'ngs') })
  })
  after(async () => {
    await system?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('shows commands that work, one after the other', () => {
    const script = blocks('sh')
    assert.ok(script.length >= 2, 'the README has its blocks')
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', script.join('\n')], {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: join(folder, 'home'), NGS_URL: system.urls.http },
    })
    assert.equal(status, 0, stdout + stderr)
    assert.match(stdout + stderr, /"hello"/)
    assert.match(stdout, /Free/)
    for (const shown of blocks('text')) assert.ok(stdout.includes(shown), `${shown}\nis not in\n${stdout}`)
  })

  it('shows a program that gets its echo', () => {
    const program = blocks('js')[0]!.replace("'localhost:4222'", JSON.stringify(system.urls.nats))
    assert.notEqual(program, blocks('js')[0])
    const file = join(root, 'node_modules', `.readme-${process.pid}.mjs`)
    writeFileSync(file, program)
    try {
      const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
        encoding: 'utf8',
        env: { ...process.env, HOME: join(folder, 'home') },
      })
      assert.equal(status, 0, stderr)
      assert.match(stdout, /: "hello"/)
    } finally {
      rmSync(file, { force: true })
    }
  })

  it('is followed by docs/cli.md, whose commands work too', () => {
    const cli = readFileSync(join(root, 'docs/cli.md'), 'utf8')
    const script = [...cli.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((match) => match[1]!)
    assert.ok(script.length >= 3, 'the page has its blocks')
    const home = join(folder, 'home-cli')
    mkdirSync(home)
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', script.join('\n')], {
      cwd: root,
      encoding: 'utf8',
      env: {
        PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`,
        HOME: home,
        NGS_URL: system.urls.http,
        NGS_DATA_DIR: join(folder, 'ngs'),
      },
    })
    assert.equal(status, 0, stdout + stderr)
    assert.match(stdout, /Demo/)
  })

  it('links only to files that exist', () => {
    for (const match of readme.matchAll(/\]\(([^)#:]+)\)/g)) readFileSync(join(root, match[1]!))
  })
})
