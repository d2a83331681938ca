// What only all accounts together show: imports that no export lets in, renamings that do not fit, circles, latency that cannot be told.
import {
  accept,
  authorised,
  isSubject,
  latencyRefusal,
  newSharer,
  type Sharer,
  unfit,
} from '../account/rules.ts'
import type { AccountSpec, ExportSpec, ImportSpec } from '../account/spec.ts'
import { fromWire } from '../subject/subject.ts'

type Report = (text: string) => void

/** Reports exports first, then imports, each in the order of the file. Imports that are not reported can be linked. */
export function checkSharing(
  accounts: ReadonlyMap<string, AccountSpec>,
  hasSystem: boolean,
  report: Report,
): void {
  const sharers = new Map<string, Sharer>()
  for (const [name, spec] of accounts) sharers.set(name, newSharer(spec.exports))
  for (const kind of ['stream', 'service'] as const) {
    for (const [name, spec] of accounts)
      for (const item of spec.exports)
        if (item.kind === kind) checkExport(accounts, sharers.get(name)!, item, hasSystem, report)
  }
  for (const kind of ['stream', 'service'] as const) {
    for (const [importer, spec] of accounts) {
      const seen = new Set<string>()
      for (const item of spec.imports) {
        if (item.kind !== kind) continue
        if (!accounts.has(item.account)) {
          report(`"${item.account}" account not defined for ${kind} import`)
          continue
        }
        const why = refusal(sharers, seen, importer, item)
        if (why !== null) report(`Error adding ${kind} import "${fromWire(item.subject)}": ${why}`)
        else accept(sharers.get(importer)!, item)
      }
    }
  }
}

function checkExport(
  accounts: ReadonlyMap<string, AccountSpec>,
  exporter: Sharer,
  item: ExportSpec,
  hasSystem: boolean,
  report: Report,
): void {
  const { kind, latency, accountTokenPosition: position } = item
  for (const name of item.accounts ?? [])
    if (!accounts.has(name)) report(`"${name}" account not defined for ${kind} export`)
  if (position !== 0 && item.subject.split('.')[position - 1] !== '*')
    report(`Error adding ${kind} export "${fromWire(item.subject)}": sublist: invalid subject`)
  if (latency === null) return
  const named = fromWire(item.subject)
  if (!hasSystem) report(`Error adding service latency sampling for "${named}": system account not setup`)
  else {
    const why = latencyRefusal(exporter, item)
    if (why !== null) {
      report(
        `Error adding service latency sampling for "${named}" on subject "${fromWire(latency.subject)}": ${why}`,
      )
    }
  }
}

function refusal(
  sharers: ReadonlyMap<string, Sharer>,
  seen: Set<string>,
  importer: string,
  item: ImportSpec,
): string | null {
  if (item.kind === 'service' && !(isSubject(item.to) && isSubject(item.subject)))
    return 'sublist: invalid subject'
  if (!isSubject(item.subject) || 'refusal' in authorised(sharers.get(item.account)!, importer, item))
    return `${item.kind} import not authorized`
  const why = unfit((name) => sharers.get(name), importer, item)
  if (why !== null || item.kind === 'service') return why
  const key = `${item.account} ${item.subject}`
  if (seen.has(key)) return 'stream import already exists'
  seen.add(key)
  return null
}
