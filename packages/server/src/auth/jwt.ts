// Operator mode: users bring a JWT, and prove its key by signing the server's nonce. The chain user - account - operator is checked at
// every connect, in the order of the official server.
import type { KeyObject } from 'node:crypto'
import {
  type AccountClaims,
  decodeSignature,
  expandUserPermissions,
  IdentityError,
  isBlocking,
  isPublicKey,
  isRevoked,
  issuerAccount,
  openUser,
  type UserClaims,
  type UserPermissionLimits,
  validate,
} from '@ngs/identity/node'
import { limit, permissionsOf } from '../account/claims.ts'
import { ServerError } from '../errors.ts'
import { RESOLVER_DEFAULTS } from '../options.ts'
import type { Server } from '../server.ts'
import type { PermissionsSpec } from '../subject/permissions.ts'
import { VERSION } from '../version.ts'
import {
  type Authenticator,
  type AuthResult,
  type ConnectAttempt,
  claimedUser,
  type Denial,
  refused,
} from './authenticator.ts'
import { withoutCallout } from './callout.ts'
import { JwtAccounts, type Loaded, LookupError } from './jwt-accounts.ts'
import { delegate } from './jwt-callout.ts'
import { Operators, operatorProblem, resolverOf } from './operators.ts'
import { PROXY_REQUIRED, proxyOf, throughProxy } from './proxies.ts'
import { openResolver } from './resolver/open.ts'
import { isSigned, knownKey, verifyingKey } from './signature.ts'
import { inNetworks, typeProblem, validity } from './windows.ts'

/** Verified user JWTs that are remembered. */
const RECENT = 2_048
/** Longer ones, which nobody needs, would make much of that. */
const LONGEST_RECENT = 16 * 1024

/** What a user may do by the JWTs of the user and the account. */
interface Rights {
  readonly of: Loaded
  readonly limits: UserPermissionLimits
  /** Null: the account's defaults. */
  readonly permissions: PermissionsSpec | null
}

/** A user JWT whose signature holds. */
interface KnownUser {
  readonly claims: UserClaims
  /** Null when the subject is no public key: such a user proves nothing. */
  readonly key: KeyObject | null
  rights: Rights | null
}

/** Reads operators and resolver from the options. @throws ServerError when they contradict each other or cannot be used. */
export async function operatorMode(server: Server): Promise<OperatorMode> {
  const { options, log } = server
  const problem = operatorProblem(options, VERSION)
  if (problem !== null) throw new ServerError('operator', problem)
  const operators = new Operators(options.operators, options.trustedKeys)
  const resolver = await openResolver(
    resolverOf(options, operators) ?? RESOLVER_DEFAULTS,
    options.resolverPreload,
    options.resolverTls,
    log,
  )
  server.onStop(() => resolver.close())
  const time = (seconds: number | bigint | undefined): string =>
    seconds ? new Date(Number(seconds) * 1000).toISOString() : 'Never'
  if (operators.claims.length > 0) log.info('Trusted Operators')
  for (const { nats, name, iat, exp } of operators.claims) {
    log.info(`  System  : "${nats.system_account ?? ''}"`)
    log.info(`  Operator: "${name ?? ''}"`)
    log.info(`  Issued  : ${time(iat)}`)
    log.info(`  Expires : ${time(exp)}`)
  }
  const accounts = new JwtAccounts(server, operators, resolver)
  const system = options.noSystemAccount ? undefined : options.systemAccount || operators.systemAccount
  if (system === undefined) log.warn('Trusted Operators should utilize a System Account')
  else await accounts.loadSystem(system)
  return new OperatorMode(server, accounts, system)
}

export class OperatorMode implements Authenticator {
  readonly required = true
  readonly announces = true
  readonly usesNonce = true
  readonly accounts: JwtAccounts
  /** Logins into accounts that are not among the pinned ones. */
  pinnedFailures = 0
  readonly #server: Server
  /** Null: every account. */
  #pinned: ReadonlySet<string> | null
  readonly #system: string | undefined
  /** By token; the one used longest ago first. Signatures are checked once for all connects with one creds file. */
  readonly #known = new Map<string, KnownUser>()

  constructor(server: Server, accounts: JwtAccounts, system: string | undefined) {
    this.#server = server
    this.accounts = accounts
    this.#system = system
    this.#pinned = this.#pinnedAccounts()
  }

