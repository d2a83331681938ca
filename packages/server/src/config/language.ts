// The configuration language of nats-server: maps, arrays, strings of every kind, sizes, variables, include.
// One pass over the text; every value remembers where its key stands, for messages of the form FILE:LINE:COL.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export class ConfigError extends Error {}

/** Where something stands. Columns count bytes: from 0 on line 1, from 1 on later lines, as the official server prints them. */
export interface Position {
  file: string
  line: number
  column: number
}

/** A value with the position of its key, of the item itself inside arrays. */
export interface ConfigValue {
  value: string | number | bigint | boolean | Date | ConfigMap | ConfigValue[]
  at: Position
  /** Numbers with a fraction, which Go tells from integers. */
  float?: true
}
export class ConfigMap {
  readonly entries = new Map<string, ConfigValue>()
  /** Keys that some `$NAME` referred to: those are variables and exempt from "unknown field". */
  readonly used = new Set<string>()
}

const SUFFIXES: Record<string, bigint> = {}
for (const [i, letter] of ['k', 'm', 'g', 't', 'p', 'e'].entries()) {
  const decimal = 1000n ** BigInt(i + 1)
  const binary = 1024n ** BigInt(i + 1)
  SUFFIXES[letter] = decimal
  for (const end of ['b', 'i', 'ib']) SUFFIXES[letter + end] = binary
}

const isSpace = (c: string): boolean => c === ' ' || c === '\t'
const isNewline = (c: string): boolean => c === '\n' || c === '\r'

class Reader {
  readonly file: string
  readonly text: string
  readonly scopes: ConfigMap[]
  readonly resolving: Set<string>
  position = 0

  constructor(file: string, text: string, scopes: ConfigMap[], resolving = new Set<string>()) {
    this.file = file
    this.text = text
    this.scopes = scopes
    this.resolving = resolving
  }

  fail(text: string): never {
    throw new ConfigError(`Parse error on line ${this.line()}: '${text}'`)
  }
  line(position = this.position): number {
    let line = 1
    for (let i = this.text.indexOf('\n'); i >= 0 && i < position; i = this.text.indexOf('\n', i + 1)) line++
    return line
  }
  at(position: number): Position {
    const line = this.line(position)
    const start = this.text.lastIndexOf('\n', position - 1)
    return {
      file: this.file,
      line,
      column: Buffer.byteLength(this.text.slice(start + 1, position)) + (line === 1 ? 0 : 1),
    }
  }
  peek(): string {
    return this.text[this.position] ?? ''
  }

  /** Blanks, comments and, where they do not matter, newlines. */
  skip(newlines: boolean): void {
    for (;;) {
      const c = this.peek()
      if (isSpace(c) || (newlines && isNewline(c))) this.position++
      else if (c === '#' || (c === '/' && this.text[this.position + 1] === '/')) this.toLineEnd()
      else return
    }
  }
  toLineEnd(): void {
    while (this.position < this.text.length && !isNewline(this.peek())) this.position++
  }

  /** Entries up to the end of the file or, in a map, its brace. */
  entries(map: ConfigMap, inMap: boolean): void {
    for (;;) {
      this.skip(true)
      const c = this.peek()
      if (c === '') {
        if (inMap) this.fail('Unexpected EOF processing map.')
        return
      }
      if (c === '}') {
        if (inMap) {
          this.position++
          return
        }
        this.position++
        continue
      }
      if (c === ',' || c === ';') {
        if (inMap && c === ',' && map.entries.size === 0) this.fail('Unexpected map value terminator ",".')
        this.position++
        continue
      }
      if (c === '=' || c === ':') this.fail(`Unexpected key separator '${c}'`)
      if (c === '{' && !inMap) {
        // The whole file may be wrapped in braces.
        this.position++
        continue
      }
      if (inMap && c === ']') this.fail("Unexpected array end ']' processing map.")
      this.entry(map, inMap)
    }
  }

