// Real processes for the tests of ngs: every one that a test starts is gone when the test ends.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

export const root = join(import.meta.dirname, '../../..')
export const ngsProgram = join(root, 'packages/cli/src/main.ts')
export const official = join(root, '.peers/bin/nats-server')

/** What a test that needs the official server passes as its options; in CI it has to be there. */
export function needsOfficial(): { skip: string | false } {
  if (existsSync(official)) return { skip: false }
  if (process.env['CI'] === 'true') throw new Error('CI has to have the official nats-server: npm run peers')
  return { skip: 'needs the official nats-server: npm run peers' }
}

export function tempDir(t: Pick<TestContext, 'after'>): string {
  const dir = mkdtempSync(join(tmpdir(), 'ngs-cli-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** Waits for a condition; fails after `timeout` milliseconds. */
export async function waitFor<T>(
  get: () => T | Promise<T>,
  what: string,
  timeout = 20_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const end = Date.now() + timeout
  for (;;) {
    const value = await get()
    if (value) return value as NonNullable<Exclude<T, false>>
    if (Date.now() > end) throw new Error(`waited ${timeout} ms for ${what}`)
    await sleep(10)
  }
}

export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

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
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [ngsProgram, ...args], {
      env,
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

export interface Urls {
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
  static launch(t: Pick<TestContext, 'after'>, dataDir: string, args: readonly string[] = []): Up {
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

  static async start(
    t: Pick<TestContext, 'after'>,
    dataDir: string,
    args: readonly string[] = [],
  ): Promise<Up> {
    // One that a killed run has left would be taken for this run's.
    rmSync(`${dataDir}-ports.json`, { force: true })
    const up = Up.launch(t, dataDir, args)
    await up.ready()
    return up
  }

  /** The URLs, once the ports file is there. */
  async ready(): Promise<Urls> {
    await waitFor(() => existsSync(this.#portsFile) || this.#over, 'the ports file')
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
