// nkeys, JWT claims, creds files and the trust chain of NATS. Pure: no I/O, the same in Node and in a browser.
import { offerPrimitives } from './crypto.ts'
import { noble } from './noble.ts'

offerPrimitives(noble)

export * from './core.ts'
export { type CurveKeyPair, createCurveKeyPair, curveKeyPairFromSeed } from './xkeys.ts'
