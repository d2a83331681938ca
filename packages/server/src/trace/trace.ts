// The trace of one message: what came in, what it was mapped to, which accounts it crossed into, and who it went to or why not. It is sent
// as one event when the message is done. Delivery while tracing has its own loops here, so that the others know nothing of it.
import type { Account } from '../account/account.ts'
import type { Remote, ServiceImport } from '../account/sharing.ts'
import type { MatchResult, Subscription } from '../account/subscription.ts'
import type { Client } from '../connection/client.ts'
import { deliverImported, deliverOne } from '../delivery.ts'
import type { Frame, MessageFrame } from '../frame.ts'
import { setHeader } from '../protocol/headers.ts'
import { fromWire } from '../subject/subject.ts'
import { type Encoding, encodingFor } from '../system/encoding.ts'
import { tracing } from './current.ts'
import { DISABLED, TRACE_DEST, type TraceHeaders } from './trigger.ts'

/** Kinds of connections as numbers of the protocol: 0 is a client. */
const CLIENT = 0
const NOT = 'Not delivered because'
const NO_ECHO = `${NOT} of no echo`
const DENIED = `${NOT} subscription denies this subject`
const CLOSED = `${NOT} subscription is closed`
const CLIENT_CLOSED = `${NOT} client is closed`
const EXCEEDED = `${NOT} auto-unsubscribe exceeded`

/** What the event is sent with. */
export type SendTrace = (
  account: Account,
  destination: string,
  event: { request: unknown; events: unknown[] },
  encoding: Encoding | null,
) => void

export class MessageTrace {
  /** Nobody but the server gets the message. */
  readonly only: boolean
  readonly #account: Account
  #destination: string
  readonly #encoding: Encoding | null
  readonly #request: Record<string, unknown>
  readonly #events: Record<string, unknown>[]
  readonly #send: SendTrace | null

  constructor(
    client: Client,
    subject: string,
    size: number,
    { headers }: TraceHeaders,
    destination: string,
    only: boolean,
  ) {
    this.only = only
    this.#account = client.account
    this.#destination = destination
    this.#send = client.server.sendTrace
    this.#encoding = encodingFor(headers.get('Accept-Encoding')?.[0])
    const header = Object.fromEntries(
      [...headers].map(([name, values]) => [fromWire(name), values.map(fromWire)]),
    )
    this.#request = { header, msgsize: size }
    const { name } = client.options
    this.#events = [
      {
        type: 'in',
        ts: now(),
        kind: CLIENT,
        cid: client.cid,
        ...(name === '' ? {} : { name }),
        acc: client.account.name,
        subj: fromWire(subject),
      },
    ]
  }

  /** The message was refused. */
  refused(error: string): void {
    this.#events[0]!['error'] = error
  }
  mapped(to: string): void {
    this.#events.push({ type: 'sm', ts: now(), to: fromWire(to) })
  }

  send(): void {
    this.#send?.(
      this.#account,
      this.#destination,
      { request: this.#request, events: this.#events },
      this.#encoding,
    )
  }

  /** As delivery does it, with an event for each subscription. */
  deliver(
    frame: Frame,
    subject: string,
    result: MatchResult,
    origin: Client | null,
    imported = false,
  ): number {
    let taken = 0
    for (const subscription of result.plain)
      if (!imported || subscription.stream === null)
        taken += this.#deliverOne(subscription, frame, subject, origin)
    for (const group of result.groups) {
      const members = imported ? group.filter(({ stream }) => stream === null) : group
      const start = Math.floor(Math.random() * members.length)
      for (let tried = 0; tried < members.length; tried++) {
        const member = members[(start + tried) % members.length]!
        if (this.#deliverOne(member, frame, subject, origin) === 0) continue
        taken++
        break
      }
    }
    return taken
  }

  #deliverOne(subscription: Subscription, frame: Frame, subject: string, origin: Client | null): number {
    const { client, stream } = subscription
    if (client === null) return deliverOne(subscription, frame, subject, origin)
    if (stream !== null) {
      const to = stream.renaming.forward(subject)
      this.#events.push({ type: 'se', ts: now(), acc: client.account.name, to: fromWire(to) })
      // The importer does not let traces in: they end here, though the message does not.
      if (!stream.spec.allowTrace) return this.only ? 1 : deliverOne(subscription, frame, subject, origin)
    }
    const refusal = refusalOf(subscription, client, subject, origin)
    if (refusal !== null) {
      this.#egress(subscription, client, refusal)
      return 0
    }
    if (this.only) {
      this.#egress(subscription, client)
      return 1
    }
    const exceeded = subscription.max > 0 && subscription.delivered >= subscription.max
    const taken = deliverOne(subscription, frame, subject, origin)
    this.#egress(subscription, client, taken === 1 ? undefined : exceeded ? EXCEEDED : CLIENT_CLOSED)
    return taken
  }

  #egress(subscription: Subscription, client: Client, error?: string): void {
    const { name } = client.options
    const account = client.account
    this.#events.push({
      type: 'eg',
      ts: now(),
      kind: CLIENT,
      cid: client.cid,
      ...(name === '' ? {} : { name }),
      ...(account === this.#account ? {} : { acc: account.name }),
      sub: fromWire(subscription.subject),
      ...(subscription.queue === null ? {} : { queue: fromWire(subscription.queue) }),
      ...(error === undefined ? {} : { error }),
    })
  }

  /** A request on its way into the exporter, which may not want traces to go on there. */
  throughService(
    service: ServiceImport,
    from: string,
    remote: Remote,
    call: MessageFrame,
    importer: Account,
    origin: Client | null,
  ): number {
    const { exporter, export: exported } = service
    const { subject, result } = remote
    this.#events.push({
      type: 'si',
      ts: now(),
      acc: exporter.name,
      from: fromWire(from),
      to: fromWire(subject),
    })
    if (exported.allowTrace) {
      // Servers further on would answer there; with none there is nothing to wait for.
      const before = this.#destination
      const reply = exporter.replies.openTrace(importer, before, exported)
      this.#destination = reply.subject
      setFrameHeader(call, TRACE_DEST, reply.subject)
      const taken = this.deliver(call, subject, result, origin, true)
      reply.close()
      this.#destination = before
      return taken
    }
    if (this.only) return 0
    setFrameHeader(call, TRACE_DEST, DISABLED)
    tracing.current = null
    const taken = deliverImported(call, subject, result, origin)
    tracing.current = this
    return taken
  }
}

function refusalOf(
  subscription: Subscription,
  client: Client,
  subject: string,
  origin: Client | null,
): string | null {
  if (client === origin && !client.echo) return NO_ECHO
  if (subscription.filter && subscription.isDenied(subject)) return DENIED
  if (subscription.closed) return CLOSED
  return client.closed ? CLIENT_CLOSED : null
}

/** A header set in a frame that is a copy already. */
export function setFrameHeader(frame: MessageFrame, name: string, value: string): void {
  const size = Math.max(frame.headerSize, 0)
  const block = setHeader(frame.data.latin1Slice(frame.dataStart, frame.dataStart + size), name, value)
  const body = Buffer.from(frame.data.subarray(frame.dataStart + size, frame.dataEnd))
  const room = frame.room(block.length + body.length)
  room.latin1Write(block, 0)
  room.set(body, block.length)
  frame.filled(block.length, block.length + body.length)
}

const now = (): string => new Date().toISOString()
