// Subject transforms: a source pattern and a destination whose tokens may be functions of the source's wildcards. The functions and their
// results are those of the official server, to the letter. Subjects are wire strings, so lengths and hashes count bytes.

/** Texts of the official server. */
export class TransformError extends Error {}

const DESTINATION = 'invalid mapping destination'
const misfit = (why: string, token: string): TransformError =>
  new TransformError(`${DESTINATION}: ${why} in ${token}`)
/** The text of the TransformError for a side that is no subject, or for sides that do not fit. */
export const INVALID_SUBJECT = 'invalid subject'

type Kind =
  | 'partition'
  | 'wildcard'
  | 'splitFromLeft'
  | 'splitFromRight'
  | 'sliceFromLeft'
  | 'sliceFromRight'
  | 'left'
  | 'right'
  | 'split'
  | 'random'

interface TokenFunction {
  readonly kind: Kind
  /** 1-based wildcards of the source, as written. */
  readonly references: readonly number[]
  /** Buckets, position or length. */
  readonly amount: number
  readonly delimiter: string
}

/** Places in the source's tokens, found when the transform is made. */
interface Placed extends TokenFunction {
  readonly places: readonly number[]
}

const BLANK = '[\\t\\n\\f\\r ]'
const named = (pattern: string): RegExp =>
  new RegExp(`\\{\\{${BLANK}*${pattern}${BLANK}*\\((.*)\\)${BLANK}*\\}\\}`)
/** In the order in which they are looked for: the patterns are not anchored. */
const FUNCTIONS: readonly (readonly [Kind, RegExp])[] = [
  ['wildcard', named('[wW]ildcard')],
  ['partition', named('[pP]artition')],
  ['splitFromLeft', named('[sS]plit[fF]rom[lL]eft')],
  ['splitFromRight', named('[sS]plit[fF]rom[rR]ight')],
  ['sliceFromLeft', named('[sS]lice[fF]rom[lL]eft')],
  ['sliceFromRight', named('[sS]lice[fF]rom[rR]ight')],
  ['right', named('[rR]ight')],
  ['left', named('[lL]eft')],
  ['split', named('[sS]plit')],
  ['random', named('[rR]andom')],
]
const SEPARATOR = new RegExp(`,${BLANK}*`)
const INT32_MAX = 2 ** 31 - 1

/** A decimal number between blanks, or NaN. */
const integer = (text: string): number => {
  const trimmed = text.replace(/^ +| +$/g, '')
  return /^[+-]?\d+$/.test(trimmed) ? Number(trimmed) : Number.NaN
}

const looksLikeFunction = (token: string): boolean =>
  token.length > 4 && token.startsWith('{{') && token.endsWith('}}')

/** The function that a destination token is, or null for a token as it stands. @throws TransformError. */
function readFunction(token: string): TokenFunction | null {
  if (token.length > 1 && token.startsWith('$')) {
    const reference = integer(token.slice(1))
    // Other things begin with a dollar sign as well.
    if (Number.isNaN(reference) || /[ ]/.test(token)) return null
    return { kind: 'wildcard', references: [reference], amount: -1, delimiter: '' }
  }
  if (!looksLikeFunction(token)) return null
  for (const [kind, pattern] of FUNCTIONS) {
    const found = pattern.exec(token)
    if (found !== null) return readArguments(kind, found[1]!.split(SEPARATOR), token)
  }
  throw misfit('unknown function', token)
}

function readArguments(kind: Kind, args: string[], token: string): TokenFunction {
  const number = (text: string, most = Number.MAX_SAFE_INTEGER): number => {
    const value = integer(text)
    if (Number.isNaN(value) || value > most)
      throw misfit('function argument is invalid or in the wrong format', token)
    return value
  }
  const tooFew = (): TransformError => misfit('not enough arguments passed to the function', token)
  const tooMany = (): TransformError => misfit('too many arguments passed to the function', token)
  switch (kind) {
    case 'wildcard':
      if (args.length > 1) throw tooMany()
      if (args[0] === '') throw tooFew()
      return { kind, references: [number(args[0]!)], amount: -1, delimiter: '' }
    case 'partition': {
      const amount = number(args[0]!, INT32_MAX)
      return { kind, references: args.slice(1).map((text) => number(text)), amount, delimiter: '' }
    }
    case 'random':
      if (args.length !== 1) throw tooFew()
      return { kind, references: [], amount: number(args[0]!, INT32_MAX), delimiter: '' }
  }
  if (args.length < 2) throw tooFew()
  if (args.length > 2) throw tooMany()
  const references = [number(args[0]!)]
  const second = args[1]!
  if (kind !== 'split') return { kind, references, amount: number(second, INT32_MAX), delimiter: '' }
  if (/[ .]/.test(second)) throw misfit('function argument is invalid or in the wrong format', token)
  return { kind, references, amount: -1, delimiter: second }
}

interface Shape {
  readonly tokens: string[]
  readonly stars: number
  readonly tail: boolean
}

/** Null for a subject with an empty token or something behind `>`. */
function shapeOf(subject: string): Shape | null {
  const tokens = subject.split('.')
  let stars = 0
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!
    if (token === '' || (token === '>' && i < tokens.length - 1)) return null
    if (token === '*') stars++
  }
  return { tokens, stars, tail: tokens.at(-1) === '>' }
}

