// Accounts of operator mode: each is what its newest trusted JWT says. What an updated JWT changes takes effect on live connections at once.
import {
  type AccountClaims,
  accountSigners,
  decodeAccount,
  decodeActivation,
  isBlocking,
  isPublicKey,
  isRevoked,
  newAccountClaims,
  validate,
} from '@ngs/identity/node'
import type { Account } from '../account/account.ts'
import { specOf } from '../account/claims.ts'
import { runAt } from '../deadline.ts'
import { ServerError } from '../errors.ts'
import type { Server } from '../server.ts'
import { denyingCallout } from './callout.ts'
import type { Operators } from './operators.ts'
import { MemoryResolver } from './resolver/memory.ts'
import type { Resolver } from './resolver/resolver.ts'

/** An account that is loaded, with what its JWT says. Replaced whole by the next JWT. */
export interface Loaded {
  readonly account: Account
  readonly token: string
  readonly claims: AccountClaims
  /** Keys that may sign users, each with its scope as text: any change of it is one. With a strict operator the account's own is none. */
  readonly signers: ReadonlyMap<string, string>
  /** A stand-in for the system account that nobody has pushed yet. */
  readonly temporary: boolean
  /** ms */
  readonly loadedAt: number
  /** Cancels what waits for the end of the account and of its activations. */
  readonly cancel: readonly (() => void)[]
}

/** Why an account cannot be had. */
export class LookupError extends Error {}

/** An expired account is asked for again, but not more often than this. */
const REFRESH_MS = 1_000
/** The system account is looked for until it is found. */
const SYSTEM_MS = 1_000
/** A resolver that takes longer is worth a warning. */
const SLOW_FETCH_MS = 1_000
/** So long a login waits for accounts that its own imports from. */
const EXPORTERS_MS = 1_000

export class JwtAccounts {
  readonly operators: Operators
  readonly resolver: Resolver
  /** Asks the rest of the cluster for an account; set by the system account. */
  lookupElsewhere: ((account: string) => Promise<string | null>) | null = null
  readonly #server: Server
  readonly #loaded = new Map<string, Loaded>()
  readonly #fetching = new Map<string, Promise<string | null>>()
  /** Exporters that are not there yet, which somebody imports from. */
  readonly #missing = new Set<string>()
  /** Those of them that are asked for just now. */
  readonly #coming = new Map<string, Promise<unknown>>()

  constructor(server: Server, operators: Operators, resolver: Resolver) {
    this.#server = server
    this.operators = operators
    this.resolver = resolver
    server.accounts.fetch = (name) =>
      Promise.resolve(this.lookup(name)).then(
        (loaded) => loaded.account,
        () => null,
      )
  }

  /** Loads the system account, or a stand-in until it is there. @throws ServerError. */
  async loadSystem(name: string): Promise<void> {
    const { accounts, log } = this.#server
    if (!isPublicKey(name, 'account'))
      throw new ServerError(
        'systemAccount',
        'error resolving system account: will only fetch valid account keys',
      )
    accounts.setSystem(accounts.ensure(name))
    try {
      await this.lookup(name)
    } catch (error) {
      if (!(error instanceof LookupError)) throw error
      if (this.resolver.store === null)
        throw new ServerError('systemAccount', `error resolving system account: ${error.message}`)
      log.info('Using bootstrapping system account')
      const claims = newAccountClaims(name)
      claims.iss = name
      this.#apply(name, '', claims, true)
      const timer = setInterval(() => {
        if (this.#loaded.get(name)?.temporary !== true) return clearInterval(timer)
        this.#fetch(name).then(
          (token) => token !== null && this.accept(name, token),
          () => {},
        )
      }, SYSTEM_MS).unref()
      this.#server.onStop(() => clearInterval(timer))
    }
  }

  /** The account if it is in memory, expired or not. */
  get(name: string): Loaded | undefined {
    return this.#loaded.get(name)
  }

  /** True when somebody here imports from this account, which is not in memory. */
  isMissing(name: string): boolean {
    return this.#missing.has(name)
  }

  /**
   * The account, from memory if it is there and has not expired, with those it imports from: nobody is let in to imports that are still on
   * their way. @throws (or rejects with) LookupError.
   */
  lookup(name: string): Loaded | Promise<Loaded> {
    const loaded = this.#loaded.get(name)
    if (loaded === undefined || loaded.account.expired)
      return this.#load(name, loaded).then((found) => this.#withExporters(found))
    return this.#coming.size === 0 ? loaded : this.#withExporters(loaded)
  }

