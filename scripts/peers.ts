// Builds the official programs that the tests and benchmarks compare ours with, into .peers/bin. Each is pinned by a
// small Go module of its own (scripts/peers/NAME): `go install MODULE@VERSION` needs a list of versions that not
// every module proxy serves, a build inside a module does not.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const bin = join(root, '.peers/bin')

if (spawnSync('go', ['version']).status !== 0) {
  console.error(
    'npm run peers needs Go (https://go.dev/dl) on the PATH: it builds the official nats-server, nsc and nats.',
  )
  console.error('Without them the tests that compare with the official programs are skipped.')
  process.exit(1)
}
mkdirSync(bin, { recursive: true })
let failed = false
for (const name of readdirSync(join(import.meta.dirname, 'peers'))) {
  const module = join(import.meta.dirname, 'peers', name)
  const mod = readFileSync(join(module, 'go.mod'), 'utf8')
  const target = /^tool (\S+)$/m.exec(mod)?.[1]
  if (target === undefined) throw new Error(`${module}/go.mod has no tool line`)
  const output = join(bin, name)
  const fresh = existsSync(output)
  process.stderr.write(`${fresh ? 'Checking' : 'Building'} ${name}...\n`)
  const built = spawnSync('go', ['build', '-mod=mod', '-o', output, target], {
    cwd: module,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' },
  })
  if (built.status !== 0) {
    failed = true
    console.error(`building ${name} failed; the output of go build is above`)
  }
}
if (!failed) console.log(`Official programs are in ${bin}`)
process.exit(failed ? 1 : 0)
