// What is known about subjects that are published to, found by their bytes. Connections without permissions of their own share their
// account's; it grows with the subjects in use up to a bound, and a new subject takes the place of another one.
import type { Mapped } from '../account/mappings.ts'
import type { MatchResult } from '../account/subscription.ts'

export interface PublishEntry {
  readonly hash: number
  readonly bytes: Buffer
  readonly subject: string
  readonly permitted: boolean
  /** Matched again when the account's index has changed. */
  result: MatchResult
  /** The account maps the subject: to `name`, or each message to what it draws. Null for most. */
  readonly mapped: Mapped | null
  readonly name: Buffer | null
}

const FIRST = 64

export class PublishCache {
  readonly #most: number
  #slots: (PublishEntry | undefined)[] = []
  /** Entries that had to give way since the last growth. */
  #replaced = 0

  /** @param most entries, a power of two */
  constructor(most: number) {
    this.#most = most
  }

  find(hash: number, args: Buffer, start: number, end: number): PublishEntry | undefined {
    const slots = this.#slots
    if (slots.length === 0) return undefined
    const kept = slots[slotOf(hash) & (slots.length - 1)]
    return kept !== undefined && kept.hash === hash && sameBytes(kept.bytes, args, start, end)
      ? kept
      : undefined
  }

  keep(entry: PublishEntry): void {
    if (this.#slots.length === 0) this.#slots = new Array<PublishEntry | undefined>(FIRST).fill(undefined)
    else if (this.#replaced > this.#slots.length >> 1 && this.#slots.length < this.#most) this.#grow()
    const at = slotOf(entry.hash) & (this.#slots.length - 1)
    if (this.#slots[at] !== undefined) this.#replaced++
    this.#slots[at] = entry
  }

  #grow(): void {
    const before = this.#slots
    const slots = new Array<PublishEntry | undefined>(before.length * 4).fill(undefined)
    for (const entry of before)
      if (entry !== undefined) slots[slotOf(entry.hash) & (slots.length - 1)] = entry
    this.#slots = slots
    this.#replaced = 0
  }
}

export function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0
  return hash
}

const slotOf = (hash: number): number => hash ^ (hash >>> 13)

export function sameBytes(bytes: Buffer, other: Buffer, start: number, end: number): boolean {
  const length = end - start
  if (bytes.length !== length) return false
  for (let i = 0; i < length; i++) if (bytes[i] !== other[start + i]) return false
  return true
}
