// The cryptography in pure JavaScript: what browsers get.
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256, sha512_256 } from '@noble/hashes/sha2.js'
import type { Primitives } from './crypto.ts'

export const noble: Primitives = {
  publicKey: (seed) => ed25519.getPublicKey(seed),
  signer: (seed) => (data) => ed25519.sign(data, seed),
  verify: (publicKey, data, signature) => {
    try {
      return ed25519.verify(signature, data, publicKey)
    } catch {
      return false
    }
  },
  sha256,
  sha512_256,
}
