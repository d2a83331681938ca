// What a client publishes: whether it may, under which name and to whom, and what is remembered of that for the next message.
//
// The way of every message. What most messages do not need (mappings, traces, answers to other accounts, grants) is one comparison here.
import type { Mapped } from '../account/mappings.ts'
import { REPLY_LENGTH } from '../account/replies.ts'
import { deliver } from '../delivery.ts'
import { borrowFrame, type Frame, releaseFrame } from '../frame.ts'
import type { Parser } from '../protocol/parser.ts'
import { quote } from '../quote.ts'
import { beginTrace } from '../trace/begin.ts'
import { tracing } from '../trace/current.ts'
import { setFrameHeader } from '../trace/trace.ts'
import { DISABLED, mayTrace, TRACE_DEST } from '../trace/trigger.ts'
import type { Client } from './client.ts'
import { hashOf, PublishCache, type PublishEntry, sameBytes } from './publish-cache.ts'

/** Subjects that a connection with permissions of its own remembers. */
const OWN_SUBJECTS = 256
/** Drawn names that are remembered; beyond it the memory starts anew. */
const DRAWN = 256

export class Publishing {
  readonly #client: Client
  readonly #parser: Parser
  #entries: PublishCache | null = null
  /** What mappings drew for messages of this client. */
  #drawn: Map<string, PublishEntry> | null = null
  #last: PublishEntry | null = null

  constructor(client: Client, parser: Parser) {
    this.#client = client
    this.#parser = parser
  }

  publish(frame: Parser): void {
    const { account } = this.#client
    if (frame.headerSize > 0 && mayTrace(frame, account.spec.trace !== null)) this.#publishTraced(frame)
    // `_R_...`: most likely an answer to another account.
    else if (
      frame.isKnown ||
      frame.args[frame.subjectStart + 1] !== 82 ||
      frame.args[frame.subjectStart] !== 95 ||
      !this.#respond(frame)
    )
      this.#publish(frame, this.#entryOf(frame, frame.isKnown))
  }

