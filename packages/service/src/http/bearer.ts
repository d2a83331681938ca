// Bearer tokens of requests.
import { createHash, timingSafeEqual } from 'node:crypto'
import { ServiceError } from '../errors.ts'

/** The token of an Authorization header. @throws ServiceError unauthenticated */
export function bearerOf(header: string | undefined): string {
  const match = /^Bearer +(\S+) *$/i.exec(header ?? '')
  if (match === null) {
    throw new ServiceError('unauthenticated', 'this needs a header "Authorization: Bearer TOKEN"')
  }
  return match[1]!
}

/** Compares secrets in a time that says nothing about where, or in how many characters, they differ. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
