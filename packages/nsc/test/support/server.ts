import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { Sandbox } from './sandbox.ts'

const PROGRAM = path.resolve(import.meta.dirname, '../../../../.peers/bin/nats-server')

/** Test options: skipped where the official server was not built; in CI that is a failure. */
export const needsServer: { skip: string | false } = {
  skip:
    fs.existsSync(PROGRAM) || process.env['CI'] === 'true'
      ? false
      : 'the official nats-server is not built: npm run peers',
}

/** Starts a server with this configuration on a free port; returns its URL. */
export async function startServer(t: TestContext, sandbox: Sandbox, config: string): Promise<string> {
  const dir = fs.mkdtempSync(path.join(sandbox.home, 'server-'))
  fs.writeFileSync(path.join(dir, 'server.conf'), config)
  const child = spawn(
    PROGRAM,
    ['-c', 'server.conf', '-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', dir],
    {
      cwd: dir,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const ports = path.join(dir, `nats-server_${child.pid}.ports`)
  for (let tries = 0; tries < 200; tries++) {
    if (fs.existsSync(ports)) {
      const text = fs.readFileSync(ports, 'utf8')
      if (text.trim().endsWith('}')) return (JSON.parse(text) as { nats: string[] }).nats[0] ?? ''
    }
    if (child.exitCode !== null) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`the server did not start:\n${log}`)
}
