// Owners prove who they are by signing a text of ours with the account's key: no passwords, and nothing to remember.
// Challenges and sessions carry their own proof (an HMAC under a key that lives as long as the process), so strangers
// who ask for many of them occupy no memory; only nonces that were used stay known, until they expire.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { type AccountClaims, decodeSignature, verifySignature } from '@ngs/identity/node'
import { ServiceError } from '../errors.ts'

/**
 * How every nonce begins. The colon makes it no part of a JWT, so that signing a nonce can never sign a token: clients
 * refuse to sign a nonce that does not begin like this.
 */
export const noncePrefix = 'ngs-auth:'

const challengeSeconds = 60
const sessionSeconds = 15 * 60
/** Challenges met within their life time; more at once is not a use but an attack. */
const mostUsed = 100_000

export interface Session {
  token: string
  /** Unix seconds. */
  expiresAt: number
}

export class Ownership {
  readonly #secret = randomBytes(32)
  /** Nonce -> unix seconds after which it is void anyway. In the order of their use. */
  readonly #used = new Map<string, number>()
  readonly #now: () => number

  /** @param now unix seconds */
  constructor(now: () => number = () => Math.floor(Date.now() / 1000)) {
    this.#now = now
  }

  /** A text for the owner of the account to sign. */
  challenge(account: string): { nonce: string; expiresAt: number } {
    const expiresAt = this.#now() + challengeSeconds
    const body = `${noncePrefix}${account}:${expiresAt}:${randomBytes(16).toString('base64url')}`
    return { nonce: `${body}:${this.#proof('challenge', body)}`, expiresAt }
  }

  /**
   * Takes a signed nonce, once.
   * @param claims the account as stored: its key and its plain signing keys stand for the owner
   * @param signature base64url, over the text of the nonce
   * @throws ServiceError bad-challenge, busy
   */
  open(claims: AccountClaims, nonce: string, signature: string): Session {
    const refuse = (why: string) =>
      new ServiceError('bad-challenge', `${why}; ask for a new challenge and sign its nonce`)
    const parts = nonce.split(':')
    const proof = parts.pop() ?? ''
    const [, account, expires] = parts
    if (!this.#proves('challenge', parts.join(':'), proof) || account !== claims.sub) {
      throw refuse('the nonce was not made by this service for this account')
    }
    const now = this.#now()
    const expiresAt = Number(expires)
    if (expiresAt <= now) throw refuse('the nonce has expired')
    if (this.#used.has(nonce)) throw refuse('the nonce was used before')
    if (!isSignedByOwner(claims, nonce, signature)) {
      throw refuse(`the signature is not one of account ${claims.sub} or of its plain signing keys`)
    }
    for (const [old, until] of this.#used) {
      if (until > now) break
      this.#used.delete(old)
    }
    if (this.#used.size >= mostUsed)
      throw new ServiceError('busy', 'too many sign-ins at the moment; try again in a minute')
    this.#used.set(nonce, expiresAt)
    const until = now + sessionSeconds
    const body = `${claims.sub}:${until}:${randomBytes(8).toString('base64url')}`
    return { token: `${body}:${this.#proof('session', body)}`, expiresAt: until }
  }

  /** The account a session is of. @throws ServiceError unauthenticated */
  authenticate(token: string): string {
    const parts = token.split(':')
    const proof = parts.pop() ?? ''
    const [account, until] = parts
    if (!this.#proves('session', parts.join(':'), proof) || Number(until) <= this.#now()) {
      throw new ServiceError(
        'unauthenticated',
        'the session is not valid (any more); get a new one with /api/v1/auth/challenge and /api/v1/auth/session',
      )
    }
    return account!
  }

  #proof(use: string, body: string): string {
    return createHmac('sha256', this.#secret).update(`${use} ${body}`).digest('base64url')
  }

  #proves(use: string, body: string, proof: string): boolean {
    const expected = Buffer.from(this.#proof(use, body))
    const given = Buffer.from(proof)
    return expected.length === given.length && timingSafeEqual(expected, given)
  }
}

function isSignedByOwner(claims: AccountClaims, nonce: string, signature: string): boolean {
  const bytes = decodeSignature(signature)
  if (bytes === undefined) return false
  const text = new TextEncoder().encode(nonce)
  const plain = (claims.nats.signing_keys ?? []).filter((key) => typeof key === 'string')
  return [claims.sub, ...plain].some((key) => verifySignature(key, text, bytes))
}
