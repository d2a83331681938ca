import {
  type AccountClaims,
  type Claims,
  type ClaimsBase,
  createKeyPair,
  type Export,
  encode,
  formatCreds,
  isPublicKey,
  type KeyPair,
  type KeyRole,
  newActivationClaims,
  newUserClaims,
  type SharingKind,
  type UserClaims,
  validate,
} from '@ngs/identity/node'
import type { FlagValues } from '../cli/flags.ts'
import { failure, textOf } from '../errors.ts'
import { resolveKeyText, type StorableKey } from '../keystore/keystore.ts'
import { storeAccount } from '../remote/account-server.ts'
import type { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { accountSignerRoles, findSigner } from '../signing.ts'
import { withLock } from '../store/lock.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { compareBytes, quote } from '../text.ts'
import { addAll, formatDate, normalizeTags, parseDate, relativeDate, removeAll, setList } from '../values.ts'

/** The steps that commands have in common. */

export { nameOf } from './name-of.ts'

// --- dates and tags ------------------------------------------------------------------------------------------

/** Checks --start and --expiry before anything is changed. */
export function checkDates(flags: FlagValues): void {
  for (const flag of ['start', 'expiry']) {
    const text = flags.text(flag)
    try {
      parseDate(text)
    } catch (thrown) {
      throw failure(`${flag} ${quote(text)} is invalid: ${textOf(thrown)}`, thrown)
    }
  }
}

/** Applies --start and --expiry; an edit reports each change. */
export function applyDates(claims: ClaimsBase, flags: FlagValues, report: Report | null): void {
  applyDate(claims, 'nbf', flags.text('start'), report, (value) =>
    value === 0
      ? 'changed jwt start to not have a start date'
      : `changed jwt valid start to ${formatDate(value)} - ${relativeDate(value)}`,
  )
  applyDate(claims, 'exp', flags.text('expiry'), report, (value) =>
    value === 0
      ? 'changed jwt expiry to never expire'
      : `changed jwt expiry to ${formatDate(value)} - ${relativeDate(value)}`,
  )
}

function applyDate(
  claims: ClaimsBase,
  key: 'nbf' | 'exp',
  text: string,
  report: Report | null,
  line: (value: number) => string,
): void {
  if (text === '') return
  const before = Number(claims[key] ?? 0)
  const value = parseDate(text)
  if (value === 0) delete claims[key]
  else claims[key] = value
  if (value !== before) report?.ok(line(value))
}

/** Applies --tag and --rm-tag, and reports each. */
export function applyTags(
  body: { tags?: string[] },
  added: string[],
  removed: string[],
  report: Report | null,
): void {
  const tags = removeAll(addAll(body.tags, normalizeTags(added)), normalizeTags(removed))
  setList(body, 'tags', tags.sort(compareBytes))
  for (const tag of added) report?.ok(`added tag ${quote(tag.toLowerCase())}`)
  for (const tag of removed) report?.ok(`removed tag ${quote(tag.toLowerCase())}`)
}

// --- keys ----------------------------------------------------------------------------------------------------

/** A key of one role given as seed, public key or file. */
export function resolveKeyOfRole(session: Session, text: string, role: KeyRole, wrong: string): KeyPair {
  const key = resolveKeyText(text, (file) => session.expand(file))
  if (!key) throw failure('a key is required')
  if (!isPublicKey(key.publicKey, role)) throw failure(wrong)
  return key as KeyPair
}

/**
 * Account or operator keys to add as signing keys: public key, seed or file, or `generate` for a new one. A new key
 * is stored here, before any token names it.
 */
export function resolveSigningKeys(
  session: Session,
  values: readonly string[],
  role: 'operator' | 'account',
): string[] {
  return values.map((value) => {
    if (value === '') throw failure('signing key cannot be empty')
    if (value === 'generate') {
      const pair = createKeyPair(role)
      session.keystore.store(pair)
      return pair.publicKey
    }
    const key: KeyPair | StorableKey | null = resolveKeyText(value, (file) => session.expand(file))
    if (!key) throw failure('a signing key is required')
    if (!isPublicKey(key.publicKey, role)) throw failure(`invalid ${role} signing key ${quote(value)}`)
    return key.publicKey
  })
}

/** Checks what {@link resolveSigningKeys} will be given, without making or storing anything. */
export function checkSigningKeys(
  session: Session,
  values: readonly string[],
  role: 'operator' | 'account',
): void {
  resolveSigningKeys(
    session,
    values.filter((value) => value !== 'generate'),
    role,
  )
}

/** A flag that names an account by public key or, when it is in this store, by name; `*` where all are meant. */
export function accountKeyOf(store: OperatorStore, value: string): string {
  if (value === '' || value === '*' || isPublicKey(value, 'account')) return value
  return store.account(value).sub
}

/** Refuses what is no public key of that role. */
export function checkPublicKey(
  value: string,
  role: 'account' | 'user',
  flag: string,
  allowAll = false,
): void {
  if (value === '') throw failure(`${flag} cannot be empty`)
  if (allowAll && value === '*') return
  if (!isPublicKey(value, role)) throw failure(`${value} is not a valid "${role}" public key`)
}

// --- accounts ------------------------------------------------------------------------------------------------

/** What an edit of an account works with. The store is locked while it runs. */
export interface AccountEdit {
  store: OperatorStore
  name: string
  account: AccountClaims
  /** The key that will sign; found when asked for, so that commands check their flags first. */
  signer(options?: { keepIssuer?: boolean }): KeyPair
  /** Signs and stores the account; what the operator's server said goes into the report. */
  save(report: Report): Promise<void>
}

/** Loads the account, lets `work` change it, all under the store's lock. */
export async function editAccount<T>(
  session: Session,
  accountFlag: string,
  work: (edit: AccountEdit) => Promise<T> | T,
): Promise<T> {
  const store = session.store()
  const name = session.requireAccount(accountFlag)
  return withLock(store.dir, () => {
    const account = store.account(name)
    let signer: KeyPair | null = null
    const edit: AccountEdit = {
      store,
      name,
      account,
      signer: (options) => {
        signer ??= findSigner(session, {
          store,
          roles: accountSignerRoles(store),
          account,
          ...(options?.keepIssuer ? { previous: account.iss } : {}),
        })
        return signer
      },
      save: (report) => saveAccount(session, store, encode(account, edit.signer()), report),
    }
    return work(edit)
  })
}

/** Stores an account's new token and adds to the report what came of it, failures included. */
export async function saveAccount(
  session: Session,
  store: OperatorStore,
  token: string,
  report: Report,
): Promise<void> {
  try {
    report.add(await storeAccount(session, store, token))
  } catch (thrown) {
    report.error(textOf(thrown))
  }
}

/** Why a text is no subject, null when it is one. */
export function subjectError(subject: string): string | null {
  const probe = newActivationClaims('')
  probe.nats.subject = subject
  return validate(probe).find((issue) => issue.path === 'subject')?.text ?? null
}

/** Errors of a kind of claim part, in the words of the validation rules. */
export function issuesUnder(claims: Claims, path: string): string[] {
  return validate(claims)
    .filter(
      ({ level, path: at }) =>
        // What is only advised against, such as a member of an older kind, is no error.
        level !== 'warning' && (at === path || at?.startsWith(`${path}[`) || at?.startsWith(`${path}.`)),
    )
    .map((issue) => issue.text)
}

/** Exports of an account, holes of broken tokens left out. */
export function exportsOf(account: AccountClaims): Export[] {
  return (account.nats.exports ?? []).filter((entry) => entry !== null)
}

/** Exports of one kind; an error when there are none. */
export function exportsOfKind(account: AccountClaims, name: string, kind: SharingKind): Export[] {
  const all = exportsOf(account)
  if (all.length === 0) throw failure(`account ${quote(name)} doesn't have exports`)
  const matching = all.filter((entry) => entry.type === kind)
  if (matching.length === 0) throw failure(`account ${quote(name)} doesn't have ${kind} exports`)
  return matching
}

// --- users ---------------------------------------------------------------------------------------------------

/** Writes a user's token, then its creds file when the seed is at hand. Lines about the creds go into the report. */
export function storeUserCreds(
  session: Session,
  store: OperatorStore,
  account: string,
  user: UserClaims,
  report: Report,
): string | null {
  if (!session.keystore.has(user.sub)) {
    report.ok('skipped generating creds file - user private key is not available')
    return null
  }
  try {
    const file = writeCreds(session, store, account, user.name ?? '')
    report.ok(`generated user creds file ${session.shown(file)}`)
    return file
  } catch (thrown) {
    report.error(`error storing creds: ${textOf(thrown)}`)
    return null
  }
}

/** The creds text of a stored user. */
export function credsOf(session: Session, store: OperatorStore, account: string, user: string): string {
  const token = store.userToken(account, user)
  const pair = session.keystore.get(store.user(account, user).sub)
  if (!pair) throw failure('user was not found - please specify it')
  return formatCreds(token, pair.seed)
}

/** Writes the creds file of a stored user and returns its path. */
export function writeCreds(session: Session, store: OperatorStore, account: string, user: string): string {
  return session.keystore.writeCreds(store.name, account, user, credsOf(session, store, account, user))
}

/** A new user with a new key, signed and stored with its creds. Used where no flags apply: init, system accounts. */
export function createUser(
  session: Session,
  store: OperatorStore,
  account: { name: string; publicKey: string },
  userName: string,
  signer: KeyPair,
): { publicKey: string; credsFile: string } {
  const pair = createKeyPair('user')
  const claims = newUserClaims(pair.publicKey, userName)
  if (signer.publicKey !== account.publicKey) claims.nats.issuer_account = account.publicKey
  session.keystore.store(pair)
  store.write(encode(claims, signer))
  return { publicKey: pair.publicKey, credsFile: writeCreds(session, store, account.name, userName) }
}
