// Log lines in the form of the official server: `[PID] YYYY/MM/DD HH:MM:SS.micros [LVL] text` on stderr or in a file.
import { openSync, writeSync } from 'node:fs'

export interface Logger {
  info(text: string): void
  warn(text: string): void
  error(text: string): void
  fatal(text: string): void
  debug(text: string): void
  trace(text: string): void
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

export interface LogOptions {
  file: string
  debug: boolean
  trace: boolean
  time: boolean
  utc: boolean
}

export function createLogger(options: LogOptions): Logger {
  const descriptor = options.file === '' ? 2 : openSync(options.file, 'a', 0o640)
  const colour = descriptor === 2 && process.stderr.isTTY === true
  const line = (level: Level, text: string): void => {
    const label = colour ? `[\x1b[${COLOURS[level]}m${level}\x1b[0m]` : `[${level}]`
    const time = options.time ? ` ${timestamp(options.utc)}` : ''
    try {
      writeSync(descriptor, `[${process.pid}]${time} ${label} ${text}\n`)
    } catch {
      // A full disk or a closed pipe must not take the server down.
    }
  }
  return {
    info: (text) => line('INF', text),
    warn: (text) => line('WRN', text),
    error: (text) => line('ERR', text),
    fatal: (text) => line('FTL', text),
    debug: options.debug ? (text) => line('DBG', text) : () => {},
    trace: options.trace ? (text) => line('TRC', text) : () => {},
    debugOn: options.debug,
    traceOn: options.trace,
  }
}

function timestamp(utc: boolean): string {
  const now = new Date()
  const local = utc ? now : new Date(now.getTime() - now.getTimezoneOffset() * 60_000)
  const iso = local.toISOString()
  const micros = `${iso.slice(20, 23)}${String(Math.floor((performance.now() * 1000) % 1000)).padStart(3, '0')}`
  return `${iso.slice(0, 10).replaceAll('-', '/')} ${iso.slice(11, 19)}.${micros}`
}
