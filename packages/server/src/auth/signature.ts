// Signatures of user JWTs and nonces, checked off the main thread: a storm of connects must not hold up messages.
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { decodePublicKey } from '@ngs/identity/node'

/** DER header of an Ed25519 public key (SPKI, RFC 8410); the 32 raw bytes follow. */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

/** The key prepared for verifying. @throws Error when the text is no public key. */
export function verifyingKey(publicKey: string): KeyObject {
  const decoded = decodePublicKey(publicKey)
  if (decoded === undefined) throw new Error(`${publicKey} is not a public key`)
  return createPublicKey({ key: Buffer.concat([SPKI, decoded.raw]), format: 'der', type: 'spki' })
}

/** True when the key signed these bytes. */
export function isSigned(key: KeyObject, data: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    verify(null, data, key, signature, (error, result) => resolve(error === null && result))
  })
}

/** Keys that were met before: those of accounts sign many users. */
const MOST_KEYS = 1_024
const known = new Map<string, KeyObject>()

/** The same, remembered. @throws Error when the text is no public key. */
export function knownKey(publicKey: string): KeyObject {
  let key = known.get(publicKey)
  if (key === undefined) {
    key = verifyingKey(publicKey)
    if (known.size >= MOST_KEYS) known.clear()
    known.set(publicKey, key)
  }
  return key
}