  #pinnedAccounts(): ReadonlySet<string> | null {
    const { pinnedAccounts } = this.#server.options
    if (pinnedAccounts.length === 0) return null
    return new Set(this.#system === undefined ? pinnedAccounts : [...pinnedAccounts, this.#system])
  }

  async reload(): Promise<void> {
    this.#pinned = this.#pinnedAccounts()
    await this.accounts.reload(this.#server.options.resolverPreload)
  }

  guest(): null {
    return null
  }

  async authenticate(attempt: ConnectAttempt): Promise<AuthResult> {
    const proxyKey = proxyOf(attempt, this.#server.options.trustedProxies)
    if (typeof proxyKey !== 'string') return proxyKey
    return throughProxy(await this.#judge(attempt, proxyKey), proxyKey)
  }

  async #judge(attempt: ConnectAttempt, proxyKey: string): Promise<AuthResult> {
    const { connect } = attempt
    const { defaultSentinel } = this.#server.options
    let user: KnownUser
    try {
      if (connect.jwt === '') throw new Error('there is none')
      user = await this.#user(connect.jwt)
    } catch (error) {
      // Nothing, and what nobody can read, becomes the sentinel.
      if (defaultSentinel === '') {
        const hint = connect.jwt === '' ? undefined : `User JWT not valid: ${(error as Error).message}`
        return { ...refused('Authentication requires a user JWT'), ...(hint === undefined ? {} : { hint }) }
      }
      connect.jwt = defaultSentinel
      user = await this.#user(defaultSentinel)
    }
    const { claims } = user
    if (claims.nats.proxy_required && proxyKey === '') return PROXY_REQUIRED
    const issues = validate(claims)
    if (isBlocking(issues, { includeTime: true })) {
      const texts = issues.map((issue) => issue.text).join(' ')
      return refused(`User JWT no longer valid: &{Issues:[${texts}]}`)
    }
    const name = issuerAccount(claims)
    if (this.#pinned !== null && !this.#pinned.has(name)) {
      this.pinnedFailures++
      return refused(`Account ${name} not listed as operator pinned account`)
    }
    let loaded: Loaded
    try {
      loaded = await this.accounts.lookup(name)
    } catch (error) {
      if (!(error instanceof LookupError)) throw error
      return refused(`Account JWT lookup error: ${error.message}`)
    }
    const own = await this.#verify(attempt, user, loaded, proxyKey)
    const external = loaded.claims.nats.authorization
    if (external.auth_users === undefined || external.auth_users.length === 0) return own
    if (own.ok && loaded.account.isFullFor(attempt.cid)) return own
    if (external.auth_users.includes(claims.sub)) {
      if (own.ok) return withoutCallout(own, loaded.account)
      return { ...own, told: { account: loaded.account, reason: own.reason } }
    }
    return delegate(this.#server, this.accounts, attempt, {
      own,
      loaded,
      proxyKey,
      needsProxy: user.rights?.limits.proxy_required === true,
    })
  }

  /** The checks of the official server, in its order. */
  async #verify(
    attempt: ConnectAttempt,
    user: KnownUser,
    loaded: Loaded,
    proxyKey: string,
  ): Promise<AuthResult> {
    const unfit = this.#unfit(attempt, user, loaded, proxyKey)
    if (unfit !== null) return unfit
    if (user.rights!.limits.bearer_token) return this.#admit(attempt, user, loaded, proxyKey)
    const unproven = await this.#unproven(attempt, user)
    if (unproven !== null) return refused(unproven)
    // The account may have changed meanwhile. This client is none of it yet, so nobody else would tell.
    const now = this.accounts.get(loaded.claims.sub)!
    return this.#unfit(attempt, user, now, proxyKey) ?? this.#admit(attempt, user, now, proxyKey)
  }