  async #withExporters(loaded: Loaded): Promise<Loaded> {
    let isLate = false
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        isLate = true
        resolve()
      }, EXPORTERS_MS).unref()
    })
    const seen = new Set([loaded.account.name])
    // The set grows while it is walked: exporters may import in their turn.
    for (const name of seen)
      for (const item of this.#loaded.get(name)?.claims.nats.imports ?? []) {
        const exporter = item?.account
        if (exporter === undefined || seen.has(exporter) || isLate) continue
        seen.add(exporter)
        const coming = this.#coming.get(exporter)
        if (coming !== undefined) await Promise.race([coming, timeout])
      }
    clearTimeout(timer)
    return loaded
  }

  async #load(name: string, expired: Loaded | undefined): Promise<Loaded> {
    if (expired !== undefined && Date.now() - expired.loadedAt < REFRESH_MS)
      throw new LookupError('account expired')
    let token: string | null
    try {
      token = await this.#fetch(name)
    } catch (error) {
      throw new LookupError((error as Error).message)
    }
    if (token === null) throw new LookupError('account missing')
    const refusal = this.accept(name, token)
    if (refusal !== null) throw new LookupError(refusal)
    const loaded = this.#loaded.get(name)
    if (loaded === undefined || loaded.account.expired) throw new LookupError('account expired')
    return loaded
  }

  /** The newest token that can be had; one question at a time for each account. */
  #fetch(name: string): Promise<string | null> {
    if (!isPublicKey(name, 'account'))
      return Promise.reject(new LookupError('will only fetch valid account keys'))
    let running = this.#fetching.get(name)
    if (running === undefined) {
      running = this.#ask(name).finally(() => this.#fetching.delete(name))
      this.#fetching.set(name, running)
    }
    return running
  }

  async #ask(name: string): Promise<string | null> {
    const { log } = this.#server
    const start = performance.now()
    try {
      const token = await this.#find(name)
      if (token === null) log.warn('Account fetch failed: account missing')
      return token
    } catch (error) {
      log.warn(`Account fetch failed: ${(error as Error).message}`)
      throw error
    } finally {
      const took = performance.now() - start
      log[took > SLOW_FETCH_MS ? 'warn' : 'debug'](`Account [${name}] fetch took ${took.toFixed(3)}ms`)
    }
  }

  async #find(name: string): Promise<string | null> {
    const token = await this.resolver.fetch(name)
    if (token !== null || this.lookupElsewhere === null) return token
    const found = await this.lookupElsewhere(name)
    // Another push may have been faster; the newer one stays.
    if (found !== null) await this.resolver.store?.merge(name, found)
    return found
  }

  /** Verifies a token and makes its account live. Returns why not, or null. The same token again changes nothing. */
  accept(name: string, token: string): string | null {
    if (this.#loaded.get(name)?.token === token) return null
    let claims: AccountClaims
    try {
      claims = decodeAccount(token)
    } catch (error) {
      return (error as Error).message
    }
    const refusal =
      claims.sub !== name
        ? 'it is the JWT of another account'
        : this.operators.trusts(claims.iss)
          ? faults(claims)
          : `its issuer ${claims.iss} is no key of a trusted operator`
    if (refusal !== null) {
      // Any stranger can name such an account, as often as it likes.
      this.#server.log.debug(`Account [${name}] validation failed: ${refusal}`)
      return 'account validation failed'
    }
    this.#apply(name, token, claims, false)
    return null
  }

  #apply(name: string, token: string, claims: AccountClaims, temporary: boolean): void {
    const { accounts, log } = this.#server
    const before = this.#loaded.get(name)
    if (before !== undefined) for (const cancel of before.cancel) cancel()
    const account = accounts.ensure(name)
    const cancel: (() => void)[] = []
    const signers = new Map(
      [...accountSigners(claims)].map(([key, scope]) => [key, JSON.stringify(scope)] as const),
    )
    if (this.operators.demandsSigningKeys(claims.iss)) signers.delete(claims.sub)
    const loaded: Loaded = {
      account,
      token,
      claims,
      signers,
      temporary,
      loadedAt: Date.now(),
      cancel,
    }
    this.#loaded.set(name, loaded)
    this.#missing.delete(name)
    account.token = token
    account.label = claims.name ?? name
    account.expired = false
    if (log.debugOn) log.debug(`Updating account claims: ${name}/${claims.name ?? ''}`)
    if (claims.exp) cancel.push(runAt(Number(claims.exp) * 1000, () => this.expire(account)))
    const exporters = new Set<string>()
    for (const item of claims.nats.imports ?? []) {
      if (item === null) continue
      exporters.add(item.account ?? '')
      const ends = item.token ? activationEnd(item.token) : null
      // The import is checked again when its token has run out, and found wanting.
      if (ends !== null && ends > Date.now()) cancel.push(runAt(ends, () => accounts.link(account)))
    }
    accounts.apply(account, specOf(claims))
    if (before !== undefined) this.#applyToClients(before, loaded)
    for (const exporter of exporters) this.#bring(exporter)
  }

  /** Loads an account that another one imports from; loading it links its importers. */
  #bring(exporter: string): void {
    if (this.#loaded.has(exporter) || !isPublicKey(exporter, 'account')) return
    this.#missing.add(exporter)
    const coming = this.#fetch(exporter)
      .then(
        (token) => token !== null && !this.#loaded.has(exporter) && this.accept(exporter, token),
        () => {},
      )
      .finally(() => {
        if (this.#coming.get(exporter) === coming) this.#coming.delete(exporter)
      })
    this.#coming.set(exporter, coming)
  }

  /** The account's time is over: everybody leaves, nobody comes in until a newer token is there. */
  expire(account: Account): void {
    account.expired = true
    for (const client of [...account.clients]) client.refuse('accountExpired')
  }

  /**
   * A deleted account: nobody is in it any more, and nothing but another token brings it back. Pushing the very token that was
   * deleted does not, as with the official server.
   */
  disable(name: string): void {
    const loaded = this.#loaded.get(name)
    if (loaded === undefined) return
    for (const cancel of loaded.cancel) cancel()
    const { account } = loaded
    const limits = { connections: 0, subs: 0, payload: 0, leafs: 0 }
    this.#server.accounts.apply(account, { ...account.spec, imports: [], limits })
    this.expire(account)
  }

  /** After a reload of the preloaded tokens: each account is what its token says now, and one without a token any more goes. */
  async reload(preload: ReadonlyMap<string, string>): Promise<void> {
    const { resolver } = this
    if (!(resolver instanceof MemoryResolver)) {
      for (const [account, token] of preload) await resolver.store?.merge(account, token)
      return
    }
    resolver.replace(preload)
    const { accounts, log } = this.#server
    for (const [name, { account, cancel }] of [...this.#loaded]) {
      const token = preload.get(name)
      if (token !== undefined && this.accept(name, token) === null) continue
      const why = token === undefined ? 'removed' : 'bad claims'
      log.info(`Reloaded: deleting account [${why}]: ${JSON.stringify(name)}`)
      if (account.isSystem) continue
      for (const end of cancel) end()
      this.#loaded.delete(name)
      accounts.remove(account)
    }
  }

  /** What the new claims mean for those who are connected, oldest connection first. */
  #applyToClients(before: Loaded, now: Loaded): void {
    const { account, claims } = now
    const { connections } = account.spec.limits
    const { disallow_bearer } = claims.nats.limits
    const changed = (key: string): boolean => now.signers.get(key) !== before.signers.get(key)
    const defaults = (loaded: Loaded): string => JSON.stringify(loaded.claims.nats.default_permissions)
    const newDefaults = defaults(now) !== defaults(before)
    const external = (claims.nats.authorization.auth_users ?? []).length > 0
    let count = 0
    for (const client of [...account.clients].sort((a, b) => a.cid - b.cid)) {
      const { user } = client
      count++
      if (connections >= 0 && count > connections) client.refuse('maxAccountConnections')
      else if (user.bearer && disallow_bearer) client.refuse('authorization')
      else if (user.key !== undefined && isRevoked(claims.nats.revocations, user.key, user.issuedAt ?? 0))
        client.refuse('revoked')
      else if (changed(user.issuerKey ?? '')) client.refuse('signingKeyGone')
      else {
        client.applyLimits()
        if (newDefaults && user.defaultPermissions) {
          const { defaultPermissions } = account.spec
          client.setPermissions(external ? denyingCallout(defaultPermissions) : defaultPermissions)
        }
      }
    }
  }
}

/** What makes the whole account invalid, time included; null for nothing. */
function faults(claims: AccountClaims): string | null {
  const issues = validate(claims)
  if (!isBlocking(issues, { includeTime: true })) return null
  return issues
    .filter((issue) => issue.level !== 'warning')
    .map((issue) => issue.text)
    .join('; ')
}

/** ms since 1970; null for never or for a token that says nothing. */
function activationEnd(token: string): number | null {
  try {
    const { exp } = decodeActivation(token)
    return exp ? Number(exp) * 1000 : null
  } catch {
    return null
  }
}
