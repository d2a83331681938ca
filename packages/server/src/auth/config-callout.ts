// The callout service of the configuration file: about whom it is asked, and where it may put them.
import type { UserClaims } from '@ngs/identity/node'
import { permissionsOf } from '../account/claims.ts'
import type { CalloutOptions } from '../options.ts'
import type { Server } from '../server.ts'
import { type Admission, type AuthResult, type ConnectAttempt, refused } from './authenticator.ts'
import { admitted, askService, CalloutError, expiryOf, refusedByBoth, withoutCallout } from './callout.ts'
import { identity } from './identity.ts'

/** What the own checks say, and which configured user (name or nkey) they took the client for. */
export interface Verdict {
  readonly result: AuthResult
  readonly known: string
  readonly needsProxy: boolean
}

/** Users of the callout service itself, and of accounts that are none of its business, keep the own verdict. */
export function delegate(
  server: Server,
  callout: CalloutOptions,
  attempt: ConnectAttempt,
  proxyKey: string,
  { result, known, needsProxy }: Verdict,
): AuthResult | Promise<AuthResult> {
  const { accounts, log } = server
  const { allowedAccounts, authUsers, issuer, xkey } = callout
  const bound = result.ok ? result.account : accounts.global
  const isDelegated =
    bound === accounts.global || allowedAccounts.length === 0 || allowedAccounts.includes(bound.name)
  if (!isDelegated) return result
  if (result.ok && bound.isFullFor(attempt.cid)) return result
  const account = accounts.get(callout.account)
  if (known !== '' && authUsers.includes(known)) {
    if (result.ok) return withoutCallout(result, account)
    return account === undefined ? result : { ...result, told: { account, reason: result.reason } }
  }
  if (account === undefined) {
    const text = `No valid account ${JSON.stringify(callout.account)} for auth callout request: account missing`
    log.warn(text)
    return { ...refused(''), told: null }
  }
  return askService(server, {
    attempt,
    account,
    subject: issuer,
    xkey,
    user: result.ok ? result.user : identity(null, attempt, proxyKey, false),
    isProxied: proxyKey !== '',
    needsProxy,
    unsigned: (response) => (response.iss === issuer ? null : 'auth callout signing key is unknown'),
    place: (claims) => place(server, callout, attempt, proxyKey, claims),
  }).then((answer) => (answer.ok ? withoutCallout(answer, account) : refusedByBoth(result, answer)))
}

/** The audience of the user's JWT is the name of its account. */
function place(
  server: Server,
  { account, issuer }: CalloutOptions,
  attempt: ConnectAttempt,
  proxyKey: string,
  claims: UserClaims,
): Admission {
  const at = JSON.stringify(account)
  const { iss, aud = '', nats } = claims
  if (nats.issuer_account)
    throw new CalloutError(`error non operator mode account ${at}: attempted to use issuer_account`)
  if (iss !== issuer) {
    throw new CalloutError(
      `wrong issuer for auth callout response on account ${at}, expected "${issuer}" got "${iss}"`,
    )
  }
  const target = server.accounts.get(aud)
  if (target === undefined) {
    throw new CalloutError(
      `no valid account ${JSON.stringify(aud)} for auth callout response on account ${at}: account missing`,
    )
  }
  const expiresAt = expiryOf(account, claims, nats, attempt.connectionType)
  const user = identity(null, attempt, proxyKey, false)
  return admitted({ attempt, user }, claims, target, permissionsOf(nats), null, expiresAt)
}
