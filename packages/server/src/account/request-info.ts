// `Nats-Request-Info`: what the service is told about who asks. It is the same for every request of a connection through one import, as
// long as the measured round trip stays, so it is kept as bytes.
import type { Client } from '../connection/client.ts'
import type { Frame, MessageFrame } from '../frame.ts'
import { getHeader, setHeader } from '../protocol/headers.ts'
import type { Account } from './account.ts'
import type { ServiceImport } from './sharing.ts'

const REQUEST_INFO = 'Nats-Request-Info'
const NAME = Buffer.from(REQUEST_INFO)
const FIRST = 'NATS/1.0\r\n'

interface Kept {
  readonly rtt: number
  /** A whole header block with this one line. */
  readonly block: Buffer
}

/** For one connection, by import. Its imports are the account's, so a new account starts anew. */
export type InfoCache = Map<ServiceImport, Kept>

/** Copies headers and payload of a request into the call, with the line about its sender. */
export function appendInfo(
  call: MessageFrame,
  frame: Frame,
  importer: Account,
  service: ServiceImport,
  origin: Client | null,
  share: boolean,
  chained: boolean,
): void {
  // What the server itself asks comes without.
  if (origin === null && !chained) return call.share(frame)
  const { data, dataStart, dataEnd } = frame
  // As there, what is no longer than a line's end is no header block, and belongs to the payload.
  const before = frame.headerSize > 2 ? frame.headerSize : 0
  if (chained || origin === null || (before > 0 && holds(data, dataStart, dataStart + before))) {
    const block = data.latin1Slice(dataStart, dataStart + before)
    const value = chained
      ? chainedInfo(block, importer, service, origin, share)
      : info(service, origin!, share)
    const headers = value === null ? block : setHeader(block, REQUEST_INFO, value)
    const size = headers.length + dataEnd - dataStart - before
    const room = call.room(size)
    room.latin1Write(headers, 0)
    data.copy(room, headers.length, dataStart + before, dataEnd)
    call.filled(headers.length, size)
    return
  }
  const { block } = kept(service, origin)
  // Headers of the request come first; its empty line and our first line go.
  const own = before > 0 ? before - 2 : 0
  const added = before > 0 ? block.length - FIRST.length : block.length
  const headerSize = own + added
  const size = headerSize + dataEnd - dataStart - before
  const room = call.room(size)
  if (own > 0) data.copy(room, 0, dataStart, dataStart + own)
  room.set(own > 0 ? block.subarray(FIRST.length) : block, own)
  copyShort(data, dataStart + before, dataEnd, room, headerSize)
  call.filled(headerSize, size)
}

function copyShort(from: Buffer, start: number, end: number, to: Buffer, at: number): void {
  if (end - start > 64) from.copy(to, at, start, end)
  else for (let i = start; i < end; i++) to[at++] = from[i]!
}

/** True when the bytes of a block may hold the header, in any case: then it is read as text. */
function holds(data: Buffer, start: number, end: number): boolean {
  for (let i = start; i + NAME.length <= end; i++) {
    if ((data[i]! | 32) !== 110 || data[i + 4] !== 45 || (data[i + 5]! | 32) !== 114) continue
    if (data.latin1Slice(i, i + NAME.length).toLowerCase() === 'nats-request-info') return true
  }
  return false
}

function kept(service: ServiceImport, origin: Client): Kept {
  origin.requestInfo ??= new Map()
  const found = origin.requestInfo.get(service)
  if (found !== undefined && found.rtt === origin.rttNs) return found
  const text = `${FIRST}${REQUEST_INFO}: ${info(service, origin, service.spec.share)}\r\n\r\n`
  const made = { rtt: origin.rttNs, block: Buffer.from(text, 'latin1') }
  origin.requestInfo.set(service, made)
  return made
}

/** JSON as a wire string: headers hold bytes. */
const wireJson = (value: unknown): string => Buffer.from(JSON.stringify(value)).latin1Slice()

function info(service: ServiceImport, origin: Client, share: boolean): string {
  const { server, account } = origin
  if (share) return wireJson(origin.describe(account.name, server.name))
  return wireJson({
    acc: account.name,
    ...(origin.rttNs > 0 ? { rtt: origin.rttNs } : {}),
    ...(service.exporter.isSystem ? { server: server.name } : {}),
  })
}

/** Keys in their order. */
const KEYS =
  'start host id acc svc user name lang ver rtt server cluster alts stop jwt issuer_key name_tag tags kind client_type client_id nonce reply'.split(
    ' ',
  )

/** Second and later hops keep the first one's document and say who forwards. Null: nothing is said. */
function chainedInfo(
  block: string,
  importer: Account,
  service: ServiceImport,
  origin: Client | null,
  share: boolean,
): string | null {
  const before = getHeader(block, REQUEST_INFO)
  let document: Record<string, unknown> | null = null
  if (before !== undefined) {
    try {
      document = JSON.parse(Buffer.from(before, 'latin1').toString()) as Record<string, unknown>
    } catch {
      // Not ours, so as good as absent.
    }
  }
  if (document === null) return origin === null ? null : info(service, origin, share)
  document['svc'] = importer.name
  if (!share && (service.spec.share || service.exporter.isSystem) && origin !== null)
    document['server'] = origin.server.name
  return wireJson(Object.fromEntries(KEYS.flatMap((key) => (key in document ? [[key, document[key]]] : []))))
}
