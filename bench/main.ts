// npm run bench [-- ROW ...]: side-by-side benchmarks against the official server. See docs/performance.md.
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { compare, limitedByGenerator, type RowResult } from './lib/compare.ts'
import { type EngineSpec, versionOf } from './lib/engine.ts'
import { painter, ratio, rowText, summaryText } from './lib/table.ts'
import { rows } from './rows/index.ts'

const root = join(import.meta.dirname, '..')
const windows = process.platform === 'win32'

const HELP = `usage: npm run bench [-- ROW ...] [flags]

Measures ngs-server and the official nats-server side by side and prints medians and ratios.

rows (default: all but those with *)
${rows.map((row) => `  ${row.name.padEnd(16)} ${row.title}${row.onlyByName === true ? ' *' : ''}`).join('\n')}

flags
  --engine PATH      the server to measure (default: packages/server/bin/ngs-server)
  --reference PATH   what it is compared with (default: the official nats-server of \`npm run peers\`); "none" for nothing
  --runs N           counted runs per server, alternating (default 5)
  --seconds S        about how long one run takes (default 0.5)
  --amount N         messages (or rounds) per run instead of --seconds
  --no-ceiling       do not measure the load generator's own ceiling
  --json FILE        also write every single figure to FILE
`

function fail(text: string): never {
  process.stderr.write(`${text}\n`)
  process.exit(1)
}

function number(flag: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value < least) fail(`--${flag} ${text}: must be a number, at least ${least}`)
  return value
}

function version(spec: EngineSpec): string {
  try {
    return versionOf(spec)
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      allowNegative: true,
      options: {
        engine: { type: 'string', default: join(root, 'packages/server/bin/ngs-server') },
        reference: { type: 'string', default: join(root, `.peers/bin/nats-server${windows ? '.exe' : ''}`) },
        runs: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '0.5' },
        amount: { type: 'string' },
        ceiling: { type: 'boolean', default: true },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    fail(`${error instanceof Error ? error.message : error}\nnpm run bench -- --help lists rows and flags`)
  }
}

const { values, positionals } = options()
if (values.help) {
  process.stdout.write(HELP)
  process.exit(0)
}
if (process.platform !== 'linux') fail('the bench reads processor time and memory from /proc and needs Linux')
for (const name of positionals) {
  if (rows.some((row) => row.name === name)) continue
  fail(`no row is called ${name}; the rows are ${rows.map((row) => row.name).join(', ')}`)
}
const chosen =
  positionals.length === 0
    ? rows.filter((row) => row.onlyByName !== true)
    : rows.filter((row) => positionals.includes(row.name))
const plan = {
  runs: number('runs', values.runs, 1),
  seconds: number('seconds', values.seconds, 0.05),
  ceiling: values.ceiling,
  ...(values.amount === undefined ? {} : { amount: number('amount', values.amount, 1) }),
}

const paint = painter(process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined)
const specs: EngineSpec[] = [{ name: 'ours', path: resolve(values.engine) }]
if (values.reference !== 'none') {
  if (existsSync(values.reference)) specs.push({ name: 'reference', path: resolve(values.reference) })
  else process.stderr.write(`no ${values.reference}: nothing to compare with. Build it with npm run peers\n`)
}
const versions = specs.map(version)
const machine = { cores: cpus().length, memoryGB: Math.round(totalmem() / 2 ** 30) }
process.stdout.write(`${machine.cores} cores, ${machine.memoryGB} GB; Node ${process.versions.node}\n`)
specs.forEach((spec, i) => {
  process.stdout.write(`${spec.name.padEnd(10)} ${versions[i]}\n`)
})
process.stdout.write('\n')

const live = process.stderr.isTTY === true
const note = (text: string): void => {
  if (live) process.stderr.write(`\r\x1b[2K${text}`)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))

const results: RowResult[] = []
let failed = false
for (const row of chosen) {
  try {
    const result = await compare(row, specs, plan, note)
    note('')
    results.push(result)
    process.stdout.write(`${rowText(result, paint)}\n\n`)
  } catch (error) {
    note('')
    failed = true
    const reason = error instanceof Error ? error.message : String(error)
    process.stdout.write(`${paint('bold', row.title)}\n  ${paint('red', 'FAILED')} ${reason}\n\n`)
  }
}
if (specs.length > 1 && results.length > 1) process.stdout.write(`${summaryText(results, paint)}\n`)
if (values.json !== undefined) writeJson(values.json)
process.exit(failed ? 1 : 0)

function writeJson(file: string): void {
  const report = {
    machine,
    node: process.versions.node,
    engines: specs.map((spec, i) => ({ name: spec.name, version: versions[i] })),
    plan,
    rows: results.map((result) => {
      const [ours, reference] = result.engines
      return {
        name: result.row.name,
        title: result.row.title,
        amount: result.amount,
        workUnit: result.row.workUnit,
        metrics: result.row.metrics.map((metric) => ({
          ...metric,
          ...(ours && reference ? { ratio: ratio(metric, ours, reference) } : {}),
        })),
        engines: result.engines,
        generator: result.ceiling,
        limitedByGenerator: limitedByGenerator(result),
      }
    }),
  }
  writeFileSync(`${file}.tmp`, `${JSON.stringify(report, null, 2)}\n`)
  renameSync(`${file}.tmp`, file)
}
