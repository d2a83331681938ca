// Distinguished names: written as RFC 4514 has them (in configuration files), and as they stand in a certificate.
import type { Attribute } from './der.ts'

const NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'SERIALNUMBER',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.17': 'POSTALCODE',
  '0.9.2342.19200300.100.1.25': 'DC',
}
/** Order in which the official server prints the attributes of a subject, last first; others it leaves out. */
const PRINTED = ['C', 'O', 'OU', 'L', 'ST', 'STREET', 'POSTALCODE', 'CN', 'SERIALNUMBER']

/** Parts from the most specific one; each a list of its attributes, `type=value` with the type in upper case. */
export type DistinguishedName = readonly (readonly string[])[]

/** The name as written; null for what is none. */
export function parseDn(written: string): DistinguishedName | null {
  const bytes = Buffer.from(written)
  const parts: string[][] = []
  let part: string[] = []
  let type = ''
  let piece: number[] = []
  let trailing = 0
  const take = (): string => {
    const taken = Buffer.from(piece.slice(0, piece.length - trailing)).toString()
    piece = []
    trailing = 0
    return taken
  }
  for (let i = 0; i < bytes.length; i++) {
    const character = String.fromCharCode(bytes[i]!)
    if (character === '\\') {
      trailing = 0
      const next = bytes.toString('latin1', i + 1, i + 3)
      if (next !== '' && ' "#+,;<=>\\'.includes(next[0]!)) {
        piece.push(bytes[i + 1]!)
        i++
      } else if (/^[0-9a-f]{2}$/i.test(next)) {
        piece.push(Number.parseInt(next, 16))
        i += 2
      } else return null
    } else if (character === '=') {
      type = take()
      // Values in BER are written with a number sign.
      if (bytes[i + 1] === 35) return null
    } else if (character === ',' || character === '+') {
      if (type === '') return null
      part.push(`${type.toUpperCase()}=${take()}`)
      type = ''
      if (character === ',') {
        parts.push(part)
        part = []
      }
    } else if (character !== ' ' || piece.length > 0) {
      trailing = character === ' ' ? trailing + 1 : 0
      piece.push(bytes[i]!)
    }
  }
  if (piece.length > 0) {
    if (type === '') return null
    part.push(`${type.toUpperCase()}=${take()}`)
    parts.push(part)
  }
  return parts
}

/** The name of a certificate; null when it has an attribute that has no short name here. */
export function dnOfSubject(subject: readonly (readonly Attribute[])[]): DistinguishedName | null {
  const parts: string[][] = []
  for (const attributes of subject) {
    const part: string[] = []
    for (const { type, value } of attributes) {
      const name = NAMES[type]
      if (name === undefined || value === undefined) return null
      part.unshift(`${name}=${value}`)
    }
    if (part.length > 0) parts.unshift(part)
  }
  return parts
}

const samePart = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item) => b.includes(item)) && b.every((item) => a.includes(item))

export const sameDn = (a: DistinguishedName, b: DistinguishedName): boolean =>
  a.length === b.length && a.every((part, i) => samePart(part, b[i]!))

/** The same parts in any order. */
export function sameParts(a: DistinguishedName, b: DistinguishedName): boolean {
  if (a.length !== b.length) return false
  const rest = [...b]
  return a.every((part) => {
    const found = rest.findIndex((other) => samePart(part, other))
    if (found >= 0) rest.splice(found, 1)
    return found >= 0
  })
}

/** A subject as the official server prints it: known attributes in a fixed order, several of one kind joined by `+`. */
export function printSubject(subject: readonly (readonly Attribute[])[]): string {
  const values = new Map<string, string[]>()
  for (const { type, value } of subject.flat()) {
    const name = NAMES[type]
    if (name === undefined || value === undefined) continue
    // Of names and serial numbers there is one, the last.
    if (name === 'CN' || name === 'SERIALNUMBER') values.set(name, [value])
    else values.set(name, [...(values.get(name) ?? []), value])
  }
  return PRINTED.filter((name) => values.has(name))
    .reverse()
    .map((name) =>
      values
        .get(name)!
        .map((value) => `${name}=${escaped(value)}`)
        .join('+'),
    )
    .join(',')
}

/** Domain components in the order of the certificate: `DC=example,DC=com`. */
export function domainComponents(subject: readonly (readonly Attribute[])[]): string {
  return subject
    .flat()
    .filter(({ type, value }) => NAMES[type] === 'DC' && value !== undefined)
    .map(({ value }) => `DC=${value}`)
    .join(',')
}

const escaped = (value: string): string =>
  value.replace(/[,+"\\<>;]|^[# ]| $/g, (character) => `\\${character}`)
