import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { runNsc } from '../../src/index.ts'

/**
 * Runs calls on a disk that is full, or nearly, or read-only. A program of its own, started in a mount namespace:
 * `small-disk.ts <home> <mount point>`, calls as JSON on standard input, outcomes as JSON on standard output.
 */

export interface DiskCall {
  args: string[]
  /** Blocks that are still free, or a disk that cannot be written at all. */
  free: number | 'read-only'
}

export interface DiskOutcome extends DiskCall {
  code: number
  stderr: string
  stdout: string
  /** Files that are not what they were: `+` new, `-` gone, `~` changed. */
  changes: string[]
}

const BLOCK = 4096

const [template = '', mount = ''] = process.argv.slice(2)
const calls = JSON.parse(fs.readFileSync(0, 'utf8')) as DiskCall[]
const outcomes: DiskOutcome[] = []
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', mount])
try {
  for (const call of calls) outcomes.push(await perform(call))
} finally {
  execFileSync('umount', [mount])
}
process.stdout.write(JSON.stringify(outcomes))

async function perform(call: DiskCall): Promise<DiskOutcome> {
  const home = path.join(mount, 'home')
  for (const name of fs.readdirSync(mount)) fs.rmSync(path.join(mount, name), { recursive: true })
  fs.cpSync(template, home, { recursive: true })
  const config = path.join(home, '.config/nats/nsc/nsc.json')
  fs.writeFileSync(config, fs.readFileSync(config, 'utf8').replaceAll(template, home))
  if (call.free === 'read-only') execFileSync('mount', ['-o', 'remount,ro', mount])
  else fill(path.join(mount, 'ballast'), call.free)
  const before = contents(home)
  const out = { stdout: '', stderr: '' }
  const into = (stream: 'stdout' | 'stderr') => ({ write: (text: string) => (out[stream] += text) })
  const code = await runNsc(call.args, {
    stdout: into('stdout'),
    stderr: into('stderr'),
    stdin: Readable.from([]),
    env: { HOME: home, PATH: process.env['PATH'] },
    cwd: home,
  })
  const changes = changesOf(before, contents(home))
  if (call.free === 'read-only') execFileSync('mount', ['-o', 'remount,rw', mount])
  return { ...call, code, ...out, changes }
}

/** Fills the disk but for some blocks. */
function fill(file: string, free: number): void {
  const { bavail, bsize } = fs.statfsSync(path.dirname(file))
  fs.writeFileSync(file, Buffer.alloc((bavail - free) * (bsize || BLOCK), 1))
}

/** Folders and files with what is in them. */
function contents(folder: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name)
    found.set(path.relative(folder, file), entry.isDirectory() ? '/' : fs.readFileSync(file, 'utf8'))
  }
  return found
}

function changesOf(before: Map<string, string>, after: Map<string, string>): string[] {
  return [
    ...[...after.keys()].filter((file) => !before.has(file)).map((file) => `+ ${file}`),
    ...[...before.keys()].filter((file) => !after.has(file)).map((file) => `- ${file}`),
    ...[...before.keys()]
      .filter((file) => after.has(file) && after.get(file) !== before.get(file))
      .map((file) => `~ ${file}`),
  ]
}
