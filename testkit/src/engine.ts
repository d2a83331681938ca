// Runs a message server, ours or the official one, from a configuration file.
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Cleanup, forget, killAtExit } from './cleanup.ts'
import { needsPeer, peer } from './peers.ts'
import { tempFolder } from './temp.ts'
import { DEADLINE_MS, waitFor } from './wait.ts'

export interface EngineUnderTest {
  name: 'ngs-server' | 'nats-server'
  path: string
}

/** Our executable. */
export const ngsServer = join(import.meta.dirname, '../../packages/server/bin/ngs-server')

/** The engine that NGS_CONFORMANCE_ENGINE names, else ours and, where it is built, the official one. */
export function enginesUnderTest(): EngineUnderTest[] {
  const named = process.env['NGS_CONFORMANCE_ENGINE']
  if (named) return [{ name: basename(named) === 'nats-server' ? 'nats-server' : 'ngs-server', path: named }]
  const engines: EngineUnderTest[] = [{ name: 'ngs-server', path: ngsServer }]
  if (needsPeer('nats-server').skip === false)
    engines.push({ name: 'nats-server', path: peer('nats-server') })
  return engines
}

export interface EngineOptions {
  /** Executable; ours by default. */
  engine?: string
  /** Text of the configuration file; `%DIR%` becomes the engine's folder. `listen: "127.0.0.1:-1"` is added unless `listen` or `port` is there. */
  config?: string
  args?: readonly string[]
  /** Folder of the configuration and data; kept afterwards. Without it, one is made and removed. */
  dir?: string
}

interface Ports {
  nats: string[]
  monitoring?: string[]
  websocket?: string[]
}

interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export class Engine {
  /** Folder with the configuration file, the ports file and whatever the configuration puts under `%DIR%`. */
  readonly dir: string
  readonly configFile: string
  /** How it ended, once the log is whole: it and whoever else held its output are gone. */
  readonly exited: Promise<Exit>
  /** It alone is gone. */
  readonly #gone: Promise<void>
  readonly #child: ChildProcess
  readonly #removeDir: () => void
  #ports: Ports = { nats: [] }
  #log = ''
  #ended = false

  private constructor(dir: string, configFile: string, child: ChildProcess, removeDir: () => void) {
    this.dir = dir
    this.configFile = configFile
    this.#child = child
    this.#removeDir = removeDir
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text
      })
    }
    this.#gone = new Promise((resolve) => {
      child.on('exit', () => {
        this.#ended = true
        resolve()
      })
    })
    child.on('error', (error) => {
      this.#log += `${error.message}\n`
      this.#ended = true
    })
    this.exited = new Promise((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal }))
    })
    // In a group of its own, so that `stop` sees whether a child of the engine outlives it.
    if (child.pid !== undefined) killAtExit(child.pid, () => this.#killGroup())
  }

  /**
   * Starts the engine and waits until it listens, as its ports file says. With a test (or a suite's hook) given it is stopped after it.
   * @throws with the engine's log when it ends early or does not listen in time.
   */
  static async start(t: Cleanup | null, options: EngineOptions = {}): Promise<Engine> {
    const { path: dir, remove } =
      options.dir === undefined ? tempFolder() : { path: options.dir, remove: () => {} }
    const configFile = join(dir, 'server.conf')
    const { config = '' } = options
    const listen = /^\s*(listen|port)\b/m.test(config) ? '' : 'listen: "127.0.0.1:-1"\n'
    writeFileSync(configFile, listen + config.replaceAll('%DIR%', dir))
    const child = spawn(
      options.engine ?? ngsServer,
      ['-c', configFile, '--ports_file_dir', dir, ...(options.args ?? [])],
      { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
    )
    const engine = new Engine(dir, configFile, child, remove)
    t?.after(() => engine.stop())
    try {
      const ports = await waitFor(() => engine.#readPorts() ?? (engine.#ended ? 'ended' : null), {
        what: () => `the engine to listen:\n${engine.#log}`,
      })
      if (ports !== 'ended') {
        engine.#ports = ports
        return engine
      }
    } catch (error) {
      await engine.stop()
      throw error
    }
    await engine.stop()
    throw new Error(`the engine ended early:\n${engine.#log}`)
  }

  /** The ports file, once it is whole. */
  #readPorts(): Ports | null {
    const name = readdirSync(this.dir).find((file) => file.endsWith(`_${this.#child.pid}.ports`))
    if (name === undefined) return null
    try {
      return JSON.parse(readFileSync(join(this.dir, name), 'utf8')) as Ports
    } catch {
      return null
    }
  }

  #killGroup(): boolean {
    try {
      return process.kill(-this.pid, 'SIGKILL')
    } catch {
      return false
    }
  }

  /** `nats://host:port` */
  get url(): string {
    return this.#ports.nats[0]!
  }
  get port(): number {
    return Number(new URL(this.url).port)
  }
  get websocketUrl(): string {
    return this.#ports.websocket![0]!
  }
  get monitoringUrl(): string {
    return this.#ports.monitoring![0]!
  }
  get pid(): number {
    return this.#child.pid!
  }

  /** All that the engine wrote on stdout and stderr. */
  log(): string {
    return this.#log
  }
  waitForLog(pattern: RegExp): Promise<unknown> {
    return waitFor(() => pattern.test(this.#log), { what: () => `${pattern} in the log:\n${this.#log}` })
  }

  /** JSON of a monitoring endpoint. */
  async monitor<T = Record<string, unknown>>(path: string): Promise<T> {
    const response = await fetch(`${this.monitoringUrl}${path}`)
    return (await response.json()) as T
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal)
  }

  /**
   * SIGTERM, and SIGKILL when that takes too long; then removes the folder. Idempotent.
   * @throws when the engine leaves a process behind (which is killed).
   */
  async stop(): Promise<void> {
    if (this.#child.pid === undefined) return this.#removeDir()
    if (!this.#ended) this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#killGroup(), DEADLINE_MS)
    await this.#gone
    clearTimeout(timer)
    const leftBehind = this.#killGroup()
    forget(this.#child.pid)
    await this.exited
    this.#removeDir()
    if (leftBehind) throw new Error(`the engine left a process behind:\n${this.#log}`)
  }
}
