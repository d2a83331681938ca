// Operator mode: users and accounts are JWTs, trusted by the operator's keys. The chain is checked whole at every connect; what an
// updated account JWT changes takes effect on live connections at once.
import {
  type AccountClaims,
  type ActivationClaims,
  accountSigners,
  decodeAccount,
  decodeActivation,
  decodeOperator,
  decodeSignature,
  decodeUser,
  expandUserPermissions,
  IdentityError,
  isBlocking,
  isPublicKey,
  isRevoked,
  issuerAccount,
  type OperatorClaims,
  type UserClaims,
  type UserPermissionLimits,
  validate,
  verifySignature,
} from '@ngs/identity/node'
import type { Account } from '../account/account.ts'
import { limit, permissionsOf, specOf } from '../account/claims.ts'
import { ServerError } from '../errors.ts'
import type { Server } from '../server.ts'
import type { Authenticator, AuthResult, ConnectAttempt } from './authenticator.ts'
import { DirectoryResolver } from './resolver/directory.ts'
import { MemoryResolver } from './resolver/memory.ts'
import type { Resolver } from './resolver/resolver.ts'
import { inNetworks, timeLeft } from './windows.ts'

const CONNECTION_TYPES = ['STANDARD', 'WEBSOCKET', 'LEAFNODE', 'LEAFNODE_WS', 'MQTT', 'MQTT_WS', 'IN_PROCESS']
const MAX_TIMER = 2 ** 31 - 1

/** An account as its newest trusted JWT has it. */
interface Held {
  claims: AccountClaims
  /** Expiry of the account and of the activation tokens it uses. */
  timers: NodeJS.Timeout[]
}

export async function operatorMode(server: Server): Promise<OperatorMode> {
  const mode = new OperatorMode(server)
  await mode.begin()
  return mode
}

export class OperatorMode implements Authenticator {
  readonly required = true
  readonly announces = true
  readonly usesNonce = true
  readonly operators: OperatorClaims[]
  readonly resolver: Resolver
  /** Asks the rest of the cluster for an account; set by the system account. */
  lookup: ((account: string) => Promise<string | null>) | null = null
  readonly #server: Server
  readonly #trusted: Set<string>
  readonly #strict: boolean
  readonly #held = new Map<string, Held>()
  readonly #fetching = new Map<string, Promise<Account | null>>()

