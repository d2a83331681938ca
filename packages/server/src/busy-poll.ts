// Looks for the next message for a moment instead of sleeping, while connections talk to each other through this server.
//
// In a conversation (a request, its response, the next request) everybody waits for one message at a time, and to be put to sleep and
// woken up takes the kernel longer than everything the server does. The answer to what has just been delivered is a few tens of
// microseconds away, so the event loop goes round until it is there: about the same processor time for each message, in half the time.
//
// Only a conversation makes it poll: somebody speaks who was written to a moment ago, and several times in a row. Publishers that hear
// nothing, crowds in which each waits its turn, and messages that come by the clock leave the server asleep in between. When a
// conversation ends it costs one more wait of `busy_poll`.
import { availableParallelism } from 'node:os'
import type { Outbox } from './connection/outbox.ts'

/** Who speaks was spoken to within so many batches. */
const RECENT = 8
/** Answers in time until it polls... */
const CONVERSATION = 16
/** ...and what one that was late or unasked takes off. */
const LATE = 8

export class BusyPoll {
  /** With one processor those who are waited for could not run meanwhile. */
  readonly #possible: boolean
  readonly #now: () => number
  #batches = RECENT
  #lastAt = 0
  #answers = 0
  #until = 0
  #polling = false

  constructor(possible = availableParallelism() > 1, now = (): number => performance.now()) {
    this.#possible = possible
    this.#now = now
  }

  get polling(): boolean {
    return this.#polling
  }

  /** The batch in hand writes to that connection. */
  spokenTo(outbox: Outbox): void {
    outbox.spokenTo = this.#batches
  }

  /** A batch that came from that connection is done. @param wait how long to poll, ms; 0 for not at all */
  spoke(outbox: Outbox, wait: number): void {
    if (wait <= 0 || !this.#possible) return
    const now = this.#now()
    const isAnswer = now - this.#lastAt <= wait && this.#batches - outbox.spokenTo <= RECENT
    this.#lastAt = now
    this.#batches++
    if (isAnswer) {
      if (this.#answers < CONVERSATION) this.#answers++
    } else this.#answers = Math.max(0, this.#answers - LATE)
    if (this.#answers < CONVERSATION) return
    this.#until = now + wait
    if (this.#polling) return
    this.#polling = true
    setImmediate(this.#poll)
  }

  /** As long as an immediate is due the event loop asks the kernel for events without waiting for them. */
  readonly #poll = (): void => {
    if (this.#now() < this.#until) setImmediate(this.#poll)
    else this.#polling = false
  }
}
