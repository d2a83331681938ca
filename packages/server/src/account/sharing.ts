// Imports in force, and the way of a request into the account that serves it.
import type { Client } from '../connection/client.ts'
import { deliver, type Frame, textFrame } from '../delivery.ts'
import { getHeader, setHeader } from '../protocol/headers.ts'
import type { Transform } from '../subject/transform.ts'
import type { Account } from './account.ts'
import type { ExportSpec, ImportSpec } from './spec.ts'

export interface StreamImport {
  readonly spec: ImportSpec
  readonly exporter: Account
  /** From the exporter's name to the local one. */
  readonly transform: Transform
}

export interface ServiceImport {
  readonly spec: ImportSpec
  readonly exporter: Account
  readonly export: ExportSpec
  /** Local subject, references as wildcards. */
  readonly local: string
  /** From the exporter's name to the local one; null when a literal remote serves whatever local name. */
  readonly transform: Transform | null
  unlink?: () => void
}

export const REQUEST_INFO = 'Nats-Request-Info'

/** Exports that the message in hand has passed; an import bound to one of them is skipped, so that `>` imports do not loop. */
const passing: ExportSpec[] = []

/** Sends a request into the exporting account. True when somebody there took it. */
export function callService(
  importer: Account,
  service: ServiceImport,
  subject: string,
  frame: Frame,
  origin: Client | null,
): boolean {
  if (passing.includes(service.export)) return false
  const { exporter } = service
  const remote = service.transform === null ? service.spec.subject : service.transform.backward(subject)
  const result = exporter.match(remote)
  const hasReply = frame.replyEnd > frame.replyStart
  if (result.plain.length === 0 && result.groups.length === 0) return false
  let reply = ''
  if (hasReply) {
    const asked = frame.args.latin1Slice(frame.replyStart, frame.replyEnd)
    reply = asked.startsWith('$JS.ACK.')
      ? asked
      : exporter.replies.open(importer, asked, service.export.responseType, service.export.responseThreshold)
  }
  const before =
    frame.headerSize > 0 ? frame.data.latin1Slice(frame.dataStart, frame.dataStart + frame.headerSize) : ''
  const headers = setHeader(
    before,
    REQUEST_INFO,
    requestInfo(importer, service, before, origin, passing.length > 0),
  )
  const body = frame.data.subarray(frame.dataStart + Math.max(frame.headerSize, 0), frame.dataEnd)
  const data = Buffer.concat([Buffer.from(headers, 'latin1'), body])
  passing.push(service.export)
  // Echo does not apply across accounts: the requester's own subscription there is another account's.
  const call = textFrame(remote, reply, data, 0, data.length, headers.length)
  const taken = deliver(call, remote, result, origin)
  passing.pop()
  if (taken === 0 && reply !== '') exporter.replies.drop(reply)
  return taken > 0
}

function requestInfo(
  importer: Account,
  service: ServiceImport,
  before: string,
  origin: Client | null,
  chained: boolean,
): string {
  if (chained) {
    // Second and later hops keep the first one's document and say who forwards.
    const kept = getHeader(before, REQUEST_INFO)
    if (kept !== undefined) {
      try {
        const { acc, ...rest } = JSON.parse(kept) as { acc?: string }
        return JSON.stringify({ acc, svc: importer.name, ...rest })
      } catch {
        // Not ours: replaced below.
      }
    }
  }
  const rtt = origin !== null && origin.rttNs > 0 ? { rtt: origin.rttNs } : {}
  if (origin === null || !service.spec.share) {
    const system = service.exporter.isSystem && origin !== null ? { server: origin.server.name } : {}
    return JSON.stringify({ acc: importer.name, ...rtt, ...system })
  }
  return JSON.stringify(origin.describe(importer.name, origin.server.name))
}
