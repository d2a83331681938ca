// Base32 (RFC 4648, no padding), base64url and CRC16 as nkeys and JWTs use them.
import { installed } from './crypto.ts'
import { IdentityError } from './errors.ts'

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const BASE32_VALUES = valuesOf(BASE32)
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const BASE64URL_VALUES = valuesOf(BASE64URL)
const BASE64_VALUES = valuesOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')

function valuesOf(alphabet: string): Int8Array {
  const values = new Int8Array(128).fill(-1)
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i
  return values
}

function pack(bytes: Uint8Array, alphabet: string, width: number): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= width) {
      bits -= width
      text += alphabet[(held >> bits) & ((1 << width) - 1)]
    }
    held &= (1 << bits) - 1
  }
  if (bits > 0) text += alphabet[(held << (width - bits)) & ((1 << width) - 1)]
  return text
}

/** Undefined for a character outside the alphabet. CR and LF are skipped, as the reference decoders do. */
function unpack(text: string, values: Int8Array, width: number): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * width) / 8))
  let length = 0
  let bits = 0
  let held = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 10 || code === 13) continue
    const value = code < 128 ? values[code]! : -1
    if (value < 0) return undefined
    held = ((held << width) | value) & 0xffff
    bits += width
    if (bits >= 8) {
      bits -= 8
      bytes[length++] = (held >> bits) & 0xff
    }
  }
  // Left-over bits that make up a whole character are a truncated text.
  if (bits >= width) return undefined
  return bytes.subarray(0, length)
}

export function encodeBase32(bytes: Uint8Array): string {
  return pack(bytes, BASE32, 5)
}

/** Undefined when the text is not unpadded upper-case base32. */
export function decodeBase32(text: string): Uint8Array | undefined {
  return unpack(text, BASE32_VALUES, 5)
}

/** Unpadded base64url. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return pack(bytes, BASE64URL, 6)
}

/** @throws IdentityError `badToken` for anything but unpadded base64url (CR and LF are skipped). */
export function decodeBase64Url(text: string): Uint8Array {
  const bytes = unpackBase64Url(text)
  if (bytes === undefined) throw new IdentityError('badToken', 'illegal base64url data')
  return bytes
}

const PLAIN_BASE64URL = /^[\w-]*$/

function unpackBase64Url(text: string): Uint8Array | undefined {
  const faster = installed()?.decodeBase64Url
  if (faster === undefined || text.length % 4 === 1 || !PLAIN_BASE64URL.test(text))
    return unpack(text, BASE64URL_VALUES, 6)
  return faster(text)
}

/** A nonce signature as clients send it: unpadded base64url, or padded standard base64. Undefined when neither. */
export function decodeSignature(text: string): Uint8Array | undefined {
  return unpackBase64Url(text) ?? unpack(text.replace(/={1,2}$/, ''), BASE64_VALUES, 6)
}

/** CRC-16/XMODEM: polynomial 0x1021, start 0, no reflection, no final xor. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++)
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
  }
  return crc
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: false })
export const utf8 = (text: string): Uint8Array => encoder.encode(text)
export const fromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes)