  entry(map: ConfigMap, inMap: boolean): void {
    const start = this.position
    const quote = this.peek()
    let key: string
    let keyAt: Position
    if (quote === '"' || quote === "'") {
      const end = this.text.indexOf(quote, this.position + 1)
      if (end < 0) this.fail('Unexpected EOF processing map key.')
      key = this.text.slice(this.position + 1, end)
      keyAt = this.at(start + 1)
      this.position = end + 1
    } else {
      while (this.position < this.text.length && !/[\s=:]/.test(this.peek())) this.position++
      key = this.text.slice(start, this.position)
      keyAt = this.at(start)
      if (key.toLowerCase() === 'include' && isSpace(this.peek())) {
        this.include(map)
        return
      }
    }
    this.skip(false)
    let separated = false
    if (this.peek() === '=' || this.peek() === ':') {
      separated = true
      this.position++
    }
    this.skip(inMap || !separated)
    if (isNewline(this.peek())) this.fail('Expected value but found new line')
    if (this.position >= this.text.length || (!separated && this.peek() === '}')) {
      throw new ConfigError(`config is invalid (${keyAt.file}:${keyAt.line}:${keyAt.column})`)
    }
    const value = this.value(keyAt)
    this.endOfValue(inMap)
    map.entries.set(key, value)
  }

  endOfValue(inMap: boolean): void {
    this.skip(false)
    const c = this.peek()
    if (c === '' || isNewline(c) || c === '}') return
    if (c === ',' || c === ';') {
      this.position++
      return
    }
    if (inMap)
      this.fail(`Expected a map value terminator "," or a map terminator "}", but got '${c}' instead.`)
    this.fail(`Expected a top-level value to end with a new line, comment or EOF, but got '${c}' instead.`)
  }

  include(map: ConfigMap): void {
    this.skip(false)
    const quote = this.peek()
    let path: string
    if (quote === '"' || quote === "'") {
      const end = this.text.indexOf(quote, this.position + 1)
      if (end < 0) this.fail('Unexpected EOF in quoted include')
      path = this.text.slice(this.position + 1, end)
      this.position = end + 1
    } else {
      const start = this.position
      while (this.position < this.text.length && !/[\s,;}]/.test(this.peek())) this.position++
      path = this.text.slice(start, this.position)
      if (path === '') this.fail('Expected include value but found new line')
    }
    const file = join(dirname(this.file), path)
    let text: string
    try {
      text = readFileSync(file, 'utf8')
    } catch (error) {
      throw new ConfigError(`error parsing include file '${path}', ${(error as Error).message}`)
    }
    new Reader(file, text, this.scopes, this.resolving).entries(map, false)
  }

  value(at: Position): ConfigValue {
    const c = this.peek()
    if (c === '{') {
      this.position++
      const map = new ConfigMap()
      this.scopes.push(map)
      this.entries(map, true)
      this.scopes.pop()
      return { value: map, at }
    }
    if (c === '[') return this.array(at)
    if (c === '"') return { value: this.doubleQuoted(), at }
    if (c === "'") {
      const end = this.text.indexOf("'", this.position + 1)
      if (end < 0) this.fail('Unexpected EOF.')
      const value = this.text.slice(this.position + 1, end)
      this.position = end + 1
      return { value, at }
    }
    if (c === '(') return { value: this.block(), at }
    return this.bare(at)
  }

  array(at: Position): ConfigValue {
    this.position++
    const items: ConfigValue[] = []
    for (;;) {
      this.skip(true)
      const c = this.peek()
      if (c === '') this.fail('Unexpected EOF.')
      if (c === ']') {
        this.position++
        return { value: items, at }
      }
      if (c === ',') {
        if (items.length === 0) this.fail("Unexpected array value terminator ','.")
        this.position++
        continue
      }
      items.push(this.value(this.at(this.position)))
      this.skip(false)
      const end = this.peek()
      if (end !== ',' && end !== ']' && end !== '' && !isNewline(end)) {
        this.fail(
          `Expected an array value terminator "," or an array terminator "]", but got '${end}' instead.`,
        )
      }
    }
  }

  doubleQuoted(): string {
    let value = ''
    for (this.position++; ; this.position++) {
      const c = this.peek()
      if (c === '') this.fail('Unexpected EOF.')
      if (c === '"') {
        this.position++
        return value
      }
      value += c === '\\' ? this.escape() : c
    }
  }

  escape(): string {
    this.position++
    const c = this.peek()
    const simple: Record<string, string> = { t: '\t', n: '\n', r: '\r', '"': '"', '\\': '\\' }
    if (simple[c] !== undefined) return simple[c]
    if (c !== 'x')
      this.fail(
        `Invalid escape character '${c}'. Only the following escape characters are allowed: \\xXX, \\t, \\n, \\r, \\", \\\\.`,
      )
    const hex = this.text.slice(this.position + 1, this.position + 3)
    if (!/^[0-9a-fA-F]{2}$/.test(hex))
      this.fail(`Expected two hexadecimal digits after '\\x', but got '${hex}'`)
    this.position += 2
    return String.fromCharCode(Number.parseInt(hex, 16))
  }

  block(): string {
    const start = this.position + 1
    const end = /\n\)(?=\r?\n|$)/.exec(this.text.slice(start - 1))
    if (end === null) this.fail('Unexpected EOF processing block.')
    const stop = start - 1 + end.index + 1
    this.position = stop + 1
    return this.text.slice(start, stop)
  }

  /** Unquoted: bool, number, date, variable, or a string up to a blank or terminator. */
  bare(at: Position): ConfigValue {
    const start = this.position
    let value = ''
    let escaped = false
    while (this.position < this.text.length && !/[\s,;\]}']/.test(this.peek())) {
      if (this.peek() === '\\') {
        value += this.escape()
        escaped = true
      } else value += this.peek()
      this.position++
    }
    if (value === '' && !escaped) this.fail(`Expected value but found '${this.peek()}'`)
    if (escaped) return { value, at }
    if (value.startsWith('$') && !value.startsWith('$2a$')) return this.variable(value.slice(1), at, start)
    return scalar(value, at, this)
  }

  variable(name: string, at: Position, start: number): ConfigValue {
    for (let i = this.scopes.length - 1; i >= 0; i--) {
      const found = this.scopes[i]!.entries.get(name)
      if (found !== undefined) {
        this.scopes[i]!.used.add(name)
        return { ...found, at }
      }
    }
    const fromEnvironment = process.env[name]
    if (fromEnvironment === undefined)
      throw new ConfigError(`variable reference for '${name}' on line ${this.line(start)} can not be found`)
    if (this.resolving.has(name)) throw new ConfigError(`variable reference cycle for '${name}'`)
    this.resolving.add(name)
    const inner = new Reader(this.file, fromEnvironment, this.scopes, this.resolving)
    const value = inner.text === '' ? { value: '', at } : inner.value(at)
    this.resolving.delete(name)
    return { ...value, at }
  }
}

