// Operator mode: users bring a JWT, and prove its key by signing the server's nonce. The chain user - account - operator is checked at
// every connect, in the order of the official server.
import type { KeyObject } from 'node:crypto'
import {
  decodeSignature,
  decodeUser,
  expandUserPermissions,
  IdentityError,
  isBlocking,
  isRevoked,
  issuerAccount,
  type UserClaims,
  type UserPermissionLimits,
  validate,
} from '@ngs/identity/node'
import { limit, permissionsOf } from '../account/claims.ts'
import { ServerError } from '../errors.ts'
import type { CloseReason } from '../protocol/refusals.ts'
import type { Server } from '../server.ts'
import type { PermissionsSpec } from '../subject/permissions.ts'
import { VERSION } from '../version.ts'
import type { Authenticator, AuthResult, ConnectAttempt } from './authenticator.ts'
import { JwtAccounts, type Loaded, LookupError } from './jwt-accounts.ts'
import { Operators, operatorProblem, resolverOf } from './operators.ts'
import { openResolver } from './resolver/open.ts'
import { isSigned, verifyingKey } from './signature.ts'
import { inNetworks, timeLeft } from './windows.ts'

const CONNECTION_TYPES = ['STANDARD', 'WEBSOCKET', 'LEAFNODE', 'LEAFNODE_WS', 'MQTT', 'MQTT_WS', 'IN_PROCESS']
/** Verified user JWTs that are remembered. */
const RECENT = 2_048

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
  readonly key: KeyObject
  rights: Rights | null
}

