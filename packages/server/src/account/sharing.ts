// Imports in force, and the way of a request into the account that serves it.

import type { Renaming } from '@ngs/identity/node'
import type { Client } from '../connection/client.ts'
import { deliverImported } from '../delivery.ts'
import { borrowFrame, copyOf, type Frame, type MessageFrame, releaseFrame } from '../frame.ts'
import { tracing } from '../trace/current.ts'
import type { Account } from './account.ts'
import { hops, passing, putOff } from './hops.ts'
import { samples } from './latency.ts'
import type { Mappings } from './mappings.ts'
import type { Pending } from './replies.ts'
import { appendInfo } from './request-info.ts'
import type { ExportSpec, ImportSpec } from './spec.ts'
import type { MatchResult } from './subscription.ts'

/** Names that an import remembers; beyond it the memory starts anew. */
const NAMES = 1024

export class StreamImport {
  readonly spec: ImportSpec
  readonly exporter: Account
  /** From the exporter's name to the local one. */
  readonly renaming: Renaming
  readonly #names = new Map<string, Buffer>()

  constructor(spec: ImportSpec, exporter: Account, renaming: Renaming) {
    this.spec = spec
    this.exporter = exporter
    this.renaming = renaming
  }

  /** The same for imports between which subscriptions need not move. */
  get key(): string {
    const { spec } = this
    return `${spec.account} ${spec.subject} ${spec.to} ${spec.allowTrace}`
  }

  /** A message came over it: it counts for the account that it was published in, not for that of the connection that got it. */
  count(importer: Account, bytes: number): void {
    this.exporter.past.outMsgs++
    this.exporter.past.outBytes += bytes
    importer.past.outMsgs--
    importer.past.outBytes -= bytes
  }

  /** The name that a message on a subject of the exporter gets here; null when it keeps its own. */
  nameOf(subject: string): Buffer | null {
    if (this.renaming.isIdentity) return null
    let name = this.#names.get(subject)
    if (name === undefined) {
      name = Buffer.from(this.renaming.forward(subject), 'latin1')
      if (this.#names.size >= NAMES) this.#names.clear()
      this.#names.set(subject, name)
    }
    return name
  }
}

/** What a request on one local subject becomes in the exporter. */
export interface Remote {
  readonly subject: string
  readonly bytes: Buffer
  result: MatchResult
}

export class ServiceImport {
  readonly spec: ImportSpec
  readonly exporter: Account
  readonly export: ExportSpec
  /** Local subject, references as wildcards. */
  readonly local: string
  /** From the exporter's name to the local one; null when a literal remote serves whatever local name. */
  readonly renaming: Renaming | null
  unlink: (() => void) | null = null
  readonly #remotes = new Map<string, Remote>()
  #last: Remote | null = null
  #lastSubject = ''
  /** The exporter's mappings for which the names above hold. */
  #mappings: Mappings | null = null

  constructor(
    spec: ImportSpec,
    exporter: Account,
    exported: ExportSpec,
    local: string,
    renaming: Renaming | null,
  ) {
    this.spec = spec
    this.exporter = exporter
    this.export = exported
    this.local = local
    this.renaming = renaming
  }

