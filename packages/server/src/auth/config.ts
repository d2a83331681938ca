// Authentication from the configuration file: nobody, token, one user, users, nkeys and certificates, in the order of the official
// server; and before anybody is let in, the callout service where one is configured.
import { randomBytes } from 'node:crypto'
import { decodeSignature, verifySignature } from '@ngs/identity/node'
import { EMPTY_SPEC } from '../account/spec.ts'
import { ServerError } from '../errors.ts'
import type { Options, UserOptions } from '../options.ts'
import type { Server } from '../server.ts'
import {
  type Admission,
  type Authenticator,
  type AuthResult,
  type ConnectAttempt,
  type ConnectionType,
  refused,
} from './authenticator.ts'
import { userOfCertificate } from './certificate.ts'
import { delegate, type Verdict } from './config-callout.ts'
import { guestProblem } from './guest.ts'
import { identity } from './identity.ts'
import { bcryptMatches, equalInTime, isBcrypt } from './passwords.ts'
import { PROXY_REQUIRED, proxyOf, throughProxy } from './proxies.ts'

const SYSTEM = '$SYS'

/** Makes the accounts of the configuration file, their sharing and the system account. */
export function configuredAccounts(server: Server): void {
  const { options, accounts } = server
  // Those of before a reload that are gone, but for the two that are always there.
  for (const account of accounts.all()) {
    if (options.accounts.has(account.name)) continue
    if (account === accounts.global || account === accounts.system) accounts.apply(account, EMPTY_SPEC)
    else accounts.remove(account)
  }
  for (const name of options.accounts.keys()) accounts.ensure(name)
  if (!options.noSystemAccount) {
    const name = options.systemAccount === '' ? SYSTEM : options.systemAccount
    if (options.systemAccount !== '' && !options.accounts.has(name))
      throw new ServerError('systemAccount', 'error resolving system account: account missing')
    accounts.setSystem(accounts.ensure(name))
  }
  accounts.applyAll(options.accounts)
  if (options.mappings.length > 0)
    accounts.apply(accounts.global, { ...EMPTY_SPEC, mappings: options.mappings })
}

/** Name of the guest that nobody has configured; a reload does not change it. */
const ANONYMOUS = `nats-${randomBytes(4).toString('hex')}`

export class ConfigAuthenticator implements Authenticator {
  readonly required: boolean
  readonly announces: boolean
  readonly usesNonce: boolean
  readonly #server: Server
  readonly #options: Options
  readonly #users = new Map<string, UserOptions>()
  readonly #nkeys = new Map<string, UserOptions>()
  #guest: UserOptions | null = null

