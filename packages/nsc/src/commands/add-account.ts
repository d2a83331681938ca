import { createKeyPair, encode, type KeyPair, newAccountClaims } from '@ngs/identity/node'
import { applyPermissions, checkPermissionFlags } from '../claims/permissions.ts'
import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { checkName, randomName } from '../names.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { findSigner, operatorSigners } from '../signing.ts'
import { withLock } from '../store/lock.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { quote } from '../text.ts'
import { applyDates, checkDates, nameOf, resolveKeyOfRole, saveAccount } from './shared.ts'

export async function run(call: Call): Promise<Report> {
  const { session, flags } = call
  const given = nameOf(call)
  const name = given === '*' ? randomName() : given
  const keyText = flags.text('public-key')
  const store = session.store()
  const own =
    keyText === ''
      ? createKeyPair('account')
      : resolveKeyOfRole(session, keyText, 'account', 'specified key is not a valid account nkey')
  if (name === '') throw failure('account name is required')
  checkName(name)
  const report = Report.list()
  await withLock(store.dir, async () => {
    checkAccountNameIsFree(store, name)
    checkDates(flags)
    checkPermissionFlags(flags)
    const signer = accountSigner(session, store, own)

    const claims = newAccountClaims(own.publicKey, name)
    applyDates(claims, flags, null)
    applyPermissions(claims.nats.default_permissions, flags, report, { removal: false })
    if (keyText === '') {
      session.keystore.store(own)
      report.ok(`generated and stored account key ${quote(own.publicKey)}`)
    }
    addSigningKeyIfStrict(session, store, claims, report)
    await saveAccount(session, store, encode(claims, signer), report)
  })
  if (!report.failed) {
    report.ok(`added account ${quote(name)}`)
    session.context.setAccount(name)
  }
  return report
}

/** Account names are file names on systems that may not tell upper from lower case. */
function checkAccountNameIsFree(store: OperatorStore, name: string): void {
  if (store.accountNames().some((other) => other.toLowerCase() === name.toLowerCase()))
    throw failure(`the account ${quote(name)} already exists`)
}

/** The operator's key where it is at hand; in a managed store else the new account's own. */
function accountSigner(session: Session, store: OperatorStore, own: KeyPair): KeyPair {
  const operator = store.operator()
  const allowed = operatorSigners(operator)
  if (!store.managed || session.signer !== null || allowed.some((key) => session.keystore.hasFile(key))) {
    const signer = findSigner(session, {
      store,
      roles: store.managed ? ['operator', 'account'] : ['operator'],
    })
    const isOwn = store.managed && signer.publicKey === own.publicKey
    if (!allowed.includes(signer.publicKey) && !isOwn) throw failure('invalid account signer')
    return signer
  }
  if (own.hasSeed) return own
  const stored = session.keystore.get(own.publicKey)
  if (!stored) throw failure('nkeys: can not sign, no private key available')
  return stored
}

/**
 * Under a strict operator only signing keys may issue users. An account without one could not have users, and where
 * the operator is somewhere else nobody could add the key later.
 */
export function addSigningKeyIfStrict(
  session: Session,
  store: OperatorStore,
  claims: ReturnType<typeof newAccountClaims>,
  report: Report | null,
): KeyPair | null {
  if (!store.managed || !store.operator().nats.strict_signing_key_usage) return null
  const pair = createKeyPair('account')
  session.keystore.store(pair)
  claims.nats.signing_keys = [pair.publicKey]
  report?.ok(`generated and stored signing key ${quote(pair.publicKey)} - the operator requires one`)
  return pair
}
