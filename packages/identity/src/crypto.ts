// The one seam to cryptography: the entry that a program imports installs pure JavaScript (index) or node:crypto (node).

/** Ed25519 and the two hashes that tokens use. */
export interface Primitives {
  /** @param seed 32 bytes; the answer is the 32-byte public key. */
  publicKey(seed: Uint8Array): Uint8Array
  /** A function that signs with this seed; made once per key pair, so that an implementation can prepare its key. */
  signer(seed: Uint8Array): (data: Uint8Array) => Uint8Array
  /** False for a wrong signature and for malformed input alike. */
  verify(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean
  /** Of characters of the alphabet only; absent where there is nothing faster than our own. */
  decodeBase64Url?(text: string): Uint8Array
  sha256(data: Uint8Array): Uint8Array
  sha512_256(data: Uint8Array): Uint8Array
}

let current: Primitives | null = null

export function usePrimitives(implementation: Primitives): void {
  current = implementation
}

/** Installs an implementation unless there is one: a program that imports both entries keeps the faster one. */
export function offerPrimitives(implementation: Primitives): void {
  current ??= implementation
}

/** Null before an entry has been imported, which decoding alone does not need. */
export const installed = (): Primitives | null => current

export function primitives(): Primitives {
  if (current === null) throw new Error('no cryptography: import it from @ngs/identity or @ngs/identity/node')
  return current
}

export function randomBytes(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length))
}
