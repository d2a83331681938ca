// JSON as the Go encoder of the official library writes and reads it: int64 without loss, keys matched in any case,
// `<`, `>`, `&` escaped. Tokens are hashed and signed over these bytes, so another spelling is another token.
import { IdentityError } from '../errors.ts'

/** An int64: a number when it is safe, else a bigint. */
export type Int64 = number | bigint

/** A number that is no integer text (fraction or exponent); integer fields refuse it. */
class Fraction {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/** A number that is no plain integer, or one with so many digits that it may not be safe. It stands behind one of three characters. */
const ODD_NUMBER = /(?:^|[:,[])\s*-?\d*(?:\d{16}|\d[.eE])/

/** @throws IdentityError `badToken`. */
export function parseJson(text: string, what: string): unknown {
  const reviver = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    if (typeof value !== 'number') return value
    const source = context?.source ?? `${value}`
    if (!/^-?\d+$/.test(source)) return new Fraction(value)
    return Number.isSafeInteger(value) ? value : BigInt(source)
  }
  try {
    // Asking about every value costs many times the parsing, and almost no token has such a number.
    if (!ODD_NUMBER.test(text)) return JSON.parse(text)
    // The context argument (ECMAScript "JSON.parse source text access") is not in the library types yet.
    return JSON.parse(text, reviver as (this: unknown, key: string, value: unknown) => unknown)
  } catch (error) {
    throw new IdentityError('badToken', `${what} is not JSON: ${(error as Error).message}`)
  }
}

/** Compact JSON with Go's escapes. Undefined members are left out; Maps are not supported. */
export function stringifyJson(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  switch (typeof value) {
    case 'string':
      return goString(value)
    case 'bigint':
      return value.toString()
    case 'object': {
      if (Array.isArray(value)) return `[${value.map(stringifyJson).join(',')}]`
      const members: string[] = []
      for (const [key, member] of Object.entries(value)) {
        if (member !== undefined) members.push(`${goString(key)}:${stringifyJson(member)}`)
      }
      return `{${members.join(',')}}`
    }
    default:
      return JSON.stringify(value)
  }
}

function goString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** What a field of a claim may hold; drives reading, checking and writing alike. */
export type Shape =
  | 'string'
  | 'int64'
  | 'uint'
  | 'bool'
  | 'any'
  | { readonly list: Shape; readonly nullable?: true }
  | { readonly map: Shape }
  | { readonly fields: readonly Field[] }
  | { readonly read: (value: unknown, path: string) => unknown; readonly write: (value: unknown) => unknown }

export interface Field {
  readonly key: string
  readonly shape: Shape
  /** Written even when empty, as struct-valued fields of the official library are. */
  readonly always?: true
  /** Value after reading when the token has none. */
  readonly fill?: unknown
}

const refuse = (path: string, wanted: string, value: unknown): never => {
  const got =
    value instanceof Fraction ? 'a fraction' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
  throw new IdentityError('badToken', `${path}: expected ${wanted}, got ${got}`)
}

/** @throws IdentityError `badToken` naming the path of the first value of a wrong type. */
export function readShape(shape: Shape, value: unknown, path: string): unknown {
  if (value === null || value === undefined) return undefined
  switch (shape) {
    case 'string':
      return typeof value === 'string' ? value : refuse(path, 'a string', value)
    case 'bool':
      return typeof value === 'boolean' ? value : refuse(path, 'a boolean', value)
    case 'int64':
    case 'uint': {
      if (typeof value !== 'number' && typeof value !== 'bigint') return refuse(path, 'an integer', value)
      if (typeof value === 'bigint' && (value > INT64_MAX || value < INT64_MIN))
        return refuse(path, 'a 64-bit integer', value)
      if (shape === 'uint' && value < 0) return refuse(path, 'an integer of 0 or more', value)
      return value
    }
    case 'any':
      return plain(value)
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) return refuse(path, 'an array', value)
    return value.map((item, i) => {
      const read = readShape(shape.list, item, `${path}[${i}]`)
      if (read !== undefined) return read
      return shape.nullable ? null : (zeroOf(shape.list) as unknown)
    })
  }
  if ('read' in shape) return shape.read(value, path)
  if (typeof value !== 'object' || Array.isArray(value) || value instanceof Fraction)
    return refuse(path, 'an object', value)
  if ('map' in shape) {
    const result: Record<string, unknown> = Object.create(null) as Record<string, unknown>
    for (const [key, item] of Object.entries(value))
      result[key] = readShape(shape.map, item, `${path}.${key}`) ?? zeroOf(shape.map)
    return { ...result }
  }
  return readFields(shape.fields, value as Record<string, unknown>, path)
}

function readFields(
  fields: readonly Field[],
  value: Record<string, unknown>,
  path: string,
): Record<string, unknown> {
  const byName = new Map<string, unknown>()
  // Keys match in any case; of several the last one counts.
  for (const [key, item] of Object.entries(value)) byName.set(key.toLowerCase(), item)
  const result: Record<string, unknown> = {}
  for (const field of fields) {
    const read = readShape(
      field.shape,
      byName.get(field.key),
      path === '' ? field.key : `${path}.${field.key}`,
    )
    if (read !== undefined) result[field.key] = read
    else if (field.fill !== undefined) result[field.key] = field.fill
    else if (field.always && typeof field.shape === 'object' && 'fields' in field.shape) {
      result[field.key] = readFields(field.shape.fields, {}, `${path}.${field.key}`)
    }
  }
  return result
}

function zeroOf(shape: Shape): unknown {
  if (shape === 'string') return ''
  if (shape === 'bool') return false
  if (shape === 'int64' || shape === 'uint') return 0
  if (typeof shape !== 'object' || 'read' in shape) return null
  // Like Go, a null where a struct or a list belongs is an empty one.
  if ('list' in shape) return []
  return 'map' in shape ? {} : readFields(shape.fields, {}, '')
}

function plain(value: unknown): unknown {
  if (value instanceof Fraction) return value.value
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
  }
  return value
}

/** The value with its members in the order of the shape and the empty ones left out. */
export function writeShape(shape: Shape, value: unknown): unknown {
  if (value === null || value === undefined || typeof shape === 'string') return value
  if ('list' in shape) return (value as unknown[]).map((item) => writeShape(shape.list, item))
  if ('write' in shape) return shape.write(value)
  if ('map' in shape) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    return Object.fromEntries(entries.map(([key, item]) => [key, writeShape(shape.map, item)]))
  }
  const result: Record<string, unknown> = {}
  for (const field of shape.fields) {
    let item = (value as Record<string, unknown>)[field.key]
    if (!field.always && isEmpty(item)) continue
    if (item === undefined && typeof field.shape === 'object' && 'fields' in field.shape) item = {}
    result[field.key] = writeShape(field.shape, item ?? zeroOf(field.shape))
  }
  return result
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === 0n || value === false)
    return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && Object.keys(value).length === 0
}