  /** Everything that it knows comes from the options in force now, or from these. @throws ServerError when the guest is nobody. */
  constructor(server: Server, options = server.options) {
    this.#server = server
    this.#options = options
    const { accounts } = server
    const problem = guestProblem(options)
    if (problem !== null) throw new ServerError('noAuthUser', problem)
    for (const user of options.users)
      if (user.nkey === '') this.#users.set(user.user, user)
      else this.#nkeys.set(user.nkey, user)
    // Besides the global account only a configured system account: everybody else is an anonymous guest of the former, though
    // INFO goes on asking for credentials. An authorization block, even an empty one, says that guests are not meant.
    const { system } = accounts
    const onlySystem =
      system !== null &&
      (options.systemAccount !== '' || options.accounts.has(SYSTEM)) &&
      [...options.accounts.keys()].every((name) => name === system.name) &&
      !options.authorizationDefined
    this.required = options.users.length > 0 || options.token !== '' || options.user !== '' || onlySystem
    this.usesNonce = this.#nkeys.size > 0 || options.trustedProxies.length > 0
    if (options.noAuthUser !== '')
      this.#guest = this.#users.get(options.noAuthUser) ?? this.#nkeys.get(options.noAuthUser) ?? null
    this.announces = this.required && this.#guest === null
    if (this.#guest === null && onlySystem) {
      this.#guest = {
        user: ANONYMOUS,
        password: '',
        nkey: '',
        permissions: null,
        account: accounts.global.name,
        connectionTypes: [],
        proxyRequired: false,
      }
      this.#users.set(this.#guest.user, this.#guest)
    }
  }

  /** Says what of a callout cannot work, as the official server does: it starts all the same. */
  reportCallout(): void {
    const { authCallout: callout, user, websocket } = this.#options
    if (callout === null) return
    const { accounts, log } = this.#server
    const isMissing = accounts.get(callout.account) === undefined
    if (isMissing) log.error(`Authorization callout account ${JSON.stringify(callout.account)} not valid`)
    for (const name of callout.authUsers) {
      const known = this.#users.has(name) || this.#nkeys.has(name) || name === user || name === websocket.user
      if (known && name !== '') continue
      // What stands behind the colon is the trouble with the account, or Go's word for none.
      const trouble = isMissing ? 'account missing' : '<nil>'
      log.error(`Authorization callout user ${JSON.stringify(name)} not valid: ${trouble}`)
    }
  }

  authenticate(attempt: ConnectAttempt): AuthResult | Promise<AuthResult> {
    // Nobody looks at it here, so it must not show up anywhere either.
    attempt.connect.jwt = ''
    const proxyKey = proxyOf(attempt, this.#options.trustedProxies)
    if (typeof proxyKey !== 'string') return proxyKey
    const verdict = this.#verdict(attempt, proxyKey)
    const { authCallout } = this.#options
    const result =
      authCallout === null
        ? settled(verdict, ({ result }) => result)
        : Promise.resolve(verdict).then((own) => delegate(this.#server, authCallout, attempt, proxyKey, own))
    return settled(result, (outcome) => throughProxy(outcome, proxyKey))
  }

  guest(attempt: ConnectAttempt): AuthResult | Promise<AuthResult> | null {
    const guest = this.#guest
    if (guest === null || guest.nkey !== '' || guest.proxyRequired || !allowsType(guest, attempt)) return null
    return this.authenticate(attempt)
  }

  accountOf({ nkey, user }: ConnectAttempt['connect']): string | undefined {
    return (nkey === '' ? this.#users.get(user) : this.#nkeys.get(nkey))?.account
  }

  // The configuration's own users --------------------------------------------------------------------------------------------

  #verdict(attempt: ConnectAttempt, proxyKey: string): Verdict | Promise<Verdict> {
    const { connect } = attempt
    const options = this.#options
    const verdict = (result: AuthResult, known = '', needsProxy = false): Verdict => ({
      result,
      known,
      needsProxy,
    })
    if (!this.required) return verdict(this.#accept(null, attempt, proxyKey))
    const guest = this.#guest
    const brings = connect.user !== '' || connect.pass !== '' || connect.auth_token !== ''
    if (this.#nkeys.size > 0) {
      if (guest !== null && guest.nkey !== '' && !brings && connect.nkey === '') connect.nkey = guest.nkey
      if (connect.nkey !== '') {
        const user = this.#nkeys.get(connect.nkey)
        if (user === undefined) return verdict(refused('Nkey is not known'))
        if (!allowsType(user, attempt)) return verdict(refused('Connection type not allowed'))
        if (user.proxyRequired && proxyKey === '') return verdict(PROXY_REQUIRED, user.nkey, true)
        const unproven = user === guest ? null : unsigned(attempt)
        const result = unproven === null ? this.#accept(user, attempt, proxyKey) : refused(unproven)
        return verdict(result, user.nkey, user.proxyRequired)
      }
    }
    let user: UserOptions | undefined
    if (this.#users.size > 0) {
      if (attempt.tls?.mapsUser) {
        const found = this.#byCertificate(attempt)
        if (typeof found === 'string') return verdict(refused(found))
        user = found
      } else {
        if (guest !== null && guest.nkey === '' && !brings) {
          connect.user = guest.user
          connect.pass = guest.password
        }
        if (connect.user !== '') {
          user = this.#users.get(connect.user)
          if (user === undefined) return verdict(refused('User is not known'))
          if (!allowsType(user, attempt)) return verdict(refused('Connection type not allowed'))
        }
      }
    }
    if (user !== undefined) {
      const found = user
      if (found.proxyRequired && proxyKey === '') return verdict(PROXY_REQUIRED, found.user, true)
      const isCertificateUser =
        !attempt.tls?.mapsUser && found.password === '' && found !== guest && mapsCertificates(options, found)
      if (isCertificateUser)
        return verdict(
          refused(`User ${JSON.stringify(found.user)} requires a client certificate`),
          found.user,
          found.proxyRequired,
        )
      const accept = (): AuthResult => this.#accept(found, attempt, proxyKey)
      return settled(checked(found.password, connect.pass, accept), (result) =>
        verdict(result, found.user, found.proxyRequired),
      )
    }
    if (options.proxyRequired && proxyKey === '') return verdict(PROXY_REQUIRED, '', true)
    const accept = (): AuthResult => this.#accept(null, attempt, proxyKey)
    if (options.token !== '') {
      return settled(checked(options.token, connect.auth_token, accept), (result) =>
        verdict(result, '', options.proxyRequired),
      )
    }
    if (options.user !== '') {
      if (!equalInTime(options.user, connect.user)) return verdict(refused('User is not known'))
      return settled(checked(options.password, connect.pass, accept), (result) =>
        verdict(result, options.user, options.proxyRequired),
      )
    }
    return verdict(refused('No credentials that this server asks for'))
  }

  /** The user that the certificate of the client names; or why there is none. */
  #byCertificate(attempt: ConnectAttempt): UserOptions | string {
    const { connect, tls } = attempt
    const candidates = [...this.#users.values()].filter((user) => allowsType(user, attempt))
    const found = userOfCertificate(tls!.certificate, candidates)
    if (typeof found === 'string') return found
    if (connect.user !== '' && connect.user !== found.user) {
      this.#server.log.warn(
        `User ${JSON.stringify(connect.user)} found in connect proto, but user required from cert`,
      )
    }
    connect.user = found.user
    return found
  }

  #accept(user: UserOptions | null, attempt: ConnectAttempt, proxyKey: string): Admission {
    const { accounts } = this.#server
    const account = user === null ? accounts.global : accounts.ensure(user.account)
    const own = user?.permissions ?? null
    return {
      ok: true,
      account,
      user: identity(user, attempt, proxyKey, own === null),
      permissions: own ?? (user === null ? null : account.spec.defaultPermissions),
      limits: { payload: -1, subs: -1 },
      expiresAt: null,
    }
  }
}

const settled = <T, R>(value: T | Promise<T>, then: (value: T) => R): R | Promise<R> =>
  value instanceof Promise ? value.then(then) : then(value)

/** bcrypt takes its time on another thread; plain text is compared at once. */
function checked(stored: string, given: string, accept: () => AuthResult): AuthResult | Promise<AuthResult> {
  const judge = (matches: boolean): AuthResult => (matches ? accept() : refused('Password does not match'))
  return isBcrypt(stored) ? bcryptMatches(stored, given).then(judge) : judge(equalInTime(stored, given))
}

/** Why the client has not shown that it holds the key of its nkey; null when it has. */
function unsigned({ connect, nonce }: ConnectAttempt): string | null {
  if (connect.sig === '') return 'Signature missing'
  const signature = decodeSignature(connect.sig)
  if (signature === undefined) return 'Signature not valid base64'
  return verifySignature(connect.nkey, Buffer.from(nonce), signature) ? null : 'Signature not verified'
}

const allowsType = (user: UserOptions, { connectionType }: ConnectAttempt): boolean =>
  user.connectionTypes.length === 0 || user.connectionTypes.includes(connectionType)

/** True when a listener with `verify_and_map` could take a certificate for this user, who is known by that alone then. */
const mapsCertificates = ({ tls, websocket }: Options, { connectionTypes }: UserOptions): boolean => {
  const allows = (type: ConnectionType): boolean =>
    connectionTypes.length === 0 || connectionTypes.includes(type)
  return (
    (tls?.map === true && allows('STANDARD')) ||
    (websocket.port !== 0 && websocket.tls?.map === true && allows('WEBSOCKET'))
  )
}

/** For WebSocket clients: null unless their block has credentials or a guest of its own, which then stand instead of the server's. */
export function webSocketAuthenticator(server: Server): ConfigAuthenticator | null {
  const { user, password, token, noAuthUser } = server.options.websocket
  if (user === '' && token === '' && noAuthUser === '') return null
  return new ConfigAuthenticator(server, { ...server.options, user, password, token, noAuthUser })
}
