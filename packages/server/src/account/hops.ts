// The way that one message has taken from account to account so far.
import { tracing } from '../trace/current.ts'
import type { ExportSpec } from './spec.ts'

/** Services that the message in hand has passed, first one first. An import bound to an export among them is skipped, so that `>` does not loop. */
export const passing: { exports: ExportSpec[]; shares: boolean[] } = { exports: [], shares: [] }

/** So many accounts are gone through on one stack; chains may be longer. */
const ON_ONE_STACK = 64

class Hops {
  #depth = 0
  readonly #later: (() => void)[] = []

  get areTooMany(): boolean {
    return this.#depth > ON_ONE_STACK
  }
  enter(): void {
    this.#depth++
  }
  /** The outermost step sees to what has been put off. */
  leave(): void {
    if (--this.#depth > 0 || this.#later.length === 0) return
    // What is put off meanwhile comes behind.
    for (let next = this.#later.shift(); next !== undefined; next = this.#later.shift()) {
      this.#depth++
      next()
      this.#depth--
    }
  }
  putOff(task: () => void): void {
    this.#later.push(task)
  }
}

export const hops = new Hops()

/** Runs the task when the stack is free, still within the same operation, with the way that the message has taken until now. */
export function putOff(task: () => void): void {
  const way = { exports: [...passing.exports], shares: [...passing.shares] }
  hops.putOff(() => withWay(way, task))
}

/** Runs the delivery of a message that is none of those in hand: an answer of the server itself, which is given at once. */
export function apart<T>(deliver: () => T): T {
  if (passing.exports.length === 0 && tracing.current === null) return deliver()
  return withWay({ exports: [], shares: [] }, deliver)
}

function withWay<T>(way: typeof passing, run: () => T): T {
  const { exports, shares } = passing
  const trace = tracing.current
  passing.exports = way.exports
  passing.shares = way.shares
  tracing.current = null
  try {
    return run()
  } finally {
    passing.exports = exports
    passing.shares = shares
    tracing.current = trace
  }
}
