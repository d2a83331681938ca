// Where an account sends the traces of messages that carry a `traceparent`: `msg_trace` of an account.
import { isSubject } from '../account/rules.ts'
import type { TraceSpec } from '../account/spec.ts'
import { quoteText } from '../quote.ts'
import { isLiteral, toWire } from '../subject/subject.ts'
import type { ConfigValue } from './language.ts'
import { readPercent } from './mappings.ts'
import { fail, goType, isString } from './values.ts'

/** A string (the destination), or a map with `dest` and `sampling`. Null when no destination is named. */
export function readTrace(value: ConfigValue, key: string): TraceSpec | null {
  if (isString(value)) return { destination: readDestination(value, key), sampling: 100 }
  if (!(value.value instanceof Map))
    fail(
      value,
      `Expected account message trace "${key}" to be a string or a map/struct, got ${goType(value)}`,
    )
  const spec: TraceSpec = { destination: '', sampling: 100 }
  for (const [name, item] of value.value) {
    if (name.toLowerCase() === 'dest') spec.destination = readDestination(item, name)
    else if (name.toLowerCase() === 'sampling') spec.sampling = readSampling(item, name)
    else if (!item.used)
      fail(item, `Unknown field "${name}" parsing account message trace map/struct "${key}"`)
  }
  return spec.destination === '' ? null : spec
}

function readDestination(value: ConfigValue, key: string): string {
  if (!isString(value)) return fail(value, `Field "${key}" should be a string, got ${goType(value)}`)
  const subject = toWire(value.value)
  if (!isSubject(subject) || !isLiteral(subject))
    fail(value, `Trace destination ${quoteText(value.value)} is not valid`)
  return subject
}

function readSampling(value: ConfigValue, key: string): number {
  const number = readPercent(value, () =>
    fail(value, `Invalid trace destination sampling value ${quoteText(`${value.value}`)}`),
  )
  if (number === null) {
    return fail(
      value,
      `Trace destination sampling field "${key}" should be an integer or a percentage, got ${goType(value)}`,
    )
  }
  if (number <= 0 || number > 100)
    fail(value, `Ttrace destination sampling value ${number} is invalid, needs to be [1..100]`)
  return number
}
