import { NscError } from '../errors.ts'
import { quote } from '../text.ts'
import {
  type Int64,
  parseBoolean,
  parseByte,
  parseDuration,
  parseInteger,
  parseList,
  parseNumber,
  parseTimestamp,
} from '../values.ts'
import type { FlagSpec } from './flag-spec.ts'

/**
 * The flag grammar of the official program, which scripts rely on and which differs from that of commander:
 * switches take a value only as `--x=false`; everything else always takes the next argument, even `-1`; short
 * switches may be joined (`-AF`) and a short flag may carry its value (`-nbob`, `-n=bob`); flags and arguments mix;
 * `--` ends the flags.
 */

export interface TimeRange {
  start: string
  end: string
}

type Value = string | string[] | boolean | Int64 | TimeRange[]

/** The values of the flags of one call. Asking for a flag that the command does not have is a mistake in its code. */
export class FlagValues {
  private readonly specs = new Map<string, FlagSpec>()
  private readonly given = new Map<string, Value>()

  declare(specs: readonly FlagSpec[]): void {
    for (const spec of specs) this.specs.set(spec.name, spec)
  }

  /** Whether the flag was on the command line. */
  has(name: string): boolean {
    this.specOf(name)
    return this.given.has(name)
  }

  hasAny(...names: string[]): boolean {
    return names.some((name) => this.has(name))
  }

  text(name: string): string {
    return this.get(name, '') as string
  }

  list(name: string): string[] {
    return this.get(name, []) as string[]
  }

  switch(name: string): boolean {
    return this.get(name, false) as boolean
  }

  integer(name: string): Int64 {
    return this.get(name, 0) as Int64
  }

  times(name: string): TimeRange[] {
    return this.get(name, []) as TimeRange[]
  }

  /** The flag's value when given, else what is there already. */
  integerOr(name: string, current: Int64): Int64 {
    return this.has(name) ? this.integer(name) : current
  }

  private get(name: string, empty: Value): Value {
    return this.given.get(name) ?? this.specOf(name).fallback ?? empty
  }

  specOf(name: string): FlagSpec {
    const spec = this.specs.get(name)
    if (!spec) throw new Error(`flag --${name} is not declared by this command`)
    return spec
  }

  /** Sets a flag from its text, as the command line or an answer to a question gives it. */
  set(spec: FlagSpec, text: string): void {
    const before = this.given.get(spec.name)
    this.given.set(spec.name, parseValue(spec, text, before))
  }
}

export function parseValue(spec: FlagSpec, text: string, before: Value | undefined): Value {
  switch (spec.type) {
    case 'text':
      return text
    case 'list':
      return [...((before as string[] | undefined) ?? []), ...parseList(text)]
    case 'switch':
      return parseBoolean(text)
    case 'integer':
    case 'count':
      return parseInteger(text)
    case 'byte':
      return parseByte(text)
    case 'number':
      return parseNumber(text)
    case 'duration':
      return parseDuration(text)
    case 'timestamp':
      return parseTimestamp(text)
    case 'times':
      return [...((before as TimeRange[] | undefined) ?? []), parseTimes(text)]
    case 'zone':
      return parseZone(text)
  }
}

function parseTimes(text: string): TimeRange {
  const parts = text.split('-')
  const [start = '', end = ''] = parts
  const want = 'require format: "15:04:05-15:04:05"'
  if (parts.length !== 2) throw new Error(`${want} got "${text}"`)
  const clock = /^([01]?\d|2[0-3]):[0-5]\d:[0-5]\d$/
  if (!clock.test(start)) throw new Error(`${want} could not parse start time "${start}"`)
  if (!clock.test(end)) throw new Error(`${want} could not parse end time "${end}"`)
  return { start, end }
}

function parseZone(text: string): string {
  if (text === '' || text === 'UTC' || text === 'Local') return text === '' ? 'UTC' : text
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
  } catch {
    throw new Error(`unknown time zone ${text}`)
  }
  return text
}

/** What the arguments of a command say. */
export interface ParsedArguments {
  operands: string[]
  helpAsked: boolean
}

/**
 * Reads arguments into `values`.
 *
 * @param lookup finds a flag by its long or short name
 * @param options `untilOperand`: stop before the first operand, which is left in `rest` with all that follows
 */
export function parseArguments(
  args: readonly string[],
  lookup: (name: string, kind: 'long' | 'short') => { spec: FlagSpec; values: FlagValues } | null,
  options: { untilOperand?: boolean; note: (line: string) => void },
): ParsedArguments & { rest: string[] } {
  const operands: string[] = []
  let helpAsked = false
  let at = 0

  const next = (): string | undefined => args[at++]

  const assign = (found: { spec: FlagSpec; values: FlagValues }, text: string) => {
    const { spec, values } = found
    try {
      values.set(spec, text)
    } catch (thrown) {
      const shown = spec.short ? `-${spec.short}, --${spec.name}` : `--${spec.name}`
      const reason = (thrown as Error).message
      throw flagError(`invalid argument ${quote(text)} for ${quote(shown)} flag: ${reason}`)
    }
    if (spec.deprecated) options.note(`Flag --${spec.name} has been deprecated, ${spec.deprecated}`)
  }

  const long = (arg: string) => {
    const split = arg.indexOf('=')
    const name = split === -1 ? arg.slice(2) : arg.slice(2, split)
    const found = lookup(name, 'long')
    if (!found) {
      if (name === 'help') helpAsked = true
      else throw flagError(`unknown flag: --${name}`)
    } else if (split !== -1) assign(found, arg.slice(split + 1))
    else if (found.spec.type === 'switch') assign(found, 'true')
    else if (found.spec.type === 'count') assign(found, takeCount())
    else {
      const value = next()
      if (value === undefined) throw flagError(`flag needs an argument: --${name}`)
      assign(found, value)
    }
  }

  // The official program reads the number after a bare `--allow-pub-response` as an argument, that is, as the name of
  // the user or account. Nobody means that.
  const takeCount = (): string => (/^\d+$/.test(args[at] ?? '') ? (next() as string) : '1')

  const short = (arg: string) => {
    for (let letters = arg.slice(1); letters !== ''; ) {
      const letter = letters[0] as string
      const tail = letters.slice(1)
      const found = lookup(letter, 'short')
      if (!found) {
        if (letter !== 'h') throw flagError(`unknown shorthand flag: '${letter}' in -${letters}`)
        helpAsked = true
        letters = tail
      } else if (tail.startsWith('=')) {
        assign(found, tail.slice(1))
        return
      } else if (found.spec.type === 'switch') {
        assign(found, 'true')
        letters = tail
      } else if (tail !== '') {
        assign(found, tail)
        return
      } else {
        const value = next()
        if (value === undefined) throw flagError(`flag needs an argument: '${letter}' in -${letters}`)
        assign(found, value)
        return
      }
    }
  }

  while (at < args.length) {
    const arg = args[at] as string
    if (arg === '--') {
      operands.push(...args.slice(at + 1))
      at = args.length
    } else if (!arg.startsWith('-') || arg === '-') {
      if (options.untilOperand) break
      operands.push(arg)
      at++
    } else {
      at++
      if (arg.startsWith('--')) long(arg)
      else short(arg)
    }
  }
  return { operands, helpAsked, rest: args.slice(at) }
}

function flagError(text: string): NscError {
  return new NscError('flag', text)
}
