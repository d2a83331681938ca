import {
  type AccountClaims,
  type Claims,
  decode,
  didSign,
  type Issue,
  type OperatorClaims,
  type UserClaims,
  validate,
} from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { allowsStorage } from '../describe/common.ts'
import { failure, fileError, textOf } from '../errors.ts'
import { readText, statOf } from '../files.ts'
import type { Session } from '../session.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { Table } from '../table.ts'
import { backquote, compareBytes, quote } from '../text.ts'

/** Issues of one table, in the order they were found. */
type Findings = Pick<Issue, 'level' | 'text'>[]

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
    const checked = validateOperator(store)
    operator = checked.findings
    const names = all ? store.accountNames() : current === '' ? [] : [current]
    for (const name of names) tables.set(name, validateAccount(store, checked.operator, name))
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

function error(text: string): Findings[number] {
  return { level: 'error', text }
}

/** The claims that a file of the store holds; null, and a finding that names the file, when it is damaged. */
function read<C>(file: string, claims: () => C, findings: Findings): C | null {
  try {
    return claims()
  } catch (thrown) {
    findings.push(error(`${backquote(file)} cannot be read: ${textOf(thrown)}`))
    return null
  }
}

function validateOperator(store: OperatorStore): { operator: OperatorClaims | null; findings: Findings } {
  const findings: Findings = []
  const operator = read(store.fileOf(), () => store.operator(), findings)
  if (operator) {
    findings.push(...validate(operator))
    if (!didSign(operator, operator))
      findings.push(error('operator is not issued by operator or operator signing key'))
  }
  return { operator, findings }
}

/** What is wrong with an account and its users; who signed them is left open when the operator is damaged. */
function validateAccount(store: OperatorStore, operator: OperatorClaims | null, name: string): Findings {
  const findings: Findings = []
  const account = read(store.fileOf(name), () => store.account(name), findings)
  if (account) {
    findings.push(...validate(account))
    const { limits } = account.nats
    const tiers = Object.values(limits.tiered_limits ?? {})
    const stores = tiers.length > 0 ? tiers.some(allowsStorage) : allowsStorage(limits)
    if (operator?.nats.system_account === account.sub && stores)
      findings.push(error('JetStream should not be enabled for system account'))
    if (operator && !didSign(operator, account))
      findings.push(error('Account is not issued by operator or operator signing keys'))
  }
  const strict = operator?.nats.strict_signing_key_usage ?? false
  for (const userName of store.userNames(name)) {
    const user = read(store.fileOf(name, userName), () => store.user(name, userName), findings)
    if (user) findings.push(...validateUser(account, user, userName, strict))
  }
  return findings
}

function validateUser(
  account: AccountClaims | null,
  user: UserClaims,
  name: string,
  strict: boolean,
): Findings {
  const findings: Findings = validate(user).map(({ level, text }) => ({
    level,
    text: `user ${quote(name)}: ${text}`,
  }))
  if (account && !didSign(account, user))
    findings.push(error(`user ${quote(name)} is not issued by account or account signing keys`))
  else if (strict && user.iss === account?.sub)
    findings.push(error(`user ${quote(name)} is issued by account key but operator is in strict mode`))
  return findings
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
