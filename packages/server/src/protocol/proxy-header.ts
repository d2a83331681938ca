// The header of the PROXY protocol, version 1 (a line of text) and 2 (binary): whom a proxy in front of the server speaks for.
import { isIP } from 'node:net'

export interface ProxySource {
  readonly host: string
  readonly port: number
}

export type ProxyHeader =
  /** At least so many bytes more have to come. */
  | { readonly kind: 'more'; readonly bytes: number }
  /** The connection does not begin with a header. */
  | { readonly kind: 'none' }
  /** A header of `size` bytes; `source` null where the proxy speaks for itself (health checks). */
  | { readonly kind: 'header'; readonly size: number; readonly source: ProxySource | null }

/** A header that cannot be used; the text is for the log. */
export class ProxyHeaderError extends Error {}

/** What tells a header from other traffic. */
export const PROXY_PREFIX = 6
const V1 = Buffer.from('PROXY ')
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n')
const V1_LONGEST = 107
const V2_FIXED = 16

const invalid = (what: string): never => {
  throw new ProxyHeaderError(`invalid PROXY protocol header: ${what}`)
}
const unsupported = (what: string): never => {
  throw new ProxyHeaderError(`unsupported PROXY protocol feature: ${what}`)
}

/** Reads the header from the first bytes of a connection. @throws ProxyHeaderError. */
export function readProxyHeader(head: Buffer): ProxyHeader {
  if (head.length < PROXY_PREFIX) return { kind: 'more', bytes: PROXY_PREFIX - head.length }
  if (head.subarray(0, PROXY_PREFIX).equals(V1)) return readText(head)
  if (head.subarray(0, PROXY_PREFIX).equals(V2.subarray(0, PROXY_PREFIX))) return readBinary(head)
  return { kind: 'none' }
}

function readText(head: Buffer): ProxyHeader {
  const end = head.subarray(0, V1_LONGEST).indexOf('\r\n', PROXY_PREFIX)
  if (end < 0) return head.length >= V1_LONGEST ? invalid('v1 line too long') : { kind: 'more', bytes: 1 }
  const size = end + 2
  const fields = head.toString('latin1', PROXY_PREFIX, end).split(/\s+/).filter(Boolean)
  if (fields.length === 0) invalid('invalid v1 format')
  const [protocol, source, destination, sourcePort, destinationPort] = fields as [string, ...string[]]
  if (protocol === 'UNKNOWN') return { kind: 'header', size, source: null }
  if (fields.length !== 5) invalid('invalid v1 format')
  if (!isAddress(source!) || !isAddress(destination!)) invalid('invalid address')
  const port = readPort(sourcePort!, 'source')
  readPort(destinationPort!, 'dest')
  const isV6 = [source!, destination!].map((address) => address.includes(':'))
  if (protocol === 'TCP4' && isV6.includes(true)) invalid('TCP4 with IPv6 address')
  if (protocol === 'TCP6' && isV6.includes(false)) invalid('TCP6 with IPv4 address')
  if (protocol !== 'TCP4' && protocol !== 'TCP6') invalid(`invalid protocol ${protocol}`)
  return { kind: 'header', size, source: { host: shortest(source!), port } }
}

const isAddress = (text: string): boolean => isIP(text) !== 0 && !text.includes('%')

function readPort(text: string, which: string): number {
  const problem = !/^\d+$/.test(text) ? 'invalid syntax' : Number(text) > 65_535 ? 'value out of range' : null
  if (problem !== null)
    throw new ProxyHeaderError(
      `invalid ${which} port: strconv.ParseUint: parsing ${JSON.stringify(text)}: ${problem}`,
    )
  return Number(text)
}

const LOCAL = 0
const PROXY = 1
const STREAM = 1
const UNSPECIFIED = 0x00
const IPV4 = 0x10
const IPV6 = 0x20

function readBinary(head: Buffer): ProxyHeader {
  if (head.length < V2.length) return { kind: 'more', bytes: V2.length - head.length }
  if (!head.subarray(0, V2.length).equals(V2)) invalid('invalid signature')
  if (head.length < V2_FIXED) return { kind: 'more', bytes: V2_FIXED - head.length }
  const versionAndCommand = head[12]!
  const familyAndProtocol = head[13]!
  const length = head.readUInt16BE(14)
  const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`
  if ((versionAndCommand & 0xf0) !== 0x20) invalid(`invalid version ${hex(versionAndCommand & 0xf0)}`)
  const command = versionAndCommand & 0x0f
  const family = familyAndProtocol & 0xf0
  if (command !== LOCAL) {
    if (command !== PROXY) throw new ProxyHeaderError(`unknown PROXY protocol command: ${hex(command)}`)
    if ((familyAndProtocol & 0x0f) !== STREAM) unsupported('only STREAM protocol supported')
    if (family !== UNSPECIFIED && family !== IPV4 && family !== IPV6)
      unsupported(`unsupported address family ${hex(family)}`)
    if (family === IPV4 && length < 12) tooShort('IPv4', length)
    if (family === IPV6 && length < 36) tooShort('IPv6', length)
  }
  const size = V2_FIXED + length
  if (head.length < size) return { kind: 'more', bytes: size - head.length }
  if (command === LOCAL || family === UNSPECIFIED) return { kind: 'header', size, source: null }
  const bytes = head.subarray(V2_FIXED)
  const source =
    family === IPV4
      ? { host: [...bytes.subarray(0, 4)].join('.'), port: bytes.readUInt16BE(8) }
      : { host: shortest(groups(bytes)), port: bytes.readUInt16BE(32) }
  return { kind: 'header', size, source }
}

function tooShort(family: string, length: number): never {
  throw new ProxyHeaderError(`${family} address data too short: ${length} bytes`)
}

const groups = (bytes: Buffer): string =>
  Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16)).join(':')

/** An address in its shortest form; IPv4 in IPv6 as IPv4. */
function shortest(address: string): string {
  if (!address.includes(':')) return address
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(text)
  if (mapped === null) return text
  const value = Buffer.alloc(4)
  value.writeUInt16BE(Number.parseInt(mapped[1]!, 16))
  value.writeUInt16BE(Number.parseInt(mapped[2]!, 16), 2)
  return [...value].join('.')
}
