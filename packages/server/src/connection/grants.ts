// allow_responses: replies that a connection may publish because it received a request carrying them.

const PRUNE_AFTER = 4096
const PRUNE_EVERY_MS = 1000

export class ResponseGrants {
  readonly #max: number
  readonly #ttl: number
  readonly #statically: (subject: string) => boolean
  readonly #granted = new Map<string, { left: number; until: number }>()
  #added = 0
  #pruned = Date.now()

  /** @param max and ttl (ms) negative for no bound. */
  constructor(max: number, ttl: number, statically: (subject: string) => boolean) {
    this.#max = max
    this.#ttl = ttl
    this.#statically = statically
  }

  /** A message with this reply was delivered. A live grant is not renewed but loses one use. */
  allow(reply: string): void {
    if (this.#statically(reply)) return
    const now = Date.now()
    const grant = this.#granted.get(reply)
    if (grant !== undefined && grant.until > now && grant.left > 0) {
      grant.left--
      return
    }
    this.#granted.set(reply, {
      left: this.#max < 0 ? Number.POSITIVE_INFINITY : this.#max,
      until: this.#ttl < 0 ? Number.POSITIVE_INFINITY : now + this.#ttl,
    })
    this.#added++
    if (this.#added > PRUNE_AFTER || now - this.#pruned > PRUNE_EVERY_MS) this.#prune(now)
  }

  /** True when a publish to this subject is one of the granted ones; it is used up by that. */
  use(subject: string): boolean {
    const grant = this.#granted.get(subject)
    if (grant === undefined) return false
    if (grant.until <= Date.now() || grant.left <= 0) {
      this.#granted.delete(subject)
      return false
    }
    grant.left--
    return true
  }

  #prune(now: number): void {
    this.#added = 0
    this.#pruned = now
    for (const [reply, grant] of this.#granted)
      if (grant.until <= now || grant.left <= 0) this.#granted.delete(reply)
  }
}
