import { NscError } from '../errors.ts'
import { quote } from '../text.ts'
import {
  type Int64,
  parseBoolean,
  parseDuration,
  parseInteger,
  parseList,
  parseNumber,
  parseTimestamp,
  parseUnsigned,
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
      return parseUnsigned(text, 255n)
    case 'unsigned':
      return parseUnsigned(text, 2n ** 63n - 1n)
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
  const known = zoneLike(text)
  // Servers know zones by their exact names: others would be refused when the user connects.
  if (known !== text)
    throw new Error(`unknown time zone ${text}${known === null ? '' : ` - did you mean ${known}?`}`)
  return text
}

/** Finds a flag by its long or short name. */
export type FlagLookup = (name: string, kind: 'long' | 'short') => FlagSpec | null

export function lookupIn(specs: readonly FlagSpec[]): FlagLookup {
  return (name, kind) => specs.find((flag) => (kind === 'long' ? flag.name : flag.short) === name) ?? null
}

/**
 * Where the first operand of a group stands, -1 for nowhere: the command to call, as `nsc add --name bob user` is
 * `nsc add user --name bob`. Flags that the group does not know belong to the command, and are taken to have a value.
 */
export function firstOperand(args: readonly string[], lookup: FlagLookup): number {
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string
    if (arg === '--') return -1
    if (arg !== '' && !arg.startsWith('-')) return at
    const long = arg.startsWith('--')
    if (arg.includes('=') || (!long && arg.length !== 2)) continue
    const name = arg.slice(long ? 2 : 1)
    if (name === (long ? 'help' : 'h')) continue
    const type = lookup(name, long ? 'long' : 'short')?.type
    if (type !== 'switch' && type !== 'count') at++
  }
  return -1
}

/** The zone of that name in any case, null when there is none. */
function zoneLike(text: string): string | null {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
  } catch {
    return null
  }
  const exact = Intl.supportedValuesOf('timeZone').find((zone) => zone.toLowerCase() === text.toLowerCase())
  // Older names of zones are not in that list; their parts begin with capitals.
  return exact ?? text.replace(/(?<=^|\/)\p{Ll}/gu, (letter) => letter.toUpperCase())
}

/** What the arguments of a command say. */
export interface ParsedArguments {
  operands: string[]
  helpAsked: boolean
}

/**
 * Reads the arguments of a command into `values`.
 *
 * @param note is told of deprecated flags, once it is certain that the arguments are right
 */
export function parseArguments(
  args: readonly string[],
  lookup: FlagLookup,
  values: FlagValues,
  note: (line: string) => void,
): ParsedArguments {
  const operands: string[] = []
  const notes: string[] = []
  let helpAsked = false
  let at = 0

  const next = (): string | undefined => args[at++]

  const assign = (spec: FlagSpec, text: string) => {
    try {
      values.set(spec, text)
    } catch (thrown) {
      const shown = spec.short ? `-${spec.short}, --${spec.name}` : `--${spec.name}`
      const reason = (thrown as Error).message
      throw flagError(`invalid argument ${quote(text)} for ${quote(shown)} flag: ${reason}`)
    }
    if (spec.deprecated) notes.push(`Flag --${spec.name} has been deprecated, ${spec.deprecated}`)
  }

  const long = (arg: string) => {
    const split = arg.indexOf('=')
    const name = split === -1 ? arg.slice(2) : arg.slice(2, split)
    if (name === '' || name.startsWith('-')) throw flagError(`bad flag syntax: ${arg}`)
    const found = lookup(name, 'long')
    if (!found) {
      if (name === 'help') helpAsked = true
      else throw flagError(`unknown flag: --${name}`)
    } else if (split !== -1) assign(found, arg.slice(split + 1))
    else if (found.type === 'switch') assign(found, 'true')
    else if (found.type === 'count') assign(found, takeCount())
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
      } else if (tail.startsWith('=') && tail !== '=') {
        assign(found, tail.slice(1))
        return
      } else if (found.type === 'switch') {
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
      operands.push(arg)
      at++
    } else {
      at++
      if (arg.startsWith('--')) long(arg)
      else short(arg)
    }
  }
  for (const line of notes) note(line)
  return { operands, helpAsked }
}

function flagError(text: string): NscError {
  return new NscError('flag', text)
}
