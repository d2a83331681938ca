// The signature that proves a user key, checked off the main thread: a storm of connects must not hold up messages.
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
