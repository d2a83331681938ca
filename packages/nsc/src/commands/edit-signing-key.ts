import { type AccountClaims, newUserScope, type UserScope } from '@ngs/identity/node'
import { applyUserLimits, checkUserLimitFlags } from '../claims/user-limits.ts'
import type { Call } from '../cli/spec.ts'
import { failure, usageError } from '../errors.ts'
import { resolveKeyText } from '../keystore/keystore.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { keyOfRole, scopeOf } from '../signing.ts'
import { quote } from '../text.ts'
import { editAccount, resolveSigningKeys } from './shared.ts'

export async function run({ session, flags, args }: Call): Promise<Report> {
  const report = Report.list()
  await editAccount(session, flags.text('account'), async ({ account, signer, save }) => {
    checkUserLimitFlags(flags)
    const argument = args[0] ?? ''
    const wanted = argument || flags.list('sk')[0] || ''
    if (wanted === '' && flags.text('role') === '') throw usageError('signing key is required')
    signer({ keepIssuer: true })
    const key = findKey(session, account, wanted, flags.text('role'))
    if (key === null) throw failure(argument === '' ? 'a signing key is required' : 'signing-key not found')
    const scope: UserScope = scopeOf(account, key) ?? newUserScope(key)
    if (flags.has('role')) scope.role = flags.text('role')
    if (flags.has('description')) scope.description = flags.text('description')
    applyUserLimits(scope.template, flags, report)
    replaceKey(account, scope)
    await save(report)
    if (!report.failed) report.ok(`edited signing key ${quote(key)}`)
  })
  return report
}

/** The public key of what was asked for: a role, a key in any form, or a new one; null when it is none of these. */
function findKey(session: Session, account: AccountClaims, wanted: string, role: string): string | null {
  if (wanted === '') {
    const ofRole = keyOfRole(session, account, role)
    if (!ofRole) throw usageError('signing key is required')
    return ofRole.publicKey
  }
  if (wanted === 'generate') return resolveSigningKeys(session, ['generate'], 'account')[0] ?? ''
  const ofRole = keyOfRole(session, account, wanted)
  if (ofRole) return ofRole.publicKey
  const key = resolveKeyText(wanted, (file) => session.expand(file))
  if (!key) return null
  if (!key.publicKey.startsWith('A')) throw failure(`invalid account signing key ${quote(wanted)}`)
  return key.publicKey
}

/** Puts the scope in the place of the plain key, or adds it. */
function replaceKey(account: AccountClaims, scope: UserScope): void {
  const keys = account.nats.signing_keys ?? []
  const index = keys.findIndex((entry) => (typeof entry === 'string' ? entry : entry.key) === scope.key)
  account.nats.signing_keys = index === -1 ? [...keys, scope] : keys.with(index, scope)
}
