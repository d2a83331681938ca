// Runs a message server, ours or the official one, from a configuration file.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { needsPeer, peer } from './peers.ts'
import { waitFor } from './wait.ts'

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
  /** Text of the configuration file. `listen` is added unless it or `port` is there. */
  config?: string
  args?: string[]
}

interface Ports {
  nats: string[]
  monitoring?: string[]
  websocket?: string[]
}

export class Engine {
  readonly dir: string
  readonly configFile: string
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  readonly #child: ChildProcess
  #ports: Ports = { nats: [] }
  #log = ''
  #ended = false

  private constructor(dir: string, configFile: string, child: ChildProcess) {
    this.dir = dir
    this.configFile = configFile
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        this.#log += chunk
      })
    }
    this.exited = new Promise((resolve) => {
      child.on('exit', (code, signal) => {
        this.#ended = true
        resolve({ code, signal })
      })
    })
  }

  /** Starts the engine and waits until its ports file says that it listens. With a test (or suite hook) given it is stopped after it. */
  static async start(
    t: { after(task: () => Promise<void>): void } | null,
    options: EngineOptions = {},
  ): Promise<Engine> {
    const dir = mkdtempSync(join(tmpdir(), 'ngs-engine-'))
    const configFile = join(dir, 'server.conf')
    const { config = '' } = options
    const listen = /^\s*(listen|port)\b/m.test(config) ? '' : 'listen: "127.0.0.1:-1"\n'
    writeFileSync(configFile, listen + config.replaceAll('%DIR%', dir))
    const child = spawn(
      options.engine ?? ngsServer,
      ['-c', configFile, '--ports_file_dir', dir, ...(options.args ?? [])],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    const engine = new Engine(dir, configFile, child)
    t?.after(() => engine.stop())
    const portsFile = (): string | undefined => readdirSync(dir).find((name) => name.endsWith('.ports'))
    await waitFor(() => engine.#ended || (portsFile() !== undefined && /Server is ready/.test(engine.#log)), {
      timeout: 15_000,
      what: `the engine to listen:\n${engine.#log}`,
    })
    if (engine.#ended) {
      const log = engine.#log
      await engine.stop()
      throw new Error(`the engine ended early:\n${log}`)
    }
    engine.#ports = await waitFor(
      () => {
        const name = portsFile()
        const text =
          name === undefined || !existsSync(join(dir, name)) ? '' : readFileSync(join(dir, name), 'utf8')
        return text === '' ? null : (JSON.parse(text) as Ports)
      },
      { what: 'the ports file' },
    )
    return engine
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
  log(): string {
    return this.#log
  }
  waitForLog(pattern: RegExp): Promise<unknown> {
    return waitFor(() => pattern.test(this.#log), { what: `${pattern} in the log:\n${this.#log}` })
  }

  /** JSON of a monitoring endpoint. */
  async monitor<T = Record<string, unknown>>(path: string): Promise<T> {
    const response = await fetch(`${this.monitoringUrl}${path}`)
    return (await response.json()) as T
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal)
  }

  /** SIGTERM, then the hard way; removes its folder. */
  async stop(): Promise<void> {
    if (!this.#ended) {
      this.#child.kill('SIGTERM')
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
      await this.exited
      clearTimeout(timer)
    }
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
}
