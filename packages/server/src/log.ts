// Log lines in the form of the official server: `[PID] YYYY/MM/DD HH:MM:SS.micros [LVL] text` on stderr or in a file.
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs'
import { micros } from './clock.ts'
import { rotate } from './log-rotation.ts'
import type { Options } from './options.ts'

/** Where a server writes its log, a line a call. */
export interface Logger {
  info(text: string): void
  warn(text: string): void
  error(text: string): void
  fatal(text: string): void
  debug(text: string): void
  trace(text: string): void
  /** Whether debug and trace lines are wanted: asked before their texts are made. */
  readonly debugOn: boolean
  readonly traceOn: boolean
}

export const SILENT: Logger = {
  info: () => {},
  warn: () => {},
  error: () => {},
  fatal: () => {},
  debug: () => {},
  trace: () => {},
  debugOn: false,
  traceOn: false,
}

const COLOURS = { INF: '32', DBG: '36', WRN: '0;93', ERR: '31', FTL: '31', TRC: '33' } as const
type Level = keyof typeof COLOURS

/** The options that say where and how to log. */
export type LogOptions = Pick<
  Options,
  'logFile' | 'debug' | 'trace' | 'logtime' | 'logtimeUtc' | 'logSizeLimit' | 'logMaxNum'
>

const STDERR = 2
/** Readable by the group, as the official server has it. */
const LOG_MODE = 0o640

/** A log on stderr or in a file, which a reload may move and SIGUSR1 opens anew. */
export class Log implements Logger {
  debugOn = false
  traceOn = false
  #options!: LogOptions
  #descriptor = STDERR
  #colour = false
  /** Bytes in the file, and how many let it be rotated; infinite for never. */
  #size = 0
  #limit = Number.POSITIVE_INFINITY

  /** @throws when the file cannot be opened. */
  constructor(options: LogOptions) {
    this.configure(options)
  }

  /** Logs by these options from now on. @throws when the file cannot be opened; then the log stays as it was. */
  configure(options: LogOptions): void {
    const { logFile } = options
    const descriptor = logFile === '' ? STDERR : openSync(logFile, 'a', LOG_MODE)
    const before = this.#descriptor
    this.#options = { ...options }
    this.#descriptor = descriptor
    if (before !== STDERR) closeSync(before)
    this.debugOn = options.debug
    this.traceOn = options.trace
    this.#colour = descriptor === STDERR && isTerminal()
    this.#size = descriptor === STDERR ? 0 : fstatSync(descriptor).size
    this.#limit =
      descriptor !== STDERR && options.logSizeLimit > 0 ? options.logSizeLimit : Number.POSITIVE_INFINITY
    if (this.#size > this.#limit) this.info('Rotating logfile...')
  }

  /** Opens the file anew, after somebody has moved it. */
  reopen(): void {
    if (this.#options.logFile === '') {
      this.info('File log re-open ignored, not a file logger')
      return
    }
    this.configure(this.#options)
    this.info('File log re-opened')
  }

  info(text: string): void {
    this.#line('INF', text)
  }
  warn(text: string): void {
    this.#line('WRN', text)
  }
  error(text: string): void {
    this.#line('ERR', text)
  }
  fatal(text: string): void {
    this.#line('FTL', text)
  }
  debug(text: string): void {
    if (this.debugOn) this.#line('DBG', text)
  }
  trace(text: string): void {
    if (this.traceOn) this.#line('TRC', text)
  }

  #line(level: Level, text: string): void {
    this.#write(this.#format(level, text))
    if (this.#size > this.#limit) this.#rotate()
  }

  #format(level: Level, text: string): string {
    const { logtime, logtimeUtc } = this.#options
    const label = this.#colour ? `[\x1b[${COLOURS[level]}m${level}\x1b[0m]` : `[${level}]`
    return `[${process.pid}]${logtime ? ` ${timestamp(logtimeUtc)}` : ''} ${label} ${text}${text.endsWith('\n') ? '' : '\n'}`
  }

  #write(line: string): void {
    try {
      this.#size += writeSync(this.#descriptor, line)
    } catch {
      // A full disk or a closed pipe must not take the server down.
    }
  }

  #rotate(): void {
    const { logFile, logMaxNum, logSizeLimit } = this.#options
    try {
      const { descriptor, lines } = rotate(logFile, logMaxNum, () => openSync(logFile, 'a', LOG_MODE))
      closeSync(this.#descriptor)
      this.#descriptor = descriptor
      this.#size = 0
      this.#limit = logSizeLimit
      for (const { level, text } of lines) this.#write(this.#format(level, text))
    } catch (error) {
      this.#limit *= 2
      this.#write(
        this.#format(
          'ERR',
          `Unable to rotate the logfile (${(error as Error).message}), will attempt next rotation at size ${this.#limit}`,
        ),
      )
    }
  }
}

/** As the official server decides on colours: stderr is a character device. */
function isTerminal(): boolean {
  try {
    return fstatSync(STDERR).isCharacterDevice()
  } catch {
    return false
  }
}

function timestamp(utc: boolean): string {
  const now = micros()
  const ms = Math.floor(now / 1000)
  const shown = new Date(utc ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000)
  const iso = shown.toISOString()
  const fraction = iso.slice(20, 23) + String(now % 1000).padStart(3, '0')
  return `${iso.slice(0, 10).replaceAll('-', '/')} ${iso.slice(11, 19)}.${fraction}`
}
