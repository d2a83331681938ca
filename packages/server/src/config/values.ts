// Typed access to the values of a configuration file, and the collecting of what is wrong with them.
import { MINUTE } from '../options.ts'
import { ConfigError, ConfigMap, type ConfigValue } from './language.ts'

export class Problems {
  readonly errors: string[] = []
  readonly warnings: string[] = []
  error(value: ConfigValue, text: string): void {
    this.errors.push(`${place(value)}: ${text}`)
  }
  warn(value: ConfigValue, text: string): void {
    this.warnings.push(`${place(value)}: ${text}`)
  }
}

export const place = ({ at }: ConfigValue): string => `${at.file}:${at.line}:${at.column}`

/** How Go names the type of a value, for the official text about wrong types. */
export function goType({ value, float }: ConfigValue): string {
  if (value instanceof ConfigMap) return 'map[string]interface {}'
  if (Array.isArray(value)) return '[]interface {}'
  if (value instanceof Date) return 'time.Time'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  return float ? 'float64' : 'int64'
}

const wrongType = (value: ConfigValue, wanted: string): ConfigError =>
  new ConfigError(`${place(value)}: interface conversion: interface {} is ${goType(value)}, not ${wanted}`)

export function asString(value: ConfigValue): string {
  if (typeof value.value !== 'string') throw wrongType(value, 'string')
  return value.value
}
export function asInteger(value: ConfigValue): number {
  if ((typeof value.value !== 'number' && typeof value.value !== 'bigint') || value.float)
    throw wrongType(value, 'int64')
  return Number(value.value)
}
export function asBoolean(value: ConfigValue): boolean {
  if (typeof value.value !== 'boolean') throw wrongType(value, 'bool')
  return value.value
}
export function asMap(value: ConfigValue): ConfigMap {
  if (!(value.value instanceof ConfigMap)) throw wrongType(value, 'map[string]interface {}')
  return value.value
}
/** One string, or a list of strings. */
export function asStrings(value: ConfigValue): string[] {
  return Array.isArray(value.value) ? value.value.map(asString) : [asString(value)]
}

const UNITS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: MINUTE,
  h: 60 * MINUTE,
}

/** A Go duration in ms; undefined when the text is none. */
export function goDuration(text: string): number | undefined {
  if (text === '0') return 0
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))*$/.test(text))
    return undefined
  let total = 0
  for (const [, number, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g))
    total += Number(number) * UNITS[unit!]!
  return text.startsWith('-') ? -total : total
}

/** A duration: a string, or with a warning a number of seconds. */
export function asDuration(value: ConfigValue, key: string, problems: Problems): number {
  if (typeof value.value === 'number') {
    problems.warn(value, `invalid use of field "${key}": ${key} should be converted to a duration`)
    return value.value * 1000
  }
  const text = asString(value)
  const duration = goDuration(text)
  if (duration === undefined)
    throw new ConfigError(
      `${place(value)}: error parsing ${key}: time: invalid duration ${JSON.stringify(text)}`,
    )
  return duration
}

/** Runs each reader, collecting what it throws. */
export function collect(problems: Problems, read: () => void): void {
  try {
    read()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.errors.push(error.message)
  }
}

/** Walks the entries of a map by their names in lower case; unknown ones are errors unless some variable refers to them. */
export function eachEntry(
  map: ConfigMap,
  problems: Problems,
  read: (key: string, value: ConfigValue) => boolean,
  unknown = (name: string): string => `unknown field "${name}"`,
): void {
  for (const [name, value] of map.entries) {
    collect(problems, () => {
      if (!read(name.toLowerCase(), value) && !map.used.has(name)) problems.error(value, unknown(name))
    })
  }
}
