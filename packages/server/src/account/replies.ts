// Responses that services owe to other accounts. The responder sees a reply subject `_R_.<account part>.<request part>` of its own
// account; a publish there is delivered to the requester on the reply it asked for. A response is owed until it has come, until nobody
// waits for it any more, or until the service's threshold has passed.

import type { Client } from '../connection/client.ts'
import { timerDelay } from '../deadline.ts'
import { deliverOne } from '../delivery.ts'
import { borrowFrame, copyOf, type Frame, type MessageFrame, releaseFrame, textFrame } from '../frame.ts'
import { hasWildcard, matchesLiteral } from '../subject/subject.ts'
import type { Account } from './account.ts'
import { hops, passing, putOff } from './hops.ts'
import type { Probe } from './latency.ts'
import { randomToken } from './random.ts'
import { deliverPassing } from './sharing.ts'
import type { ExportSpec } from './spec.ts'
import type { Subscription } from './subscription.ts'

export interface Pending {
  /** Request part of the reply subject as a number. */
  readonly key: number
  /** Who waits, and where. */
  readonly account: Account
  readonly reply: string
  readonly exported: ExportSpec
  /** The import tells the service who asks. */
  readonly share: boolean
  /** ms; renewed by each response of a stream. */
  touched: number
  /** The next one that waits on the same reply. */
  next: Pending | null
  /** Times of this request are told; null for most. */
  probe: Probe | null
  /** Of this account's replies. */
  readonly owner: Replies
  /** What the reply subject ends with besides. */
  readonly suffix: string
}

/** Why a response is not owed any more. */
export type End = 'done' | 'unanswered' | 'lost' | 'timeout'

const PREFIX = '_R_.'
const PART = 6
/** `_R_.xxxxxx.xxxxxx` */
export const REPLY_LENGTH = PREFIX.length + PART + 1 + PART
const HALF = 62 ** 3
const ALPHABET = Buffer.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')
const VALUE = new Int8Array(256).fill(-1)
for (let i = 0; i < ALPHABET.length; i++) VALUE[ALPHABET[i]!] = i

function writeHalf(value: number, to: Buffer, at: number): void {
  to[at] = ALPHABET[(value / 3844) | 0]!
  to[at + 1] = ALPHABET[((value / 62) | 0) % 62]!
  to[at + 2] = ALPHABET[value % 62]!
}
function readHalf(from: Buffer, at: number): number {
  const a = VALUE[from[at]!]!
  const b = VALUE[from[at + 1]!]!
  const c = VALUE[from[at + 2]!]!
  return (a | b | c) < 0 ? -1 : (a * 62 + b) * 62 + c
}

export class Replies {
  readonly #owner: Account
  readonly #pending = new Map<number, Pending>()
  /** `_R_.xxxxxx.`; null until the first request. */
  prefix: Buffer | null = null
  #handler: Subscription | null = null
  readonly #timers = new Map<ExportSpec, NodeJS.Timeout>()
  #aloneAt = -1
  #alone = false

  constructor(owner: Account) {
    this.#owner = owner
  }

  get size(): number {
    return this.#pending.size
  }

