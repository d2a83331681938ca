// nkeys: Ed25519 keys whose text form says what they are for. Public key = base32(prefix, 32 bytes, CRC16 little-endian);
// seed = base32(two bytes that hold 'S' and the prefix, 32 bytes, CRC16).
import { primitives, randomBytes } from './crypto.ts'
import { crc16, decodeBase32, encodeBase32 } from './encoding.ts'
import { IdentityError } from './errors.ts'

/** What a key is for. Its letter begins the public key: O, A, U, N, C and X. */
export type KeyRole = 'operator' | 'account' | 'user' | 'server' | 'cluster' | 'curve'

/** The first byte of a public key; its top five bits are the letter that the text starts with. */
const PREFIX: Record<KeyRole, number> = {
  operator: 14 << 3,
  account: 0,
  user: 20 << 3,
  server: 13 << 3,
  cluster: 2 << 3,
  curve: 23 << 3,
}
const ROLES = new Map<number, KeyRole>(
  Object.entries(PREFIX).map(([role, prefix]) => [prefix, role as KeyRole]),
)
const SEED = 18 << 3

/** An Ed25519 key pair, or only its public half. */
export interface KeyPair {
  readonly role: KeyRole
  readonly publicKey: string
  readonly hasSeed: boolean
  /** The secret. @throws IdentityError `noPrivateKey` when only the public key is known or after wipe(). */
  readonly seed: string
  /** 64 bytes. @throws IdentityError `noPrivateKey` as for seed. */
  sign(data: Uint8Array): Uint8Array
  verify(data: Uint8Array, signature: Uint8Array): boolean
  /** Overwrites the secret in memory; the public half stays usable. */
  wipe(): void
}

/** The text of a public key. @param raw 32 bytes */
export function encodePublicKey(role: KeyRole, raw: Uint8Array): string {
  return withCrc(Uint8Array.of(PREFIX[role], ...raw))
}

/** The text of a seed. @param raw the 32 secret bytes */
export function encodeSeed(role: KeyRole, raw: Uint8Array): string {
  const prefix = PREFIX[role]
  return withCrc(Uint8Array.of(SEED | (prefix >> 5), (prefix & 31) << 3, ...raw))
}

function withCrc(body: Uint8Array): string {
  const crc = crc16(body)
  return encodeBase32(Uint8Array.of(...body, crc & 0xff, crc >> 8))
}

/** Decoded bytes without the CRC, or undefined when the text, its length or its CRC is wrong. */
function checked(text: string, length: number): Uint8Array | undefined {
  if (text.length !== Math.ceil(((length + 2) * 8) / 5)) return undefined
  const bytes = decodeBase32(text)
  if (bytes === undefined || bytes.length !== length + 2) return undefined
  const body = bytes.subarray(0, length)
  return crc16(body) === (bytes[length]! | (bytes[length + 1]! << 8)) ? body : undefined
}

/** Role and 32 raw bytes, or undefined when the text is not a public key. */
export function decodePublicKey(text: string): { role: KeyRole; raw: Uint8Array } | undefined {
  const body = checked(text, 33)
  const role = body === undefined ? undefined : ROLES.get(body[0]!)
  return body === undefined || role === undefined ? undefined : { role, raw: body.subarray(1) }
}

/** Role and 32 raw bytes, or undefined when the text is not a seed. */
export function decodeSeed(text: string): { role: KeyRole; raw: Uint8Array } | undefined {
  const body = checked(text, 34)
  if (body === undefined || (body[0]! & 0xf8) !== SEED) return undefined
  const role = ROLES.get(((body[0]! & 7) << 5) | ((body[1]! & 0xf8) >> 3))
  return role === undefined ? undefined : { role, raw: body.slice(2) }
}

/** The role of a public key, null when the text is none. */
export function roleOfPublicKey(text: unknown): KeyRole | null {
  return typeof text === 'string' ? (decodePublicKey(text)?.role ?? null) : null
}

/** True for a public key; with roles named, only for one of those. */
export function isPublicKey(text: unknown, ...roles: KeyRole[]): text is string {
  const role = roleOfPublicKey(text)
  return role !== null && (roles.length === 0 || roles.includes(role))
}

/** The role of a seed, null when the text is none. */
export function roleOfSeed(text: unknown): KeyRole | null {
  return typeof text === 'string' ? (decodeSeed(text)?.role ?? null) : null
}

class Pair implements KeyPair {
  readonly role: KeyRole
  readonly publicKey: string
  readonly #raw: Uint8Array
  #secret: Uint8Array | null
  #signer: ((data: Uint8Array) => Uint8Array) | null = null

  constructor(role: KeyRole, raw: Uint8Array, secret: Uint8Array | null) {
    this.role = role
    this.#raw = raw
    this.#secret = secret
    this.publicKey = encodePublicKey(role, raw)
  }
  get hasSeed(): boolean {
    return this.#secret !== null
  }
  get seed(): string {
    return encodeSeed(this.role, this.#private())
  }
  #private(): Uint8Array {
    if (this.#secret === null)
      throw new IdentityError('noPrivateKey', `nkeys: no private key available for ${this.publicKey}`)
    return this.#secret
  }
  sign(data: Uint8Array): Uint8Array {
    this.#signer ??= primitives().signer(this.#private())
    return this.#signer(data)
  }
  verify(data: Uint8Array, signature: Uint8Array): boolean {
    return signature.length === 64 && primitives().verify(this.#raw, data, signature)
  }
  wipe(): void {
    this.#secret?.fill(0)
    this.#secret = null
    this.#signer = null
  }
  toJSON(): string {
    return this.publicKey
  }
}

/** A new random key pair. */
export function createKeyPair(role: Exclude<KeyRole, 'curve'>): KeyPair {
  const seed = randomBytes(32)
  return new Pair(role, primitives().publicKey(seed), seed)
}

/** @throws IdentityError `invalidSeed`; `cannotSign` for the seed of a curve key (see curveKeyPairFromSeed). */
export function keyPairFromSeed(seed: string): KeyPair {
  const decoded = decodeSeed(seed)
  if (decoded === undefined)
    throw new IdentityError(
      'invalidSeed',
      'nkeys: invalid seed: expected 58 characters that start with S and end with a matching checksum',
    )
  if (decoded.role === 'curve')
    throw new IdentityError('cannotSign', 'nkeys: this is the seed of a curve key (SX...), which cannot sign')
  return new Pair(decoded.role, primitives().publicKey(decoded.raw), decoded.raw)
}

/** A pair that can verify but not sign. @throws IdentityError `invalidKey`. */
export function keyPairFromPublicKey(publicKey: string): KeyPair {
  const decoded = decodePublicKey(publicKey)
  if (decoded === undefined)
    throw new IdentityError('invalidKey', `nkeys: invalid public key ${JSON.stringify(publicKey)}`)
  if (decoded.role === 'curve')
    throw new IdentityError('cannotSign', 'nkeys: curve keys (X...) cannot verify signatures')
  return new Pair(decoded.role, decoded.raw, null)
}

/** False also when the key is malformed or a curve key. */
export function verifySignature(publicKey: string, data: Uint8Array, signature: Uint8Array): boolean {
  const decoded = decodePublicKey(publicKey)
  if (decoded === undefined || decoded.role === 'curve' || signature.length !== 64) return false
  return primitives().verify(decoded.raw, data, signature)
}
