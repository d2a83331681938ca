// npm run bench [-- ROW ...]: side-by-side benchmarks against the official server. See docs/performance.md.
import { existsSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { curves } from './curves/index.ts'
import { compare, type RowResult } from './lib/compare.ts'
import { type CurveResult, drawCurve } from './lib/curve.ts'
import { writeDocs } from './lib/docs.ts'
import { type EngineSpec, versionOf } from './lib/engine.ts'
import { mergeReport, type RowRecord, readReport, rowRecord, writeWhole } from './lib/results.ts'
import { barChart } from './lib/svg.ts'
import { curveText, painter, rowText, summaryText } from './lib/table.ts'
import { rows } from './rows/index.ts'

const root = join(import.meta.dirname, '..')
const windows = process.platform === 'win32'

const HELP = `usage: npm run bench [-- ROW ...] [flags]
       npm run bench -- --curves [CURVE ...] [flags]
       npm run bench -- --docs

Measures ngs-server and the official nats-server side by side and prints medians and ratios.

rows (default: all but those with *)
${rows.map((row) => `  ${row.name.padEnd(16)} ${row.title}${row.onlyByName === true ? ' *' : ''}`).join('\n')}

curves (with --curves; default: all)
${curves.map(({ name, axis, points }) => `  ${name.padEnd(16)} ${points[0]} to ${points.at(-1)} ${axis}`).join('\n')}

flags
  --curves           scale curves instead of rows
  --docs             writes the figures of --results into docs/performance.md and docs/pictures; measures nothing
  --results DIR      where rows.json, rows.svg and curves.json are kept (default bench/results); "none" keeps nothing
  --most N           leaves out the points of curves above N
  --engine PATH      the server to measure (default: packages/server/bin/ngs-server)
  --reference PATH   what it is compared with (default: the official nats-server of \`npm run peers\`); "none" for nothing
  --runs N           counted runs per server, alternating (default 5; curves 2)
  --seconds S        about how long one run takes (default 0.5; curves 0.25)
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
        runs: { type: 'string' },
        seconds: { type: 'string' },
        amount: { type: 'string' },
        ceiling: { type: 'boolean', default: true },
        json: { type: 'string' },
        curves: { type: 'boolean', default: false },
        docs: { type: 'boolean', default: false },
        most: { type: 'string' },
        results: { type: 'string', default: join(root, 'bench/results') },
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
const kept = (name: string): string => join(values.results, name)
if (values.docs) {
  writeDocs(
    join(root, 'docs'),
    readReport<RowRecord>(kept('rows.json')),
    readReport<CurveResult>(kept('curves.json')),
  )
  process.exit(0)
}
if (process.platform !== 'linux') fail('the bench reads processor time and memory from /proc and needs Linux')
for (const name of positionals) {
  const names = (values.curves ? curves : rows).map((one) => one.name)
  if (!names.includes(name))
    fail(`no ${values.curves ? 'curve' : 'row'} is called ${name}; there are ${names.join(', ')}`)
}
const chosen =
  positionals.length === 0
    ? rows.filter((row) => row.onlyByName !== true)
    : rows.filter((row) => positionals.includes(row.name))
const plan = {
  runs: number('runs', values.runs ?? (values.curves ? '2' : '5'), 1),
  seconds: number('seconds', values.seconds ?? (values.curves ? '0.25' : '0.5'), 0.05),
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

const circumstances = {
  machine,
  node: process.versions.node,
  engines: specs.map((spec, i) => ({ name: spec.name, version: versions[i] })),
}
let failed = false
if (values.curves) await drawCurves()
else await measureRows()
process.exit(failed ? 1 : 0)

function failure(title: string, error: unknown): void {
  note('')
  failed = true
  const reason = error instanceof Error ? error.message : String(error)
  process.stdout.write(`${paint('bold', title)}\n  ${paint('red', 'FAILED')} ${reason}\n\n`)
}

async function measureRows(): Promise<void> {
  const results: RowResult[] = []
  for (const row of chosen) {
    try {
      const result = await compare(row, specs, plan, note)
      note('')
      results.push(result)
      process.stdout.write(`${rowText(result, paint)}\n\n`)
      keepRows([result])
    } catch (error) {
      failure(row.title, error)
    }
  }
  if (specs.length > 1 && results.length > 1) process.stdout.write(`${summaryText(results, paint)}\n`)
  if (values.json !== undefined) {
    const report = { ...circumstances, plan, rows: results.map(rowRecord) }
    writeWhole(values.json, `${JSON.stringify(report, null, 2)}\n`)
  }
}

/** After each row, so that what was measured survives whatever comes. */
function keepRows(results: readonly RowResult[]): void {
  if (values.results === 'none' || specs.length < 2) return
  const names = rows.map(({ name }) => name)
  const report = mergeReport(kept('rows.json'), circumstances, results.map(rowRecord), names)
  writeWhole(kept('rows.svg'), barChart(report.results))
}

async function drawCurves(): Promise<void> {
  const drawn: CurveResult[] = []
  const most = values.most === undefined ? {} : { most: number('most', values.most, 1) }
  for (const curve of curves) {
    if (positionals.length > 0 && !positionals.includes(curve.name)) continue
    try {
      const result = await drawCurve(curve, specs, { runs: plan.runs, seconds: plan.seconds, ...most }, note)
      note('')
      drawn.push(result)
      process.stdout.write(`${curveText(result, paint)}\n`)
      if (values.results === 'none' || specs.length < 2) continue
      const names = curves.map(({ name }) => name)
      mergeReport(kept('curves.json'), circumstances, [result], names)
    } catch (error) {
      failure(`curve ${curve.name}`, error)
    }
  }
  if (values.json !== undefined)
    writeWhole(values.json, `${JSON.stringify({ ...circumstances, curves: drawn }, null, 2)}\n`)
}
