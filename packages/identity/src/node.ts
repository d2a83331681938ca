// The package for Node: the same exports, with the cryptography done by node:crypto.
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { createRequire } from 'node:module'
import { usePrimitives } from './crypto.ts'

// DER headers of an Ed25519 private key (PKCS #8) and public key (SPKI), RFC 8410; the 32 raw bytes follow.
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

const privateKey = (seed: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })

usePrimitives({
  publicKey: (seed) =>
    createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' }).subarray(SPKI.length),
  signer: (seed) => {
    const key = privateKey(seed)
    return (data) => sign(null, data, key)
  },
  verify: (publicKey, data, signature) => {
    try {
      const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' })
      return verify(null, data, key, signature)
    } catch {
      return false
    }
  },
  decodeBase64Url: (text) => {
    const { buffer, byteOffset, length } = Buffer.from(text, 'base64url')
    return new Uint8Array(buffer, byteOffset, length)
  },
  sha256: (data) => createHash('sha256').update(data).digest(),
  sha512_256: (data) => createHash('sha512-256').update(data).digest(),
})

export * from './core.ts'
export type { CurveKeyPair } from './xkeys.ts'

type Xkeys = typeof import('./xkeys.ts')

// Loaded when a curve key is first met: few programs meet one, and its ciphers are most of what would be loaded.
const require = createRequire(import.meta.url)
const xkeys = () => require('./xkeys.ts') as Xkeys

/** As in the other entry: a new pair. */
export const createCurveKeyPair: Xkeys['createCurveKeyPair'] = () => xkeys().createCurveKeyPair()
/** As in the other entry. @throws IdentityError `invalidSeed` for anything but an SX seed. */
export const curveKeyPairFromSeed: Xkeys['curveKeyPairFromSeed'] = (seed) =>
  xkeys().curveKeyPairFromSeed(seed)
