import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { exists } from '../files.ts'
import { goJson } from '../json.ts'
import type { Keystore } from '../keystore/keystore.ts'
import { Table } from '../table.ts'
import { backquote } from '../text.ts'
import { collectKeys, type ListedKey, stateOf } from './key-collection.ts'

const CURVE_FOOT = '[ T ] auth callout encryption target\n'

export function run({ session, flags }: Call): undefined {
  const { keystore } = session
  const store = session.storeIfAny()
  if (!exists(keystore.dir)) throw failure(`keystore ${backquote(keystore.dir)} does not exist`)
  const others = flags.switch('not-referenced')
  if (!store && !others)
    throw failure(
      'operator is not set -- set an operator first or try --not-referenced to list all keys not in the context',
    )
  if (others && flags.switch('show-seeds')) throw failure('specify one of --show-seeds or --not-referenced')
  const keys = collectKeys(session, store, flags)
  if (keys.length === 0) session.print('no keys matched query')
  else if (flags.switch('json')) session.print(asJson(keystore, keys, flags.switch('show-seeds')))
  else session.print(flags.switch('show-seeds') ? seedTable(keystore, keys) : keyTable(keystore, keys))
}

/** Entities are indented below each other. */
function indented({ name, role }: ListedKey): string {
  if (name === '?') return name
  return `${role === 'account' ? ' ' : role === 'user' ? '  ' : ''}${name}`
}

function mark({ curve, signing }: ListedKey): string {
  return curve ? 'T' : signing ? '*' : ''
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
