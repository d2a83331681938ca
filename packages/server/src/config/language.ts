// The configuration language of nats-server: from text to maps, arrays and scalars that know where they stand.
// The words are scanner.ts's; here are their values: sizes, variables, include, and the digest of a whole file.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readProblem } from '../file-problem.ts'
import { type Item, Scanner, SyntaxProblem } from './scanner.ts'

/** A configuration that cannot be used; the text has one problem a line, each with its place where it has one. */
export class ConfigError extends Error {}

/** Where something stands. Columns count bytes: from 0 on line 1, from 1 on later lines, as the official server prints them. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** A value with the position of its key, or its own inside an array. */
export interface ConfigValue {
  readonly value: string | number | bigint | boolean | Date | ConfigMap | ConfigValue[]
  at: Position
  /** Written with a fraction: Go tells 1.0 from 1. */
  readonly float?: true
  /** Some `$NAME` referred to it: it is a variable and may have a name that no option has. */
  used?: true
}

export type ConfigMap = Map<string, ConfigValue>

const INT64 = 63n
const SIZES: ReadonlyMap<string, bigint> = new Map(
  ['k', 'm', 'g', 't', 'p', 'e'].flatMap((letter, i) => {
    const binary = 1024n ** BigInt(i + 1)
    return [
      [letter, 1000n ** BigInt(i + 1)],
      [`${letter}b`, binary],
      [`${letter}i`, binary],
      [`${letter}ib`, binary],
    ] as [string, bigint][]
  }),
)

interface Reading {
  readonly names: Set<string>
  readonly files: Set<string>
}
const newReading = (): Reading => ({ names: new Set(), files: new Set() })

/** Builds values from items. One for each file and for each variable of the environment: scopes do not cross files. */
class Builder {
  readonly root: ConfigMap = new Map()
  readonly #file: string
  /** Names of the environment and files being read, to find a cycle. */
  readonly #reading: Reading
  /** Maps and arrays that are open, outermost first. */
  readonly #open: (ConfigMap | ConfigValue[])[] = [this.root]
  /** Keys that wait for their values. A map left without one (`a { b }`) is given to the innermost. */
  readonly #keys: Item[] = []

  constructor(file: string, reading: Reading) {
    this.#file = file
    this.#reading = reading
  }

  read(text: string): ConfigMap {
    let last: Item | null = null
    const scanner = new Scanner(text, (item) => {
      // A lone closing brace at the end passes for JSON's.
      if (item.kind === 'end' && last?.kind === 'key' && last.text !== '}')
        throw new ConfigError(`config is invalid (${this.#file}:${item.line}:${item.column})`)
      last = item
      this.#take(item)
    })
    try {
      scanner.run()
    } catch (error) {
      if (!(error instanceof SyntaxProblem)) throw error
      throw new ConfigError(`Parse error on line ${error.line}: '${error.message}'`)
    }
    return this.root
  }

