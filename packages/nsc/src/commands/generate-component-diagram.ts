import { type AccountClaims, type Export, type Import, isSubsetMatch, validate } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { Diagram } from '../diagram/text.ts'

const REWRITTEN = '<&resize-width>'

const STYLE = `skinparam component {
	ArrowFontName Arial
	ArrowFontColor #636363
    ArrowSize 10pt
}
skinparam interface {
    backgroundColor<<not-found public service>> Red
    backgroundColor<<not-found private service>> Red
    backgroundColor<<not-found public stream>> Red
    backgroundColor<<not-found private stream>> Red
}

`

/** What accounts share: a component per account, an interface per export, an arrow per import. */
export function run(call: Call): undefined {
  const { session, flags } = call
  const store = session.store()
  const diagram = new Diagram()
  const detail = flags.switch('detail')
  diagram.line(STYLE.trimEnd())
  diagram.line('')
  diagram.line(`title Component Diagram of Accounts - Operator ${store.operator().name}`)
  const accounts = store.accountNames().map((name) => store.account(name))
  for (const account of accounts) drawAccount(diagram, account, detail)
  for (const account of accounts)
    for (const [index, entry] of (account.nats.imports ?? []).entries())
      if (entry) drawImport(diagram, accounts, account, entry, index)
  diagram.line(`legend\n"${REWRITTEN}X", the imported subject is rewritten to X\nend legend`)
  return diagram.finish(call, store.dir)
}

function drawAccount(diagram: Diagram, account: AccountClaims, detail: boolean): void {
  const { exports = [], imports = [] } = account.nats
  if (exports.length + imports.length === 0) return
  diagram.line(`component [${account.name}] as ${account.sub} <<account>>`)
  if (detail) diagram.info(account.sub, account.nats)
  for (const [index, entry] of exports.entries()) {
    if (!entry) continue
    const id = idOf(account.sub, entry)
    diagram.line(`interface "${nameOf(entry)}" << ${access(entry)} ${entry.type} >> as ${id}`)
    diagram.line(`${id} -- ${account.sub} : ""${label(entry.subject ?? '')}"""`)
    if (detail) diagram.info(id, entry)
    noteIssues(diagram, id, account, issuesOf(account, `exports[${index}]`))
  }
  diagram.line('')
}

function drawImport(
  diagram: Diagram,
  accounts: readonly AccountClaims[],
  importer: AccountClaims,
  entry: Import,
  index: number,
): void {
  const { local, remote } = subjectsOf(entry)
  const exporter = accounts.find(({ sub }) => sub === entry.account)
  const found = (exporter?.nats.exports ?? []).find(
    (candidate) => candidate?.type === entry.type && isSubsetMatch(remote, candidate?.subject ?? ''),
  )
  const target: Export = found ?? {
    subject: remote,
    ...(entry.type ? { type: entry.type } : {}),
    ...(entry.token ? { token_req: true } : {}),
  }
  const id = idOf(entry.account ?? '', target)
  if (!found) diagram.line(`interface " " << not-found ${access(target)} ${target.type} >> as ${id}`)
  const arrow = local === remote ? '' : ` "${REWRITTEN}${local}"`
  diagram.line(`${importer.sub}${arrow} ..> ${id} : "${label(remote)}"`)
  const issues = issuesOf(importer, `imports[${index}]`)
  if (target.token_req && !entry.token) issues.push('Export is private but no activation token')
  else if (!target.token_req && entry.token) issues.push('Export is public but import has activation token')
  if (!exporter) issues.push(`Exporting account not present: ${entry.account}`)
  noteIssues(diagram, id, importer, issues)
}

function issuesOf(account: AccountClaims, path: string): string[] {
  return validate(account)
    .filter((issue) => issue.path === path || issue.path?.startsWith(`${path}.`))
    .map(({ text }) => text)
    .filter((text) => !text.startsWith('the field to has been deprecated'))
}

function noteIssues(diagram: Diagram, id: string, account: AccountClaims, issues: readonly string[]): void {
  if (issues.length === 0) return
  diagram.line(`note left of ${id}\n`)
  diagram.line(`** Validation Issues by ${account.name}**\n`)
  for (const issue of issues) diagram.line(`* ${issue}\n`)
  diagram.line('end note')
}

/** Subject in the importing account, and as the exporting account knows it. */
function subjectsOf(entry: Import): { local: string; remote: string } {
  const { subject = '', local_subject, to, type } = entry
  if (local_subject) return { local: local_subject, remote: subject }
  const other = to || subject
  return type === 'service' ? { local: subject, remote: other } : { local: other, remote: subject }
}

function access({ token_req }: Export): string {
  return token_req ? 'private' : 'public'
}

function nameOf({ name, subject = '' }: Export): string {
  return name || subject
}

/** A name that PlantUML takes as it is. */
function idOf(account: string, entry: Export): string {
  const name = nameOf(entry)
    .replaceAll(' ', '_')
    .replaceAll('*', '_A_')
    .replaceAll('>', '_G_')
    .replaceAll('$', '_D_')
    .replaceAll('-', '_M_')
  return `${account}_${name}`
}

/** A star at the beginning would be markup. */
function label(subject: string): string {
  return subject.startsWith('*') ? ` ${subject}` : subject
}
