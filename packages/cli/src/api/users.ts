// Users and accounts on this machine: in the stores of nsc, and in files that somebody sent.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import {
  type AccountClaims,
  decodeAccount,
  decodeUser,
  isPublicKey,
  type OperatorClaims,
  parseCreds,
  type UserClaims,
  undecorateJwt,
} from '@ngs/identity/node'
import type { KnownAccount } from '@ngs/nsc/session'
import { CliError, reasonOf } from '../errors.ts'
import type { Io } from '../io.ts'

/** What is known of operators, accounts and users. */
export class Directory {
  readonly operators: OperatorClaims[] = []
  readonly accounts: AccountClaims[] = []
  readonly #io: Io
  readonly #known: KnownAccount[]
  readonly #users: (store: string, account: string) => UserClaims[]
  readonly #current: { operator: string; account: string }

  private constructor(
    io: Io,
    known: KnownAccount[],
    users: Directory['users'],
    current: { operator: string; account: string },
  ) {
    this.#io = io
    this.#known = known
    this.#users = users
    this.#current = current
    for (const { operator, account } of known) {
      if (!this.operators.some(({ sub }) => sub === operator.sub)) this.operators.push(operator)
      this.accounts.push(account)
    }
  }

  /** @param files tokens of accounts that are in no store */
  static async open(io: Io, files: readonly string[]): Promise<Directory> {
    const { knownAccounts, OperatorStore, Session } = await import('@ngs/nsc/session')
    const session = new Session(io, {})
    const { context } = session
    const users = (store: string, account: string): UserClaims[] => {
      const opened = OperatorStore.open(context.storeRoot, store)
      return opened.userNames(account).flatMap((name) => {
        try {
          return [opened.user(account, name)]
        } catch {
          // A damaged token is nobody.
          return []
        }
      })
    }
    const directory = new Directory(io, [...knownAccounts(context)], users, context)
    for (const file of files) directory.#add(file)
    return directory
  }

  private users(store: string, account: string): UserClaims[] {
    return this.#users(store, account)
  }

  #add(file: string): void {
    const text = this.#read(file)
    let account: AccountClaims
    try {
      account = decodeAccount(undecorateJwt(text).trim())
    } catch (error) {
      throw new CliError('bad-token', `${file} does not hold the token of an account: ${reasonOf(error)}`)
    }
    // A file says something newer, or something about an account of somebody else.
    const at = this.accounts.findIndex(({ sub }) => sub === account.sub)
    if (at === -1) this.accounts.push(account)
    else this.accounts[at] = account
  }

  #read(file: string): string {
    try {
      return readFileSync(resolve(this.#io.cwd, file), 'utf8')
    } catch (error) {
      throw new CliError('no-file', `cannot read ${file}: ${reasonOf(error)}`)
    }
  }

  /**
   * A user by `ACCOUNT/USER`, by `USER` in the current account, by public key, or by a file: creds or token.
   * @throws CliError no-user
   */
  user(text: string): UserClaims {
    const found = isPublicKey(text, 'user') ? this.#byKey(text) : (this.#byName(text) ?? this.#byFile(text))
    if (found) return found
    const names = this.#known.flatMap(({ operatorStore, account }) =>
      this.users(operatorStore, account.name ?? '').map(({ name }) => `${account.name}/${name}`),
    )
    throw new CliError(
      'no-user',
      `${JSON.stringify(text)} is no user here and no creds file; give ACCOUNT/USER, a public key or a file`,
      names.length > 0 ? { details: [`users here: ${names.slice(0, 20).join(', ')}`] } : {},
    )
  }

  #byKey(key: string): UserClaims | null {
    for (const { operatorStore, account } of this.#known)
      for (const user of this.users(operatorStore, account.name ?? '')) if (user.sub === key) return user
    return null
  }

  #byName(text: string): UserClaims | null {
    const parts = text.split('/')
    const name = parts.pop() ?? ''
    const account = parts.pop() ?? this.#current.account
    const operator = parts.pop()
    if (parts.length > 0) return null
    const candidates = this.#known.filter(
      (known) =>
        known.account.name === account && (operator === undefined || known.operatorStore === operator),
    )
    // Where several operators have such an account, that of the current one is meant.
    candidates.sort(
      (a, b) =>
        Number(b.operatorStore === this.#current.operator) -
        Number(a.operatorStore === this.#current.operator),
    )
    for (const known of candidates) {
      const user = this.users(known.operatorStore, account).find((each) => each.name === name)
      if (user) return user
    }
    return null
  }

  #byFile(file: string): UserClaims | null {
    const path = resolve(this.#io.cwd, file)
    if (!existsSync(path) || !statSync(path).isFile()) return null
    const text = this.#read(file)
    try {
      return decodeUser(text.includes('USER NKEY SEED') ? parseCreds(text).jwt : undecorateJwt(text).trim())
    } catch (error) {
      throw new CliError(
        'bad-token',
        `${file} holds neither creds nor the token of a user: ${reasonOf(error)}`,
      )
    }
  }
}
