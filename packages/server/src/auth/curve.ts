// The server's curve key: made at each start, named in INFO, used when a callout service wants its requests sealed.
import { generateKeyPairSync } from 'node:crypto'
import { type CurveKeyPair, curveKeyPairFromSeed, encodePublicKey, encodeSeed } from '@ngs/identity/node'

/** Raw keys are the last 32 bytes of both DER forms (RFC 8410). */
const RAW = 32

export class ServerCurveKey {
  readonly publicKey: string
  readonly #seed: string
  #pair: CurveKeyPair | null = null

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync('x25519', {
      publicKeyEncoding: { format: 'der', type: 'spki' },
      privateKeyEncoding: { format: 'der', type: 'pkcs8' },
    })
    this.publicKey = encodePublicKey('curve', publicKey.subarray(-RAW))
    this.#seed = encodeSeed('curve', privateKey.subarray(-RAW))
  }

  /** The pair; the ciphers that it needs are loaded when it is first asked for. */
  get pair(): CurveKeyPair {
    this.#pair ??= curveKeyPairFromSeed(this.#seed)
    return this.#pair
  }
}
