// Responses that services owe to other accounts. The responder sees a reply subject `_R_.<account part>.<request part>` of its own
// account; a publish there is delivered to the requester on the reply it asked for.
import { deliver, type Frame, textFrame } from '../delivery.ts'
import type { Account } from './account.ts'
import { randomToken } from './random.ts'
import type { ResponseType } from './spec.ts'

export interface Pending {
  readonly account: Account
  readonly reply: string
  readonly type: ResponseType
  readonly threshold: number
  /** ms; renewed by each response of a stream. */
  touched: number
}

export class Replies {
  readonly #owner: Account
  readonly #pending = new Map<string, Pending>()
  #prefix = ''
  #timer: NodeJS.Timeout | null = null

  constructor(owner: Account) {
    this.#owner = owner
  }

  get size(): number {
    return this.#pending.size
  }

  /** A new reply subject for a request of `account` that wants its answer on `reply`. */
  open(account: Account, reply: string, type: ResponseType, threshold: number): string {
    if (this.#prefix === '') {
      this.#prefix = `_R_.${randomToken(6)}.`
      this.#owner.subscribeInternal(`${this.#prefix}>`, (subject, frame) => this.#respond(subject, frame))
    }
    let subject: string
    do subject = this.#prefix + randomToken(6)
    while (this.#pending.has(subject))
    this.#pending.set(subject, { account, reply, type, threshold, touched: Date.now() })
    this.#timer ??= setTimeout(() => this.#expire(), threshold).unref()
    return subject
  }

  /** Reply subjects here, and who waits for what on them. */
  pending(): Iterable<[string, Readonly<Pending>]> {
    return this.#pending.entries()
  }

  drop(subject: string): void {
    this.#pending.delete(subject)
  }

  /** Forgets the responses that nobody waits for any more: called when a subscription of the requesting account ends. */
  forget(account: Account): void {
    for (const [subject, pending] of this.#pending) {
      if (pending.account === account && !account.hasInterest(pending.reply)) this.#pending.delete(subject)
    }
  }

  #respond(subject: string, frame: Frame): boolean {
    const pending = this.#pending.get(subject)
    // Late, second or invented responses vanish; the responder is not told, since the wildcard counts as interest.
    if (pending === undefined) return true
    const empty = frame.dataEnd === frame.dataStart && frame.headerSize <= 0
    const result = pending.account.match(pending.reply)
    const reply = frame.args.latin1Slice(frame.replyStart, frame.replyEnd)
    const headerSize = frame.headerSize
    const taken = deliver(
      textFrame(pending.reply, reply, frame.data, frame.dataStart, frame.dataEnd, headerSize),
      pending.reply,
      result,
      null,
    )
    if (pending.type === 'Singleton' || empty || taken === 0) this.#pending.delete(subject)
    else pending.touched = Date.now()
    return true
  }

  #expire(): void {
    this.#timer = null
    const now = Date.now()
    let next = 0
    for (const [subject, pending] of this.#pending) {
      if (now - pending.touched >= pending.threshold) this.#pending.delete(subject)
      else next = next === 0 ? pending.threshold : Math.min(next, pending.threshold)
    }
    if (next > 0) this.#timer = setTimeout(() => this.#expire(), next).unref()
  }
}
