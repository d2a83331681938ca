import path from 'node:path'
import {
  type AccountClaims,
  type Claims,
  decode,
  decodeAccount,
  decodeOperator,
  decodeUser,
  didSign,
  type OperatorClaims,
  type UserClaims,
} from '@ngs/identity/node'
import { failure, fileError, NscError, textOf } from '../errors.ts'
import {
  exists,
  listFolder,
  makeFolder,
  readText,
  readTextIfThere,
  remove,
  writeAllAtomically,
  writeAtomically,
} from '../files.ts'
import { goJson } from '../json.ts'
import { checkTokenName } from '../names.ts'
import { backquote, quote } from '../text.ts'

/** The `.nsc` file of a store, fields in the order they are written. */
export interface StoreInfo {
  /** Made without the operator's private key: accounts are sent to the operator's server to be signed. */
  managed: boolean
  name: string
  kind: string
  version: string
}

/**
 * One operator's tokens on disk:
 * `<dir>/.nsc`, `<dir>/<operator>.jwt`, `<dir>/accounts/<a>/<a>.jwt`, `<dir>/accounts/<a>/users/<u>.jwt`.
 */
export class OperatorStore {
  readonly dir: string
  readonly info: StoreInfo

  private constructor(dir: string, info: StoreInfo) {
    this.dir = dir
    this.info = info
  }

  /** Opens the store of an operator; throws when the folder is none. */
  static open(root: string, name: string): OperatorStore {
    if (root === '') throw failure('no stores available')
    const dir = path.join(root, name)
    const info = readInfo(dir)
    if (info === null) {
      const reason = fileError('stat', path.join(dir, '.nsc'), { code: 'ENOENT' }).message
      throw failure(`${backquote(dir)} is not a valid data directory: ${reason}`)
    }
    return new OperatorStore(dir, info)
  }

  /** Makes an empty store, still without an operator token. */
  static create(root: string, name: string, options: { managed: boolean }): OperatorStore {
    const dir = path.join(root, name)
    makeFolder(dir)
    if (listFolder(dir).length > 0)
      throw failure(`operator ${quote(name)} already exists in ${backquote(root)}`)
    const info: StoreInfo = { managed: options.managed, name, kind: 'operator', version: '1' }
    writeAtomically(path.join(dir, '.nsc'), goJson(info))
    makeFolder(path.join(dir, 'accounts'))
    return new OperatorStore(dir, info)
  }

  get name(): string {
    return this.info.name
  }

  get managed(): boolean {
    return this.info.managed
  }

  // --- reading -----------------------------------------------------------------------------------------------

  private operatorPath(): string {
    return path.join(this.dir, jwtName(this.name))
  }

  accountDir(account: string): string {
    return path.join(this.dir, 'accounts', account)
  }

  private accountPath(account: string): string {
    return path.join(this.accountDir(account), jwtName(account))
  }

  private userPath(account: string, user: string): string {
    return path.join(this.accountDir(account), 'users', jwtName(user))
  }

  /** The file of a token, whether or not it is there. */
  fileOf(account?: string, user?: string): string {
    if (account === undefined) return this.operatorPath()
    return user === undefined ? this.accountPath(account) : this.userPath(account, user)
  }

  hasOperator(): boolean {
    return exists(this.operatorPath())
  }

  hasAccount(account: string): boolean {
    return account !== '' && exists(this.accountPath(account))
  }

  hasUser(account: string, user: string): boolean {
    return exists(this.userPath(account, user))
  }

  /** Tokens as stored, without the newline an editor may have added. */
  operatorToken(): string {
    return readToken(this.operatorPath()) ?? notFound(`operator ${this.name} does not exist`)
  }

  accountToken(account: string): string {
    const token = account === '' ? null : readToken(this.accountPath(account))
    return token ?? notFound(`account ${account} does not exist in the current operator`)
  }

  userToken(account: string, user: string): string {
    return (
      readToken(this.userPath(account, user)) ??
      notFound(`user ${user} does not exist in the current account`)
    )
  }

  operator(): OperatorClaims {
    return decodeOperator(this.operatorToken())
  }

  account(account: string): AccountClaims {
    return decodeAccount(this.accountToken(account))
  }

  user(account: string, user: string): UserClaims {
    return decodeUser(this.userToken(account, user))
  }

  /** Names of the accounts: a folder counts only when its token is there. */
  accountNames(): string[] {
    return listFolder(path.join(this.dir, 'accounts'))
      .filter((entry) => entry.isDirectory() && this.hasAccount(entry.name))
      .map((entry) => entry.name)
  }