  #publish(frame: Frame, entry: PublishEntry): void {
    if (entry.mapped !== null) this.#publishMapped(frame, entry, entry.mapped)
    else this.#send(frame, entry)
  }

  #send(frame: Frame, entry: PublishEntry): void {
    const client = this.#client
    if (!entry.permitted) {
      if (client.grants === null || isReserved(entry.subject) || !client.grants.use(entry.subject)) {
        this.#mayNotPublish(entry.subject)
        return
      }
    }
    if (frame.replyEnd > frame.replyStart && !this.#mayReplyTo(frame)) return
    if (client.options.verbose) client.write('+OK\r\n')
    const { result } = entry
    const { current } = tracing
    let taken = 0
    if (result.plain.length > 0 || result.groups.length > 0)
      taken =
        current === null
          ? deliver(frame, entry.subject, result, client)
          : current.deliver(frame, entry.subject, result, client)
    if (taken === 0 && client.options.no_responders && frame.replyEnd > frame.replyStart)
      this.#noResponders(frame, entry.subject)
  }

  #publishViolation(text: string, log: string): void {
    tracing.current?.refused(text)
    this.#client.violation(text, log)
  }
  #mayNotPublish(subject: string): void {
    this.#publishViolation(
      `Permissions Violation for Publish to ${quote(subject)}`,
      `Publish Violation - Subject ${quote(subject)}`,
    )
  }

  /** Sends a message on under the name that the account's mappings give it. */
  #publishMapped(frame: Frame, entry: PublishEntry, mapped: Mapped): void {
    const target = entry.name === null ? this.#draw(mapped) : entry
    const renamed = borrowFrame()
    renamed.subject(target.name!, frame.replyEnd - frame.replyStart)
    renamed.reply(frame)
    renamed.share(frame)
    tracing.current?.mapped(target.subject)
    this.#send(renamed, target)
    releaseFrame()
  }

  #draw(mapped: Mapped): PublishEntry {
    const subject = mapped.draw()
    this.#drawn ??= new Map()
    const kept = this.#drawn.get(subject)
    if (kept !== undefined) return this.#fresh(kept)
    if (this.#drawn.size >= DRAWN) this.#drawn.clear()
    const made = this.#makeEntry(0, NO_BYTES, subject, null, Buffer.from(subject, 'latin1'))
    this.#drawn.set(subject, made)
    return made
  }

  #publishTraced(frame: Frame): void {
    const trace = beginTrace(this.#client, frame)
    if (trace === 'dropped') return
    if (trace === 'untraced') {
      this.#publish(frame, this.#entryOf(frame, false))
      return
    }
    if (trace === 'disabled') {
      const marked = borrowFrame()
      marked.copy(frame)
      setFrameHeader(marked, TRACE_DEST, DISABLED)
      this.#publish(marked, this.#entryOf(frame, false))
      releaseFrame()
      return
    }
    tracing.current = trace
    this.#publish(frame, this.#entryOf(frame, false))
    tracing.current = null
    trace.send()
  }

  /** Its payload is over the limit: traced as far as it came. */
  tooLarge(frame: Parser): void {
    frame.headerSize = Math.min(frame.headerSize, frame.dataEnd - frame.dataStart)
    if (!mayTrace(frame, this.#client.account.spec.trace !== null)) return
    const trace = beginTrace(this.#client, frame, true)
    if (typeof trace === 'string') return
    trace.refused('maximum payload exceeded')
    trace.send()
  }

  /** True when the frame was a response to another account that nobody else listens to, and is dealt with. */
  #respond(frame: Frame): boolean {
    const { account, permissions } = this.#client
    const { replies } = account
    const { prefix } = replies
    if (prefix === null || account.mappings !== null) return false
    const { args, subjectStart, subjectEnd } = frame
    if (subjectEnd - subjectStart < REPLY_LENGTH) return false
    for (let i = 4; i < prefix.length; i++) if (args[subjectStart + i] !== prefix[i]) return false
    if (!replies.isAlone) return false
    if (permissions?.restrictsPublish === true) {
      const subject = args.latin1Slice(subjectStart, subjectEnd)
      if (!permissions.mayPublish(subject) && this.#client.grants?.use(subject) !== true) {
        this.#mayNotPublish(subject)
        return true
      }
    }
    if (frame.replyEnd > frame.replyStart && !this.#mayReplyTo(frame)) return true
    if (this.#client.options.verbose) this.#client.write('+OK\r\n')
    replies.respond(frame, this.#client)
    return true
  }

  #entryOf(frame: Frame, isKnown: boolean): PublishEntry {
    const last = this.#last
    if (isKnown) return this.#fresh(last!)
    const { args, subjectStart, subjectEnd } = frame
    if (last !== null && sameBytes(last.bytes, args, subjectStart, subjectEnd)) return this.#fresh(last)
    const { account, permissions } = this.#client
    this.#entries ??= permissions === null ? account.published : new PublishCache(OWN_SUBJECTS)
    const hash = hashOf(args, subjectStart, subjectEnd)
    const kept = this.#entries.find(hash, args, subjectStart, subjectEnd)
    if (kept !== undefined) {
      this.#remember(kept)
      return this.#fresh(kept)
    }
    const subject = args.latin1Slice(subjectStart, subjectEnd)
    if (account.mappings === null && firstSight(hash)) return this.#passing(subject)
    const bytes = Buffer.from(args.subarray(subjectStart, subjectEnd))
    const mapped = account.mappings === null ? null : account.mappings.find(subject)
    const name = mapped === null || mapped.fixed === null ? null : Buffer.from(mapped.fixed, 'latin1')
    const made = this.#makeEntry(hash, bytes, mapped?.fixed ?? subject, mapped, name)
    this.#entries.keep(made)
    this.#remember(made)
    return made
  }

  /** For a subject that most likely never comes again, an inbox above all: nothing is kept of it. */
  #passing(subject: string): PublishEntry {
    const { permissions } = this.#client
    const permitted = !this.#isReserved(subject) && (permissions === null || permissions.mayPublish(subject))
    const result = this.#client.account.matchOnce(subject)
    return { hash: 0, bytes: NO_BYTES, subject, permitted, result, mapped: null, name: null }
  }

  #makeEntry(
    hash: number,
    bytes: Buffer,
    subject: string,
    mapped: Mapped | null,
    name: Buffer | null,
  ): PublishEntry {
    const { permissions } = this.#client
    const permitted = !this.#isReserved(subject) && (permissions === null || permissions.mayPublish(subject))
    return { hash, bytes, subject, permitted, result: this.#client.account.match(subject), mapped, name }
  }

  #remember(entry: PublishEntry): void {
    this.#last = entry
    this.#parser.known = entry.bytes
  }

  /** What was kept about subjects is void. */
  forget(): void {
    this.#last = null
    this.#entries = null
    this.#drawn = null
    this.#parser.known = null
  }

  #fresh(entry: PublishEntry): PublishEntry {
    if (entry.result.generation !== this.#client.account.index.generation)
      entry.result = this.#client.account.match(entry.subject)
    return entry
  }

  #isReserved(subject: string): boolean {
    return isReserved(subject) && !(subject.startsWith('$NRG.') && this.#client.account.isSystem)
  }

  /** Reply subjects that only servers make. */
  #mayReplyTo(frame: Frame): boolean {
    const { args, replyStart } = frame
    const first = args[replyStart]
    const second = args[replyStart + 1]
    // `_R`, `_G` or `$J`; inboxes begin with `_I`.
    if (!(first === 95 && (second === 82 || second === 71)) && !(first === 36 && second === 74)) return true
    const reply = frame.args.latin1Slice(frame.replyStart, frame.replyEnd)
    if (
      !reply.startsWith('_R_.') &&
      !(reply.startsWith('$JS.ACK.') && reply.length > 8) &&
      !(reply.startsWith('_GR_.') && reply.length > 5)
    )
      return true
    this.#publishViolation(
      `Permissions Violation for Publish with Reply of ${quote(reply)}`,
      `Publish Violation - Reply ${quote(reply)}`,
    )
    return false
  }

  /** Nobody took a request: tells the requester on its own plain subscription to the reply. */
  #noResponders(frame: Frame, subject: string): void {
    const reply = frame.args.latin1Slice(frame.replyStart, frame.replyEnd)
    const own = this.#client.account
      .match(reply)
      .plain.find((subscription) => subscription.client === this.#client)
    if (own === undefined) return
    const size = 32 + subject.length
    this.#client.write(
      `HMSG ${reply} ${own.sid} ${size} ${size}\r\nNATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n\r\n`,
    )
  }

  /** Whether traces of what the client publishes may go there; says so when not. */
  mayTraceTo(destination: string): boolean {
    const { permissions } = this.#client
    if (!this.#isReserved(destination) && (permissions === null || permissions.mayPublish(destination)))
      return true
    this.#mayNotPublish(destination)
    return false
  }
}

const NO_BYTES = Buffer.alloc(0)

/** Hashes of subjects that came once, of all connections. */
const sights = new Int32Array(16 * 1024)

/** True when no subject with this hash came lately. Replies to requests come once each, and to keep them costs more than to match them. */
function firstSight(hash: number): boolean {
  const at = (hash ^ (hash >>> 17)) & (sights.length - 1)
  if (sights[at] === hash) return false
  sights[at] = hash
  return true
}

function isReserved(subject: string): boolean {
  return (subject.startsWith('_GR_.') && subject.length > 5) || subject.startsWith('$NRG.')
}
