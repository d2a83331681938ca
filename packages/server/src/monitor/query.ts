// The query of an HTTP request, decoded as Go's strconv decodes it.
import { quote } from '../quote.ts'
import { toWire } from '../subject/subject.ts'
import type { ConnectionState } from './connz.ts'

/** A question that cannot be answered: 400 over HTTP, code 500 over the system account. */
export class QueryError extends Error {}

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True']
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False']
const MAX_INT64 = 2n ** 63n - 1n
const MAX_UINT64 = 2n ** 64n - 1n

export class Query {
  readonly #parameters = new Map<string, string>()

  /** `search`: what follows the question mark. Pairs that are not well formed are left out; of several the first counts. */
  constructor(search: string) {
    for (const pair of search.split('&')) {
      if (pair === '' || pair.includes(';')) continue
      const at = pair.indexOf('=')
      const name = unescaped(at < 0 ? pair : pair.slice(0, at))
      const value = unescaped(at < 0 ? '' : pair.slice(at + 1))
      if (name !== null && value !== null && !this.#parameters.has(name)) this.#parameters.set(name, value)
    }
  }

  text(name: string): string {
    return this.#parameters.get(name) ?? ''
  }
  /** @throws QueryError with the official text, as all of these. */
  flag(name: string): boolean {
    const text = this.text(name)
    if (text === '' || FALSE.includes(text)) return false
    if (TRUE.includes(text)) return true
    throw new QueryError(
      `Error decoding boolean for '${name}': strconv.ParseBool: parsing ${quoted(text)}: invalid syntax`,
    )
  }
  int(name: string): number {
    return this.#number(name, 'int', 'Atoi', /^[-+]?\d+$/, -MAX_INT64 - 1n, MAX_INT64)
  }
  uint64(name: string): number {
    return this.#number(name, 'uint64', 'ParseUint', /^\d+$/, 0n, MAX_UINT64)
  }
  #number(
    name: string,
    type: string,
    parser: string,
    syntax: RegExp,
    smallest: bigint,
    largest: bigint,
  ): number {
    const text = this.text(name)
    if (text === '') return 0
    const fail = (why: string): never => {
      throw new QueryError(
        `Error decoding ${type} for '${name}': strconv.${parser}: parsing ${quoted(text)}: ${why}`,
      )
    }
    if (!syntax.test(text)) return fail('invalid syntax')
    const value = BigInt(text.replace(/^\+/, ''))
    return value < smallest || value > largest ? fail('value out of range') : Number(value)
  }

  /** `subs`: yes, no or in detail. */
  subscriptions(): { subscriptions: boolean; subscriptionsDetail: boolean } {
    if (this.text('subs').toLowerCase() === 'detail')
      return { subscriptions: false, subscriptionsDetail: true }
    return { subscriptions: this.flag('subs'), subscriptionsDetail: false }
  }
  state(): ConnectionState {
    const text = this.text('state')
    switch (text.toLowerCase()) {
      case '':
      case 'open':
        return 'open'
      case 'closed':
        return 'closed'
      case 'any':
      case 'all':
        return 'all'
    }
    throw new QueryError(`Error decoding state for ${text}`)
  }
}

const quoted = (text: string): string => quote(toWire(text))

function unescaped(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return null
  }
}
