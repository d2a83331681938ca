// The callout service of an account: about whom it is asked, and where it may put them.
import {
  expandUserPermissions,
  IdentityError,
  issuerAccount,
  type UserClaims,
  type UserPermissionLimits,
} from '@ngs/identity/node'
import { permissionsOf } from '../account/claims.ts'
import type { Server } from '../server.ts'
import { type Admission, type AuthResult, type ConnectAttempt, NOBODY } from './authenticator.ts'
import { admitted, askService, CalloutError, expiryOf, refusedByBoth, withoutCallout } from './callout.ts'
import type { JwtAccounts, Loaded } from './jwt-accounts.ts'
import { PROXY_REQUIRED } from './proxies.ts'

/** What the own checks say about a user of an account that has a service. */
interface OwnVerdict {
  readonly own: AuthResult
  readonly loaded: Loaded
  readonly proxyKey: string
  readonly needsProxy: boolean
}

/**
 * Lets the account's service decide. Who failed the own checks is not in the account yet, and is asked about where no service is:
 * that ends when the time for authentication is over, as with the official server.
 */
export async function delegate(
  server: Server,
  accounts: JwtAccounts,
  attempt: ConnectAttempt,
  { own, loaded, proxyKey, needsProxy }: OwnVerdict,
): Promise<AuthResult> {
  const account = own.ok ? loaded.account : server.accounts.global
  const { sub } = loaded.claims
  const known = own.ok ? own.user : NOBODY
  const answer = await askService(server, {
    attempt,
    account,
    subject: account.name,
    xkey: own.ok ? (loaded.claims.nats.authorization.xkey ?? '') : '',
    user: known,
    isProxied: proxyKey !== '',
    needsProxy,
    unsigned: (response) => {
      const named = response.nats.issuer_account
      if (named && named !== sub)
        return `auth callout response issuer account "${named}" is not the callout account`
      return response.iss === sub || loaded.signers.has(response.iss)
        ? null
        : 'auth callout signing key is unknown'
    },
    place: (claims) => place(accounts, attempt, known, loaded, claims, proxyKey),
  })
  if (answer.ok) return withoutCallout(answer, loaded.account)
  // The event is the account's, wherever the question went.
  const told = answer.told == null ? null : { account: loaded.account, reason: answer.told.reason }
  return refusedByBoth(own, { ...answer, told })
}

/** Puts the user that a service answered with into its account: the service's own, or one that it may place users in. */
async function place(
  accounts: JwtAccounts,
  attempt: ConnectAttempt,
  user: Admission['user'],
  { claims: callout }: Loaded,
  claims: UserClaims,
  proxyKey: string,
): Promise<Admission> {
  const at = `"${callout.sub}"`
  const name = issuerAccount(claims)
  const allowed = callout.nats.authorization.allowed_accounts ?? []
  const anywhere = allowed.length === 1 && allowed[0] === '*'
  if (name !== callout.sub && !anywhere && !allowed.includes(name)) {
    throw new CalloutError(
      `account "${claims.iss}" not permitted as valid account option for auth callout for account ${at}`,
    )
  }
  let target: Loaded
  try {
    target = await accounts.lookup(name)
  } catch (error) {
    throw new CalloutError(
      `no valid account "${name}" for auth callout response on account ${at}: ${(error as Error).message}`,
    )
  }
  if (!target.signers.has(claims.iss)) throw new CalloutError(`user JWT issuer "${claims.iss}" is not known`)
  let limits: UserPermissionLimits
  try {
    limits = expandUserPermissions(target.claims, claims)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    throw new CalloutError(
      error.code === 'scope'
        ? `user JWT is not valid: ${error.message}`
        : `user JWT generated invalid permissions: ${error.message}`,
    )
  }
  const expiresAt = expiryOf(callout.sub, claims, limits, attempt.connectionType)
  if (limits.proxy_required && proxyKey === '') throw new CalloutError(PROXY_REQUIRED.log, true)
  const defaults = target.account.spec.defaultPermissions
  const own = permissionsOf(limits)
  return admitted({ attempt, user }, claims, target.account, own, defaults, expiresAt)
}