  #take(item: Item): void {
    switch (item.kind) {
      case 'key':
        this.#keys.push(item)
        break
      case 'mapStart':
        this.#open.push(new Map())
        break
      case 'arrayStart':
        this.#open.push([])
        break
      case 'mapEnd':
      case 'arrayEnd':
        this.#set(item, this.#open.pop()!)
        break
      case 'string':
        this.#set(item, item.text)
        break
      case 'bool':
        this.#set(item, /^(true|yes|on)$/i.test(item.text))
        break
      case 'integer': {
        const value = integer(item.text)
        if (value !== undefined) this.#set(item, value)
        break
      }
      case 'float':
        if (!Number.isFinite(Number(item.text)))
          throw new ConfigError(`float '${item.text}' is out of the range`)
        this.#set(item, Number(item.text), true)
        break
      case 'datetime':
        this.#set(item, datetime(item.text))
        break
      case 'variable':
        this.#variable(item)
        break
      case 'include':
        this.#include(item)
    }
  }

  #set(item: Item, value: ConfigValue['value'], float = false): void {
    const { line, column } = item
    this.#put({ value, at: { file: this.#file, line, column }, ...(float ? { float } : {}) })
  }

  #put(value: ConfigValue): void {
    const inner = this.#open.at(-1)!
    if (Array.isArray(inner)) {
      inner.push(value)
      return
    }
    const key = this.#keys.pop()!
    value.at = { file: value.at.file, line: key.line, column: key.column }
    inner.set(key.text, value)
  }

  #variable(item: Item): void {
    const found = this.#lookup(item)
    found.used = true
    const { line, column } = item
    this.#put({
      value: found.value,
      at: { file: this.#file, line, column },
      ...(found.float ? { float: true } : {}),
    })
  }

  /** Keys already read, innermost map first; then the environment, whose text is read as a value. */
  #lookup(item: Item): ConfigValue {
    const name = item.text
    const at = { file: this.#file, line: item.line, column: item.column }
    // A bcrypt hash begins with $2a$ and needs no quotes.
    if (name.startsWith('2a$')) return { value: `$${name}`, at }
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const scope = this.#open[i]!
      const found = Array.isArray(scope) ? undefined : scope.get(name)
      if (found !== undefined) return found
    }
    const fail = (why: string): never => {
      throw new ConfigError(`variable reference for '${name}' on line ${item.line} ${why}`)
    }
    const { names } = this.#reading
    if (names.has(name)) fail(`could not be parsed: variable reference cycle for '${name}'`)
    const text = process.env[name]
    if (text === undefined) return fail('can not be found')
    names.add(name)
    try {
      const value = new Builder('', this.#reading).read(`value=${text}`).get('value')
      return value ?? fail('can not be found')
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      return fail(`could not be parsed: ${error.message}`)
    } finally {
      names.delete(name)
    }
  }

  #include(item: Item): void {
    let included: ConfigMap
    try {
      included = parseFile(join(dirname(this.#file), item.text), this.#reading)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      throw new ConfigError(`error parsing include file '${item.text}', ${error.message}`)
    }
    for (const [name, value] of included) {
      this.#keys.push({ kind: 'key', text: name, line: value.at.line, column: value.at.column })
      this.#put(value)
    }
  }
}

/** undefined for a size that does not exist (`1kbb`), which the official server drops without a word. */
function integer(text: string): number | bigint | undefined {
  const [, digits, suffix] = /^([-\d]*)(.*)$/s.exec(text)!
  const number = BigInt(digits!)
  if (BigInt.asIntN(64, number) !== number) throw new ConfigError(`integer '${digits}' is out of the range`)
  const factor = suffix === '' ? 1n : SIZES.get(suffix!.toLowerCase())
  if (factor === undefined) return undefined
  const value = BigInt.asIntN(Number(INT64) + 1, number * factor)
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function datetime(text: string): Date {
  const date = new Date(text)
  if (Number.isNaN(date.getTime()) || date.toISOString() !== text.replace('Z', '.000Z'))
    throw new ConfigError(`expected Zulu formatted DateTime, but got '${text}'`)
  return date
}

export interface ParsedConfig {
  readonly root: ConfigMap
  /** `sha256:` and the hash, in hex, of the file's values as canonical JSON: layout, comments and order do not change it. */
  readonly digest: string
}

/** @throws ConfigError with the place and what is wrong there. */
export function parseConfigFile(file: string): ParsedConfig {
  const root = parseFile(file, newReading())
  return { root, digest: digestOf(root) }
}

function parseFile(file: string, reading: Reading): ConfigMap {
  const { files } = reading
  const path = resolve(file)
  if (files.has(path)) throw new ConfigError(`${file} includes itself`)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(readProblem(error as NodeJS.ErrnoException, file))
  }
  files.add(path)
  const root = new Builder(file, reading).read(text)
  files.delete(path)
  return root
}

function digestOf(root: ConfigMap): string {
  const hash = createHash('sha256')
  hash.update(`${json(root)}\n`)
  return `sha256:${hash.digest('hex')}`
}

/** JSON as Go writes it: keys in the order of their bytes, and `<>&` escaped. */
function json(value: ConfigValue['value']): string {
  if (value instanceof Map) {
    const keys = [...value.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    return `{${keys.map((key) => `${quoted(key)}:${json(value.get(key)!.value)}`).join(',')}}`
  }
  if (Array.isArray(value)) return `[${value.map((item) => json(item.value)).join(',')}]`
  if (value instanceof Date) return quoted(value.toISOString().replace('.000Z', 'Z'))
  if (typeof value === 'string') return quoted(value)
  return Object.is(value, -0) ? '-0' : `${value}`
}

const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