  userNames(account: string): string[] {
    return listFolder(path.join(this.accountDir(account), 'users'))
      .filter((entry) => !entry.isDirectory() && entry.name.endsWith('.jwt'))
      .map((entry) => entry.name.slice(0, -'.jwt'.length))
  }

  /** The user an account has, when it has exactly one. */
  onlyUser(account: string): string | null {
    const users = this.userNames(account)
    return users.length === 1 ? (users[0] ?? null) : null
  }

  // --- writing -----------------------------------------------------------------------------------------------

  /**
   * Writes a token where it belongs: by its type and name, a user below the account that signed it.
   *
   * @throws when the token cannot be verified, has no name, or is a user of no account here
   */
  write(token: string): Claims {
    const claims = readClaims(token)
    const file = this.placeOf(claims)
    makeFolder(path.dirname(file))
    writeAtomically(file, token)
    return claims
  }

  /** Writes several tokens, operator and accounts, all of them or none. Throws like {@link write}. */
  writeAll(tokens: readonly string[]): void {
    const files = tokens.map((token) => ({ file: this.placeOf(readClaims(token)), content: token }))
    for (const { file } of files) makeFolder(path.dirname(file))
    writeAllAtomically(files)
  }

  private placeOf(claims: Claims): string {
    const name = claims.name ?? ''
    if (claims.nats.type !== 'operator') checkTokenName(name)
    switch (claims.nats.type) {
      case 'operator':
        return this.operatorPath()
      case 'account':
        return this.accountPath(name)
      case 'user':
        return this.userPath(this.accountOf(claims as UserClaims), name)
      default:
        throw failure(`unsuported store claim type: ${claims.nats.type}`)
    }
  }

  private accountOf(user: UserClaims): string {
    for (const account of this.accountNames()) if (didSign(this.account(account), user)) return account
    throw failure(
      `account with public key ${quote(user.nats.issuer_account || user.iss)} is not in the store`,
    )
  }

  /** Copies all users of an account to another one with the same key, all of them or none. */
  copyUsers(from: string, to: string): void {
    const names = this.userNames(from)
    if (names.length > 0) makeFolder(path.join(this.accountDir(to), 'users'))
    writeAllAtomically(
      names.map((name) => ({ file: this.userPath(to, name), content: this.userToken(from, name) })),
    )
  }

  deleteUser(account: string, user: string): void {
    remove(this.userPath(account, user))
  }

  deleteAccountToken(account: string): void {
    remove(this.accountPath(account))
  }

  /** Removes the account's folder once it is empty. */
  deleteAccountFolder(account: string): void {
    remove(this.accountDir(account))
  }

  /** Removes the folder of users, which must be empty. */
  deleteUsersFolder(account: string): void {
    remove(path.join(this.accountDir(account), 'users'))
  }

  /** Removes the folder of users if nothing is left in it. */
  tryDeleteUsersFolder(account: string): void {
    const folder = path.join(this.accountDir(account), 'users')
    if (exists(folder) && listFolder(folder).length === 0) remove(folder)
  }
}

/** A token of any kind that the stores hold, verified. */
function readClaims(token: string): Claims {
  let claims: Claims
  try {
    claims = decode(token)
  } catch (thrown) {
    throw failure(`invalid jwt: ${textOf(thrown)}`, thrown)
  }
  if (!claims.name) throw failure("jwt claim doesn't have a name")
  return claims
}

/** The `.nsc` file of a folder, null when the folder is no store. */
export function readInfo(dir: string): StoreInfo | null {
  const text = readTextIfThere(path.join(dir, '.nsc'))
  if (text === null) return null
  let parsed: Partial<StoreInfo>
  try {
    parsed = JSON.parse(text)
  } catch (thrown) {
    throw failure(`error loading '.nsc' file in ${backquote(dir)}: ${textOf(thrown)}`, thrown)
  }
  return {
    managed: parsed.managed === true,
    name: String(parsed.name ?? ''),
    kind: String(parsed.kind ?? ''),
    version: String(parsed.version ?? ''),
  }
}

/** Operators below a stores root: folders with a `.nsc` file. */
export function operatorNames(root: string): string[] {
  return listFolder(root)
    .map((entry) => entry.name)
    .filter((name) => exists(path.join(root, name.trim(), '.nsc')))
}

function notFound(text: string): never {
  throw new NscError('not-found', text)
}

function readToken(file: string): string | null {
  return exists(file) ? readText(file).trim() : null
}

/** File name of a token: blanks around the name are dropped here, though not in folder names. */
function jwtName(name: string): string {
  return `${name.trim()}.jwt`
}
