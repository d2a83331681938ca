// npm run bench:nsc: how fast nsc starts, and how long it takes to push many accounts, beside the official nsc.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runNsc } from '@ngs/nsc'
import { Engine, ngsServer, peer, tempFolder } from '@ngs/testkit'

const root = join(import.meta.dirname, '../..')

const HELP = `usage: npm run bench:nsc [-- flags]

Measures start-up, and \`nsc push --all\` to a server that keeps the accounts, side by side with the official nsc.

flags
  --accounts N     accounts to push (default 1000)
  --reference N    accounts that the official nsc pushes (default 20: it waits a second for each)
  --runs N         runs per start-up row, alternating (default 15)
`

interface Program {
  name: string
  path: string
}

const ours: Program = { name: 'nsc (NGS)', path: join(root, 'packages/nsc/bin/nsc') }
const official: Program = { name: 'official nsc', path: peer('nsc') }
const programs = [ours, ...(existsSync(official.path) ? [official] : [])]

const { values } = parseArgs({
  options: {
    accounts: { type: 'string', default: '1000' },
    reference: { type: 'string', default: '20' },
    runs: { type: 'string', default: '15' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (values.help) {
  process.stdout.write(HELP)
  process.exit(0)
}

function count(flag: 'accounts' | 'reference' | 'runs'): number {
  const number = Number(values[flag])
  if (Number.isInteger(number) && number > 0) return number
  process.stderr.write(`--${flag} ${values[flag]}: must be a whole number, at least 1\n`)
  process.exit(1)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Runs a program to its end; returns milliseconds. */
function timed(program: Program, args: readonly string[], home: string): number {
  const env = { PATH: process.env['PATH'] ?? '', HOME: home }
  const begin = process.hrtime.bigint()
  const done = spawnSync(program.path, args, { env, encoding: 'utf8', maxBuffer: 1 << 28 })
  const took = Number(process.hrtime.bigint() - begin) / 1e6
  if (done.status !== 0) throw new Error(`${program.name} ${args.join(' ')}: ${done.stdout}${done.stderr}`)
  return took
}

function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** A home folder with an operator, its system account and `accounts` others. */
async function makeStore(home: string, accounts: number, url: string): Promise<string> {
  const run = async (...args: string[]) => {
    let output = ''
    const out = { write: (text: string) => (output += text) }
    const code = await runNsc(args, {
      stdout: out,
      stderr: out,
      stdin: process.stdin,
      env: { HOME: home },
      cwd: home,
    })
    if (code !== 0) throw new Error(`nsc ${args.join(' ')}: ${output}`)
    return output
  }
  await run('add', 'operator', '--name', 'Bench', '--sys')
  for (let index = 0; index < accounts; index++) await run('add', 'account', '--name', `account-${index}`)
  await run('edit', 'operator', '--account-jwt-server-url', url || 'nats://127.0.0.1:4222')
  return run('generate', 'config', '--nats-resolver')
}

async function startUp(home: string, runs: number): Promise<void> {
  say(`\nstart-up, milliseconds, median of ${runs} runs (target)`)
  for (const [args, target] of [
    [['--version'], 150],
    [['describe', 'account', '--name', 'account-0'], 250],
  ] as const) {
    const times = new Map(programs.map((program) => [program, [] as number[]]))
    // One run of each that does not count: compiled code is kept for the next start.
    for (const program of programs) timed(program, args, home)
    for (let run = 0; run < runs; run++)
      for (const [program, list] of times) list.push(timed(program, args, home))
    for (const [program, list] of times)
      say(
        `  ${program.name.padEnd(14)} ${`nsc ${args.join(' ')}`.padEnd(40)} ${median(list).toFixed(0).padStart(5)} (${target})`,
      )
  }
}

async function push(accounts: number, reference: number): Promise<void> {
  say('\npush --all over NATS, seconds (target: 1000 accounts in under 10)')
  for (const program of programs) {
    const amount = program === ours ? accounts : Math.min(reference, accounts)
    const folder = tempFolder()
    // The configuration of the operator is made first; the servers then start from it.
    const config = (await makeStore(folder.path, amount, '')).replace("'./jwt'", '"%DIR%/jwt"')
    for (const server of [ngsServer, peer('nats-server')]) {
      if (!existsSync(server)) continue
      const engine = await Engine.start(null, { engine: server, config })
      const took = timed(program, ['push', '--all', '-u', engine.url], folder.path) / 1000
      await engine.stop()
      const name = server === ngsServer ? 'ngs-server' : 'nats-server'
      const each = `${((took / (amount + 1)) * 1000).toFixed(1)} ms each`
      say(
        `  ${program.name.padEnd(14)} ${`${amount + 1} accounts to ${name}`.padEnd(40)} ${took.toFixed(2).padStart(6)}  (${each})`,
      )
    }
    folder.remove()
  }
}

const cpu = /model name\s*: (.*)/.exec(
  existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '',
)?.[1]
say(`node ${process.version}${cpu ? `, ${cpu}` : ''}`)
const home = tempFolder()
await makeStore(home.path, 1, '')
await startUp(home.path, count('runs'))
home.remove()
await push(count('accounts'), count('reference'))
