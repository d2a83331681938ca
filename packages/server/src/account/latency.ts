// How long services take: one event per sampled request, on a subject of the exporter. The total is the requestor's round trip, the time
// until the response came, and what the server took; the service's own time is what remains without the responder's round trip.
import { createHash } from 'node:crypto'
import type { Client } from '../connection/client.ts'
import type { Frame } from '../frame.ts'
import { canonicalHeaders, isSampledTraceparent } from '../protocol/headers.ts'
import type { Server } from '../server.ts'
import { fromWire } from '../subject/subject.ts'
import type { Account } from './account.ts'
import { randomToken } from './random.ts'
import type { End, Pending } from './replies.ts'
import type { ServiceImport } from './sharing.ts'
import type { LatencySpec } from './spec.ts'

const TYPE = 'io.nats.server.metric.v1.service_latency'

/** Tracing headers that made the request a sampled one; empty when the percentage did. */
export type Trigger = Readonly<Record<string, string[]>>

/** A request that is timed. */
export interface Probe {
  readonly trigger: Trigger
  readonly origin: Client | null
  readonly subject: string
  readonly account: Account
  readonly share: boolean
  /** ms since 1970, and by the clock that never jumps. */
  readonly begun: number
  readonly ticks: number
}

/** Whether this request is timed, and by which headers; null when it is not. */
export function samples(latency: LatencySpec, frame: Frame): Trigger | null {
  const { sampling } = latency
  // As there: n percent are n + 1 of 100.
  if (sampling >= 100 || (sampling > 0 && ((Math.random() * 100) | 0) <= sampling)) return {}
  if (frame.headerSize <= 0) return null
  return triggerOf(frame.data.latin1Slice(frame.dataStart, frame.dataStart + frame.headerSize))
}

const B3 = ['X-B3-Sampled', 'X-B3-Traceid', 'X-B3-Parentspanid', 'X-B3-Spanid']

/** The first family of tracing headers that is there decides. */
function triggerOf(block: string): Trigger | null {
  const headers = canonicalHeaders(block)
  if (headers === null) return null
  const first = (name: string): string | undefined => headers.get(name)?.[0]
  const take = (names: readonly string[]): Trigger =>
    Object.fromEntries(
      names.flatMap((name) => (headers.has(name) ? [[name, headers.get(name)!.map(fromWire)]] : [])),
    )
  const uber = first('Uber-Trace-Id')
  if (uber !== undefined) {
    const parts = uber.split(':')
    const flags = parts[3] ?? ''
    if (parts.length !== 4 || !/^.?[0-9a-fA-F]$/.test(flags)) return null
    if ((Number.parseInt(flags.at(-1)!, 16) & 1) === 0) return null
    return take(['Uber-Trace-Id', ...[...headers.keys()].filter((name) => name.startsWith('Uberctx-'))])
  }
  const sampled = first('X-B3-Sampled')
  if (sampled === '1') return take(B3)
  if (sampled === '0') return null
  if (headers.has('X-B3-Traceid')) return take(B3)
  const b3 = first('B3')
  if (b3 !== undefined) {
    const parts = b3.split('-')
    return parts[2] === '0' || (parts.length === 1 && b3 === '0') ? null : take(['B3'])
  }
  const parent = first('Traceparent')
  return parent !== undefined && isSampledTraceparent(parent) ? take(['Traceparent', 'Tracestate']) : null
}

const STATUS: Readonly<Record<Exclude<End, 'done'>, readonly [number, string]>> = {
  lost: [408, 'Request Timeout'],
  unanswered: [503, 'Service Unavailable'],
  timeout: [504, 'Service Timeout'],
}

type Info = Record<string, unknown> & { rtt?: number }

export class LatencyReports {
  readonly #server: Server
  /** Ends the reply subjects of timed requests: which server measures, as far as a cluster asks. */
  readonly suffix: string

  constructor(server: Server) {
    this.#server = server
    const hash = createHash('sha256').update(server.name).digest()
    const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
    this.suffix = `.${[...hash.subarray(0, 8)].map((byte) => alphabet[byte % 62]).join('')}.T`
  }

  /** The round trips are part of the answer, so they are measured where they are not known yet. */
  begin(pending: Pending, latency: LatencySpec, trigger: Trigger | null, origin: Client | null): void {
    origin?.measureForLatency()
    if (trigger === null) return
    pending.probe = {
      trigger,
      origin,
      subject: latency.subject,
      account: pending.account,
      share: pending.share,
      begun: Date.now(),
      ticks: performance.now(),
    }
  }

  answered(owner: Account, probe: Probe, responder: Client | null): void {
    const took = (performance.now() - probe.ticks) * 1e6
    const at = performance.now()
    const requestor = this.#info(probe.origin, probe.share)
    const respondedBy = this.#info(responder, true)
    const here = requestor?.rtt ?? 0
    const there = respondedBy?.rtt ?? 0
    const system = there > 0 ? (performance.now() - at) * 1e6 : 0
    this.#publish(owner, probe, {
      status: 200,
      requestor,
      responder: respondedBy,
      start: probe.begun - here / 1e6,
      service: Math.max(0, took - there),
      system,
      total: here + took + system,
    })
  }

  /** Nobody answered, or nobody waits any more. */
  failed(owner: Account, probe: Probe, why: Exclude<End, 'done'>): void {
    const [status, description] = STATUS[why]
    this.#publish(owner, probe, this.#without(probe, status, description))
  }

  /** A request that no response can be given to. */
  badRequest(service: ServiceImport, origin: Client | null, trigger: Trigger): void {
    const { exporter, export: exported, spec } = service
    const probe: Probe = {
      trigger,
      origin,
      subject: exported.latency!.subject,
      account: exporter,
      share: spec.share,
      begun: Date.now(),
      ticks: 0,
    }
    this.#publish(exporter, probe, this.#without(probe, 400, 'Bad Request'))
  }

  #without(probe: Probe, status: number, description: string) {
    const requestor = this.#info(probe.origin, probe.share)
    const start = probe.begun - (requestor?.rtt ?? 0) / 1e6
    return { status, description, requestor, start, service: 0, system: 0, total: 0 }
  }

  #info(client: Client | null, detailed: boolean): Info | undefined {
    if (client === null) return undefined
    if (detailed) return client.describe(client.account.name, this.#server.name)
    return { acc: client.account.name, ...(client.rttNs > 0 ? { rtt: client.rttNs } : {}) }
  }

  #publish(
    owner: Account,
    { subject, trigger }: Probe,
    event: {
      status: number
      description?: string
      requestor: Info | undefined
      responder?: Info | undefined
      start: number
      service: number
      system: number
      total: number
    },
  ): void {
    const { status, description, requestor, responder, start, service, system, total } = event
    const body = {
      type: TYPE,
      id: randomToken(22),
      timestamp: new Date().toISOString(),
      status,
      ...(description === undefined ? {} : { description }),
      ...(requestor === undefined ? {} : { requestor }),
      ...(responder === undefined ? {} : { responder }),
      ...(Object.keys(trigger).length === 0 ? {} : { header: trigger }),
      start: new Date(start).toISOString(),
      service: Math.round(service),
      system: Math.round(system),
      total: Math.round(total),
    }
    owner.publishInternal(subject, '', JSON.stringify(body))
  }
}
