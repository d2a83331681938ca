// Whether a user gets in at all: who signed whom, validity, revocation, limits. The order is that of servers.
import type { AccountClaims, OperatorClaims, UserClaims } from '../claims.ts'
import { IdentityError } from '../errors.ts'
import { ALL, isRevoked } from '../rules/revocations.ts'
import { accountSigners, didSign } from '../rules/signers.ts'
import { validate } from '../rules/validate.ts'
import { accountWord, nsc, userFlags } from './commands.ts'
import { type Rights, rightsOf } from './permissions.ts'

export interface Refused {
  text: string
  fix: string | null
}

export interface Admitted {
  rights: Rights
  /** What the user must observe to get in: hours, networks, kinds of connections. */
  notes: string[]
}

export function admission(input: {
  operators: readonly OperatorClaims[]
  account: AccountClaims
  user: UserClaims
  now: number
}): Admitted | Refused {
  const { operators, account, user, now } = input
  const refusedAccount = accountProblem(operators, account, now)
  if (refusedAccount) return refusedAccount
  const flags = userFlags(account, user)
  const resign = nsc('edit', 'user', ...flags, user.exp ? '--start' : '--expiry', '0')
  const operator = operators.find((candidate) => didSign(candidate, account))
  const strict = operator?.nats.strict_signing_key_usage === true && account.iss !== operator.sub
  if (!accountSigners(account).has(user.iss))
    return { text: `it is signed by ${user.iss}, which is no key of its account`, fix: resign }
  if (strict && user.iss === account.sub)
    return {
      text: "it is signed by the account's own key, and the operator demands signing keys",
      fix: resign,
    }
  const issues = validate(user, { now })
  const wrong = issues.find(({ level }) => level === 'error')
  if (wrong) return { text: `its token breaks a rule: ${wrong.text}`, fix: null }
  const late = issues.find(({ level }) => level === 'time')
  if (late) {
    const flag = user.exp !== undefined && user.exp > 0 && user.exp < now ? '--expiry' : '--start'
    return {
      text: `its token does not count now: ${late.text}`,
      fix: nsc('edit', 'user', ...flags, flag, '0'),
    }
  }
  let rights: Rights
  try {
    rights = rightsOf(account, user)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return { text: `its role does not fit: ${error.message}`, fix: null }
  }
  const { limits } = rights
  if (limits.bearer_token && account.nats.limits.disallow_bearer)
    return {
      text: 'it has a bearer token, which its account does not allow',
      fix: nsc('edit', 'user', ...flags, '--bearer=false'),
    }
  if (isRevoked(account.nats.revocations, user.sub, user.iat)) {
    const byKey = isRevoked({ [user.sub]: account.nats.revocations?.[user.sub] ?? -1 }, user.sub, user.iat)
    return {
      text: byKey ? 'it is revoked' : 'it is revoked with all users of its account',
      fix: nsc(
        ...['revocations', 'delete-user', '--account', accountWord(account)],
        ...['--user-public-key', byKey ? user.sub : ALL],
      ),
    }
  }
  return { rights, notes: conditions(rights) }
}

/** Why an account does not count; null when it does. Without operators it is taken at its word. */
export function accountProblem(
  operators: readonly OperatorClaims[],
  account: AccountClaims,
  now: number,
): Refused | null {
  const name = accountWord(account)
  const isSigned = operators.length === 0 || operators.some((operator) => didSign(operator, account))
  // The operator's key is elsewhere: its service signs what is pushed.
  if (!isSigned && account.iss === account.sub && operators.some(({ nats }) => isService(nats)))
    return {
      text: `the account ${name} has signed itself; the operator signs it when it is pushed`,
      fix: nsc('push', '--account', name),
    }
  if (!isSigned)
    return {
      text: `the account ${name} is signed by ${account.iss}, which is no key of the operator`,
      fix: nsc('edit', 'account', '--name', name, account.exp ? '--start' : '--expiry', '0'),
    }
  const issues = validate(account, { now })
  const wrong = issues.find(({ level }) => level === 'error')
  if (wrong) {
    const at = /^imports\[(\d+)\]/.exec(wrong.path ?? '')?.[1]
    const culprit = at === undefined ? null : account.nats.imports?.[Number(at)]
    return {
      text: `the token of the account ${name} breaks a rule: ${wrong.text}`,
      fix: culprit
        ? nsc(
            ...['delete', 'import', '--account', name, '--subject', culprit.subject ?? ''],
            ...['--src-account', culprit.account ?? ''],
          )
        : null,
    }
  }
  const late = issues.find(({ level }) => level === 'time')
  if (!late) return null
  const flag = account.exp !== undefined && account.exp > 0 && account.exp < now ? '--expiry' : '--start'
  return {
    text: `the token of the account ${name} does not count now: ${late.text}`,
    fix: nsc('edit', 'account', '--name', name, flag, '0'),
  }
}

const isService = ({ account_server_url }: OperatorClaims['nats']): boolean =>
  /^https?:/i.test(account_server_url ?? '')

function conditions({ limits }: Rights): string[] {
  const notes: string[] = []
  if (limits.src?.length) notes.push(`connects only from ${limits.src.join(', ')}`)
  if (limits.times?.length) {
    const hours = limits.times.map(({ start, end }) => `${start}-${end}`).join(', ')
    notes.push(`connects only at ${hours}${limits.times_location ? ` ${limits.times_location}` : ''}`)
  }
  if (limits.allowed_connection_types?.length)
    notes.push(`connects only by ${limits.allowed_connection_types.join(', ')}`)
  if (limits.proxy_required) notes.push('connects only through a trusted proxy')
  return notes
}
