// npm test [-- FILE-OR-PATTERN ...] [--only NAME]: every suite of the repository, or the named test files. Ends with the runner's own summary.
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const patterns = process.argv.slice(2).filter((word) => !word.startsWith('-'))
const flags = process.argv.slice(2).filter((word) => word.startsWith('-'))
const suites = [
  'packages/*/test/**/*.test.ts',
  'packages/server/conformance/**/*.test.ts',
  'testkit/test/**/*.test.ts',
  'bench/test/**/*.test.ts',
  'e2e/**/*.test.ts',
  'docs/test/**/*.test.ts',
]
const files = globSync(patterns.length > 0 ? patterns : suites, {
  cwd: root,
  exclude: ['**/node_modules/**'],
}).sort()
if (files.length === 0) {
  console.error(`no test file matches ${patterns.join(' ')}`)
  process.exit(1)
}
// A test that takes longer than the bound below hangs: better a named failure than a stuck run.
const child = spawn(
  process.execPath,
  ['--test', '--test-timeout=240000', '--test-concurrency=2', ...flags, ...files],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  },
)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
child.on('exit', (code) => process.exit(code ?? 1))
