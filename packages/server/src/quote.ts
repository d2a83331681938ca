// Values in double quotes as Go's %q prints them: errors and log lines of the official server are full of them.
import { isUtf8 } from 'node:buffer'
import { toWire } from './subject/subject.ts'

/** The same for a text that is not of the wire. */
export const quoteText = (text: string): string => quote(toWire(text))

/** A value in double quotes as Go's %q prints it: what can be printed stays, wire bytes that are no UTF-8 become \xff. */
export function quote(wire: string): string {
  const bytes = Buffer.from(wire, 'latin1')
  let text = '"'
  for (let i = 0; i < bytes.length; ) {
    const size = runeSize(bytes, i)
    text += size === 0 ? hex(bytes[i]!) : escapeOne(bytes.toString('utf8', i, i + size))
    i += size || 1
  }
  return `${text}"`
}

const ESCAPED: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}
const hex = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`

/** Bytes of the UTF-8 sequence at a place; 0 when there is none. */
function runeSize(bytes: Buffer, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return 1
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  return isUtf8(bytes.subarray(at, at + size)) ? size : 0
}

function escapeOne(character: string): string {
  const escaped = ESCAPED[character]
  if (escaped !== undefined) return escaped
  if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) return character
  const code = character.codePointAt(0)!
  if (code < 0x80) return hex(code)
  return code < 0x10000
    ? `\\u${code.toString(16).padStart(4, '0')}`
    : `\\U${code.toString(16).padStart(8, '0')}`
}
