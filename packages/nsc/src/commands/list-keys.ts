import { type KeyRole, roleOfPublicKey } from '@ngs/identity/node'
import type { FlagValues } from '../cli/flags.ts'
import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { exists } from '../files.ts'
import { goJson } from '../json.ts'
import type { Keystore } from '../keystore/keystore.ts'
import type { Session } from '../session.ts'
import { signingKeys } from '../signing.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { Table } from '../table.ts'
import { backquote, compareBytes } from '../text.ts'

/** A key of the list. Signing and curve keys of an account count as account keys. */
interface ListedKey {
  name: string
  publicKey: string
  parent: string
  role: KeyRole | null
  signing: boolean
  curve: boolean
  /** Base64 of the token that the key identifies, for JSON. */
  token: string
}

const CURVE_FOOT = '[ T ] auth callout encryption target\n'

export function run({ session, flags }: Call): undefined {
  const { keystore } = session
  const wanted = selection(session, flags)
  const store = session.storeIfAny()
  if (!exists(keystore.dir)) throw failure(`keystore ${backquote(keystore.dir)} does not exist`)
  const others = flags.switch('not-referenced')
  if (!store && !others)
    throw failure(
      'operator is not set -- set an operator first or try --not-referenced to list all keys not in the context',
    )
  if (others && flags.switch('show-seeds')) throw failure('specify one of --show-seeds or --not-referenced')
  const owned = store ? ownedKeys(store, wanted.account, wanted.user) : []
  const keys = (others ? unreferencedKeys(keystore, owned) : owned).filter(
    ({ role, publicKey }) =>
      (wanted.operator || role !== 'operator') &&
      (wanted.accounts || role !== 'account') &&
      (wanted.users || role !== 'user') &&
      publicKey.includes(wanted.filter),
  )
  if (keys.length === 0) session.print('no keys matched query')
  else if (flags.switch('json')) session.print(asJson(keystore, keys, flags.switch('show-seeds')))
  else session.print(flags.switch('show-seeds') ? seedTable(keystore, keys) : keyTable(keystore, keys))
}

/** What the flags select; without any, the tree of the current account. */
function selection(session: Session, flags: FlagValues) {
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

/** Entities are indented below each other. */
function indented({ name, role }: ListedKey): string {
  if (name === '?') return name
  return `${role === 'account' ? ' ' : role === 'user' ? '  ' : ''}${name}`
}

function mark({ curve, signing }: ListedKey): string {
  return curve ? 'T' : signing ? '*' : ''
}

/** Whether the key is stored, and whether its file holds what its name says. */
function stateOf(keystore: Keystore, publicKey: string): 'missing' | 'stored' | 'bad' {
  const stored = keystore.storedPublicKey(publicKey)
  if (stored === null) return 'missing'
  return stored === publicKey ? 'stored' : 'bad'
}

function keyTable(keystore: Keystore, keys: readonly ListedKey[]): string {
  const table = new Table('Keys', ['Entity', 'Key', 'Signing Key', 'Stored'])
  const shown = { missing: '', stored: '*', bad: 'BAD' }
  for (const key of keys)
    table.row(indented(key), key.publicKey, mark(key), shown[stateOf(keystore, key.publicKey)])
  const unreferenced = keys.some(({ name }) => name === '?')
  // No line break between the two: that is how the official program prints them.
  const foot = unreferenced ? '[?] unreferenced key - may belong to a different operator context' : ''
  return table.render() + foot + CURVE_FOOT
}

function seedTable(keystore: Keystore, keys: readonly ListedKey[]): string {
  const table = new Table('Seeds Keys', ['Entity', 'Private Key', 'Signing Key'])
  for (const key of keys) {
    const state = stateOf(keystore, key.publicKey)
    const seed = state === 'stored' ? seedOf(keystore, key) : null
    const text = seed ?? `${key.publicKey} ${state === 'stored' ? '[ERR]' : '[!]'}`
    table.row(indented(key), text, mark(key))
  }
  return `${table.render()}[ ! ] seed is not stored\n[ERR] error reading seed\n${CURVE_FOOT}`
}

function seedOf(keystore: Keystore, key: ListedKey): string | null {
  try {
    const curve = key.curve || key.role === 'curve'
    return (curve ? keystore.curve(key.publicKey) : keystore.get(key.publicKey))?.seed ?? null
  } catch {
    return null
  }
}

function asJson(keystore: Keystore, keys: readonly ListedKey[], withSeeds: boolean): string {
  const list = keys.map((key) => {
    const state = stateOf(keystore, key.publicKey)
    const seed = withSeeds && state === 'stored' ? seedOf(keystore, key) : null
    return {
      name: key.name,
      pub: key.publicKey,
      ...(key.parent ? { parent: key.parent } : {}),
      signing: key.signing,
      curve: key.curve,
      key_path: state === 'missing' ? '' : keystore.keyPath(key.publicKey),
      invalid: state === 'bad',
      ...(key.token ? { jwt: Buffer.from(key.token).toString('base64') } : {}),
      expected_kind: key.role === 'curve' ? 'x25519' : key.role,
      ...(seed ? { seed } : {}),
    }
  })
  return goJson(list, { indent: 1 })
}
