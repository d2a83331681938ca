// An account: one private subject space with its clients, and its sharing with other accounts.

import { intersect } from '@ngs/identity/node'
import type { Client } from '../connection/client.ts'
import { PublishCache } from '../connection/publish-cache.ts'
import { deliver } from '../delivery.ts'
import { type Frame, textFrame } from '../frame.ts'
import { Matcher } from '../subject/matcher.ts'
import { apart } from './hops.ts'
import type { LatencyReports } from './latency.ts'
import { Mappings } from './mappings.ts'
import { Awaited, Replies } from './replies.ts'
import { newSharer, type Sharer } from './rules.ts'
import { callService, type ServiceImport, type StreamImport } from './sharing.ts'
import { type AccountSpec, EMPTY_SPEC, type ImportSpec } from './spec.ts'
import { type InternalHandler, type MatchResult, Subscription } from './subscription.ts'

/** Kept match results; beyond it the cache starts anew. */
const CACHE_LIMIT = 8192
const NO_GROUPS: Subscription[][] = []

export class Account {
  readonly name: string
  isSystem = false
  /** Replaced by the registry alone, which knows who is concerned. */
  spec: AccountSpec = EMPTY_SPEC
  /** What others may import, and the imports that hold. */
  sharer: Sharer = newSharer([])
  /** New names for what clients publish; null for none, which every new subject asks. */
  mappings: Mappings | null = null
  readonly clients = new Set<Client>()
  readonly index = new Matcher<Subscription>()
  /** Services called here and served elsewhere. */
  services: ServiceImport[] = []
  /** Streams of other accounts by local subject. Null for none, which every SUB asks. */
  streams: Matcher<StreamImport> | null = null
  #streamsKey = ''
  /** Of the spec's imports those in force, and those that have been since the spec came, as they were last. */
  held: ReadonlySet<ImportSpec> = new Set()
  readonly everHeld = new Map<ImportSpec, StreamImport | ServiceImport>()
  /** Responses that services of this account owe, and those it waits for. */
  readonly replies: Replies
  readonly awaited: Awaited
  /** Times of services; null without a system account. */
  reports: LatencyReports | null = null
  /** Traffic that the counts of its connections do not have (or have for another account): of those that are gone, above all. */
  readonly past = { inMsgs: 0, inBytes: 0, outMsgs: 0, outBytes: 0, slowConsumers: 0 }
  /** Shown in events and monitoring besides the name. */
  label: string
  /** Set for JWT accounts: when the account itself ends; users get no new connections after it. */
  expired = false
  /** Raw claims token of a JWT account. */
  token = ''
  updatedAt = new Date()
  #cache = new Map<string, MatchResult>()
  /** Subjects of clients without permissions of their own. */
  published = new PublishCache(CACHE_LIMIT)
  /** How often the index was asked, and how often a kept result was the answer. What connections keep for themselves does not ask. */
  matches = 0
  cacheHits = 0
  #handlers = 0

  constructor(name: string) {
    this.name = name
    this.label = name
    this.replies = new Replies(this)
    this.awaited = new Awaited(this)
  }

  match(subject: string): MatchResult {
    const kept = this.#cache.get(subject)
    this.matches++
    if (kept !== undefined && kept.generation === this.index.generation) {
      this.cacheHits++
      return kept
    }
    const result = this.#find(subject)
    if (this.#cache.size >= CACHE_LIMIT) this.#cache.clear()
    this.#cache.set(subject, result)
    return result
  }

  /** The same without keeping the result. */
  matchOnce(subject: string): MatchResult {
    this.matches++
    return this.#find(subject)
  }

  #find(subject: string): MatchResult {
    const { generation } = this.index
    const found: Subscription[] = []
    this.index.match(subject, found)
    let queued = 0
    for (let i = 0; i < found.length; i++) if (found[i]!.queue !== null) queued++
    if (queued === 0) return { generation, plain: found, groups: NO_GROUPS }
    const plain: Subscription[] = []
    const groups = new Map<string, Subscription[]>()
    for (const subscription of found) {
      if (subscription.queue === null) plain.push(subscription)
      else {
        const group = groups.get(subscription.queue)
        if (group === undefined) groups.set(subscription.queue, [subscription])
        else group.push(subscription)
      }
    }
    return { generation, plain, groups: [...groups.values()] }
  }

