import { type Claims, decode, validate } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, fileError, textOf } from '../errors.ts'
import { readText, statOf } from '../files.ts'
import type { Session } from '../session.ts'
import { checkAccount, checkOperator, type Findings } from '../store/validation.ts'
import { Table } from '../table.ts'
import { compareBytes, quote } from '../text.ts'

export function run(call: Call): undefined {
  const { session, flags } = call
  const all = flags.switch('all-accounts')
  const accountFlag = flags.text('account')
  const file = flags.text('file')
  const store = session.store()
  if (all && accountFlag !== '') throw failure('specify only one of --account or --all-accounts')
  if (file !== '' && (all || accountFlag !== ''))
    throw failure('specify only one of --account or --all-accounts or --file')
  const tables = new Map<string, Findings>()
  let operator: Findings = []
  if (file !== '') validateFile(session, file, tables)
  else {
    const current = session.selectAccount(accountFlag)
    const checked = checkOperator(store)
    operator = checked.findings
    const names = all ? store.accountNames() : current === '' ? [] : [current]
    for (const name of names) tables.set(name, checkAccount(store, checked.operator, name))
  }
  const names = [...tables.keys()].sort(compareBytes)
  const findings = [operator, ...tables.values()].flat()
  if (flags.switch('json')) session.print(asJson(session.context.operator, operator, names, tables))
  else {
    session.note(render(`Operator ${quote(session.context.operator)}`, operator))
    for (const name of names) session.note(render(`Account ${quote(name)}`, tables.get(name) ?? []))
  }
  if (findings.some(({ level }) => level !== 'warning')) {
    call.begin()
    throw failure('validation found errors')
  }
}

/** Tokens one a line; what stands before a pipe, as in what servers pack, is cut off. */
function validateFile(session: Session, given: string, tables: Map<string, Findings>): void {
  const file = session.expand(given)
  if (statOf(file) === null) throw fileError('open', given, { code: 'ENOENT' })
  const counts = new Map<string, { finding: Findings[number]; count: number }>()
  for (const line of readText(file).split('\n')) {
    const text = line.trim()
    if (text === '') continue
    const token = text.slice(text.indexOf('|') + 1)
    let claims: Claims
    try {
      claims = decode(token)
    } catch (thrown) {
      throw failure(`claim decoding error: '${textOf(thrown)}' claim: '${token}'`, thrown)
    }
    const findings = tables.get(claims.sub) ?? []
    tables.set(claims.sub, findings)
    for (const finding of validate(claims)) {
      findings.push(finding)
      const seen = counts.get(finding.text)
      counts.set(finding.text, { finding, count: (seen?.count ?? 0) + 1 })
    }
  }
  if (tables.size < 2) return
  const summary = [...counts.values()].map(({ finding: { level, text }, count }) => ({
    level,
    text: `${text} (${count} occurrences)`,
  }))
  tables.set('summary of all accounts', summary)
}

/** `error` and `time` issues are those that make the command fail; `time` ones come and go with the date. */
function asJson(
  operator: string,
  own: Findings,
  names: readonly string[],
  tables: Map<string, Findings>,
): string {
  const issues = (findings: Findings) => findings.map(({ level, text }) => ({ level, text }))
  const body = {
    valid: [own, ...tables.values()].flat().every(({ level }) => level === 'warning'),
    operator: { name: operator, issues: issues(own) },
    accounts: names.map((name) => ({ name, issues: issues(tables.get(name) ?? []) })),
  }
  return JSON.stringify(body, null, 1)
}

function render(title: string, findings: Findings): string {
  const table = new Table(title, findings.length > 0 ? ['#', ' ', 'Description'] : null)
  if (findings.length === 0) table.row('No issues found')
  for (const [index, { level, text }] of findings.entries())
    table.row(String(index + 1), level === 'warning' ? '' : '!', text)
  return table.render()
}
