import { type KeyRole, roleOfPublicKey } from '@ngs/identity/node'
import type { FlagValues } from '../cli/flags.ts'
import type { Keystore } from '../keystore/keystore.ts'
import type { Session } from '../session.ts'
import { signingKeys } from '../signing.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { compareBytes } from '../text.ts'

/** Which keys `list keys` and `export keys` speak of: those that tokens name, or those that no token names. */

/** A key of the collection. Signing and curve keys of an account count as account keys. */
export interface ListedKey {
  name: string
  publicKey: string
  parent: string
  role: KeyRole | null
  signing: boolean
  curve: boolean
  /** Base64 of the token that the key identifies, for JSON. */
  token: string
}

/**
 * The keys that the flags select: of the store, or with `--not-referenced` those in the keystore that nothing in the
 * store refers to.
 */
export function collectKeys(session: Session, store: OperatorStore | null, flags: FlagValues): ListedKey[] {
  const wanted = selection(session, flags)
  const owned = store ? ownedKeys(store, wanted.account, wanted.user) : []
  const keys = flags.switch('not-referenced') ? unreferencedKeys(session.keystore, owned) : owned
  return keys.filter(
    ({ role, publicKey }) =>
      (wanted.operator || role !== 'operator') &&
      (wanted.accounts || role !== 'account') &&
      (wanted.users || role !== 'user') &&
      publicKey.includes(wanted.filter),
  )
}

/** The curve key of that public key, when an account of the store names it. */
export function collectCurveKey(store: OperatorStore | null, publicKey: string): ListedKey[] {
  const owned = store ? ownedKeys(store, '', '') : []
  return owned.filter((key) => key.curve && key.publicKey === publicKey)
}

/** All keys that the tokens of a store name. */
export function collectOwnedKeys(store: OperatorStore): ListedKey[] {
  return ownedKeys(store, '', '')
}

interface Selection {
  operator: boolean
  accounts: boolean
  users: boolean
  account: string
  user: string
  filter: string
}

/** What the flags select; without any, the tree of the current account. */
function selection(session: Session, flags: FlagValues): Selection {
  const none = !flags.hasAny('operator', 'accounts', 'users', 'curve', 'all')
  const all = none || flags.switch('all')
  return {
    operator: all || flags.switch('operator'),
    accounts: all || flags.switch('accounts'),
    // --curve switches users as well, as it does in the official program.
    users: all || flags.switch('users') || flags.switch('curve'),
    account: flags.text('account') || (none ? session.context.account : ''),
    user: flags.text('user'),
    filter: flags.text('filter').toUpperCase(),
  }
}

function ownedKeys(store: OperatorStore, onlyAccount: string, onlyUser: string): ListedKey[] {
  const operator = store.operator()
  const keys: ListedKey[] = []
  const add = (key: Partial<ListedKey> & Pick<ListedKey, 'name' | 'publicKey'>) =>
    keys.push({ parent: '', role: 'account', signing: false, curve: false, token: '', ...key })
  const operatorName = operator.name ?? ''
  add({ name: operatorName, publicKey: operator.sub, role: 'operator', token: store.operatorToken() })
  for (const publicKey of operator.nats.signing_keys ?? [])
    add({ name: operatorName, publicKey, role: 'operator', signing: true })
  for (const account of onlyAccount === '' ? store.accountNames() : [onlyAccount]) {
    const claims = store.account(account)
    const name = claims.name ?? ''
    add({
      name,
      publicKey: claims.sub,
      role: 'account',
      parent: operator.sub,
      token: store.accountToken(account),
    })
    for (const publicKey of signingKeys(claims)) add({ name, publicKey, signing: true })
    const { xkey } = claims.nats.authorization
    if (xkey) add({ name, publicKey: xkey, curve: true })
    for (const user of onlyUser === '' ? store.userNames(account) : [onlyUser]) {
      const { sub, name = user } = store.user(account, user)
      const parent = onlyUser === '' ? claims.sub : ''
      add({ name, publicKey: sub, role: 'user', parent, token: store.userToken(account, user) })
    }
  }
  return keys
}

/** Stored keys that nothing here refers to, by role. */
function unreferencedKeys(keystore: Keystore, owned: readonly ListedKey[]): ListedKey[] {
  const known = new Set(owned.map(({ publicKey }) => publicKey))
  const order: (KeyRole | null)[] = ['operator', 'account', 'user', 'curve']
  return keystore
    .all()
    .filter((publicKey) => !known.has(publicKey))
    .map((publicKey) => ({
      name: '?',
      publicKey,
      parent: '',
      role: roleOfPublicKey(publicKey),
      signing: false,
      curve: false,
      token: '',
    }))
    .filter(({ role }) => order.includes(role))
    .sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role) || compareBytes(a.publicKey, b.publicKey))
}

/** Whether the key is stored, and whether its file holds what its name says. */
export function stateOf(keystore: Keystore, publicKey: string): 'missing' | 'stored' | 'bad' {
  const stored = keystore.storedPublicKey(publicKey)
  if (stored === null) return 'missing'
  return stored === publicKey ? 'stored' : 'bad'
}
