// How much one address may do, as token buckets: a full bucket may be spent at once, then it refills evenly.
import { isIPv6 } from 'node:net'
import { ServiceError } from '../errors.ts'

interface Bucket {
  tokens: number
  /** When `tokens` was right, in milliseconds. */
  at: number
}

/** Addresses remembered at most; the longest silent are forgotten first, which only ever forgives them. */
const mostAddresses = 50_000

export class RateLimit {
  readonly #size: number
  readonly #perMs: number
  readonly #what: string
  readonly #buckets = new Map<string, Bucket>()
  readonly #now: () => number

  /**
   * @param what is limited, in the plural, for the text of the refusal
   * @param size how many at once
   * @param refillMs how long an empty bucket takes to be full again
   */
  constructor(what: string, size: number, refillMs: number, now: () => number = () => performance.now()) {
    this.#what = what
    this.#size = size
    this.#perMs = size / refillMs
    this.#now = now
  }

  /** Takes one token for the address. @throws ServiceError rate-limited, with the seconds to wait in its text */
  spend(address: string): void {
    const key = addressKey(address)
    const now = this.#now()
    const old = this.#buckets.get(key)
    const tokens =
      old === undefined ? this.#size : Math.min(this.#size, old.tokens + (now - old.at) * this.#perMs)
    // Writing anew moves the entry to the end: the map is in the order of use.
    this.#buckets.delete(key)
    this.#buckets.set(key, { tokens: Math.max(0, tokens - (tokens >= 1 ? 1 : 0)), at: now })
    if (this.#buckets.size > mostAddresses) this.#buckets.delete(this.#buckets.keys().next().value!)
    if (tokens >= 1) return
    const seconds = Math.max(1, Math.ceil((1 - tokens) / this.#perMs / 1000))
    throw new ServiceError(
      'rate-limited',
      `too many ${this.#what} from ${address}; try again in ${seconds} s`,
    )
  }
}

/** One subscriber of an IPv6 network has a /64 of its own. */
function addressKey(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address
  const [head = '', tail] = address.split('::') as [string, string | undefined]
  const left = head.split(':').filter((group) => group !== '')
  const right = (tail ?? '').split(':').filter((group) => group !== '')
  const zeros =
    tail === undefined ? [] : new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...zeros, ...right].slice(0, 4).join(':')
}