  /** The user JWT with its signature verified. @throws (or rejects with) IdentityError. */
  #user(token: string): KnownUser | Promise<KnownUser> {
    const known = this.#known.get(token)
    if (known === undefined) return this.#newUser(token)
    // Back to the end of the line.
    this.#known.delete(token)
    this.#known.set(token, known)
    return known
  }

  async #newUser(token: string): Promise<KnownUser> {
    const opened = openUser(token)
    const { issuer, signed, signature } = opened
    if (!isPublicKey(issuer, 'account') || !(await isSigned(knownKey(issuer), signed, signature)))
      throw opened.unsigned()
    const claims = opened.claims()
    const key = isPublicKey(claims.sub, 'user') ? verifyingKey(claims.sub) : null
    const user: KnownUser = { claims, key, rights: null }
    if (token.length > LONGEST_RECENT) return user
    if (this.#known.size >= RECENT) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest)
        break
      }
    }
    this.#known.set(token, user)
    return user
  }

  /** Why the account does not let this user in; null when it does. Sets the user's rights. */
  #unfit(attempt: ConnectAttempt, user: KnownUser, loaded: Loaded, proxyKey: string): Denial | null {
    const { claims } = user
    const account = loaded.claims
    const { operators } = this.accounts
    if (!loaded.temporary && !operators.trusts(account.iss))
      return refused('Account JWT not signed by trusted operator')
    if (!loaded.signers.has(claims.iss)) return refused('User JWT issuer is not known')
    try {
      if (user.rights?.of !== loaded) user.rights = rightsOf(user, loaded)
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      return refused(
        error.code === 'scope'
          ? `User JWT is not valid: ${error.message}`
          : `User JWT generated invalid permissions: ${error.message}`,
      )
    }
    const { limits } = user.rights
    if (limits.proxy_required && proxyKey === '') return PROXY_REQUIRED
    if (loaded.account.expired) return refused('Account JWT has expired')
    if (limits.bearer_token && account.nats.limits.disallow_bearer)
      return refused('Account does not allow bearer tokens')
    const wrongType = typeProblem(limits, attempt.connectionType)
    return wrongType === null ? null : refused(wrongType.text)
  }

  /** Why the client has not shown that it holds the user's key; null when it has. */
  async #unproven({ connect, nonce }: ConnectAttempt, { key }: KnownUser): Promise<string | null> {
    if (connect.sig === '') return 'Signature missing'
    const signature = decodeSignature(connect.sig)
    if (signature === undefined) return 'Signature not valid base64'
    const isProven = key !== null && (await isSigned(key, Buffer.from(nonce), signature))
    return isProven ? null : 'Signature not verified'
  }

  #admit(attempt: ConnectAttempt, user: KnownUser, loaded: Loaded, proxyKey: string): AuthResult {
    const { connect, ip } = attempt
    const { claims, rights } = user
    const { limits, permissions } = rights!
    const { account } = loaded
    if (isRevoked(loaded.claims.nats.revocations, claims.sub, claims.iat))
      return refused('User authentication revoked')
    if (limits.src !== undefined && limits.src.length > 0 && !inNetworks(ip, limits.src))
      return { ...refused(`Bad src Ip ${ip}`), level: 'error' }
    const times = validity(claims.exp, limits)
    if (times === null) return { ...refused('Outside connect times'), level: 'error' }
    return {
      ok: true,
      account,
      user: {
        user: claimedUser(connect, claims.sub),
        kind: 'jwt',
        key: claims.sub,
        jwt: connect.jwt,
        issuerKey: claims.nats.issuer_account ? claims.iss : account.name,
        ...(claims.name === undefined ? {} : { userName: claims.name }),
        tags: claims.nats.tags ?? [],
        issuedAt: Number(claims.iat),
        bearer: limits.bearer_token === true,
        defaultPermissions: permissions === null,
        ...(proxyKey === '' ? {} : { proxyKey }),
      },
      permissions: permissions ?? account.spec.defaultPermissions,
      limits: { payload: limit(limits.payload), subs: limit(limits.subs) },
      expiresAt: times.expiresAt,
      ...(this.#server.log.debugOn ? { log: story(claims, loaded) } : {}),
    }
  }
}

/** Who vouched for whom, in the words of the official server. */
function story(user: UserClaims, { account, claims }: Loaded): string {
  const named = ({ name = '', nats: { tags = [] } }: UserClaims | AccountClaims): string =>
    `(claim-name: ${JSON.stringify(name)}, claim-tags: [${tags.map((tag) => JSON.stringify(tag)).join(' ')}])`
  return `Authenticated JWT: Client "${user.sub}" ${named(user)} signed with "${user.iss}" by Account "${claims.sub}" ${named(claims)} signed with "${claims.iss}" has mappings ${account.spec.mappings.length > 0}`
}

/** @throws IdentityError when the user's signing key has a scope that does not fit. */
function rightsOf(user: KnownUser, loaded: Loaded): Rights {
  const limits = expandUserPermissions(loaded.claims, user.claims)
  return { of: loaded, limits, permissions: permissionsOf(limits) }
}
