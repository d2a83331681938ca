// How the body of an answer is encoded when the request's Accept-Encoding asks for it.
import { gzipSync } from 'node:zlib'
import { compress } from 'snappyjs'
import { getHeader } from '../protocol/headers.ts'

export type Encoding = 'snappy' | 'gzip' | 'identity'

/** Null when the request does not care; `identity` when it asks for what is not there. */
export const acceptedEncoding = (headers: string): Encoding | null =>
  encodingFor(getHeader(headers, 'Accept-Encoding'))

/** The same of the header's value. */
export function encodingFor(accepted: string | undefined): Encoding | null {
  const wanted = accepted?.toLowerCase() ?? ''
  if (wanted === '') return null
  if (wanted.includes('snappy') || wanted.includes('s2')) return 'snappy'
  return wanted.includes('gzip') ? 'gzip' : 'identity'
}

export function encodeBody(body: Buffer, encoding: Encoding): Buffer {
  switch (encoding) {
    case 'snappy':
      return snappyFrames(body)
    case 'gzip':
      return gzipSync(body)
    case 'identity':
      return body
  }
}

const STREAM_IDENTIFIER = Buffer.from('\xff\x06\x00\x00sNaPpY', 'latin1')
/** Most uncompressed bytes of a chunk. */
const CHUNK = 65_536
const COMPRESSED = 0
const UNCOMPRESSED = 1

/** The Snappy framing format: chunks with a masked CRC-32C of what they hold. */
function snappyFrames(data: Buffer): Buffer {
  const parts: Buffer[] = [STREAM_IDENTIFIER]
  for (let at = 0; at < data.length; at += CHUNK) {
    const chunk = data.subarray(at, at + CHUNK)
    const compressed = Buffer.from(compress(new Uint8Array(chunk)))
    const isSmaller = compressed.length < chunk.length
    const body = isSmaller ? compressed : chunk
    const head = Buffer.alloc(8)
    head[0] = isSmaller ? COMPRESSED : UNCOMPRESSED
    head.writeUIntLE(body.length + 4, 1, 3)
    head.writeUInt32LE(masked(crc32c(chunk)), 4)
    parts.push(head, body)
  }
  return Buffer.concat(parts)
}

const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0

const TABLE = new Uint32Array(256).map((_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value
})

/** Castagnoli's polynomial, which zlib does not have. */
function crc32c(data: Buffer): number {
  let crc = 0xffffffff
  for (const byte of data) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]!
  return (crc ^ 0xffffffff) >>> 0
}
