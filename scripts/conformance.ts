// npm run conformance [-- --engine PATH] [FILE ...]: the black-box suite on one engine, ngs-server unless another executable is named.
// Ends with a table of counts per section; a section is a test file.
import { existsSync, globSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'
import { DIFFERENCES } from '../packages/server/conformance/differences.ts'

const root = join(import.meta.dirname, '..')
const { values, positionals } = parseArgs({
  options: {
    engine: { type: 'string' },
    quiet: { type: 'boolean', short: 'q' },
    help: { type: 'boolean', short: 'h' },
  },
  allowPositionals: true,
})
if (values.help) {
  console.log(`usage: npm run conformance -- [--engine PATH] [--quiet] [FILE ...]

  --engine PATH  executable to test (default: ngs-server)
  -q, --quiet    failures and the table only

examples:
  npm run conformance -- --engine .peers/bin/nats-server
  npm run conformance -- -q packages/server/conformance/protocol.test.ts`)
  process.exit(0)
}
const engine = resolve(root, values.engine ?? 'packages/server/bin/ngs-server')
if (!existsSync(engine)) {
  console.error(
    `no executable at ${engine}; npm run peers builds the official one into .peers/bin/nats-server`,
  )
  process.exit(1)
}
const files = globSync(positionals.length > 0 ? positionals : ['packages/server/conformance/**/*.test.ts'], {
  cwd: root,
}).sort()
if (files.length === 0) {
  console.error(`no test file matches ${positionals.join(' ')}`)
  process.exit(1)
}
process.env['NGS_CONFORMANCE_ENGINE'] = engine

interface Counts {
  passed: number
  failed: number
  skipped: number
}
const sections = new Map<string, Counts>()
const failures: string[] = []

const stream = run({ files: files.map((file) => join(root, file)), concurrency: 2, timeout: 120_000 })
for (const [event, field] of [
  ['test:pass', 'passed'],
  ['test:fail', 'failed'],
] as const) {
  stream.on(event, ({ name, file, skip, details }) => {
    if (details.type === 'suite' || file === undefined) return
    const section = basename(file, '.test.ts')
    const counts = sections.get(section) ?? { passed: 0, failed: 0, skipped: 0 }
    sections.set(section, counts)
    counts[skip === undefined ? field : 'skipped']++
    if (field === 'failed') failures.push(`${section}: ${name}`)
  })
}
if (values.quiet) stream.resume()
else stream.compose(spec).pipe(process.stdout)
await new Promise((done) => stream.on('end', done))

const width = Math.max(8, ...[...sections.keys()].map((name) => name.length))
const line = (name: string, { passed, failed, skipped }: Counts): string =>
  `${name.padEnd(width)} ${String(passed).padStart(7)} ${String(failed).padStart(7)} ${String(skipped).padStart(8)}`
const total: Counts = { passed: 0, failed: 0, skipped: 0 }
console.log(`\n${basename(engine)}, by section\n${'section'.padEnd(width)}  passed  failed  skipped`)
for (const [name, counts] of [...sections].sort(([a], [b]) => (a < b ? -1 : 1))) {
  console.log(line(name, counts))
  for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += counts[key]
}
console.log(line('total', total))
console.log(
  `\nIntended differences from the official server (packages/server/conformance/differences.ts): ${DIFFERENCES.length}`,
)
if (failures.length > 0) console.log(`\nfailed:\n${failures.map((name) => `  ${name}`).join('\n')}`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
