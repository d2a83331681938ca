// What a user may publish and subscribe to. Lists are compiled once into subject indexes; a side without lists is null and costs one comparison.
import { isSubsetMatch, subjectsOverlap } from '@ngs/identity/node'
import { Matcher } from './matcher.ts'
import { hasWildcard, toWire } from './subject.ts'

/** Lists of subjects; a subscribe entry may be `subject queue`. An empty allow list allows everything. */
export interface PermissionsSpec {
  publish: { allow: string[]; deny: string[] }
  subscribe: { allow: string[]; deny: string[] }
  /** Replies to received requests that may be published besides. max <= -1 and ttl <= -1 mean no bound; ttl in ms. */
  responses: { max: number; ttl: number } | null
}

interface Entry {
  /** Null: any queue and none. */
  queue: string | null
  subject: string
}

const DEFAULT_RESPONSES = 1
const DEFAULT_RESPONSE_TTL = 2 * 60_000

function compile(list: string[]): Matcher<Entry> | null {
  if (list.length === 0) return null
  const index = new Matcher<Entry>()
  for (const text of list) {
    const [subject, queue] = toWire(text.trim()).split(/\s+/)
    index.insert(subject!, { subject: subject!, queue: queue ?? null })
  }
  return index
}

/** Queue names may look like subjects, and entries have wildcards for them. */
const queueCovers = (pattern: string, queue: string): boolean =>
  pattern === queue || (hasWildcard(pattern) && isSubsetMatch(queue, pattern))

export class Permissions {
  readonly spec: PermissionsSpec
  readonly #publishAllow: Matcher<Entry> | null
  readonly #publishDeny: Matcher<Entry> | null
  readonly #subscribeAllow: Matcher<Entry> | null
  readonly #subscribeDeny: Matcher<Entry> | null
  /** Null when replies need a permission like any subject. */
  readonly responses: { max: number; ttl: number } | null
  readonly restrictsPublish: boolean

  constructor(spec: PermissionsSpec) {
    this.spec = spec
    this.#publishAllow = compile(spec.publish.allow)
    this.#publishDeny = compile(spec.publish.deny)
    this.#subscribeAllow = compile(spec.subscribe.allow)
    this.#subscribeDeny = compile(spec.subscribe.deny)
    const { responses } = spec
    this.responses =
      responses === null
        ? null
        : { max: responses.max || DEFAULT_RESPONSES, ttl: responses.ttl || DEFAULT_RESPONSE_TTL }
    this.restrictsPublish =
      this.#publishAllow !== null || this.#publishDeny !== null || this.responses !== null
  }

  /** By the lists alone; granted responses are the connection's to count. */
  mayPublish(subject: string): boolean {
    if (this.#publishAllow !== null) {
      if (!this.#publishAllow.matches(subject)) return false
    } else if (this.responses !== null) return false
    return this.#publishDeny === null || !this.#publishDeny.matches(subject)
  }

  /** The subject is looked up as if it were literal: wildcards in it match only wildcards of the lists. */
  maySubscribe(subject: string, queue: string | null): boolean {
    if (this.#subscribeAllow !== null) {
      const found: Entry[] = []
      this.#subscribeAllow.match(subject, found)
      const qualified = found.filter((entry) => entry.queue !== null)
      if (queue !== null && qualified.length > 0) {
        if (!qualified.some((entry) => queueCovers(entry.queue!, queue))) return false
      } else if (!found.some((entry) => entry.queue === null)) return false
    }
    return !this.#denied(subject, queue)
  }

  #denied(subject: string, queue: string | null): boolean {
    if (this.#subscribeDeny === null) return false
    const found: Entry[] = []
    this.#subscribeDeny.match(subject, found)
    return found.some((entry) => entry.queue === null || (queue !== null && queueCovers(entry.queue, queue)))
  }

  /** True when deliveries to this subscription have to be tested one by one. */
  needsFilter(subject: string, queue: string | null): boolean {
    if (this.#subscribeDeny === null) return false
    if (queue === null && !hasWildcard(subject)) return false
    for (const entry of this.#subscribeDeny.all()) if (subjectsOverlap(subject, entry.subject)) return true
    return false
  }

  /** Of one message, for subscriptions that need the filter. */
  mayReceive(subject: string, queue: string | null): boolean {
    return !this.#denied(subject, queue)
  }
}
