// Starts the whole system exactly as a user does, `npm start -- ...`, and stops it the same way.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DEADLINE_MS, freePort, waitFor } from '@ngs/testkit'

export const root = join(import.meta.dirname, '..')

/** What `ngs up --ports-file` writes once everything is ready. */
export interface Urls {
  nats: string
  websocket: string
  monitoring: string
  http: string
}

/** Ports that stay the same over restarts of one system, as an operator's would. */
export interface Ports {
  port: number
  wsPort: number
  monitorPort: number
  httpPort: number
}

export async function choosePorts(): Promise<Ports> {
  const [port, wsPort, monitorPort, httpPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ])
  return { port, wsPort, monitorPort, httpPort }
}

export class System {
  readonly urls: Urls
  readonly banner: () => string
  readonly #child: ChildProcess
  readonly #exit: Promise<number | null>

  private constructor(urls: Urls, child: ChildProcess, exit: Promise<number | null>, banner: () => string) {
    this.urls = urls
    this.#child = child
    this.#exit = exit
    this.banner = banner
  }

  /** `npm start` with a data directory of its own; resolves when the ports file is there. */
  static async start(options: {
    dataDir: string
    ports?: Ports
    engine?: string
    args?: string[]
  }): Promise<System> {
    const portsFile = join(options.dataDir, '..', 'ports.json')
    rmSync(portsFile, { force: true })
    const { port, wsPort, monitorPort, httpPort } = options.ports ?? {
      port: 0,
      wsPort: 0,
      monitorPort: 0,
      httpPort: 0,
    }
    const args = ['--data-dir', options.dataDir, '--host', '127.0.0.1', '--ports-file', portsFile]
    args.push(
      '--port',
      `${port}`,
      '--ws-port',
      `${wsPort}`,
      '--monitor-port',
      `${monitorPort}`,
      '--http-port',
      `${httpPort}`,
    )
    args.push('--region', 'test-1', '--location', 'Testville')
    if (options.engine !== undefined) args.push('--engine', options.engine)
    args.push(...(options.args ?? []))
    const child = spawn('npm', ['start', '--', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that a test can kill everything in it the hard way.
      detached: true,
    })
    let output = ''
    child.stdout?.on('data', (chunk) => {
      output += chunk
    })
    child.stderr?.on('data', (chunk) => {
      output += chunk
    })
    let exited = false
    const exit = new Promise<number | null>((resolve) =>
      child.on('exit', (code) => {
        exited = true
        resolve(code)
      }),
    )
    await waitFor(() => existsSync(portsFile) || exited, {
      timeout: 2 * DEADLINE_MS,
      what: 'the ports file of npm start',
    })
    if (!existsSync(portsFile)) throw new Error(`npm start ended early:\n${output}`)
    const urls = JSON.parse(readFileSync(portsFile, 'utf8')) as Urls
    return new System(urls, child, exit, () => output)
  }

  /** Ctrl-C: the signal goes to the whole foreground group, and every process in it ends by itself. */
  async stop(): Promise<void> {
    const group = -this.#child.pid!
    if (isGone(group)) return
    process.kill(group, 'SIGINT')
    // npm may be gone before what it runs; the exit code of `ngs up` itself is tested with the command.
    await waitFor(() => isGone(group), {
      what: `npm start to end after Ctrl-C:\n${this.banner()}`,
    })
    assert.doesNotMatch(this.banner(), /^\s+at .*\(/m, 'no stack trace at the end')
  }

  /** Power loss: every process of the system at once, no good-byes. */
  async crash(): Promise<void> {
    const group = -this.#child.pid!
    process.kill(group, 'SIGKILL')
    await this.#exit
    await waitFor(() => isGone(group), { what: 'the killed processes to be gone' })
  }
}

/** No process of the group is left. */
function isGone(group: number): boolean {
  try {
    process.kill(group, 0)
    return false
  } catch {
    return true
  }
}