/** Reads operators and resolver from the options. @throws ServerError when they contradict each other or cannot be used. */
export async function operatorMode(server: Server): Promise<OperatorMode> {
  const { options, log } = server
  const problem = operatorProblem(options, VERSION)
  if (problem !== null) throw new ServerError('operator', problem)
  const operators = new Operators(options.operators)
  const resolver = await openResolver(resolverOf(options, operators)!, options.resolverPreload, log)
  server.onStop(() => resolver.close())
  const time = (seconds: number | bigint | undefined): string =>
    seconds ? new Date(Number(seconds) * 1000).toISOString() : 'Never'
  log.info('Trusted Operators')
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
    const { defaultSentinel } = this.#server.options
    let token = attempt.connect.jwt || defaultSentinel
    if (token === '') return refused('Authentication requires a user JWT')
    let user: KnownUser
    try {
      user = this.#user(token)
    } catch (error) {
      const text = `User JWT not valid: ${(error as Error).message}`
      if (defaultSentinel === '') return refused(text)
      token = defaultSentinel
      user = this.#user(token)
    }
    const { claims } = user
    if (claims.nats.proxy_required) return refused('proxy connection required', 'Proxy Required')
    const issues = validate(claims)
    if (isBlocking(issues, { includeTime: true }))
      return refused(`User JWT no longer valid: ${issues.map((issue) => issue.text).join('; ')}`)
    const name = issuerAccount(claims)
    if (this.#pinned !== null && !this.#pinned.has(name))
      return refused(`Account ${name} not listed as operator pinned account`)
    let loaded: Loaded
    try {
      loaded = await this.accounts.lookup(name)
    } catch (error) {
      if (!(error instanceof LookupError)) throw error
      return refused(`Account JWT lookup error: ${error.message}`)
    }
    const unfit = this.#unfit(attempt, user, loaded)
    if (unfit !== null) return refused(unfit)
    if (!user.rights!.limits.bearer_token) {
      const unproven = await this.#unproven(attempt, user)
      if (unproven !== null) return refused(unproven)
      // The account may have changed meanwhile. This client is none of it yet, so nobody else would tell.
      loaded = this.accounts.get(name)!
      const changed = this.#unfit(attempt, user, loaded)
      if (changed !== null) return refused(changed)
    }
    return this.#admit(attempt, token, user, loaded)
  }

  /** The user JWT with its signature verified. @throws IdentityError. */
  #user(token: string): KnownUser {
    let known = this.#known.get(token)
    if (known === undefined) {
      const claims = decodeUser(token)
      known = { claims, key: verifyingKey(claims.sub), rights: null }
      if (this.#known.size >= RECENT)
        for (const oldest of this.#known.keys()) {
          this.#known.delete(oldest)
          break
        }
    } else this.#known.delete(token)
    this.#known.set(token, known)
    return known
  }

  /** Why the account does not let this user in; null when it does. Sets the user's rights. */
  #unfit(attempt: ConnectAttempt, user: KnownUser, loaded: Loaded): string | null {
    const { claims } = user
    const account = loaded.claims
    const { operators } = this.accounts
    if (!loaded.temporary && !operators.trusts(account.iss))
      return 'Account JWT not signed by trusted operator'
    const isIdentity = claims.iss === account.sub
    if (!loaded.signers.has(claims.iss) || (isIdentity && operators.demandsSigningKeys(account.iss)))
      return 'User JWT issuer is not known'
    try {
      if (user.rights?.of !== loaded) user.rights = rightsOf(user, loaded)
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      return error.code === 'scope'
        ? `User JWT is not valid: ${error.message}`
        : `User JWT generated invalid permissions: ${error.message}`
    }
    const { limits } = user.rights
    if (loaded.account.expired) return 'Account JWT has expired'
    if (limits.bearer_token && account.nats.limits.disallow_bearer)
      return 'Account does not allow bearer tokens'
    const types = connectionTypes(limits)
    if (types !== null && types.size === 0)
      return `invalid connection types [${limits.allowed_connection_types!.join(' ').toUpperCase()}]`
    if (types?.has(attempt.connectionType) === false) return 'Connection type not allowed'
    return null
  }

  /** Why the client has not shown that it holds the user's key; null when it has. */
  async #unproven({ connect, nonce }: ConnectAttempt, { key }: KnownUser): Promise<string | null> {
    if (connect.sig === '') return 'Signature missing'
    const signature = decodeSignature(connect.sig)
    if (signature === undefined) return 'Signature not valid base64'
    return (await isSigned(key, Buffer.from(nonce), signature)) ? null : 'Signature not verified'
  }

  #admit(attempt: ConnectAttempt, jwt: string, user: KnownUser, loaded: Loaded): AuthResult {
    const { claims, rights } = user
    const { limits, permissions } = rights!
    const { account } = loaded
    if (isRevoked(loaded.claims.nats.revocations, claims.sub, claims.iat))
      return refused('User authentication revoked')
    if (limits.src !== undefined && limits.src.length > 0 && !inNetworks(attempt.ip, limits.src))
      return refused(`Bad src Ip ${attempt.ip}`)
    let expiresAt = claims.exp ? Number(claims.exp) * 1000 : null
    if (limits.times !== undefined && limits.times.length > 0) {
      const left = timeLeft(limits.times, limits.times_location ?? '')
      if (left === null) return refused('Outside connect times')
      expiresAt = Math.min(expiresAt ?? Number.POSITIVE_INFINITY, Date.now() + left)
    }
    return {
      ok: true,
      account,
      user: {
        user: claims.sub,
        kind: 'jwt',
        jwt,
        issuerKey: claims.iss,
        ...(claims.name === undefined ? {} : { userName: claims.name }),
        tags: claims.nats.tags ?? [],
        issuedAt: Number(claims.iat),
        bearer: limits.bearer_token === true,
        defaultPermissions: permissions === null,
      },
      permissions: permissions ?? account.spec.defaultPermissions,
      limits: { payload: limit(limits.payload), subs: limit(limits.subs) },
      expiresAt,
    }
  }
}

/** @throws IdentityError when the user's signing key has a scope that does not fit. */
function rightsOf(user: KnownUser, loaded: Loaded): Rights {
  const limits = expandUserPermissions(loaded.claims, user.claims)
  return { of: loaded, limits, permissions: permissionsOf(limits) }
}

/** The known ones of the types that are listed; null when none are listed, which allows all. */
function connectionTypes({ allowed_connection_types: listed }: UserPermissionLimits): Set<string> | null {
  if (listed === undefined || listed.length === 0) return null
  return new Set(listed.map((type) => type.toUpperCase()).filter((type) => CONNECTION_TYPES.includes(type)))
}

const refused = (log: string, reason: CloseReason = 'Authentication Failure'): AuthResult => ({
  ok: false,
  reason,
  log,
})
