import { type AccountClaims, createKeyPair, encode, isPublicKey, type KeyPair } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, textOf } from '../errors.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { unresolvable } from '../signing.ts'
import { withLock } from '../store/lock.ts'
import { OperatorStore } from '../store/operator-store.ts'
import { quote } from '../text.ts'
import { addAll } from '../values.ts'
import { resolveKeyOfRole } from './shared.ts'

export async function run({ session, flags }: Call): Promise<Report> {
  const store = storeOf(session, flags.text('name'))
  if (store.managed) throw failure('resign is only supported in non managed stores')
  const operator = store.operator()
  const keepsOldKey = flags.switch('convert-to-signing-key')
  const strict = operator.nats.strict_signing_key_usage && !keepsOldKey
  if (strict && !operator.nats.signing_keys?.length)
    throw failure('resign of strict operator is only supported with signing keys present')
  const identity = newIdentity(session)
  // A strict operator's accounts are signed by a signing key before and after.
  const accountSigner = strict ? storedSigningKey(session, operator.nats.signing_keys ?? []) : identity
  const report = Report.list({ summarizes: true })
  await withLock(store.dir, () => {
    const claims = store.operator()
    const old = claims.sub
    const accounts = keepsOldKey ? [] : accountsOf(store)
    session.keystore.store(identity)
    claims.sub = identity.publicKey
    if (keepsOldKey) claims.nats.signing_keys = addAll(claims.nats.signing_keys, [old])
    const affected = accounts.filter(({ account }) => account.iss === old)
    // All tokens or none: an operator without its accounts would be an operator without customers.
    store.writeAll([
      encode(claims, identity),
      ...affected.map(({ account }) => encode(account, accountSigner)),
    ])
    report.ok(`operator ${quote(claims.name ?? '')} successfully changed identity to: ${identity.publicKey}`)
    if (keepsOldKey) report.ok(`old operator key ${quote(old)} turned into signing key`)
    for (const { name, account } of accounts)
      report.ok(
        affected.some((entry) => entry.account === account)
          ? `account ${quote(name)} re-signed`
          : `account ${quote(name)} already signed properly`,
      )
  })
  return report
}

function storeOf(session: Session, name: string): OperatorStore {
  if (name === '') return session.store()
  return OperatorStore.open(session.context.storeRoot, name)
}

function accountsOf(store: OperatorStore): { name: string; account: AccountClaims }[] {
  return store.accountNames().map((name) => {
    try {
      return { name, account: store.account(name) }
    } catch (thrown) {
      throw failure(`failed reading account ${name}: ${textOf(thrown)}`, thrown)
    }
  })
}

/** The key that -K names, else a new one. */
function newIdentity(session: Session): KeyPair {
  if (session.signer === null) return createKeyPair('operator')
  if (isPublicKey(session.signer, 'operator')) {
    const stored = session.keystore.get(session.signer)
    if (!stored) throw failure(`failed to find operator key: ${session.signer} is not in the keystore`)
    return stored
  }
  const key = resolveKeyOfRole(
    session,
    session.signer,
    'operator',
    'specified key is not a valid operator nkey',
  )
  if (!key.hasSeed) throw failure('nkeys: can not sign, no private key available')
  return key
}

function storedSigningKey(session: Session, keys: readonly string[]): KeyPair {
  for (const key of keys) {
    const pair = session.keystore.get(key)
    if (pair) return pair
  }
  throw failure(`failed to obtain signing key: ${textOf(unresolvable(keys))}`)
}
