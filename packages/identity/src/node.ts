// The package for Node: the same exports, with Ed25519 done by node:crypto.
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { useEd25519 } from './crypto.ts'

// DER headers of an Ed25519 private key (PKCS #8) and public key (SPKI), RFC 8410; the 32 raw bytes follow.
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

const privateKey = (seed: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })

useEd25519({
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
})

export * from './index.ts'
