import {
  type AccountClaims,
  didSign,
  type Issue,
  type OperatorClaims,
  type UserClaims,
  validate,
} from '@ngs/identity/node'
import { allowsStorage } from '../describe/common.ts'
import { textOf } from '../errors.ts'
import { backquote, quote } from '../text.ts'
import type { OperatorStore } from './operator-store.ts'

/** Issues of one table, in the order they were found. */
export type Findings = Pick<Issue, 'level' | 'text'>[]

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

/** What is wrong with the operator; null when its token is damaged. */
export function checkOperator(store: OperatorStore): { operator: OperatorClaims | null; findings: Findings } {
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
export function checkAccount(store: OperatorStore, operator: OperatorClaims | null, name: string): Findings {
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
    if (user) findings.push(...checkUser(account, user, userName, strict))
  }
  return findings
}

function checkUser(account: AccountClaims | null, user: UserClaims, name: string, strict: boolean): Findings {
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
