// Real processes for the tests of ngs: every one that a test starts is gone when the test ends.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type Cleanup, type Outcome, run, waitFor } from '@ngs/testkit'

export const root = join(import.meta.dirname, '../../..')
const ngsProgram = join(root, 'packages/cli/src/main.ts')

/** A person's machine: an empty home and nothing of ours in the environment. */
export function environment(home: string, extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
    ...extra,
  }
}

/** Runs one ngs command to its end. */
export function ngs(args: readonly string[], env: NodeJS.ProcessEnv, cwd?: string): Promise<Outcome> {
  return run(process.execPath, [ngsProgram, ...args], {
    env,
    ...(cwd === undefined ? {} : { cwd }),
    timeout: 60_000,
  })
}

/** What a server says first, or null when nothing listens there. */
export function greeting(url: string): Promise<string | null> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    socket.once('data', (chunk) => {
      socket.destroy()
      resolve(chunk.toString())
    })
    socket.once('error', () => resolve(null))
  })
}

interface Urls {
  nats: string
  websocket?: string
  monitoring?: string
  http: string
}

/** A running `ngs up`. */
export class Up {
  readonly child: ChildProcess
  readonly dataDir: string
  readonly #portsFile: string
  stdout = ''
  stderr = ''
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>
  #over = false

  private constructor(child: ChildProcess, dataDir: string, portsFile: string) {
    this.child = child
    this.dataDir = dataDir
    this.#portsFile = portsFile
    child.stdout?.on('data', (chunk) => {
      this.stdout += chunk
    })
    child.stderr?.on('data', (chunk) => {
      this.stderr += chunk
    })
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        this.#over = true
        resolve(code ?? signal ?? '')
      })
    })
  }

  /** Launches it; see {@link ready}. The whole group is killed after the test. */
  static launch(t: Cleanup, dataDir: string, args: readonly string[] = []): Up {
    const portsFile = `${dataDir}-ports.json`
    const free = ['--port', '0', '--ws-port', '0', '--monitor-port', '0', '--http-port', '0']
    const ports = args.includes('--nats-url') ? ['--http-port', '0'] : free
    const child = spawn(
      process.execPath,
      [ngsProgram, 'up', '--data-dir', dataDir, ...ports, '--ports-file', portsFile, ...args],
      { env: environment(`${dataDir}-home`), stdio: ['ignore', 'pipe', 'pipe'], detached: true },
    )
    const up = new Up(child, dataDir, portsFile)
    t.after(async () => {
      try {
        process.kill(-child.pid!, 'SIGKILL')
      } catch {
        // All gone already.
      }
      await up.ended
    })
    return up
  }

  static async start(t: Cleanup, dataDir: string, args: readonly string[] = []): Promise<Up> {
    // One that a killed run has left would be taken for this run's.
    rmSync(`${dataDir}-ports.json`, { force: true })
    const up = Up.launch(t, dataDir, args)
    await up.ready()
    return up
  }

  /** The URLs, once the ports file is there. */
  async ready(): Promise<Urls> {
    await waitFor(() => existsSync(this.#portsFile) || this.#over, {
      what: 'the ports file',
    })
    if (!existsSync(this.#portsFile)) throw new Error(`ngs up ended early: ${this.stdout}${this.stderr}`)
    return this.urls
  }

  get urls(): Urls {
    return JSON.parse(readFileSync(this.#portsFile, 'utf8')) as Urls
  }

  get portsFile(): string {
    return this.#portsFile
  }

  /** The process id of the message server it runs at the moment. */
  get serverPid(): number | null {
    const { server } = JSON.parse(readFileSync(join(this.dataDir, 'up.lock'), 'utf8'))
    return server?.pid ?? null
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    this.child.kill(signal)
    return this.ended
  }
}
