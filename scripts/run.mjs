// Runs one of the workspace's tasks after doing whatever set-up is missing. Plain JavaScript, because it
// must run on any Node >= 20: the pinned Node, which runs TypeScript directly, is one of the things it installs.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const windows = process.platform === 'win32'
const pinnedNode = join(root, 'node_modules/node/bin', windows ? 'node.exe' : 'node')
const tool = (path) => join(root, 'node_modules', path)

/** Each task: the steps it runs in order, every step the arguments of the pinned Node. */
const tasks = {
  start: (args) => [['packages/cli/src/main.ts', 'up', ...args]],
  test: (args) => [['scripts/test.ts', ...args]],
  conformance: (args) => [['scripts/conformance.ts', ...args]],
  bench: (args) => [['bench/main.ts', ...args]],
  'bench:nsc': (args) => [['bench/nsc/main.ts', ...args]],
  fuzz: (args) => [['fuzz/main.ts', ...args]],
  peers: (args) => [['scripts/peers.ts', ...args]],
  check: () => [
    [tool('typescript/bin/tsc'), '--noEmit'],
    [tool('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'],
  ],
  format: () => [[tool('@biomejs/biome/bin/biome'), 'check', '--write', '.']],
}

/** Installs from the lock file unless the last install was of this very lock file. */
function setUp() {
  const stamp = join(root, 'node_modules/.installed')
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(pinnedNode)) return
  process.stderr.write('Installing dependencies (once)...\n')
  const npm = process.env.npm_execpath
  const command = npm ? [process.execPath, npm] : [windows ? 'npm.cmd' : 'npm']
  const done = spawnSync(
    command[0],
    [...command.slice(1), 'ci', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
      shell: windows && !npm,
    },
  )
  if (done.status !== 0) fail('npm ci failed; its output is above. Is the npm registry reachable?')
  // npm may have been told not to run install scripts; the one of the package `node` fetches the binary.
  if (!existsSync(pinnedNode)) {
    spawnSync(process.execPath, ['installArchSpecificPackage'], {
      cwd: join(root, 'node_modules/node'),
      stdio: ['ignore', 2, 2],
    })
    if (!existsSync(pinnedNode)) fail('the npm package "node" did not install a binary for this platform')
  }
  writeFileSync(stamp, wanted)
}

function fail(text) {
  process.stderr.write(`${text}\n`)
  process.exit(1)
}

function run(args) {
  return new Promise((resolve) => {
    const env = {
      ...process.env,
      PATH: `${dirname(pinnedNode)}${windows ? ';' : ':'}${process.env.PATH ?? ''}`,
    }
    const child = spawn(pinnedNode, args, { cwd: root, stdio: 'inherit', env })
    // A terminal's Ctrl-C reaches the child by itself; a signal sent to this process alone has to be passed on.
    const pass = (signal) => child.kill(signal)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass)
    child.on('error', (error) => fail(`cannot run ${pinnedNode}: ${error.message}`))
    child.on('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, pass)
      resolve(code ?? (signal ? 1 : 0))
    })
  })
}

const [name, ...args] = process.argv.slice(2)
if (name === undefined || !Object.hasOwn(tasks, name)) {
  fail(`usage: node scripts/run.mjs ${Object.keys(tasks).join('|')} [arguments]`)
}
setUp()
let status = 0
for (const step of tasks[name](args)) {
  const code = await run(step)
  if (code !== 0) status = code
}
process.exit(status)
