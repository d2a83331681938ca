// Subject mappings of one account: what clients publish on a source gets another name before anything else looks at it. Which of several
// destinations is drawn by weight; what the weights leave over keeps its name, or is lost where the source itself is a destination.
import { INVALID_SUBJECT, refusedMapping, Transform } from '@ngs/identity/node'
import { Matcher } from '../subject/matcher.ts'
import { fromWire, hasWildcard, isValidSubscription } from '../subject/subject.ts'

export interface MappingDestination {
  readonly subject: string
  /** Percent. */
  readonly weight: number
  /** Empty for all clusters. */
  readonly cluster: string
}

export interface MappingSpec {
  readonly source: string
  readonly destinations: readonly MappingDestination[]
}

/** One mapping from the outside: everything goes there. */
export const mappedTo = (source: string, subject: string): MappingSpec => ({
  source,
  destinations: [{ subject, weight: 100, cluster: '' }],
})

/** Why the mapping cannot be, in the official words; null when it can. */
export function refusalOf({ source, destinations }: MappingSpec): string | null {
  if (!isValidSubscription(source)) return INVALID_SUBJECT
  const seen = new Set<string>()
  const total = new Map<string, number>()
  for (const { subject, weight, cluster } of destinations) {
    if (seen.has(subject)) return `duplicate entry for "${fromWire(subject)}"`
    seen.add(subject)
    if (weight > 100) return 'individual weights need to be <= 100'
    total.set(cluster, (total.get(cluster) ?? 0) + weight)
    if (total.get(cluster)! > 100) return 'total weight needs to be <= 100'
    const refusal = refusedMapping(source, subject)
    if (refusal !== null) return refusal
  }
  return null
}

interface Choice {
  readonly transform: Transform
  /** Draws below this and not below the choice before are its. */
  readonly below: number
}

interface Mapping {
  /** Place in the list: of those that fit, the first one holds. */
  readonly at: number
  readonly isLiteral: boolean
  readonly choices: readonly Choice[]
}

/** Subject for subject in the names of the source's wildcards. */
export function itself(source: string): string {
  let star = 0
  return source
    .split('.')
    .map((token) => (token === '*' ? `$${++star}` : token))
    .join('.')
}

function compile({ source, destinations }: MappingSpec, cluster: string, at: number): Mapping {
  const own = destinations.filter((destination) => destination.cluster === cluster)
  const group =
    cluster !== '' && own.length > 0 ? own : destinations.filter((destination) => destination.cluster === '')
  const weighted = group.map(({ subject, weight }) => ({ transform: new Transform(source, subject), weight }))
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0)
  if (total !== 100 && !destinations.some(({ subject }) => subject === source))
    weighted.push({ transform: new Transform(source, itself(source)), weight: 100 - total })
  weighted.sort((a, b) => a.weight - b.weight)
  let below = 0
  const choices = weighted.map(({ transform, weight }) => {
    below += weight
    return { transform, below }
  })
  return { at, isLiteral: !hasWildcard(source), choices }
}

export class Mappings {
  readonly #index = new Matcher<Mapping>()

  /**
   * @param specs in the order in which they are asked; one that cannot be is left out, a later one of the same source stands in the place of the first.
   * @param cluster the server's, empty for none.
   */
  constructor(specs: readonly MappingSpec[], cluster = '') {
    const bySource = new Map<string, MappingSpec>()
    for (const spec of specs) if (refusalOf(spec) === null) bySource.set(spec.source, spec)
    let at = 0
    for (const spec of bySource.values()) this.#index.insert(spec.source, compile(spec, cluster, at++))
  }

  get size(): number {
    return this.#index.size
  }

  /** The mapping of a literal subject, or null when it keeps its name. Always the same answer for the same subject. */
  find(subject: string): Mapped | null {
    let first: Mapping | null = null
    for (const mapping of this.#index.find(subject))
      if (first === null || mapping.at < first.at) first = mapping
    if (first === null) return null
    // The official server has not split the subject yet when its first mapping is a literal, which partition(n) shows.
    return new Mapped(first.choices, first.isLiteral && first.at === 0 ? [] : subject.split('.'))
  }

  /** The name the message gets; the subject itself without a mapping, empty for a message that is lost. */
  apply(subject: string): string {
    const found = this.find(subject)
    return found === null ? subject : found.fixed === null ? found.draw() : found.fixed
  }
}

/** One subject under its mapping. */
export class Mapped {
  /** The one result, or null when each message draws. */
  readonly fixed: string | null
  readonly #choices: readonly Choice[]
  readonly #tokens: readonly string[]

  constructor(choices: readonly Choice[], tokens: readonly string[]) {
    this.#choices = choices
    this.#tokens = tokens
    const only = choices.length === 1 && choices[0]!.below === 100 ? choices[0]!.transform : null
    this.fixed = only === null || only.isRandom ? null : only.applyTokens(tokens)
  }

  /** Empty: the message is lost. */
  draw(): string {
    const drawn = (Math.random() * 100) | 0
    for (const { transform, below } of this.#choices)
      if (drawn < below) return transform.applyTokens(this.#tokens)
    return ''
  }
}
