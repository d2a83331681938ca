// Names that a subject gets on its way: by the mappings of an account, and by the names of an import.
import type { AccountClaims, Import } from '../claims.ts'
import { localPattern, Renaming, RenamingError } from '../renaming.ts'
import { hasWildcard, isSubsetMatch, isValidSubject } from '../subjects.ts'
import { refusedMapping, Transform } from '../transform.ts'

/** Lengths and hashes of mapping functions count bytes: one character a byte. */
const toWire = (text: string): string => String.fromCharCode(...new TextEncoder().encode(text))
const fromWire = (wire: string): string =>
  new TextDecoder().decode(Uint8Array.from(wire, (char) => char.charCodeAt(0)))

/** What a published subject becomes, and how often: percent of the messages. Empty for a message that is lost. */
export interface Mapped {
  subject: string
  percent: number
  /** The mapping that did it; null when no mapping applies. */
  source: string | null
}

/**
 * Applies the mappings of an account. Several results mean that chance decides: by weight, by a random function, or because
 * several mappings cover the subject and their order in a token means nothing.
 */
export function mapSubject(account: AccountClaims, subject: string): Mapped[] {
  const found = Object.entries(account.nats.mappings ?? {}).filter(
    ([source, targets]) =>
      isValidSubject(source) &&
      isSubsetMatch(subject, source) &&
      targets.every((target) => refusedMapping(toWire(source), toWire(target.subject)) === null),
  )
  if (found.length === 0) return [{ subject, percent: 100, source: null }]
  return found.flatMap(([source, targets]) => {
    const group = targets.filter(({ cluster }) => !cluster)
    const results: Mapped[] = []
    let total = 0
    for (const target of group) {
      const percent = Number(target.weight ?? 0) || 100
      total += percent
      const transform = new Transform(toWire(source), toWire(target.subject))
      results.push({
        subject: fromWire(transform.apply(toWire(subject))),
        percent: percent / found.length,
        source,
      })
    }
    if (total < 100) {
      // Listed among its own destinations, the source keeps only its share and the rest is lost.
      const lost = targets.some((target) => target.subject === source)
      results.push({ subject: lost ? '' : subject, percent: (100 - total) / found.length, source })
    }
    return results.filter(({ percent }) => percent > 0)
  })
}

/** An import with its names in the present form: the exporter's, and the importer's with its references. */
export interface NamedImport {
  item: Import
  kind: 'stream' | 'service'
  exporter: string
  remote: string
  local: string
}

export function namedImports(account: AccountClaims): NamedImport[] {
  return (account.nats.imports ?? []).flatMap((item) => (item === null ? [] : [named(item)]))
}

function named(item: Import): NamedImport {
  const kind = item.type === 'service' ? 'service' : 'stream'
  const base = { item, kind, exporter: item.account ?? '' } as const
  const subject = item.subject ?? ''
  if (item.local_subject) return { ...base, remote: subject, local: item.local_subject }
  if (!item.to) return { ...base, remote: subject, local: subject }
  // The deprecated member: a stream's prefix, a service's subject at the exporter.
  return kind === 'stream'
    ? { ...base, remote: subject, local: `${item.to}.${subject}` }
    : { ...base, remote: item.to, local: subject }
}

/** The importer's name of what the exporter publishes; null when the import does not cover it. */
export function toLocal({ remote, local }: NamedImport, subject: string): string | null {
  if (!isSubsetMatch(subject, remote)) return null
  try {
    return new Renaming(remote, local).forward(subject)
  } catch (error) {
    if (error instanceof RenamingError) return null
    throw error
  }
}

/** The exporter's name of what is asked in the importing account; null when the import does not cover it. */
export function toRemote({ remote, local }: NamedImport, subject: string): string | null {
  if (!isSubsetMatch(subject, localPattern(local))) return null
  // A literal service may be known by many local names.
  if (!hasWildcard(remote)) return remote
  try {
    return new Renaming(remote, local).backward(subject)
  } catch (error) {
    if (error instanceof RenamingError) return null
    throw error
  }
}
