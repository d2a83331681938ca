// Typed access to the values of a configuration file, and the collecting of what is wrong with them.
import { MINUTE } from '../options.ts'
import { quoteText } from '../quote.ts'
import { ConfigError, type ConfigMap, type ConfigValue } from './language.ts'

export class Problems {
  readonly errors: string[] = []
  readonly warnings: string[] = []
  error(value: ConfigValue, text: string): void {
    this.errors.push(`${place(value)}: ${text}`)
  }
  warn(value: ConfigValue, text: string): void {
    this.warnings.push(`${place(value)}: ${text}`)
  }
  /** Runs a reader and keeps what it throws. False when it threw. */
  guard(read: () => void): boolean {
    try {
      read()
      return true
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      this.errors.push(error.message)
      return false
    }
  }
  /** The same for an entry of a block that a wrong type ends. */
  guardEntry(read: () => void): void {
    try {
      read()
    } catch (error) {
      if (!(error instanceof ConfigError) || error instanceof WrongTypeError) throw error
      this.errors.push(error.message)
    }
  }
}

/** Where the official server stumbles over a type: it reads nothing more of the whole block then. */
class WrongTypeError extends ConfigError {}

const place = ({ at }: ConfigValue): string => `${at.file}:${at.line}:${at.column}`

/** Ends the reading of a block. */
export function fail(value: ConfigValue, text: string): never {
  throw new ConfigError(`${place(value)}: ${text}`)
}

/** How Go names the type of a value, for the official texts about wrong types. */
export function goType({ value, float }: ConfigValue): string {
  if (value instanceof Map) return 'map[string]interface {}'
  if (Array.isArray(value)) return '[]interface {}'
  if (value instanceof Date) return 'time.Time'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  return float ? 'float64' : 'int64'
}

/** A value as an error text shows it. */
export function shown({ value }: ConfigValue): string {
  if (value instanceof Map) return 'a map'
  if (Array.isArray(value)) return `[${value.map(shown).join(' ')}]`
  return value instanceof Date ? value.toISOString().replace(/T(.*)\.000Z/, ' $1 +0000 UTC') : `${value}`
}

const wrongType = (value: ConfigValue, wanted: string): never => {
  throw new WrongTypeError(
    `${place(value)}: interface conversion: interface {} is ${goType(value)}, not ${wanted}`,
  )
}

export const isString = (value: ConfigValue): value is ConfigValue & { value: string } =>
  typeof value.value === 'string'
export const isInteger = (value: ConfigValue): value is ConfigValue & { value: number | bigint } =>
  (typeof value.value === 'number' || typeof value.value === 'bigint') && value.float !== true

export function asString(value: ConfigValue): string {
  return isString(value) ? value.value : wrongType(value, 'string')
}
export function asInteger(value: ConfigValue): number {
  return isInteger(value) ? Number(value.value) : wrongType(value, 'int64')
}
export function asBoolean(value: ConfigValue): boolean {
  return typeof value.value === 'boolean' ? value.value : wrongType(value, 'bool')
}
export function asMap(value: ConfigValue): ConfigMap {
  return value.value instanceof Map ? value.value : wrongType(value, 'map[string]interface {}')
}
export function asList(value: ConfigValue): ConfigValue[] {
  return Array.isArray(value.value) ? value.value : wrongType(value, '[]interface {}')
}

/** One string or a list of strings; `what` is how errors name it. What is no string is reported and left out. */
export function stringList(value: ConfigValue, what: string, problems: Problems): string[] | undefined {
  if (isString(value)) return [value.value]
  if (!Array.isArray(value.value)) {
    problems.error(value, `error parsing ${what}: unsupported type ${goType(value)}`)
    return undefined
  }
  return value.value.flatMap((item) => {
    if (isString(item)) return [item.value]
    problems.error(item, `error parsing ${what}: unsupported type in array ${goType(item)}`)
    return []
  })
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', MINUTE],
  ['h', 60 * MINUTE],
])
/** Go durations are 64-bit nanoseconds. */
const LONGEST_MS = 2 ** 63 / 1e6

export class DurationError extends Error {}

/** As Go's time package shows a text: what is no printable ASCII as the hex of its bytes. */
function quote(text: string): string {
  const escaped = text
    .replace(/["\\]/g, '\\$&')
    .replace(/[^ -\uffff]|[\u0080-\uffff]/gu, (character) =>
      [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
    )
  return `"${escaped}"`
}

/** A Go duration (`1h30m`, `-1.5s`, `0`) in ms. @throws DurationError with Go's text. */
export function parseDuration(text: string): number {
  const quoted = quote(text)
  const invalid = (): never => {
    throw new DurationError(`time: invalid duration ${quoted}`)
  }
  const [, sign, body] = /^([-+]?)(.*)$/s.exec(text)!
  if (body === '0') return 0
  if (body === '') return invalid()
  let total = 0
  for (let rest = body!; rest !== ''; ) {
    const [part, number, unit] = /^(\d+\.?\d*|\.\d+)?([^.\d]*)/.exec(rest)!
    if (number === undefined) return invalid()
    if (unit === '') throw new DurationError(`time: missing unit in duration ${quoted}`)
    const factor = UNITS.get(unit!)
    if (factor === undefined)
      throw new DurationError(`time: unknown unit ${quote(unit!)} in duration ${quoted}`)
    total += Number(number) * factor
    rest = rest.slice(part.length)
  }
  if (total > LONGEST_MS) return invalid()
  return sign === '-' ? -total : total
}

/** A duration in ms, or the error that `explain` makes of Go's text. */
export function durationOf(value: ConfigValue, explain = (text: string): string => text): number {
  try {
    return parseDuration(asString(value))
  } catch (error) {
    if (!(error instanceof DurationError)) throw error
    return fail(value, explain(error.message))
  }
}

/** A duration: a string, or with a warning a number of seconds. */
export function asDuration(value: ConfigValue, key: string, problems: Problems): number {
  if (isString(value)) return durationOf(value, (text) => `error parsing ${key}: ${text}`)
  problems.warn(value, `invalid use of field "${key}": ${key} should be converted to a duration`)
  return asInteger(value) * 1000
}

/** `host:port`, or a port alone. */
export function asListen(value: ConfigValue): { host: string; port: number } {
  if (isInteger(value)) return { host: '', port: Number(value.value) }
  if (!isString(value)) fail(value, `expected port or host:port, got ${goType(value)}`)
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(value.value)
  if (match === null) return fail(value, `could not parse address string ${quoteText(value.value)}`)
  const [, bracketed, plain, port] = match
  if (!/^[-+]?\d+$/.test(port!)) return fail(value, `could not parse port ${quoteText(port!)}`)
  return { host: bracketed ?? plain!, port: Number(port) }
}

/**
 * Walks the entries of a map by their names in lower case, and as they are written. `read` answers false for a name that it does not know: an error, unless
 * some variable refers to it. False when an entry was of the wrong type.
 */
export function eachEntry(
  map: ConfigMap,
  problems: Problems,
  read: (key: string, value: ConfigValue, name: string) => boolean,
  unknown = (name: string): string => `unknown field ${quoteText(name)}`,
): boolean {
  let whole = true
  for (const [name, value] of map) {
    const read1 = (): void => {
      if (!read(name.toLowerCase(), value, name) && !value.used) problems.error(value, unknown(name))
    }
    if (!problems.guard(read1)) whole = false
  }
  return whole
}

/** Known from the official server, not there yet. */
export const notYet = (value: ConfigValue, name: string, problems: Problems): void =>
  problems.error(value, `${quoteText(name)} is not supported yet`)
