// Authentication from the configuration file: nobody, token, one user, users and nkeys, in the order of the official server.
import { randomBytes } from 'node:crypto'
import { decodeSignature, verifySignature } from '@ngs/identity/node'
import { EMPTY_SPEC } from '../account/spec.ts'
import { ServerError } from '../errors.ts'
import type { UserOptions } from '../options.ts'
import type { Server } from '../server.ts'
import { type Authenticator, type AuthResult, type ConnectAttempt, NOBODY } from './authenticator.ts'
import { bcryptMatches, equalInTime, isBcrypt } from './passwords.ts'

export const SYSTEM = '$SYS'

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
  for (const [name, spec] of options.accounts) accounts.apply(accounts.ensure(name), spec)
}

export class ConfigAuthenticator implements Authenticator {
  readonly required: boolean
  readonly announces: boolean
  readonly usesNonce: boolean
  readonly #server: Server
  readonly #users = new Map<string, UserOptions>()
  readonly #nkeys = new Map<string, UserOptions>()
  #guest: UserOptions | null = null

  constructor(server: Server) {
    this.#server = server
    const { options, accounts } = server
    for (const user of options.users)
      (user.nkey === '' ? this.#users : this.#nkeys).set(user.nkey === '' ? user.user : user.nkey, user)
    this.usesNonce = this.#nkeys.size > 0
    // Besides the global account only a configured system account: everybody else is an anonymous guest of the former, though
    // INFO goes on asking for credentials. An authorization block, even an empty one, says that guests are not meant.
    const { system } = accounts
    const onlySystem =
      system !== null &&
      (options.systemAccount !== '' || options.accounts.has(SYSTEM)) &&
      [...options.accounts.keys()].every((name) => name === system.name) &&
      !options.authorizationDefined
    this.required = options.users.length > 0 || options.token !== '' || options.user !== '' || onlySystem
    if (options.noAuthUser !== '') {
      this.#guest = this.#users.get(options.noAuthUser) ?? this.#nkeys.get(options.noAuthUser) ?? null
      if (options.users.length === 0)
        throw new ServerError(
          'noAuthUser',
          `no_auth_user: "${options.noAuthUser}" present, but users/nkeys are not defined`,
        )
      if (this.#guest === null) {
        throw new ServerError(
          'noAuthUser',
          `no_auth_user: "${options.noAuthUser}" not present as user or nkey in authorization block or account configuration`,
        )
      }
    }
    this.announces = this.required && this.#guest === null
    if (this.#guest === null && onlySystem) {
      this.#guest = {
        user: `nats-${randomBytes(4).toString('hex')}`,
        password: '',
        nkey: '',
        permissions: null,
        account: accounts.global.name,
        connectionTypes: [],
      }
    }
  }

  authenticate(attempt: ConnectAttempt): AuthResult | Promise<AuthResult> {
    const { connect } = attempt
    const { options } = this.#server
    if (!this.required) return this.#accept(null, attempt)
    if (
      this.#guest !== null &&
      connect.user === '' &&
      connect.pass === '' &&
      connect.auth_token === '' &&
      connect.nkey === ''
    ) {
      return this.#accept(this.#guest, attempt)
    }
    if (this.#nkeys.size > 0 && connect.nkey !== '') return this.#byNkey(attempt)
    if (this.#users.size > 0) {
      const user = this.#users.get(connect.user)
      if (user === undefined) return refused(`unknown user`)
      return this.#checked(user.password, connect.pass, () => this.#accept(user, attempt))
    }
    if (options.token !== '') {
      const token = connect.auth_token
      return this.#checked(
        options.token,
        token,
        () => ({ ...this.#accept(null, attempt), user: { user: '[REDACTED]', kind: 'token' } }) as AuthResult,
      )
    }
    if (options.user !== '') {
      if (!equalInTime(options.user, connect.user)) return refused('unknown user')
      return this.#checked(
        options.password,
        connect.pass,
        () => ({ ...this.#accept(null, attempt), user: { user: connect.user, kind: 'user' } }) as AuthResult,
      )
    }
    return refused('no credentials that this server asks for')
  }

  guest(attempt: ConnectAttempt): AuthResult | null {
    if (this.#guest === null || this.#guest.nkey !== '' || isBcrypt(this.#guest.password)) return null
    return this.#accept(this.#guest, attempt)
  }

  #byNkey(attempt: ConnectAttempt): AuthResult {
    const { connect } = attempt
    const user = this.#nkeys.get(connect.nkey)
    if (user === undefined) return refused('unknown nkey')
    const signature = decodeSignature(connect.sig)
    if (signature === undefined || !verifySignature(connect.nkey, Buffer.from(attempt.nonce), signature))
      return refused('signature not verified')
    return this.#accept(user, attempt)
  }

  /** bcrypt takes its time on other threads; plain text is compared at once. */
  #checked(stored: string, given: string, accept: () => AuthResult): AuthResult | Promise<AuthResult> {
    if (!isBcrypt(stored)) return equalInTime(stored, given) ? accept() : refused('wrong password')
    return bcryptMatches(stored, given).then((matches) => (matches ? accept() : refused('wrong password')))
  }

  #accept(user: UserOptions | null, attempt: ConnectAttempt): AuthResult {
    const { accounts } = this.#server
    const account = user === null ? accounts.global : accounts.ensure(user.account)
    if (
      user !== null &&
      user.connectionTypes.length > 0 &&
      !user.connectionTypes.includes(attempt.connectionType)
    )
      return refused('connection type not allowed')
    const own = user?.permissions ?? null
    const defaults = account.spec === EMPTY_SPEC ? null : account.spec.defaultPermissions
    return {
      ok: true,
      account,
      user:
        user === null
          ? NOBODY
          : {
              user: user.nkey || user.user,
              kind: user.nkey === '' ? 'user' : 'nkey',
              defaultPermissions: own === null,
            },
      permissions: own ?? (user === null ? null : defaults),
      limits: { payload: -1, subs: -1 },
      expiresAt: null,
    }
  }
}

const refused = (log: string): AuthResult => ({ ok: false, reason: 'Authentication Failure', log })