  /** Results that are kept and still hold. */
  *keptResults(): Generator<MatchResult> {
    for (const result of this.#cache.values()) if (result.generation === this.index.generation) yield result
  }

  /** Matches and delivers a message that did not come straight from a client's PUB. */
  route(frame: Frame, subject: string, origin: Client | null): number {
    return deliver(frame, subject, this.match(subject), origin)
  }

  addSubscription(subscription: Subscription): void {
    this.index.insert(subscription.subject, subscription)
    if (this.streams !== null && subscription.client !== null) this.#shadow(subscription)
  }

  removeSubscription(subscription: Subscription): void {
    subscription.closed = true
    this.index.remove(subscription.subject, subscription)
    this.#unshadow(subscription)
    if (this.awaited.size > 0 && subscription.client !== null) this.awaited.lost(subscription.subject)
  }

  /** A handler inside the server, alone or in a queue group. */
  internal(subject: string, handler: InternalHandler, queue: string | null = null): Subscription {
    const subscription = new Subscription(null, handler, subject, queue, `${++this.#handlers}`)
    this.index.insert(subject, subscription)
    return subscription
  }
  /** The same; the answer takes it out again. */
  subscribeInternal(subject: string, handler: InternalHandler, queue: string | null = null): () => void {
    const subscription = this.internal(subject, handler, queue)
    return () => {
      subscription.closed = true
      this.index.remove(subject, subscription)
    }
  }

  /** Sees what the server says in here; null unless that is traced. */
  tap: ((frame: Frame, subject: string) => void) | null = null

  /** Publishes from inside the server. `headers` is a whole header block or empty. Returns how many took it. */
  publishInternal(subject: string, reply: string, payload: Buffer | string, headers = ''): number {
    const body = typeof payload === 'string' ? Buffer.from(payload) : payload
    const data = headers === '' ? body : Buffer.concat([Buffer.from(headers, 'latin1'), body])
    const frame = textFrame(subject, reply, data, 0, data.length, headers === '' ? -1 : headers.length)
    if (this.tap !== null) this.tap(frame, subject)
    return apart(() => this.route(frame, subject, null))
  }

  /** True with as many connections as the account may have. */
  get isFull(): boolean {
    const { connections } = this.spec.limits
    return connections >= 0 && this.clients.size >= connections
  }

  /** True when there is no room for this connection, which may be in already. */
  isFullFor(cid: number): boolean {
    if (!this.isFull) return false
    for (const client of this.clients) if (client.cid === cid) return false
    return true
  }

  /** Joins one more connection. False when the account is full. */
  admit(client: Client): boolean {
    if (this.isFull) return false
    this.clients.add(client)
    this.#count(client, -1)
    return true
  }

  /** Connections beyond a limit that has been lowered: the newest. */
  excess(): Client[] {
    const { connections } = this.spec.limits
    if (connections < 0 || this.clients.size <= connections) return []
    return [...this.clients].sort((a, b) => a.cid - b.cid).slice(connections)
  }

  release(client: Client): void {
    if (this.clients.delete(client)) this.#count(client, 1)
  }

  /** What a connection has counted before it came is not of this account, what it has counted when it goes stays here. */
  #count(client: Client, sign: 1 | -1): void {
    const { past } = this
    past.inMsgs += sign * client.inMsgs
    past.inBytes += sign * client.inBytes
    past.outMsgs += sign * client.outMsgs
    past.outBytes += sign * client.outBytes
  }

  /** True when somebody here, or a service, would take a message on this subject. */
  hasInterest(subject: string): boolean {
    return this.index.matches(subject)
  }

  // Sharing --------------------------------------------------------------------------------------------------------------------

  /** Takes the spec's mappings; what clients know about subjects is void when they have changed. */
  map(cluster: string): void {
    const { mappings } = this.spec
    const made = mappings.length === 0 ? null : new Mappings(mappings, cluster)
    if (made === null && this.mappings === null) return
    this.mappings = made !== null && made.size > 0 ? made : null
    this.published = new PublishCache(CACHE_LIMIT)
    for (const client of this.clients) client.forgetSubjects()
  }

  /** Replaces the imports in force; called by the registry, which knows the exporters. */
  link(streams: readonly StreamImport[], services: ServiceImport[]): void {
    // The new handlers come before the old ones go, so that a request always finds one.
    const items = [...streams, ...services]
    this.held = new Set(items.map(({ spec }) => spec))
    for (const item of items) this.everHeld.set(item.spec, item)
    const before = this.services
    this.services = services
    for (const service of services) {
      service.unlink = this.subscribeInternal(service.local, (subject, frame, origin) =>
        callService(this, service, subject, frame, origin),
      )
    }
    for (const service of before) service.unlink?.()
    for (const client of this.clients) client.requestInfo = null
    const key = streams.map(({ key }) => key).join('\n')
    if (key === this.#streamsKey) return
    this.#streamsKey = key
    this.streams = null
    if (streams.length > 0) {
      this.streams = new Matcher<StreamImport>()
      for (const stream of streams) this.streams.insert(stream.renaming.toPattern, stream)
    }
    for (const client of this.clients) {
      for (const subscription of client.subscriptions.values()) {
        this.#unshadow(subscription)
        if (this.streams !== null) this.#shadow(subscription)
      }
    }
  }

  /** Enters the subscription into the index of every account whose stream it asks for. */
  #shadow(subscription: Subscription): void {
    for (const stream of this.streams!.overlapping(subscription.subject)) {
      const part = intersect(subscription.subject, stream.renaming.toPattern)
      if (part === null) continue
      const shadow = new Subscription(
        subscription.client,
        null,
        stream.renaming.backward(part),
        subscription.queue,
        subscription.sid,
      )
      shadow.stream = stream
      shadow.filter = subscription.filter
      shadow.max = subscription.max
      shadow.delivered = subscription.delivered
      stream.exporter.index.insert(shadow.subject, shadow)
      subscription.shadows ??= []
      subscription.shadows.push({ subscription: shadow, exporter: stream.exporter })
    }
  }

  #unshadow(subscription: Subscription): void {
    if (subscription.shadows === null) return
    for (const { subscription: shadow, exporter } of subscription.shadows) exporter.removeSubscription(shadow)
    subscription.shadows = null
  }
}
