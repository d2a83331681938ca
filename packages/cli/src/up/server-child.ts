// Runs the message server as a child process and keeps it running: our own or the official one, same configuration
// file, same flags.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CliError, reasonOf } from '../errors.ts'

export interface ServerChildOptions {
  /** The configuration file. */
  config: string
  /** A folder of its own, emptied before each start: the server writes its ports file there when it listens. */
  runDir: string
  /** An executable that takes nats-server's flags; ours when missing. */
  engine?: string
  /** Gets each line of the server's log. */
  log: (line: string) => void
  /** Is told of the process id at every start, and null when it has ended. */
  onProcess: (pid: number | null) => void
  /** Is told when a server that was running ends by itself and will be started again. */
  onRestart: (how: string, delayMs: number) => void
  /** Is told when a restarted server is ready. */
  onBack: () => void
}

/** First and longest pause before a restart, and how long a server must run for the pauses to begin anew. */
const FIRST_PAUSE = 250
const LONGEST_PAUSE = 10_000
const HEALTHY_AFTER = 30_000
/** How long the server may take to end by itself. */
const STOP_WITHIN = 5_000

export class ServerChild {
  readonly #options: ServerChildOptions
  #state: 'starting' | 'running' | 'waiting' | 'stopping' | 'stopped' = 'starting'
  #child: ChildProcess | null = null
  #pause = FIRST_PAUSE
  #timer: NodeJS.Timeout | null = null
  #lastLines: string[] = []

  private constructor(options: ServerChildOptions) {
    this.#options = options
  }

  /**
   * Starts the server; resolves when it listens.
   * @throws CliError server-failed with the reason the server gave, when it ends before
   */
  static async start(options: ServerChildOptions, signal: AbortSignal): Promise<ServerChild> {
    const server = new ServerChild(options)
    signal.addEventListener('abort', () => void server.stop(), { once: true })
    await server.#launch()
    return server
  }

  /** Stops the server for good; resolves when it has ended. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    const child = this.#child
    if (child === null || this.#state === 'stopped') {
      this.#state = 'stopped'
      return
    }
    const first = this.#state !== 'stopping'
    this.#state = 'stopping'
    const ended = new Promise<void>((resolve) => {
      if (hasEnded(child)) resolve()
      else child.once('close', () => resolve())
    })
    if (first) child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN)
    await ended
    clearTimeout(timer)
    this.#state = 'stopped'
  }

  /** One start; resolves when the ports file is there, rejects when the child ends before. */
  async #launch(): Promise<void> {
    const { config, runDir, engine } = this.#options
    rmSync(runDir, { recursive: true, force: true })
    mkdirSync(runDir, { recursive: true, mode: 0o700 })
    const args = ['-c', config, '--ports_file_dir', runDir]
    const child =
      engine === undefined
        ? spawn(process.execPath, [ownServer(), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
        : spawn(engine, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    // However this process ends, short of being killed: its server does not stay.
    const last = (): void => void child.kill('SIGTERM')
    process.once('exit', last)
    child.once('close', () => process.off('exit', last))
    this.#lastLines = []
    this.#collect(child.stdout)
    this.#collect(child.stderr)
    let failure: Error | null = null
    child.once('error', (error) => {
      failure = error
    })
    const began = Date.now()
    // 'close' and not 'exit': the server's last words have been read by then.
    const closed = new Promise<void>((resolve) => {
      child.once('close', (code, signal) => {
        this.#ended(code === null ? `${signal}` : `exit code ${code}`, began)
        resolve()
      })
    })
    if (child.pid !== undefined) this.#options.onProcess(child.pid)
    while (!listens(runDir, child.pid)) {
      if (failure !== null || hasEnded(child)) {
        await closed
        throw this.#startError(child, failure)
      }
      await sleep(5)
    }
    if (this.#state === 'starting') this.#state = 'running'
  }

  #startError(child: ChildProcess, failure: Error | null): CliError {
    const name = this.#options.engine ?? 'the message server'
    if (failure !== null) {
      const code = (failure as NodeJS.ErrnoException).code
      const why =
        code === 'ENOENT'
          ? 'there is no such file'
          : code === 'EACCES'
            ? 'it is not executable'
            : reasonOf(failure)
      return new CliError(
        'server-failed',
        `cannot run ${name}: ${why}; name the executable of a message server with --engine`,
      )
    }
    const words = this.#lastLines.findLast((line) => /\[FTL\]|\[ERR\]/.test(line)) ?? this.#lastLines.at(-1)
    const reason =
      words?.replace(/^.*\[(?:FTL|ERR)\]\s*/, '') ?? `it ended with ${child.exitCode ?? child.signalCode}`
    return new CliError(
      'server-failed',
      `${name} did not start: ${reason} (configuration: ${this.#options.config})`,
    )
  }

  #ended(how: string, began: number): void {
    this.#options.onProcess(null)
    if (this.#state !== 'running') return
    if (Date.now() - began > HEALTHY_AFTER) this.#pause = FIRST_PAUSE
    this.#restartLater(how)
  }

  #restartLater(how: string): void {
    const pause = this.#pause
    this.#pause = Math.min(pause * 2, LONGEST_PAUSE)
    this.#state = 'waiting'
    // Told only now: a Ctrl-C ends the server too, and it may be quicker than our own signal handler.
    this.#timer = setTimeout(() => {
      this.#options.onRestart(how, pause)
      this.#state = 'starting'
      this.#launch().then(
        () => this.#options.onBack(),
        (error) => {
          if (this.#state === 'starting') this.#restartLater(reasonOf(error))
        },
      )
    }, pause)
  }

  #collect(stream: NodeJS.ReadableStream): void {
    let rest = ''
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!.slice(-4000)
      for (const line of lines) this.#line(line)
    })
    stream.on('end', () => {
      if (rest !== '') this.#line(rest)
    })
  }

  #line(line: string): void {
    if (line.trim() === '') return
    this.#lastLines.push(line)
    if (this.#lastLines.length > 50) this.#lastLines.shift()
    this.#options.log(line)
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** Whether the server with this process id has written its ports file, which it does once everything listens. */
function listens(dir: string, pid: number | undefined): boolean {
  return pid !== undefined && readdirSync(dir).some((name) => name.endsWith(`_${pid}.ports`))
}

/** Our own server's program, next to the package's entry. Run, never imported. */
function ownServer(): string {
  return fileURLToPath(new URL('./main.ts', import.meta.resolve('@ngs/server')))
}