  constructor(server: Server) {
    this.#server = server
    const { options } = server
    this.operators = options.operators.map((token) => decodeOperator(token))
    this.#strict = this.operators.some((operator) => operator.nats.strict_signing_key_usage === true)
    this.#trusted = new Set(
      this.operators.flatMap((operator) => [
        ...(operator.nats.strict_signing_key_usage ? [] : [operator.sub]),
        ...(operator.nats.signing_keys ?? []),
      ]),
    )
    const { resolver } = options
    if (resolver === null)
      throw new ServerError('resolver', 'operators require an account resolver to be configured')
    if (resolver.type === 'memory') this.resolver = new MemoryResolver(options.resolverPreload)
    else {
      let directory: DirectoryResolver
      try {
        directory = new DirectoryResolver(resolver.dir, resolver)
      } catch (error) {
        throw new ServerError(
          'resolver',
          `dir needs to point to an accessible directory: ${(error as Error).message}`,
        )
      }
      for (const [account, token] of options.resolverPreload) directory.merge(account, token)
      this.resolver = directory
      server.log.info(`Managing all jwt in exclusive directory ${resolver.dir}`)
    }
    server.onStop(() => this.resolver.close())
  }

  async begin(): Promise<void> {
    const { accounts, options, log } = this.#server
    for (const operator of this.operators) {
      log.info('Trusted Operators')
      log.info(`  System  : "${operator.nats.system_account ?? ''}"`)
      log.info(`  Operator: "${operator.name ?? ''}"`)
      log.info(`  Issued  : ${new Date(Number(operator.iat) * 1000).toString()}`)
      log.info(`  Expires : ${operator.exp ? new Date(Number(operator.exp) * 1000).toString() : 'Never'}`)
    }
    accounts.fetch = (name) => this.#fetch(name)
    const system =
      options.systemAccount || this.operators.map((operator) => operator.nats.system_account).find(Boolean)
    if (system === undefined || options.noSystemAccount) {
      log.warn('Trusted Operators should utilize a System Account')
      return
    }
    accounts.setSystem(accounts.ensure(system))
    const token = await this.resolver.fetch(system)
    if (token !== null) this.accept(system, token)
    if (!this.#held.has(system)) {
      if (this.resolver.writable) log.info('Using bootstrapping system account')
      else throw new ServerError('systemAccount', 'error resolving system account: account missing')
    }
  }

  // Accounts -------------------------------------------------------------------------------------------------------------------

  claimsOf(account: string): AccountClaims | null {
    return this.#held.get(account)?.claims ?? null
  }

  isTrusted(key: string): boolean {
    return this.#trusted.has(key)
  }

  /** True when an operator insists on signing keys and this issuer is its identity. */
  isForbiddenIdentity(issuer: string): boolean {
    return this.operators.some(
      (operator) => operator.nats.strict_signing_key_usage === true && operator.sub === issuer,
    )
  }

  /** The account, from the resolver or the cluster if need be. One question at a time for each account. */
  #fetch(name: string): Promise<Account | null> {
    if (!isPublicKey(name, 'account')) return Promise.resolve(null)
    let running = this.#fetching.get(name)
    if (running === undefined) {
      running = this.#load(name).finally(() => this.#fetching.delete(name))
      this.#fetching.set(name, running)
    }
    return running
  }

  async #load(name: string): Promise<Account | null> {
    let token = await this.resolver.fetch(name)
    if (token === null && this.lookup !== null) {
      token = await this.lookup(name)
      if (token !== null && this.resolver.writable) this.resolver.save(name, token)
    }
    if (token === null) return null
    const refusal = this.accept(name, token)
    if (refusal !== null) {
      this.#server.log.error(`Account [${name}] fetch: ${refusal}`)
      return null
    }
    return this.#server.accounts.get(name) ?? null
  }

  /** Verifies a token and makes its account live. Returns why not, or null. The same token again changes nothing. */
  accept(name: string, token: string): string | null {
    const { accounts } = this.#server
    const known = accounts.get(name)
    if (known !== undefined && known.token === token && !known.expired) return null
    let claims: AccountClaims
    try {
      claims = decodeAccount(token)
    } catch (error) {
      return (error as IdentityError).message
    }
    if (claims.sub !== name) return 'subject does not match jwt content'
    if (!this.#trusted.has(claims.iss)) return 'account not signed by trusted operator'
    const issues = validate(claims)
    if (isBlocking(issues, { includeTime: true }))
      return `account validation failed: ${issues.map((issue) => issue.text).join('; ')}`
    this.#apply(name, token, claims)
    return null
  }

  #apply(name: string, token: string, claims: AccountClaims): void {
    const { accounts } = this.#server
    const before = this.#held.get(name) ?? null
    for (const timer of before?.timers ?? []) clearTimeout(timer)
    const account = accounts.ensure(name)
    const held: Held = { claims, timers: [] }
    this.#held.set(name, held)
    account.token = token
    account.label = claims.name ?? name
    account.expired = false
    if (claims.exp) held.timers.push(...this.#at(Number(claims.exp) * 1000, () => this.expire(account)))
    for (const item of claims.nats.imports ?? []) {
      if (!item?.token) continue
      const expiry = activationExpiry(item.token)
      // The token counts as expired when its second has come; then the import is checked again and found wanting.
      if (expiry !== null) held.timers.push(...this.#at(expiry * 1000, () => accounts.link(account)))
    }
    accounts.apply(account, specOf(claims))
    if (before !== null) this.#applyToClients(account, before.claims, claims)
    for (const item of claims.nats.imports ?? []) {
      // An exporter that appears later links its importers by itself.
      if (item?.account && accounts.get(item.account) === undefined)
        void this.#fetch(item.account).catch(() => null)
    }
  }

  /** A timer that also waits longer than one can. */
  #at(when: number, task: () => void): NodeJS.Timeout[] {
    const timers: NodeJS.Timeout[] = []
    const wait = (): void => {
      const left = when - Date.now()
      timers[0] = setTimeout(
        () => (Date.now() >= when ? task() : wait()),
        Math.min(Math.max(left, 0), MAX_TIMER),
      ).unref()
    }
    wait()
    return timers
  }

  /** The account's time is over: everybody leaves, nobody comes in until a newer token is there. */
  expire(account: Account): void {
    account.expired = true
    for (const client of [...account.clients]) client.refuse('accountExpired')
  }

  /** A deleted account: disabled, and gone from what this server holds. */
  remove(name: string): void {
    const account = this.#server.accounts.get(name)
    if (account === undefined) return
    for (const timer of this.#held.get(name)?.timers ?? []) clearTimeout(timer)
    this.#server.accounts.apply(account, {
      ...account.spec,
      imports: [],
      limits: { connections: 0, subs: 0, payload: 0, leafs: 0 },
    })
    this.expire(account)
  }

  /** What the new claims mean for those who are connected, in the order of the official server. */
  #applyToClients(account: Account, before: AccountClaims, now: AccountClaims): void {
    const clients = [...account.clients]
    const { connections } = account.spec.limits
    if (connections >= 0)
      for (const client of clients.slice(connections)) client.refuse('maxAccountConnections')
    const signersBefore = accountSigners(before)
    const signersNow = accountSigners(now)
    for (const client of clients) {
      if (client.closed) continue
      const { user } = client
      client.applyLimits()
      if (isRevoked(now.nats.revocations, user.user, user.issuedAt ?? 0)) {
        client.refuse('revoked')
        continue
      }
      if (user.bearer && now.nats.limits.disallow_bearer) {
        client.refuse('authorization')
        continue
      }
      const signer = user.issuerKey ?? ''
      if (
        !signersNow.has(signer) ||
        JSON.stringify(signersNow.get(signer)) !== JSON.stringify(signersBefore.get(signer))
      ) {
        client.refuse('signingKeyGone')
        continue
      }
      if (user.defaultPermissions) client.setPermissions(account.spec.defaultPermissions)
    }
  }

  // Users ----------------------------------------------------------------------------------------------------------------------

  authenticate(attempt: ConnectAttempt): AuthResult | Promise<AuthResult> {
    const { jwt } = attempt.connect
    if (jwt === '') return refused('Authentication requires a user JWT')
    let user: UserClaims
    try {
      user = decodeUser(jwt)
    } catch (error) {
      return refused(`User JWT not valid: ${(error as Error).message}`)
    }
    if (user.nats.proxy_required) return refused('proxy connection required')
    const issues = validate(user)
    if (isBlocking(issues, { includeTime: true }))
      return refused(`User JWT no longer valid: ${issues.map((issue) => issue.text).join('; ')}`)
    const name = issuerAccount(user)
    const found = this.#server.accounts.get(name)
    if (found !== undefined && this.#held.has(name) && !found.expired)
      return this.#check(attempt, user, found)
    return this.#fetch(name).then((account) =>
      account === null
        ? refused('Account JWT lookup error: account missing')
        : this.#check(attempt, user, account),
    )
  }

  guest(): null {
    return null
  }

  /** Everything that follows once the account is there, in the official order. */
  #check(attempt: ConnectAttempt, user: UserClaims, account: Account): AuthResult {
    const { connect } = attempt
    const { claims } = this.#held.get(account.name)!
    if (!this.#trusted.has(claims.iss)) return refused('Account JWT not signed by trusted operator')
    const signers = accountSigners(claims)
    if (!signers.has(user.iss) || (this.#strict && user.iss === claims.sub))
      return refused('User JWT issuer is not known')
    let limits: UserPermissionLimits
    try {
      limits = expandUserPermissions(claims, user)
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      return refused(
        error.code === 'scope'
          ? `User JWT is not valid: ${error.message}`
          : `User JWT generated invalid permissions: ${error.message}`,
      )
    }
    if (account.expired) return refused('Account JWT has expired')
    if (limits.bearer_token && claims.nats.limits.disallow_bearer)
      return refused('Account does not allow bearer tokens')
    const listed = (limits.allowed_connection_types ?? []).map((type) => type.toUpperCase())
    const types = listed.filter((type) => CONNECTION_TYPES.includes(type))
    if (listed.length > 0 && types.length === 0)
      return refused(`invalid connection types [${listed.join(' ')}]`)
    if (types.length > 0 && !types.includes(attempt.connectionType))
      return refused('Connection type not allowed')
    if (!limits.bearer_token) {
      if (connect.sig === '') return refused('Signature missing')
      const signature = decodeSignature(connect.sig)
      if (signature === undefined) return refused('Signature not valid base64')
      if (!verifySignature(user.sub, Buffer.from(attempt.nonce), signature))
        return refused('Signature not verified')
    }
    if (isRevoked(claims.nats.revocations, user.sub, user.iat)) return refused('User authentication revoked')
    if (limits.src !== undefined && limits.src.length > 0 && !inNetworks(attempt.ip, limits.src))
      return refused(`Bad src Ip ${attempt.ip}`)
    let expiresAt = user.exp ? Number(user.exp) * 1000 : null
    if (limits.times !== undefined && limits.times.length > 0) {
      const left = timeLeft(limits.times, limits.times_location ?? '')
      if (left === null) return refused('Outside connect times')
      expiresAt = Math.min(expiresAt ?? Number.POSITIVE_INFINITY, Date.now() + left)
    }
    const own = permissionsOf(limits)
    return {
      ok: true,
      account,
      user: {
        user: user.sub,
        kind: 'jwt',
        jwt: connect.jwt,
        issuerKey: user.iss,
        ...(user.name === undefined ? {} : { nameTag: user.name }),
        tags: user.nats.tags ?? [],
        issuedAt: Number(user.iat),
        bearer: limits.bearer_token === true,
        defaultPermissions: own === null,
      },
      permissions: own ?? account.spec.defaultPermissions,
      limits: { payload: limit(limits.payload), subs: limit(limits.subs) },
      expiresAt,
    }
  }
}

const refused = (log: string): AuthResult => ({ ok: false, reason: 'Authentication Failure', log })

/** Unix seconds; null for never or for a token that says nothing. */
function activationExpiry(token: string): number | null {
  try {
    const claims: ActivationClaims = decodeActivation(token)
    return claims.exp ? Number(claims.exp) : null
  } catch {
    return null
  }
}
