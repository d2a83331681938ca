// Users with JWTs, from a file that the bench has written.
import { readFileSync } from 'node:fs'
import { encodeBase64Url, keyPairFromSeed } from '@ngs/identity/node'

/** An element of the file, which is a JSON array. */
export interface User {
  readonly jwt: string
  readonly seed: string
}

/** More fields of CONNECT from what INFO says (its nonce). */
export type Sign = (info: { nonce?: string }) => Record<string, unknown>

export function loadUsers(file: string): Sign[] {
  const users = JSON.parse(readFileSync(file, 'utf8')) as User[]
  return users.map(({ jwt, seed }) => {
    const key = keyPairFromSeed(seed)
    return ({ nonce = '' }) => ({ jwt, sig: encodeBase64Url(key.sign(Buffer.from(nonce))) })
  })
}
