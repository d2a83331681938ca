// The operator's own secrets, made once and kept as files in the data directory.
import { randomBytes } from 'node:crypto'
import { type AccountClaims, createKeyPair, type KeyPair, keyPairFromSeed } from '@ngs/identity/node'
import { reasonOf, ServiceError } from '../errors.ts'
import { createFile, readSecret } from './files.ts'

export function damaged(path: string, what: string): ServiceError {
  return new ServiceError('data-dir-damaged', `${path} is damaged: ${what}; restore it from a backup`)
}

/**
 * The key pair whose seed is in the file, made when there is no file.
 * @param known the public key this file must hold, from the manifest; null while the directory is being made
 * @throws ServiceError data-dir-damaged when the file is missing though the key is known, or holds something else
 */
export function loadKey(path: string, role: 'operator' | 'account', known: string | null): KeyPair {
  let text = readSecret(path)
  if (text === null) {
    if (known !== null) throw damaged(path, `the seed of ${known} is missing`)
    text = createFile(path, createKeyPair(role).seed)
  }
  let pair: KeyPair
  try {
    pair = keyPairFromSeed(text.trim())
  } catch (error) {
    throw damaged(path, reasonOf(error))
  }
  if (pair.role !== role)
    throw damaged(path, `it holds the seed of a ${pair.role} key, not of an ${role} key`)
  if (known !== null && pair.publicKey !== known) {
    throw damaged(path, `it holds the seed of ${pair.publicKey}, not of ${known}`)
  }
  return pair
}

/** The bearer token of the operator API: 32 random bytes, base64url. */
export function loadBearerToken(path: string): string {
  const text = (readSecret(path) ?? createFile(path, `${randomBytes(32).toString('base64url')}\n`)).trim()
  if (!/^[\w-]{43}$/.test(text)) {
    throw new ServiceError(
      'data-dir-damaged',
      `${path} is damaged: it does not hold an operator token; delete it to have a new one made`,
    )
  }
  return text
}

/** Keys that are the operator's, by what they are; no stranger may use one as an account or a signing key. */
export interface OwnKeys {
  readonly operator: KeyPair
  /** Signs accounts. */
  readonly signer: KeyPair
  readonly system: KeyPair
  readonly demo: KeyPair
}

/** True for a token that one of the operator's keys has signed. */
export function isOperatorSigned(keys: OwnKeys, claims: AccountClaims): boolean {
  return claims.iss === keys.operator.publicKey || claims.iss === keys.signer.publicKey
}
