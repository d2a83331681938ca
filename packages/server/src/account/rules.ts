// What decides whether an import holds: the export that lets it in, names that fit, and that nothing comes back to where it came from.
// Configuration files are checked with these rules as a whole, claims import by import as they change.
import { isSubsetMatch, localPattern, Transform, TransformError } from '@ngs/identity/node'
import { Matcher } from '../subject/matcher.ts'
import { fromWire, hasWildcard, isLiteral, isValidSubscription } from '../subject/subject.ts'
import type { ExportSpec, ImportSpec } from './spec.ts'

/** A subject or pattern as exports and imports accept them: no empty token, nothing after `>`, no white space. */
export const isSubject = (text: string): boolean => !/[\t\n\f\r ]/.test(text) && isValidSubscription(text)

/** Exports by subject, so that a long list costs no more than a short one. */
export class ExportIndex {
  readonly #exact = new Map<string, ExportSpec[]>()
  readonly #all = { stream: new Matcher<ExportSpec>(), service: new Matcher<ExportSpec>() }

  constructor(exports: readonly ExportSpec[]) {
    for (const item of exports) {
      const key = `${item.kind} ${item.subject}`
      const same = this.#exact.get(key)
      if (same === undefined) this.#exact.set(key, [item])
      else same.push(item)
      this.#all[item.kind].insert(item.subject, item)
    }
  }

  /** The exact exports when there are any, else all that cover the subject. */
  covering(kind: 'stream' | 'service', subject: string): readonly ExportSpec[] {
    return (
      this.#exact.get(`${kind} ${subject}`) ??
      this.#all[kind].overlapping(subject).filter((item) => isSubsetMatch(subject, item.subject))
    )
  }
  overlaps(kind: 'stream' | 'service', subject: string): boolean {
    return this.#all[kind].overlapping(subject).length > 0
  }
}

/** An account as imports of others see it: what it exports, and the imports of its own that hold. */
export interface Sharer {
  readonly exports: ExportIndex
  /** By subject in the exporter. */
  readonly services: Matcher<ImportSpec>
  /** By local subject. */
  readonly streams: Matcher<ImportSpec>
}

export const newSharer = (exports: readonly ExportSpec[]): Sharer => ({
  exports: new ExportIndex(exports),
  services: new Matcher(),
  streams: new Matcher(),
})

/** Notes that the import holds. */
export function accept(sharer: Sharer, item: ImportSpec): void {
  if (item.kind === 'service') sharer.services.insert(localPattern(item.subject), item)
  else sharer.streams.insert(localPattern(item.to), item)
}

/** The export that lets the import in, or why none does. */
export function authorised(
  exporter: Sharer,
  importer: string,
  item: ImportSpec,
): ExportSpec | { refusal: string } {
  let refusal = `no export of account ${item.account} covers "${fromWire(item.subject)}"`
  for (const candidate of exporter.exports.covering(item.kind, item.subject)) {
    const position = candidate.accountTokenPosition
    if (position > 0) {
      if (item.subject.split('.')[position - 1] === importer) return candidate
      refusal = `token ${position} of "${fromWire(item.subject)}" is not ${importer}`
    } else if (candidate.accounts !== null && !candidate.accounts.has(importer))
      refusal = `the export is not for account ${importer}`
    else {
      const why = candidate.authorize?.(importer, item) ?? null
      if (why === null) return candidate
      refusal = why
    }
  }
  return { refusal }
}

const CYCLE = 'import forms a cycle'
/** More accounts than that are not searched. */
const DEPTH = 1024

/** Why the import cannot be, in the official words, besides authorisation and duplicates; null when it can. */
export function unfit(
  accounts: (name: string) => Sharer | undefined,
  importer: string,
  item: ImportSpec,
): string | null {
  if (item.kind === 'stream' && item.prefix !== undefined && hasWildcard(item.prefix))
    return 'stream import prefix can not contain wildcard tokens'
  const local = localPattern(item.to)
  for (const subject of item.kind === 'stream' ? [local, item.subject] : [local]) {
    const found = circle(accounts, item.kind, subject, new Set([importer]), item.account)
    if (found !== null) return found
  }
  return mismatch(item)
}

/** Whether what is imported comes from the importer again, over what the exporter itself imports. */
function circle(
  accounts: (name: string) => Sharer | undefined,
  kind: 'stream' | 'service',
  subject: string,
  visited: Set<string>,
  name: string,
): string | null {
  if (visited.size >= DEPTH) return 'search cycle depth exhausted'
  const sharer = accounts(name)
  if (sharer === undefined || (kind === 'stream' && !sharer.exports.overlaps(kind, subject))) return null
  const imports = kind === 'stream' ? sharer.streams : sharer.services
  for (const next of imports.overlapping(subject)) {
    if (visited.has(next.account)) return CYCLE
    visited.add(name)
    const narrowed = localPattern(next.to)
    const onward = isSubsetMatch(narrowed, subject) ? narrowed : subject
    const found = circle(accounts, kind, onward, visited, next.account)
    if (found !== null) return found
  }
  return null
}

/** Why the two names of an import do not fit; services are renamed from the local name to the remote one's wildcards. */
function mismatch(item: ImportSpec): string | null {
  const { kind, subject, to } = item
  if (to === subject || !hasWildcard(subject)) return null
  const [source, destination] = kind === 'stream' ? [subject, to] : [to, subject]
  try {
    // Plain `*` of the local name are references as well, from left to right.
    let star = 0
    const named = to
      .split('.')
      .map((token) => (token === '*' ? `$${++star}` : token))
      .join('.')
    new Transform(localPattern(subject), named, true)
    return null
  } catch (error) {
    if (!(error instanceof TransformError)) throw error
    return `failed to create mapping transform for ${kind} import subject from "${fromWire(source)}" to "${fromWire(destination)}": ${error.message}`
  }
}

/** Why the times of a service cannot be told on the subject that is asked for. */
export function latencyRefusal(exporter: Sharer, item: ExportSpec): string | null {
  const subject = item.latency!.subject
  if (!isLiteral(subject) || /[\t\n\f\r ]/.test(subject)) return 'invalid publish subject'
  if (exporter.exports.covering('service', subject).length > 0) return 'invalid publish subject'
  return item.responseType === 'Singleton' ? null : 'bad service response type'
}