  /** Null when the exporter's mappings lose the request. */
  remote(subject: string): Remote | null {
    if (this.#mappings !== this.exporter.mappings) {
      this.#mappings = this.exporter.mappings
      this.#remotes.clear()
      this.#last = null
    }
    const last = this.#last
    if (last !== null && this.#lastSubject === subject) return this.#fresh(last)
    const kept = this.#remotes.get(subject)
    if (kept !== undefined) {
      this.#last = kept
      this.#lastSubject = subject
      return this.#fresh(kept)
    }
    const { exporter } = this
    const named = this.renaming === null ? this.spec.subject : this.renaming.backward(subject)
    const mapped = exporter.mappings === null ? null : exporter.mappings.find(named)
    const name = mapped === null ? named : (mapped.fixed ?? mapped.draw())
    if (name === '') return null
    const remote = { subject: name, bytes: Buffer.from(name, 'latin1'), result: exporter.match(name) }
    // A mapping that draws decides for each message.
    if (mapped !== null && mapped.fixed === null) return remote
    if (this.#remotes.size >= NAMES) this.#remotes.clear()
    this.#remotes.set(subject, remote)
    this.#last = remote
    this.#lastSubject = subject
    return remote
  }

  #fresh(remote: Remote): Remote {
    const { exporter } = this
    if (remote.result.generation !== exporter.index.generation) remote.result = exporter.match(remote.subject)
    return remote
  }
}

/** `_R_` reply subjects of timed requests are the longest. */
const REPLY_ROOM = 32
const isAck = (frame: Frame): boolean =>
  frame.replyEnd - frame.replyStart > 8 &&
  frame.args[frame.replyStart] === 36 &&
  frame.args.latin1Slice(frame.replyStart, frame.replyStart + 8) === '$JS.ACK.'

/** Sends a request into the exporting account. True when somebody there took it. */
export function callService(
  importer: Account,
  service: ServiceImport,
  subject: string,
  frame: Frame,
  origin: Client | null,
): boolean {
  const { exports, shares } = passing
  if (exports.length > 0 && exports.includes(service.export)) return false
  const { exporter, export: exported } = service
  const remote = service.remote(subject)
  const replySize = frame.replyEnd - frame.replyStart
  const probe = exported.latency === null ? null : samples(exported.latency, frame)
  if (probe !== null && replySize === 0) exporter.reports?.badRequest(service, origin, probe)
  if (remote === null) return false
  const trace = tracing.current
  const { result } = remote
  if (result.plain.length === 0 && result.groups.length === 0 && probe === null && trace === null)
    return false

  hops.enter()
  const call = borrowFrame()
  call.subject(remote.bytes, REPLY_ROOM + replySize)
  let pending: Pending | null = null
  if (replySize > 0) {
    if (isAck(frame)) call.reply(frame)
    else {
      const suffix = probe === null ? '' : (exporter.reports?.suffix ?? '')
      pending = exporter.replies.open(call, importer, frame, exported, service.spec.share, suffix)
      if (exported.latency !== null) exporter.reports?.begin(pending, exported.latency, probe, origin)
    }
  }
  // Who shares is decided by the first import on the way.
  const share = shares.length > 0 ? shares[0]! : service.spec.share
  appendInfo(call, frame, importer, service, origin, share, exports.length > 0)
  exports.push(exported)
  shares.push(share)
  const taken = hops.areTooMany
    ? deliverLater(call, remote, origin, pending)
    : trace === null
      ? deliverImported(call, remote.subject, result, origin)
      : trace.throughService(service, subject, remote, call, importer, origin)
  exports.pop()
  shares.pop()
  if (pending !== null && (taken === 0 || trace?.only === true))
    exporter.replies.close(pending, taken === 0 ? 'unanswered' : 'done')
  releaseFrame()
  hops.leave()
  return taken > 0
}

/** Deep chains go on when the stack is free again. Until then it counts as taken. */
function deliverLater(
  call: MessageFrame,
  { subject, result }: Remote,
  origin: Client | null,
  pending: Pending | null,
): number {
  const copy = copyOf(call)
  putOff(() => {
    const taken = deliverImported(copy, subject, result, origin)
    if (taken === 0 && pending !== null) pending.owner.close(pending, 'unanswered')
  })
  return 1
}

/** Delivers with the export marked as passed. */
export function deliverPassing(
  exported: ExportSpec,
  share: boolean,
  frame: MessageFrame,
  subject: string,
  result: MatchResult,
  origin: Client | null,
): number {
  passing.exports.push(exported)
  passing.shares.push(share)
  const taken = deliverImported(frame, subject, result, origin)
  passing.exports.pop()
  passing.shares.pop()
  return taken
}
