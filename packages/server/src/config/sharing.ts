// What only all accounts together show: imports that no export lets in, renamings that do not fit, circles.
import { isSubsetMatch, subjectsOverlap } from '@ngs/identity/node'
import type { AccountSpec, ImportSpec } from '../account/spec.ts'
import { fromWire, hasWildcard, isValidSubscription } from '../subject/subject.ts'

/** A subject or pattern as the configuration accepts them: no empty token, nothing after `>`, no white space. */
export const isSubject = (text: string): boolean => !/[\t\n\f\r ]/.test(text) && isValidSubscription(text)

type Report = (text: string) => void

/** Reports exports first, then imports, each in the order of the file. Imports that are not reported can be linked. */
export function checkSharing(accounts: ReadonlyMap<string, AccountSpec>, report: Report): void {
  for (const kind of ['stream', 'service'] as const) {
    for (const spec of accounts.values()) {
      for (const item of spec.exports) {
        if (item.kind !== kind) continue
        for (const name of item.accounts ?? [])
          if (!accounts.has(name)) report(`"${name}" account not defined for ${kind} export`)
        const position = item.accountTokenPosition
        if (position > 0 && item.subject.split('.')[position - 1] !== '*')
          report(`Error adding ${kind} export "${fromWire(item.subject)}": sublist: invalid subject`)
      }
    }
  }
  const accepted: Accepted = new Map()
  for (const kind of ['stream', 'service'] as const) {
    for (const [importer, spec] of accounts) {
      for (const item of spec.imports) {
        if (item.kind !== kind) continue
        if (!accounts.has(item.account)) {
          report(`"${item.account}" account not defined for ${kind} import`)
          continue
        }
        const why = refusal(accounts, accepted, importer, item)
        if (why !== null) report(`Error adding ${kind} import "${fromWire(item.subject)}": ${why}`)
        else accepted.set(importer, [...(accepted.get(importer) ?? []), item])
      }
    }
  }
}

type Accepted = Map<string, ImportSpec[]>

function refusal(
  accounts: ReadonlyMap<string, AccountSpec>,
  accepted: Accepted,
  importer: string,
  item: ImportSpec,
): string | null {
  if (item.kind === 'service' && !(isSubject(item.to) && isSubject(item.subject)))
    return 'sublist: invalid subject'
  if (!isSubject(item.subject) || !isExported(accounts.get(item.account)!, importer, item))
    return `${item.kind} import not authorized`
  const local = pattern(item.to)
  const walked = item.kind === 'stream' ? [local, item.subject] : [local]
  if (
    walked.some((subject) =>
      closesCircle(accounts, accepted, item, subject, new Set([importer]), item.account),
    )
  )
    return 'import forms a cycle'
  const misfit = mismatch(item)
  if (misfit !== null) return misfit
  if (
    item.kind === 'stream' &&
    accepted
      .get(importer)
      ?.some(
        (other) =>
          other.kind === 'stream' && other.account === item.account && other.subject === item.subject,
      )
  )
    return 'stream import already exists'
  return null
}

/** The exact export decides when there is one, else every export that covers the subject may let it in. */
function isExported(exporter: AccountSpec, importer: string, item: ImportSpec): boolean {
  const candidates = exporter.exports.filter((other) => other.kind === item.kind)
  const exact = candidates.filter((other) => other.subject === item.subject)
  return (
    exact.length > 0 ? exact : candidates.filter((other) => isSubsetMatch(item.subject, other.subject))
  ).some((other) => {
    if (other.accountTokenPosition > 0)
      return item.subject.split('.')[other.accountTokenPosition - 1] === importer
    return other.accounts === null || other.accounts.has(importer)
  })
}

/** Whether what is imported comes from the importer again, over what the exporter itself imports. */
function closesCircle(
  accounts: ReadonlyMap<string, AccountSpec>,
  accepted: Accepted,
  item: ImportSpec,
  subject: string,
  visited: Set<string>,
  name: string,
): boolean {
  const { kind } = item
  if (
    kind === 'stream' &&
    !accounts
      .get(name)!
      .exports.some((other) => other.kind === kind && subjectsOverlap(other.subject, subject))
  )
    return false
  for (const next of accepted.get(name) ?? []) {
    if (next.kind !== kind) continue
    const met = kind === 'stream' ? pattern(next.to) : next.subject
    if (!subjectsOverlap(subject, met)) continue
    if (visited.has(next.account)) return true
    visited.add(name)
    const narrowed = pattern(next.to)
    const onward = isSubsetMatch(narrowed, subject) ? narrowed : subject
    if (closesCircle(accounts, accepted, item, onward, visited, next.account)) return true
  }
  return false
}

/** Why the two names of an import do not fit; services are renamed from the local name to the remote one's wildcards. */
function mismatch(item: ImportSpec): string | null {
  const { kind, subject, to } = item
  if (to === subject || !hasWildcard(subject)) return null
  const [source, destination] = kind === 'stream' ? [subject, to] : [to, subject]
  const shown = `failed to create mapping transform for ${kind} import subject from "${fromWire(source)}" to "${fromWire(destination)}":`
  const stars = subject.split('.').filter((token) => token === '*').length
  const tail = (text: string): boolean => text === '>' || text.endsWith('.>')
  if (!isSubject(to) || tail(to) !== tail(subject)) return `${shown} invalid subject`
  const references = to.split('.').flatMap((token) => {
    const match = /^(?:\$(\d+)|\{\{\s*[Ww]ildcard\(\s*(\d+)\s*\)\s*\}\})$/.exec(token)
    return match === null ? (token === '*' ? [0] : []) : [Number(match[1] ?? match[2])]
  })
  const beyond = references.find((index) => index > stars)
  if (beyond !== undefined)
    return `${shown} invalid mapping destination: wildcard index out of range in $${beyond}: [${beyond}]`
  if (references.length < stars)
    return `${shown} invalid mapping destination: not using all of the token wildcard(s) in ${fromWire(to)}`
  return null
}

/** A local name with its references as wildcards. */
const pattern = (to: string): string =>
  to
    .split('.')
    .map((token) => (/^(\$\d+|\{\{.*\}\})$/.test(token) ? '*' : token))
    .join('.')
