// Who signed a pushed token, and whether it is news: the two questions that decide whose word it is.
import { createHash } from 'node:crypto'
import { type AccountClaims, roleOfPublicKey } from '@ngs/identity/node'
import { ServiceError } from '../errors.ts'
import { isOperatorSigned, type OwnKeys } from '../operator/keys.ts'
import type { AccountRow } from '../store/accounts.ts'

/** How far a client's clock may be ahead of ours, in seconds. */
const clockTolerance = 300
/** How long, in seconds, an owner may go back to a token of the same second, as scripts that add and delete do. */
const sameSecondGrace = 10
/** How many tokens of one second are remembered, and so how many an owner may push. */
const rememberedDigests = 64

/**
 * owner: a new word of the owner. operator: a token we have signed that is newer than what is stored (the store was
 * restored, or the operator edited by hand). known: nothing new; `note` says why it was not taken, when it matters.
 */
export type Provenance = { kind: 'owner' } | { kind: 'operator' } | { kind: 'known'; note: string | null }

export function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/**
 * Decides whose word the token is.
 * - Self-signed, or signed by a plain signing key of the stored account: the owner's. It must not be older than the
 *   owner's last one, or anyone who has seen an old token could bring it back (and with it, say, a revoked user).
 * - Signed by the operator: anyone can fetch such a token, so only one that is newer than the stored one counts.
 * @param stored the account as stored, with its signed claims; null for a new one
 * @param now unix seconds
 * @throws ServiceError wrong-issuer, reserved-account, clock-ahead, stale-token
 */
export function provenanceOf(
  keys: OwnKeys,
  claims: AccountClaims,
  token: string,
  stored: { row: AccountRow; claims: AccountClaims } | null,
  now: number,
): Provenance {
  if (claims.sub === keys.system.publicKey || claims.sub === keys.demo.publicKey) {
    throw new ServiceError(
      'reserved-account',
      `account ${claims.sub} is the operator's own and cannot be pushed`,
    )
  }
  const issuedAt = Math.max(0, Number(claims.iat))
  if (isOperatorSigned(keys, claims)) {
    if (stored === null) return { kind: 'operator' }
    if (token === stored.row.signed_token) return { kind: 'known', note: null }
    if (issuedAt > stored.row.signed_iat) return { kind: 'operator' }
    return {
      kind: 'known',
      note: 'nothing was changed: the service holds a newer version of this account; get it with nsc pull',
    }
  }
  checkOwner(claims, stored?.claims ?? null)
  if (issuedAt > now + clockTolerance) {
    throw new ServiceError(
      'clock-ahead',
      `the token was issued ${issuedAt - now} seconds in the future; set the clock of your machine and edit again`,
    )
  }
  if (stored === null) return { kind: 'owner' }
  const last = stored.row.client_iat
  const stale = () =>
    new ServiceError(
      'stale-token',
      `the token was issued at ${timeOf(issuedAt)}, before the one that is stored (${timeOf(last)}); ` +
        'run nsc pull and make the change again',
    )
  if (issuedAt < last) throw stale()
  if (issuedAt > last) return { kind: 'owner' }
  const digests = JSON.parse(stored.row.client_digests) as string[]
  const seen = digests.indexOf(digestOf(token))
  if (seen < 0 && digests.length < rememberedDigests) return { kind: 'owner' }
  if (seen < 0)
    throw new ServiceError('stale-token', 'too many changes were signed in one second; edit once more')
  if (seen === digests.length - 1) return { kind: 'known', note: null }
  if (now - issuedAt > sameSecondGrace) throw stale()
  return { kind: 'owner' }
}

function checkOwner(claims: AccountClaims, stored: AccountClaims | null): void {
  const { iss, sub } = claims
  if (iss === sub) return
  const refuse = (why: string) => new ServiceError('wrong-issuer', `the token is signed by ${iss}, ${why}`)
  if (roleOfPublicKey(iss) === 'operator') {
    throw refuse(
      'an operator this service does not know; sign the account with its own key (nsc -K) and push again',
    )
  }
  const key = stored?.nats.signing_keys?.find((one) => (typeof one === 'string' ? one : one.key) === iss)
  if (typeof key === 'string') return
  if (key !== undefined) {
    throw refuse(
      'a scoped signing key, which may sign users only; sign with the account key or a plain signing key',
    )
  }
  if (stored === null)
    throw refuse(`not by account ${sub} itself; the first push needs the account's own key`)
  throw refuse(
    `which is neither the key of account ${sub} nor a signing key that the stored account lists; ` +
      "sign with the account's own key (nsc -K)",
  )
}

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString()
