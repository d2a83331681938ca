// xkeys: X25519 keys that seal messages (auth callout). Sealed = "xkv1" | 24-byte nonce | NaCl box (XSalsa20-Poly1305).
import { hsalsa, xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import { x25519 } from '@noble/curves/ed25519.js'
import { randomBytes } from './crypto.ts'
import { utf8 } from './encoding.ts'
import { IdentityError } from './errors.ts'
import { decodePublicKey, decodeSeed, encodePublicKey, encodeSeed } from './nkeys.ts'

const VERSION = utf8('xkv1')
const SIGMA = words(utf8('expand 32-byte k'))

/**
 * An X25519 key pair (public key X..., seed SX...) that seals and opens messages between two of its kind, as auth
 * callout does.
 */
export interface CurveKeyPair {
  readonly role: 'curve'
  readonly publicKey: string
  /** @throws IdentityError `noPrivateKey` after wipe(). */
  readonly seed: string
  /** Adds 44 bytes. @throws IdentityError `invalidKey` for a recipient that is no X key. */
  seal(data: Uint8Array, recipientPublicKey: string): Uint8Array
  /** @throws IdentityError `sealFailed` (wrong version, truncated, wrong sender), `invalidKey`. */
  open(sealed: Uint8Array, senderPublicKey: string): Uint8Array
  wipe(): void
}

function words(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4, true))
}

class Curve implements CurveKeyPair {
  readonly role = 'curve'
  readonly publicKey: string
  #secret: Uint8Array | null

  constructor(secret: Uint8Array) {
    this.#secret = secret
    this.publicKey = encodePublicKey('curve', x25519.getPublicKey(secret))
  }
  get seed(): string {
    return encodeSeed('curve', this.#private())
  }
  #private(): Uint8Array {
    if (this.#secret === null) throw new IdentityError('noPrivateKey', 'nkeys: the curve key was wiped')
    return this.#secret
  }
  /** The box key: HSalsa20 of the X25519 shared secret. */
  #shared(publicKey: string, who: string): Uint8Array {
    const decoded = decodePublicKey(publicKey)
    if (decoded?.role !== 'curve')
      throw new IdentityError('invalidKey', `nkeys: the ${who} needs a public curve key (X...)`)
    const key = new Uint32Array(8)
    hsalsa(SIGMA, words(x25519.getSharedSecret(this.#private(), decoded.raw)), new Uint32Array(4), key)
    const bytes = new Uint8Array(32)
    const view = new DataView(bytes.buffer)
    for (let i = 0; i < 8; i++) view.setUint32(i * 4, key[i]!, true)
    return bytes
  }
  seal(data: Uint8Array, recipientPublicKey: string): Uint8Array {
    const nonce = randomBytes(24)
    const box = xsalsa20poly1305(this.#shared(recipientPublicKey, 'recipient'), nonce).encrypt(data)
    const sealed = new Uint8Array(28 + box.length)
    sealed.set(VERSION)
    sealed.set(nonce, 4)
    sealed.set(box, 28)
    return sealed
  }
  open(sealed: Uint8Array, senderPublicKey: string): Uint8Array {
    if (sealed.length <= 28) throw new IdentityError('sealFailed', 'nkeys: the sealed message is truncated')
    if (VERSION.some((byte, i) => sealed[i] !== byte))
      throw new IdentityError('sealFailed', 'nkeys: unknown version of the sealed message')
    const key = this.#shared(senderPublicKey, 'sender')
    try {
      return xsalsa20poly1305(key, sealed.subarray(4, 28)).decrypt(sealed.subarray(28))
    } catch {
      throw new IdentityError(
        'sealFailed',
        'nkeys: could not decrypt: wrong sender, wrong recipient or damaged message',
      )
    }
  }
  wipe(): void {
    this.#secret?.fill(0)
    this.#secret = null
  }
  toJSON(): string {
    return this.publicKey
  }
}

/** A new pair from the random numbers of the platform. */
export function createCurveKeyPair(): CurveKeyPair {
  return new Curve(randomBytes(32))
}

/** @throws IdentityError `invalidSeed` for anything but an SX seed. */
export function curveKeyPairFromSeed(seed: string): CurveKeyPair {
  const decoded = decodeSeed(seed)
  if (decoded?.role !== 'curve')
    throw new IdentityError(
      'invalidSeed',
      'nkeys: invalid curve seed: expected 58 characters that start with SX',
    )
  return new Curve(decoded.raw)
}