  /** Writes a new reply subject into the call, for a request that wants its answer on the frame's reply. */
  open(
    call: MessageFrame,
    account: Account,
    frame: Frame,
    exported: ExportSpec,
    share: boolean,
    suffix = '',
  ): Pending {
    if (this.prefix === null) {
      const prefix = `${PREFIX}${randomToken(PART)}.`
      this.prefix = Buffer.from(prefix, 'latin1')
      this.#handler = this.#owner.internal(`${prefix}>`, (_subject, response, origin) => {
        this.respond(response, origin)
        return true
      })
    }
    let high: number
    let low: number
    do {
      high = (Math.random() * HALF) | 0
      low = (Math.random() * HALF) | 0
    } while (this.#pending.has(high * HALF + low))
    const { args, replyStart } = call
    const at = replyStart + this.prefix.length
    args.set(this.prefix, replyStart)
    writeHalf(high, args, at)
    writeHalf(low, args, at + 3)
    call.replyEnd = at + PART
    if (suffix !== '') call.replyEnd += args.latin1Write(suffix, call.replyEnd)
    const reply = frame.args.latin1Slice(frame.replyStart, frame.replyEnd)
    const pending: Pending = {
      key: high * HALF + low,
      account,
      reply,
      exported,
      share,
      touched: Date.now(),
      next: null,
      probe: null,
      owner: this,
      suffix,
    }
    this.#pending.set(pending.key, pending)
    account.awaited.add(pending)
    if (!this.#timers.has(exported)) this.#watch(exported)
    return pending
  }

  /** Reply subjects here, and who waits for what on them. */
  *pending(): Generator<[string, Readonly<Pending>]> {
    const subject = Buffer.alloc(REPLY_LENGTH)
    for (const pending of this.#pending.values()) {
      subject.set(this.prefix!, 0)
      writeHalf(Math.floor(pending.key / HALF), subject, this.prefix!.length)
      writeHalf(pending.key % HALF, subject, this.prefix!.length + 3)
      yield [subject.latin1Slice() + pending.suffix, pending]
    }
  }

  /** A reply subject for the events about a traced request, while the request is on its way. */
  openTrace(account: Account, destination: string, exported: ExportSpec): { subject: string; close(): void } {
    const call = borrowFrame()
    const data = Buffer.alloc(0)
    const pending = this.open(call, account, textFrame('', destination, data, 0, 0, -1), exported, false)
    const subject = call.args.latin1Slice(call.replyStart, call.replyEnd)
    releaseFrame()
    return { subject, close: () => this.close(pending, 'done') }
  }

  /** The response is not owed any more. */
  close(pending: Pending, why: End): void {
    if (!this.#pending.delete(pending.key)) return
    pending.account.awaited.remove(pending)
    if (pending.probe !== null && why !== 'done') this.#owner.reports?.failed(this.#owner, pending.probe, why)
  }

  /**
   * True when nobody but the server listens to these reply subjects, so that a response can go straight to respond(). Observers of the
   * exporter's traffic (`>`) are why it has to be asked.
   */
  get isAlone(): boolean {
    const { index } = this.#owner
    if (this.#aloneAt !== index.generation) {
      this.#aloneAt = index.generation
      this.#alone = index.isOnly(this.prefix!.latin1Slice(0, this.prefix!.length - 1), this.#handler!)
    }
    return this.#alone
  }

  /** Delivers a response to who waits for it. Late, second or invented ones vanish; the responder is not told. */
  respond(frame: Frame, origin: Client | null): void {
    const { prefix } = this
    if (prefix === null) return
    const start = frame.subjectStart + prefix.length
    if (frame.subjectEnd < start + PART) return
    const high = readHalf(frame.args, start)
    const low = readHalf(frame.args, start + 3)
    if (high < 0 || low < 0) return
    const pending = this.#pending.get(high * HALF + low)
    if (pending === undefined || frame.subjectEnd - start !== PART + pending.suffix.length) return
    if (passing.exports.length > 0 && passing.exports.includes(pending.exported)) return
    const { probe } = pending
    if (probe !== null) {
      pending.probe = null
      this.#owner.reports?.answered(this.#owner, probe, origin)
    }
    hops.enter()
    if (hops.areTooMany) {
      const copy = copyOf(frame)
      putOff(() => this.#pass(pending, copy, origin))
    } else this.#pass(pending, frame, origin)
    hops.leave()
  }

  #pass(pending: Pending, frame: Frame, origin: Client | null): void {
    const isEnd = frame.dataEnd === frame.dataStart
    const taken = this.#deliver(pending, frame, origin)
    if (pending.exported.responseType === 'Singleton' || isEnd || taken === 0) this.close(pending, 'done')
    else pending.touched = Date.now()
  }

  #deliver(pending: Pending, frame: Frame, origin: Client | null): number {
    const { account, exported, share } = pending
    const reply = account.mappings === null ? pending.reply : account.mappings.apply(pending.reply)
    const found = account.index.find(reply)
    if (found.length === 0) return 0
    const back = borrowFrame()
    back.begin(reply, REPLY_LENGTH + frame.replyEnd - frame.replyStart)
    // A response may ask for an answer in its turn: that is a request in the other direction.
    if (frame.replyEnd > frame.replyStart) account.replies.open(back, this.#owner, frame, exported, share)
    back.share(frame)
    let taken: number
    const only = found.length === 1 ? found[0]! : null
    if (only !== null && only.client !== null && only.queue === null && only.stream === null)
      taken = deliverOne(only, back, reply, origin)
    else taken = deliverPassing(exported, share, back, reply, account.match(reply), origin)
    releaseFrame()
    return taken
  }

  // Each service is looked through once per threshold while it owes anything, so a response is given up after one to two of them.
  #watch(exported: ExportSpec): void {
    const timer = setTimeout(() => this.#expire(exported), timerDelay(exported.responseThreshold))
    this.#timers.set(exported, timer.unref())
  }

  /** A part at a time, so that others have their turn however much is owed. */
  #expire(exported: ExportSpec, owed: Iterator<Pending> = this.#pending.values(), anyLeft = false): void {
    const now = Date.now()
    let left = anyLeft
    for (let i = 0; i < AT_ONCE; i++) {
      const next = owed.next()
      if (next.done === true) {
        if (left) this.#watch(exported)
        else this.#timers.delete(exported)
        return
      }
      const pending = next.value
      if (pending.exported !== exported) continue
      if (now - pending.touched >= exported.responseThreshold) this.close(pending, 'timeout')
      else left = true
    }
    setImmediate(() => this.#expire(exported, owed, left))
  }
}

/** So many replies are looked at in one go. */
const AT_ONCE = 2_000
/** With more patterns than that it is cheaper to ask whether anybody listens. */
const MANY = 16

/** What one account waits for, by reply subject. */
export class Awaited {
  readonly #account: Account
  readonly #byReply = new Map<string, Pending>()
  /** Wildcard subscriptions that have ended and are still to be gone through. */
  readonly #ended: string[] = []

  constructor(account: Account) {
    this.#account = account
  }

  get size(): number {
    return this.#byReply.size
  }

  add(pending: Pending): void {
    const before = this.#byReply.get(pending.reply)
    if (before !== undefined) pending.next = before
    this.#byReply.set(pending.reply, pending)
  }

  remove(pending: Pending): void {
    const first = this.#byReply.get(pending.reply)
    if (first === pending) {
      if (pending.next === null) this.#byReply.delete(pending.reply)
      else this.#byReply.set(pending.reply, pending.next)
      return
    }
    for (let one = first; one !== undefined && one !== null; one = one.next ?? undefined) {
      if (one.next !== pending) continue
      one.next = pending.next
      return
    }
  }

  /** A subscription of the account has ended: what nobody else here waits for is given up. */
  lost(subject: string): void {
    if (!hasWildcard(subject)) this.#lose(subject)
    else if (this.#byReply.size <= AT_ONCE && this.#ended.length === 0) {
      for (const reply of this.#byReply.keys()) if (matchesLiteral(subject, reply)) this.#lose(reply)
    } else {
      this.#ended.push(subject)
      if (this.#ended.length === 1) setImmediate(() => this.#sweep([], this.#byReply.keys()))
    }
  }

  /** Goes through the replies a part at a time, so that others have their turn however many there are. */
  #sweep(subjects: readonly string[], replies: Iterator<string>): void {
    let patterns = subjects
    if (patterns.length === 0) patterns = [...this.#ended]
    for (let i = 0; i < AT_ONCE; i++) {
      const next = replies.next()
      if (next.done === true) {
        // What has ended meanwhile gets a round of its own.
        this.#ended.splice(0, patterns.length)
        if (this.#ended.length > 0) setImmediate(() => this.#sweep([], this.#byReply.keys()))
        return
      }
      const reply = next.value
      if (patterns.length > MANY || patterns.some((pattern) => matchesLiteral(pattern, reply)))
        this.#lose(reply)
    }
    setImmediate(() => this.#sweep(patterns, replies))
  }

  #lose(reply: string): void {
    let pending = this.#byReply.get(reply) ?? null
    if (pending === null || this.#account.hasInterest(reply)) return
    while (pending !== null) {
      const { next }: Pending = pending
      pending.owner.close(pending, 'lost')
      pending = next
    }
  }
}