function scalar(text: string, at: Position, reader: Reader): ConfigValue {
  const lower = text.toLowerCase()
  if (lower === 'true' || lower === 'yes' || lower === 'on') return { value: true, at }
  if (lower === 'false' || lower === 'no' || lower === 'off') return { value: false, at }
  const integer = /^(-?\d+)([a-z]{0,3})$/i.exec(text)
  if (integer !== null) {
    const suffix = integer[2]!.toLowerCase()
    if (suffix === '' || SUFFIXES[suffix] !== undefined) {
      const value = BigInt(integer[1]!) * (suffix === '' ? 1n : SUFFIXES[suffix]!)
      if (value > 2n ** 63n - 1n || value < -(2n ** 63n))
        throw new ConfigError(`integer '${text}' is out of the range`)
      return { value: Number.isSafeInteger(Number(value)) ? Number(value) : value, at }
    }
  }
  if (/^-?\d+\.\d+$/.test(text)) return { value: Number(text), at, float: true }
  if (/^-?\d+\.$/.test(text))
    reader.fail(`Floats must have a digit after the '.', but got '${reader.peek() || '\\n'}' instead.`)
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return { value: new Date(text), at }
  if (/^\d{4}-/.test(text)) reader.fail('All ISO8601 dates must be in full Zulu form.')
  return { value: text, at }
}

export interface ParsedConfig {
  root: ConfigMap
  /** `sha256:HEX` over the canonical JSON of what was read. */
  digest: string
}

/** @throws ConfigError with the place and what is wrong there. */
export function parseConfigFile(file: string): ParsedConfig {
  if (!existsSync(file))
    throw new ConfigError(`error opening config file: open ${file}: no such file or directory`)
  return parseConfig(readFileSync(file, 'utf8'), file)
}

export function parseConfig(text: string, file = ''): ParsedConfig {
  const root = new ConfigMap()
  new Reader(file, text, [root]).entries(root, false)
  return {
    root,
    digest: `sha256:${createHash('sha256')
      .update(`${canonical({ value: root, at: { file, line: 0, column: 0 } })}\n`)
      .digest('hex')}`,
  }
}

function canonical({ value, float }: ConfigValue): string {
  if (value instanceof ConfigMap) {
    const keys = [...value.entries.keys()].sort()
    return `{${keys.map((key) => `${goJson(key)}:${canonical(value.entries.get(key)!)}`).join(',')}}`
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value instanceof Date) return goJson(value.toISOString().replace('.000Z', 'Z'))
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'string') return goJson(value)
  if (float) return `${value}`
  return JSON.stringify(value)
}

const goJson = (text: string): string =>
  JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
