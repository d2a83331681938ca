import {
  type AccountClaims,
  isPublicKey,
  type KeyPair,
  type OperatorClaims,
  roleOfPublicKey,
  type UserScope,
} from '@ngs/identity/node'
import { failure } from './errors.ts'
import { resolveKeyText } from './keystore/keystore.ts'
import type { Session } from './session.ts'
import type { OperatorStore } from './store/operator-store.ts'
import { quote } from './text.ts'

/**
 * Who signs. A command may be signed by some roles: an account by the operator (in a managed store, where the
 * operator's key is elsewhere, also by the account itself), a user by its account. The first key of the candidates
 * that the keystore holds is taken, unless -K names one.
 */

export type SignerRole = 'operator' | 'account'

export interface SigningTask {
  store: OperatorStore
  roles: readonly SignerRole[]
  /** The account whose keys may sign, where that role is allowed. */
  account?: AccountClaims | null
  /** The key that signed the previous version: kept when it is a candidate and at hand. */
  previous?: string
}

/** Roles that may sign an account of this store. */
export function accountSignerRoles(store: OperatorStore): SignerRole[] {
  return store.managed ? ['operator', 'account'] : ['operator']
}

/** The key pair to sign with; always one with a seed. */
export function findSigner(session: Session, task: SigningTask): KeyPair {
  if (session.signer !== null) return namedSigner(session, task, session.signer)
  const candidates = signerCandidates(task)
  const ordered = candidates.includes(task.previous ?? '') ? [task.previous ?? '', ...candidates] : candidates
  for (const key of ordered) {
    const pair = session.keystore.hasFile(key) ? session.keystore.get(key) : null
    if (pair) return pair
  }
  throw unresolvable(candidates)
}

/** Public keys that may sign, in the order they are tried. A strict operator's identity key signs nothing. */
export function signerCandidates(task: SigningTask): string[] {
  const operator = task.store.operator()
  const candidates: string[] = []
  for (const role of task.roles) {
    if (role === 'operator') candidates.push(...operatorSigners(operator))
    else if (task.account) {
      // What an account says about itself is a request to the operator, so its identity key may make it even when
      // the operator is strict; users of a strict operator must come from a signing key.
      const identityMaySign = !operator.nats.strict_signing_key_usage || task.roles.includes('operator')
      candidates.push(...(identityMaySign ? [task.account.sub] : []), ...signingKeys(task.account))
    }
  }
  return candidates
}

/** Keys that may sign the accounts of an operator. */
export function operatorSigners(operator: OperatorClaims): string[] {
  const own = operator.nats.strict_signing_key_usage ? [] : [operator.sub]
  return [...own, ...(operator.nats.signing_keys ?? [])]
}

/** Signing keys of an account, scoped or not. */
export function signingKeys(account: AccountClaims): string[] {
  return (account.nats.signing_keys ?? []).map((entry) => (typeof entry === 'string' ? entry : entry.key))
}

/** The scope of a signing key; null when it has none or is not one of the account. */
export function scopeOf(account: AccountClaims, key: string): UserScope | null {
  for (const entry of account.nats.signing_keys ?? [])
    if (typeof entry !== 'string' && entry.key === key) return entry
  return null
}

/** The signing key with that role whose seed is at hand. */
export function keyOfRole(session: Session, account: AccountClaims, role: string): KeyPair | null {
  for (const entry of account.nats.signing_keys ?? []) {
    if (typeof entry === 'string' || entry.role !== role) continue
    const pair = session.keystore.get(entry.key)
    if (pair) return pair
  }
  return null
}

/**
 * The signer that -K names: a role of a scoped key, a public key with its seed in the keystore, a seed, or a file
 * with one. Anything else is an error: the official program then signs with the identity key without a word, which
 * turns a mistyped role into an unlimited user.
 */
function namedSigner(session: Session, task: SigningTask, name: string): KeyPair {
  // A role is a signing key of an account, so it can only stand where accounts sign.
  const mayBeRole = task.roles.includes('account') && task.account
  const ofRole = mayBeRole ? keyOfRole(session, task.account as AccountClaims, name) : null
  if (ofRole) return ofRole
  if (isPublicKey(name, ...task.roles)) {
    const stored = session.keystore.get(name)
    if (stored) return stored
    throw failure('nkeys: can not sign, no private key available')
  }
  const found = resolveKeyText(name, (file) => session.expand(file))
  if (!found) throw unknownSigner(task, name)
  if (!task.roles.includes(roleOfPublicKey(found.publicKey) as SignerRole))
    throw failure('unexpected resolved keytype type')
  if (!('sign' in found)) throw failure('unexpected resolved keytype type')
  if (!found.hasSeed) {
    const stored = session.keystore.get(found.publicKey)
    if (!stored) throw failure('nkeys: can not sign, no private key available')
    return stored
  }
  return found
}

function unknownSigner(task: SigningTask, name: string): Error {
  const roles = (task.account?.nats.signing_keys ?? []).flatMap((entry) =>
    typeof entry === 'string' || entry.role === '' ? [] : [entry.role],
  )
  const known =
    task.roles.includes('account') && roles.length > 0 ? ` (roles of the account: ${roles.join(', ')})` : ''
  return failure(`unable to resolve signer ${quote(name)}: it is no role, key or key file${known}`)
}

export function unresolvable(candidates: readonly string[]): Error {
  return failure(
    `unable to resolve any of the following signing keys in the keystore: ${candidates.join(', ')}`,
  )
}
