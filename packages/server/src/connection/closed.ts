// The closed connections that are remembered: a ring of so many, oldest first.
import type { Client } from './client.ts'
import { type ConnectionSnapshot, snapshot } from './snapshot.ts'

/** Subscriptions that are remembered over all closed connections; beyond it the oldest connections lose theirs but keep their count. */
const MAX_SUBSCRIPTIONS = 100_000

export class ClosedConnections {
  readonly #limit: number
  #ring: ConnectionSnapshot[] = []
  /** Place of the oldest, once the ring is full. */
  #oldest = 0
  #subscriptions = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(client: Client): void {
    if (this.#limit <= 0) return
    const closed = snapshot(client)
    this.#subscriptions += closed.subscriptions.length
    if (this.#ring.length < this.#limit) this.#ring.push(closed)
    else {
      this.#subscriptions -= this.#ring[this.#oldest]!.subscriptions.length
      this.#ring[this.#oldest] = closed
      this.#oldest = (this.#oldest + 1) % this.#limit
    }
    if (this.#subscriptions > MAX_SUBSCRIPTIONS) this.#forgetSubscriptions()
  }

  /** Of the older ones, until half of what may be remembered is left. */
  #forgetSubscriptions(): void {
    for (let i = 0; i < this.#ring.length && this.#subscriptions > MAX_SUBSCRIPTIONS / 2; i++) {
      const place = (this.#oldest + i) % this.#ring.length
      const closed = this.#ring[place]!
      if (closed.subscriptions.length === 0) continue
      this.#subscriptions -= closed.subscriptions.length
      this.#ring[place] = { ...closed, subscriptions: [] }
    }
  }

  all(): ConnectionSnapshot[] {
    return [...this.#ring.slice(this.#oldest), ...this.#ring.slice(0, this.#oldest)]
  }
}
