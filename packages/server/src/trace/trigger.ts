// Which messages are traced: those whose header names a destination, and those with a sampled `traceparent` in an account that has one.
import type { Frame } from '../frame.ts'
import { isSampledTraceparent } from '../protocol/headers.ts'

export const TRACE_DEST = 'Nats-Trace-Dest'
export const TRACE_ONLY = 'Nats-Trace-Only'
export const ORIGIN_ACCOUNT = 'Nats-Trace-Origin-Account'
/** No subject: tracing is over for this message. */
export const DISABLED = 'trace disabled'

const FIRST_LINE = 'NATS/1.0\r\n'.length
const DEST = Buffer.from(`${TRACE_DEST}:`)
const PARENT = Buffer.from('traceparent:')

/** True when the header block may ask for a trace. Cheap, since every message with headers is asked. */
export function mayTrace(frame: Frame, alsoParent: boolean): boolean {
  const { data } = frame
  const end = frame.dataStart + frame.headerSize
  let at = frame.dataStart + FIRST_LINE
  while (at + PARENT.length < end) {
    const first = data[at]
    // `Nats-Trace-Dest` is matched by the letter, the seventh of which few others have; `traceparent` in any case.
    if (first === 78) {
      if (data[at + 5] === 84 && startsWith(data, at, DEST)) return true
    } else if (alsoParent && (first! | 32) === 116 && startsWithFolded(data, at, PARENT)) return true
    while (at < end && data[at] !== 10) at++
    at++
  }
  return false
}

function startsWith(data: Buffer, at: number, name: Buffer): boolean {
  for (let i = 0; i < name.length; i++) if (data[at + i] !== name[i]) return false
  return true
}
function startsWithFolded(data: Buffer, at: number, name: Buffer): boolean {
  for (let i = 0; i < name.length; i++) {
    const byte = data[at + i]!
    if ((byte >= 65 && byte <= 90 ? byte | 32 : byte) !== name[i]) return false
  }
  return true
}

export interface TraceHeaders {
  /** As they came, names in their case, values as wire strings. */
  readonly headers: ReadonlyMap<string, string[]>
  /** Only `traceparent` asks: the account decides. */
  readonly external: boolean
}

/** The headers of a block that asks for a trace; null when it does not. */
export function readTraceHeaders(block: string): TraceHeaders | null {
  if (!block.startsWith('NATS/1.0\r\n')) return null
  const headers = new Map<string, string[]>()
  let named = false
  let sampled = false
  for (const line of block.slice(FIRST_LINE).split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon < 0) continue
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')
    if (name === '' || value === '') continue
    if (name === TRACE_DEST) {
      if (value === DISABLED) return null
      named = true
    } else if (name.toLowerCase() === 'traceparent' && isSampledTraceparent(value)) sampled = true
    const values = headers.get(name)
    if (values === undefined) headers.set(name, [value])
    else values.push(value)
  }
  return named || sampled ? { headers, external: !named } : null
}
