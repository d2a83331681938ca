import {
  createKeyPair,
  encode,
  isUnrestricted,
  type KeyPair,
  newScopedUserClaims,
  newUserClaims,
} from '@ngs/identity/node'
import { applyPermissions, checkPermissionFlags } from '../claims/permissions.ts'
import type { Call } from '../cli/spec.ts'
import { failure, textOf, usageError } from '../errors.ts'
import { resolveKeyText } from '../keystore/keystore.ts'
import { checkName, randomName } from '../names.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { findSigner, scopeOf, signingKeys } from '../signing.ts'
import { withLock } from '../store/lock.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { compareBytes, quote } from '../text.ts'
import { addAll, normalizeTags, setList } from '../values.ts'
import { applyDates, applyTags, checkDates, nameOf, storeUserCreds } from './shared.ts'

export async function run(call: Call): Promise<Report> {
  const { session, flags } = call
  const given = nameOf(call)
  const name = given === '*' ? randomName() : given
  const store = session.store()
  const account = session.selectAccount(flags.text('account'))
  if (name === '') throw usageError('user name is required')
  checkName(name)
  return withLock(store.dir, () => addUser(call, store, account, name))
}

function addUser({ session, flags }: Call, store: OperatorStore, accountName: string, name: string): Report {
  const account = readAccount(store, accountName)
  if (store.operator().nats.strict_signing_key_usage && signingKeys(account).length === 0)
    throw failure('unable to issue users when operator requires signing keys and the account has none')
  const signer = findSigner(session, { store, roles: ['account'], account })
  checkDates(flags)
  checkPermissionFlags(flags)
  const keyText = flags.text('public-key')
  const user = keyText === '' ? createKeyPair('user') : givenUserKey(session, keyText)
  if (account.nats.limits.disallow_bearer && flags.switch('bearer'))
    throw failure(`account ${quote(accountName)} forbids the use of bearer token`)
  if (store.hasUser(accountName, name)) throw failure(`the user ${quote(name)} already exists`)

  const report = Report.list()
  const scope = scopeOf(account, signer.publicKey)
  const claims = scope ? newScopedUserClaims(user.publicKey, name) : newUserClaims(user.publicKey, name)
  if (signer.publicKey !== account.sub) claims.nats.issuer_account = account.sub
  applyDates(claims, flags, null)
  applyPermissions(claims.nats, flags, report, { removal: false })
  setList(claims.nats, 'src', addAll([], normalizeTags(flags.list('source-network'))).sort(compareBytes))
  applyTags(claims.nats, flags.list('tag'), [], null)
  if (flags.switch('bearer')) claims.nats.bearer_token = true
  if (scope && !isUnrestricted(claims)) return refuseScoped(report)

  // The seed first: a token whose seed is lost would be a user nobody can be.
  if (keyText === '') session.keystore.store(user)
  try {
    store.write(encode(claims, signer))
  } catch (thrown) {
    if (keyText === '') session.keystore.remove(user.publicKey)
    report.error(textOf(thrown))
    return report
  }
  if (keyText === '') report.ok(`generated and stored user key ${quote(user.publicKey)}`)
  storeUserCreds(session, store, accountName, claims, report)
  if (!report.failed) report.ok(`added user ${quote(name)} to account ${quote(accountName)}`)
  return report
}

/** Users of a scoped key get everything from its template. */
export function refuseScoped(report: Report): Report {
  report.error('scoped users require no permissions or limits set')
  report.warn('user was NOT edited as the edits conflict with signing key scope')
  return report
}

function readAccount(store: OperatorStore, name: string) {
  try {
    return store.account(name)
  } catch (thrown) {
    throw failure(`reading account ${quote(name)} failed: ${textOf(thrown)}`, thrown)
  }
}

function givenUserKey(session: Session, text: string): KeyPair {
  const key = resolveKeyText(text, (file) => session.expand(file))
  if (!key || !('role' in key) || key.role !== 'user') throw failure('invalid user key')
  return key as KeyPair
}
