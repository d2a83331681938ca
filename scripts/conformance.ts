// npm run conformance [-- --engine PATH]: the black-box suite on one engine, ngs-server unless another executable is named.
import { spawn } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const { values, positionals } = parseArgs({
  options: { engine: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  allowPositionals: true,
})
if (values.help) {
  console.log(
    'usage: npm run conformance -- [--engine PATH] [FILE ...]\n\n  --engine PATH  executable to test, for example .peers/bin/nats-server (default: ngs-server)',
  )
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
const child = spawn(process.execPath, ['--test', '--test-timeout=120000', '--test-concurrency=2', ...files], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, NGS_CONFORMANCE_ENGINE: engine },
})
child.on('exit', (code) => process.exit(code ?? 1))
