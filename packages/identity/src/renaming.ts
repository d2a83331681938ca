// Renaming of subjects over imports: a pattern with wildcards and the name its matches get, where `$n`, `{{wildcard(n)}}` or the
// n-th `*` stand for the n-th wildcard of the pattern. Works both ways, since requests travel against the direction of the import.

/** The two sides of an import do not fit; the text says which part. */
export class RenamingError extends Error {}

/** A name with its references as wildcards. */
export const localPattern = (to: string): string =>
  to
    .split('.')
    .map((token) => (REFERENCE.test(token) ? '*' : token))
    .join('.')
const REFERENCE = /^(?:\$[1-9]\d*|\{\{[\t\n\f\r ]*[Ww]ildcard[\t\n\f\r ]*\(.+\)[\t\n\f\r ]*\}\})$/

/**
 * The names of one import on both sides. Source of the rules: the official server; its tests are the conformance
 * suite of sharing.
 */
export class Renaming {
  readonly from: string
  readonly to: string
  /** The destination with its references as `*`: what a subscriber may name. */
  readonly toPattern: string
  readonly #fromTokens: string[]
  readonly #toTokens: (string | number)[]
  readonly #plain: boolean
  readonly #tail: boolean

  /** @throws RenamingError when the two sides do not fit. */
  constructor(from: string, to: string) {
    this.from = from
    this.to = to
    this.#fromTokens = from.split('.')
    this.#tail = this.#fromTokens.at(-1) === '>'
    const stars = this.#fromTokens.filter((token) => token === '*').length
    let next = 0
    this.#toTokens = to.split('.').map((token) => {
      const reference =
        token === '*'
          ? ++next
          : Number(
              /^(?:\$(\d+)|\{\{\s*[Ww]ildcard\(\s*(\d+)\s*\)\s*\}\})$/.exec(token)?.slice(1).find(Boolean) ??
                0,
            )
      if (reference === 0) return token
      if (reference > stars)
        throw new RenamingError(`wildcard index out of range in ${token}: [${reference}]`)
      return reference - 1
    })
    if ((this.#toTokens.at(-1) === '>') !== this.#tail) throw new RenamingError('invalid subject')
    this.toPattern = this.#toTokens.map((token) => (typeof token === 'number' ? '*' : token)).join('.')
    this.#plain =
      from === this.toPattern &&
      this.#toTokens.every(
        (token, i) => typeof token !== 'number' || token === starIndex(this.#fromTokens, i),
      )
  }

  /** True when nothing is renamed. */
  get isIdentity(): boolean {
    return this.#plain
  }

  /** How many wildcards of the source the destination uses. */
  get references(): number {
    return this.#toTokens.filter((token) => typeof token === 'number').length
  }

  /** The new name of a subject (or narrower pattern) that the source matches. */
  forward(subject: string): string {
    if (this.#plain) return subject
    const tokens = subject.split('.')
    const wild: string[] = []
    for (let i = 0; i < this.#fromTokens.length; i++) if (this.#fromTokens[i] === '*') wild.push(tokens[i]!)
    const rest = this.#tail ? tokens.slice(this.#fromTokens.length - 1) : []
    return join(this.#toTokens, wild, rest)
  }

  /** The source name of a subject (or narrower pattern) that the destination matches. */
  backward(subject: string): string {
    if (this.#plain) return subject
    const tokens = subject.split('.')
    const wild: string[] = []
    this.#toTokens.forEach((token, i) => {
      if (typeof token === 'number') wild[token] = tokens[i]!
    })
    let star = 0
    const rest = this.#tail ? tokens.slice(this.#toTokens.length - 1) : []
    const named = this.#fromTokens.map((token) => (token === '*' ? star++ : token))
    return join(named, wild, rest)
  }
}

function starIndex(tokens: string[], position: number): number {
  let index = -1
  for (let i = 0; i <= position; i++) if (tokens[i] === '*') index++
  return index
}

function join(tokens: (string | number)[], wild: string[], rest: string[]): string {
  const result: string[] = []
  for (const token of tokens) {
    if (typeof token === 'number') result.push(wild[token] ?? '*')
    else if (token === '>') result.push(...rest)
    else result.push(token)
  }
  return result.join('.')
}

/**
 * What a subscription to `subject` asks of an import known locally as `local`: the part of `local` that both cover, null when they
 * are disjoint. A subscription that covers the whole import gives `local` itself.
 */
export function intersect(subject: string, local: string): string | null {
  const a = subject.split('.')
  const b = local.split('.')
  const result: string[] = []
  for (let i = 0; ; i++) {
    if (a[i] === '>') return b.length > i ? [...result, ...b.slice(i)].join('.') : null
    if (b[i] === '>') return a.length > i ? [...result, ...a.slice(i)].join('.') : null
    if (i >= a.length || i >= b.length) return a.length === b.length ? result.join('.') : null
    if (a[i] === '*') result.push(b[i]!)
    else if (b[i] === '*' || a[i] === b[i]) result.push(a[i]!)
    else return null
  }
}
