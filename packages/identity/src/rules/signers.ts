// Who may sign what for whom.
import type { AccountClaims, Claims, OperatorClaims, UserClaims, UserScope } from '../claims.ts'
import { isAccount, isActivation, isOperator, isUser } from '../claims.ts'

/** Keys that may sign users and activations of an account: its own (scope null), its signing keys, each with its scope. */
export function accountSigners(account: AccountClaims): Map<string, UserScope | null> {
  const signers = new Map<string, UserScope | null>([[account.sub, null]])
  for (const key of account.nats.signing_keys ?? []) {
    if (typeof key === 'string') signers.set(key, null)
    else signers.set(key.key, key)
  }
  return signers
}

/** The account that a user or activation belongs to: issuer_account, or its issuer. */
export function issuerAccount(claims: Claims): string {
  return (isUser(claims) || isActivation(claims)) && claims.nats.issuer_account
    ? claims.nats.issuer_account
    : claims.iss
}

/** True when `claims` carries a signature that `issuer` stands for. A strict operator's own key signs only itself. */
export function didSign(issuer: OperatorClaims | AccountClaims, claims: Claims): boolean {
  if (isOperator(issuer)) {
    if (claims.iss === issuer.sub) return !issuer.nats.strict_signing_key_usage || claims.sub === issuer.sub
    return issuer.nats.signing_keys?.includes(claims.iss) ?? false
  }
  if (!isAccount(issuer)) return false
  if (claims.iss === issuer.sub) return true
  if (!isUser(claims) && !isActivation(claims)) return false
  return claims.nats.issuer_account === issuer.sub && accountSigners(issuer).has(claims.iss)
}

/** The scope that the user's signing key has in the account; null when it has none. */
export function userScope(account: AccountClaims, user: UserClaims): UserScope | null {
  return accountSigners(account).get(user.iss) ?? null
}