/** One mapping, ready to be applied to any number of subjects. */
export class Transform {
  readonly source: string
  readonly destination: string
  /** The same subject may give different results. */
  readonly isRandom: boolean
  readonly #source: Shape
  readonly #parts: readonly (string | Placed)[]

  /**
   * @param strict imports have to work in both directions: only references, and at least as many as the source has wildcards.
   * @throws TransformError
   */
  constructor(source: string, destination: string, strict = false) {
    const from = shapeOf(source)
    const to = shapeOf(destination)
    if (from === null || to === null || to.stars > 0 || from.tail !== to.tail)
      throw new TransformError(INVALID_SUBJECT)
    this.source = source
    this.destination = destination
    this.#source = from
    const starAt = from.tokens.flatMap((token, i) => (token === '*' ? [i] : []))
    const dynamic = from.stars > 0 || from.tail
    let references = 0
    this.#parts = to.tokens.map((token) => {
      const call = readFunction(token)
      if (call === null) return token
      if (!dynamic) {
        if (call.kind !== 'random' && call.kind !== 'partition')
          throw misfit('wildcard index out of range', token)
        return { ...call, places: [] }
      }
      if (strict && call.kind !== 'wildcard')
        throw misfit('the only mapping function allowed for import transforms is {{Wildcard()}}', token)
      references += call.references.length
      const beyond = call.references.find((reference) => reference > from.stars)
      if (beyond !== undefined) throw misfit('wildcard index out of range', `${token}: [${beyond}]`)
      // What is below 1 stands for the first token of the subject.
      return { ...call, places: call.references.map((reference) => starAt[reference - 1] ?? 0) }
    })
    if (strict && dynamic && references < from.stars)
      throw misfit('not using all of the token wildcard(s)', destination)
    this.isRandom = this.#parts.some((part) => typeof part !== 'string' && part.kind === 'random')
  }

  /** The new name of a literal subject that the source matches. */
  apply(subject: string): string {
    return this.applyTokens(subject.split('.'))
  }

  applyTokens(tokens: readonly string[]): string {
    let result = ''
    const parts = this.#parts
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!
      if (i > 0) result += '.'
      if (typeof part !== 'string') result += evaluate(part, tokens)
      else if (part === '>' && i === parts.length - 1)
        return result + tokens.slice(this.#source.tokens.length - 1).join('.')
      else result += part
    }
    return result
  }
}

function evaluate(call: Placed, tokens: readonly string[]): string {
  const { amount } = call
  if (call.kind === 'partition') {
    const key = call.places.length > 0 ? call.places.map((place) => tokens[place]).join('') : tokens.join('.')
    return `${partitionOf(key, amount)}`
  }
  if (call.kind === 'random') return `${amount === 0 ? 0 : Math.floor(Math.random() * 2 ** 31) % amount}`
  const token = tokens[call.places[0]!] ?? ''
  if (call.kind === 'wildcard') return token
  if (call.kind === 'split') return split(token, call.delimiter)
  if (amount <= 0 || amount >= token.length) return token
  switch (call.kind) {
    case 'left':
      return token.slice(0, amount)
    case 'right':
      return token.slice(-amount)
    case 'splitFromLeft':
      return `${token.slice(0, amount)}.${token.slice(amount)}`
    case 'splitFromRight':
      return `${token.slice(0, -amount)}.${token.slice(-amount)}`
    case 'sliceFromLeft':
      return slices(token, 0, amount)
    case 'sliceFromRight': {
      const first = token.length % amount
      return first === 0
        ? slices(token, 0, amount)
        : `${token.slice(0, first)}.${slices(token, first, amount)}`
    }
  }
}

function slices(token: string, from: number, size: number): string {
  let result = token.slice(from, from + size)
  for (let at = from + size; at < token.length; at += size) result += `.${token.slice(at, at + size)}`
  return result
}

/** Pieces joined by dots. Empty pieces vanish, but of several at the beginning a dot remains, as with the official server. */
function split(token: string, delimiter: string): string {
  const pieces = token.split(delimiter)
  let result = ''
  for (let i = 0; i < pieces.length; i++) {
    result += pieces[i]
    if (i + 1 < pieces.length && pieces[i + 1] !== '' && !(i === 0 && pieces[0] === '')) result += '.'
  }
  return result
}

/** FNV-1a, 32 bit, of the bytes, modulo the number of buckets; 0 of 0. A negative number counts as unsigned. */
function partitionOf(key: string, buckets: number): number {
  if (buckets === 0) return 0
  let hash = 2166136261
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 16777619)
  return (hash >>> 0) % (buckets >>> 0)
}

/** What makes a destination unfit for a mapping of this source; null for nothing. */
export function refusedMapping(source: string, destination: string): string | null {
  const tokens = destination.split('.')
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!
    if (token === '' || (i > 0 && tokens[i - 1] === '>'))
      return `${DESTINATION}: invalid transform${token === '' ? '' : ` in ${token}`}`
    if (looksLikeFunction(token)) {
      if (!FUNCTIONS.some(([, pattern]) => pattern.test(token)))
        return `${DESTINATION}: unknown function in ${token}`
    } else if (/[\t\n\f\r ]/.test(token)) return `${DESTINATION}: invalid transform`
  }
  try {
    new Transform(source, destination)
    return null
  } catch (error) {
    if (error instanceof TransformError) return error.message
    throw error
  }
}
