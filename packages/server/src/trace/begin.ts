// Whether a message that may be traced is, and what is to be done with it otherwise.
import type { Client } from '../connection/client.ts'
import type { Frame } from '../frame.ts'
import { quote } from '../quote.ts'
import { isLiteral } from '../subject/subject.ts'
import { MessageTrace } from './trace.ts'
import { ORIGIN_ACCOUNT, readTraceHeaders, TRACE_DEST, TRACE_ONLY } from './trigger.ts'

export type Beginning =
  /** Goes on as any other. */
  | 'untraced'
  /** Goes on with a header that says so to those behind. */
  | 'disabled'
  /** Goes nowhere. */
  | 'dropped'
  | MessageTrace

const ON = new Set(['1', 'true', 'on'])

/** @param isRefused the message goes nowhere in any case: it is traced as far as it came. */
export function beginTrace(client: Client, frame: Frame, isRefused = false): Beginning {
  const end = Math.min(frame.dataStart + frame.headerSize, frame.dataEnd)
  const read = readTraceHeaders(frame.data.latin1Slice(frame.dataStart, end))
  if (read === null) return 'untraced'
  const { account, server } = client
  const first = (name: string): string => read.headers.get(name)?.[0] ?? ''
  const only = !read.external && ON.has(first(TRACE_ONLY).toLowerCase())
  const given = only ? 'dropped' : 'untraced'
  let destination = read.external ? '' : first(TRACE_DEST)
  if (!read.external && destination === '') return given
  const old = first(ORIGIN_ACCOUNT)
  if (old !== '') {
    server.log.error(
      `${client.label} - Message tracing disabled because of header ${quote(ORIGIN_ACCOUNT)} with value=${quote(old)}`,
    )
    return only ? 'dropped' : 'disabled'
  }
  if (read.external) {
    const { trace } = account.spec
    if (trace === null) return 'untraced'
    // As there: n percent are n + 1 of 100.
    if (trace.sampling < 100 && Math.floor(Math.random() * 100) > trace.sampling) return 'disabled'
    destination = trace.destination
  }
  if (!isLiteral(destination) || /[\t\n\f\r ]/.test(destination)) {
    server.log.error(
      `${client.label} - Destination ${quote(destination)} is not valid, won't be able to trace events`,
    )
    return given
  }
  if (!client.mayPublishTrace(destination)) return 'dropped'
  const subject = frame.args.latin1Slice(frame.subjectStart, frame.subjectEnd)
  const size = isRefused
    ? Number(frame.args.latin1Slice(frame.sizeStart, frame.sizeEnd))
    : frame.dataEnd - frame.dataStart
  return new MessageTrace(client, subject, size, read, destination, only)
}
