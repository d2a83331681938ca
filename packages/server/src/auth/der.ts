// The few parts of an X.509 certificate that name its holder, read from the DER bytes: Node shows them as text that cannot be taken
// apart again without doubt.

interface Element {
  readonly tag: number
  readonly content: Buffer
}

const SEQUENCE = 0x30
const SET = 0x31
const OID = 0x06
const OCTETS = 0x04
const VERSION = 0xa0
const EXTENSIONS = 0xa3
const BMP_STRING = 0x1e
/** UTF8String, NumericString, PrintableString, T61String, IA5String. */
const STRINGS: readonly number[] = [0x0c, 0x12, 0x13, 0x14, 0x16]
const SUBJECT_ALT_NAME = '2.5.29.17'

/** The elements in a piece of DER. @throws RangeError for bytes that are none. */
function elements(bytes: Buffer): Element[] {
  const found: Element[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.readUInt8(at)
    let length = bytes.readUInt8(at + 1)
    at += 2
    if (length > 0x80) {
      const size = length - 0x80
      length = bytes.readUIntBE(at, size)
      at += size
    }
    if (length === 0x80 || at + length > bytes.length) throw new RangeError('not DER')
    found.push({ tag, content: bytes.subarray(at, at + length) })
    at += length
  }
  return found
}

function oid(bytes: Buffer): string {
  const arcs: number[] = []
  let arc = 0
  for (const byte of bytes) {
    arc = arc * 128 + (byte & 0x7f)
    if (byte & 0x80) continue
    if (arcs.length === 0) {
      const first = Math.min(Math.floor(arc / 40), 2)
      arcs.push(first, arc - first * 40)
    } else arcs.push(arc)
    arc = 0
  }
  return arcs.join('.')
}

/** Undefined for a value that is no text. */
function text({ tag, content }: Element): string | undefined {
  if (tag === BMP_STRING) return Buffer.from(content).swap16().toString('utf16le')
  return STRINGS.includes(tag) ? content.toString(tag === 0x14 ? 'latin1' : 'utf8') : undefined
}

export interface Attribute {
  /** Dotted. */
  readonly type: string
  readonly value: string | undefined
}

export interface Holder {
  /** The subject: attributes, those of a multi-valued part together, as the certificate has them. */
  readonly subject: readonly (readonly Attribute[])[]
  readonly emails: readonly string[]
  readonly dnsNames: readonly string[]
  readonly uris: readonly string[]
}

/** @param der of a certificate. @throws RangeError when it is none. */
export function holderOf(der: Buffer): Holder {
  const [certificate] = elements(der)
  const [signed] = elements(certificate!.content)
  const parts = elements(signed!.content)
  // version?, serial, algorithm, issuer, validity, subject
  const subject = parts[parts[0]!.tag === VERSION ? 5 : 4]!
  const emails: string[] = []
  const dnsNames: string[] = []
  const uris: string[] = []
  const lists: Readonly<Record<number, string[]>> = { 129: emails, 130: dnsNames, 134: uris }
  for (const { tag, content } of alternativeNames(parts)) lists[tag]?.push(content.toString('latin1'))
  return { subject: relativeNames(subject.content), emails, dnsNames, uris }
}

function relativeNames(bytes: Buffer): Attribute[][] {
  return elements(bytes)
    .filter(({ tag }) => tag === SET)
    .map((set) =>
      elements(set.content).map((pair) => {
        const [type, value] = elements(pair.content)
        return { type: oid(type!.content), value: text(value!) }
      }),
    )
}

function alternativeNames(parts: Element[]): Element[] {
  const extensions = parts.find(({ tag }) => tag === EXTENSIONS)
  if (extensions === undefined) return []
  for (const { content } of elements(elements(extensions.content)[0]!.content)) {
    const fields = elements(content)
    if (fields[0]!.tag !== OID || oid(fields[0]!.content) !== SUBJECT_ALT_NAME) continue
    const value = fields.find(({ tag }) => tag === OCTETS)
    const names = value === undefined ? undefined : elements(value.content)[0]
    return names?.tag === SEQUENCE ? elements(names.content) : []
  }
  return []
}
