// The fan-out: one message and a match result into outbound buffers. The hot path: no object, string or closure per message.
import type { MatchResult, Subscription } from './account/subscription.ts'
import type { Client } from './connection/client.ts'
import { BY_REFERENCE } from './connection/outbox.ts'
import type { Frame } from './frame.ts'

/** Delivers to every plain subscription and one member of each group. Returns how many took it. */
export function deliver(frame: Frame, subject: string, result: MatchResult, origin: Client | null): number {
  let taken = 0
  const { plain, groups } = result
  for (let i = 0; i < plain.length; i++) taken += deliverOne(plain[i]!, frame, subject, origin)
  for (let i = 0; i < groups.length; i++) taken += deliverGroup(groups[i]!, frame, subject, origin)
  return taken
}

/** Uniform random start, then the next in turn until one accepts. */
function deliverGroup(group: Subscription[], frame: Frame, subject: string, origin: Client | null): number {
  const size = group.length
  let index = size === 1 ? 0 : (Math.random() * size) | 0
  for (let tried = 0; tried < size; tried++) {
    if (deliverOne(group[index]!, frame, subject, origin) === 1) return 1
    index = index + 1 === size ? 0 : index + 1
  }
  return 0
}

/**
 * Delivers what came over a service: stream imports do not pass that on, so that nobody gets it twice.
 * Requests and responses of other accounts have no echo to suppress.
 */
export function deliverImported(
  frame: Frame,
  subject: string,
  result: MatchResult,
  origin: Client | null,
): number {
  let taken = 0
  const { plain, groups } = result
  for (let i = 0; i < plain.length; i++)
    if (plain[i]!.stream === null) taken += deliverOne(plain[i]!, frame, subject, origin)
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i]!
    const size = group.length
    let index = size === 1 ? 0 : (Math.random() * size) | 0
    for (let tried = 0; tried < size; tried++) {
      const member = group[index]!
      if (member.stream === null && deliverOne(member, frame, subject, origin) === 1) {
        taken++
        break
      }
      index = index + 1 === size ? 0 : index + 1
    }
  }
  return taken
}

/** To one subscription: 1 when it took the message. */
export function deliverOne(
  subscription: Subscription,
  frame: Frame,
  subject: string,
  origin: Client | null,
): number {
  if (subscription.closed) return 0
  const client = subscription.client
  if (client === null) return subscription.handler!(subject, frame, origin) ? 1 : 0
  if (client === origin && !client.echo) return 0
  if (client.closed) return 0
  if (subscription.filter && subscription.isDenied(subject)) return 0
  subscription.delivered++
  if (subscription.max > 0) {
    if (subscription.delivered > subscription.max) return 0
    if (subscription.delivered === subscription.max) {
      client.limitReached(subscription)
      write(client, subscription, frame, subject)
      client.removeSubscription(subscription)
      return 1
    }
  }
  write(client, subscription, frame, subject)
  return 1
}

const M = 77
const S = 83
const G = 71
const H = 72
const SPACE = 32

function write(client: Client, subscription: Subscription, frame: Frame, subject: string): void {
  if (client.grants !== null && frame.replyEnd > frame.replyStart)
    client.grants.allow(frame.args.latin1Slice(frame.replyStart, frame.replyEnd))
  const withHeaders = frame.headerSize > 0 && client.headers
  const bodyStart =
    frame.headerSize > 0 && !withHeaders ? frame.dataStart + frame.headerSize : frame.dataStart
  const bodySize = frame.dataEnd - bodyStart
  const outbox = client.outbox
  const sid = subscription.sid
  let renamed: Buffer | null = null
  if (subscription.stream !== null) {
    renamed = subscription.stream.nameOf(subject)
    subscription.stream.count(client.account, bodySize)
  }
  const subjectSize = renamed === null ? frame.subjectEnd - frame.subjectStart : renamed.length
  const room = subjectSize + sid.length + (frame.replyEnd - frame.replyStart) + 32
  const inline = bodySize < BY_REFERENCE
  const out = outbox.reserve(inline ? room + bodySize : room)
  let at = outbox.length
  if (withHeaders) out[at++] = H
  out[at++] = M
  out[at++] = S
  out[at++] = G
  out[at++] = SPACE
  const args = frame.args
  if (renamed === null) at = copy(args, frame.subjectStart, frame.subjectEnd, out, at)
  else at = copy(renamed, 0, subjectSize, out, at)
  out[at++] = SPACE
  for (let i = 0; i < sid.length; i++) out[at++] = sid.charCodeAt(i)
  out[at++] = SPACE
  if (frame.replyEnd > frame.replyStart) {
    at = copy(args, frame.replyStart, frame.replyEnd, out, at)
    out[at++] = SPACE
  }
  if (withHeaders) {
    at = copy(args, frame.headerSizeStart, frame.headerSizeEnd, out, at)
    out[at++] = SPACE
    at = copy(args, frame.sizeStart, frame.sizeEnd, out, at)
  } else if (bodyStart === frame.dataStart) at = copy(args, frame.sizeStart, frame.sizeEnd, out, at)
  else {
    at += out.latin1Write(`${bodySize}`, at)
    countStripped(client, subscription, frame.headerSize)
  }
  out[at++] = 13
  out[at++] = 10
  if (inline) {
    at = copy(frame.data, bodyStart, frame.dataEnd, out, at)
    out[at++] = 13
    out[at++] = 10
    outbox.length = at
  } else {
    outbox.length = at
    outbox.bytes(frame.data, bodyStart, frame.dataEnd)
    outbox.text('\r\n')
  }
  client.outMsgs++
  client.outBytes += bodySize
  if (!outbox.dirty) client.server.markDirty(client)
}

/** A connection counts what it gets, its account and the server what was published: with the headers that were taken off. */
function countStripped({ account, server }: Client, { stream }: Subscription, bytes: number): void {
  const sender = stream === null ? account : stream.exporter
  sender.past.outBytes += bytes
  server.past.outBytes += bytes
}

/** A byte loop beats a block copy for short pieces: the call costs more than the bytes. Neither makes an object, as subarray() would. */
function copy(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  if (end - start <= 40) {
    for (let i = start; i < end; i++) to[at++] = from[i]!
    return at
  }
  return at + from.copy(to, at, start, end)
}
