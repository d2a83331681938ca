// The one seam to Ed25519: pure JavaScript by default, node:crypto when the `node` entry installs it.
import { ed25519 } from '@noble/curves/ed25519.js'

export interface Ed25519 {
  /** @param seed 32 bytes; the answer is the 32-byte public key. */
  publicKey(seed: Uint8Array): Uint8Array
  /** A function that signs with this seed; made once per key pair, so that an implementation can prepare its key. */
  signer(seed: Uint8Array): (data: Uint8Array) => Uint8Array
  /** False for a wrong signature and for malformed input alike. */
  verify(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean
}

let current: Ed25519 = {
  publicKey: (seed) => ed25519.getPublicKey(seed),
  signer: (seed) => (data) => ed25519.sign(data, seed),
  verify: (publicKey, data, signature) => {
    try {
      return ed25519.verify(signature, data, publicKey)
    } catch {
      return false
    }
  },
}

export function useEd25519(implementation: Ed25519): void {
  current = implementation
}

export function ed(): Ed25519 {
  return current
}

export function randomBytes(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length))
}
