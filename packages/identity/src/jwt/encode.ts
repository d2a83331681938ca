// Writing tokens, byte for byte as the official library does.

import type { Claims, OperatorClaims } from '../claims.ts'
import { primitives } from '../crypto.ts'
import { encodeBase32, encodeBase64Url, utf8 } from '../encoding.ts'
import { IdentityError } from '../errors.ts'
import { isPublicKey, type KeyPair } from '../nkeys.ts'
import { stringifyJson, writeShape } from './json.ts'
import { BASE_FIELDS, KINDS } from './shapes.ts'

/** `{"typ":"JWT","alg":"ed25519-nkey"}` */
const HEADER = 'eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ'

/**
 * Signs the claims and returns the token. Sets `iss`, `iat` and `jti` in the claims given.
 * @param options.issuedAt unix seconds, now when absent.
 * @throws IdentityError: invalidClaims (subject, server URL), wrongIssuer (the signer's role), noPrivateKey.
 */
export function encode(claims: Claims, signer: KeyPair, options: { issuedAt?: number } = {}): string {
  const type = claims.nats.type ?? ''
  const kind = Object.hasOwn(KINDS, type) ? KINDS[type]! : undefined
  if (claims.sub === '') throw new IdentityError('invalidClaims', 'subject is not set')
  if (kind?.subject && !isPublicKey(claims.sub, kind.subject)) {
    throw new IdentityError(
      'invalidClaims',
      `expected subject to be ${kind.subject} public key, got ${JSON.stringify(claims.sub)}`,
    )
  }
  if (kind !== undefined && kind.issuers.length > 0 && !kind.issuers.includes(signer.role)) {
    throw new IdentityError(
      'wrongIssuer',
      `unable to validate expected prefixes - [${kind.issuers.join(' ')}]`,
    )
  }
  if (type === 'operator') checkServerUrl(claims as OperatorClaims)
  claims.nats.version = 2
  claims.iss = signer.publicKey
  claims.iat = options.issuedAt ?? Math.floor(Date.now() / 1000)
  claims.jti = tokenId(claims)
  const nats = kind === undefined ? sorted(claims.nats) : writeShape({ fields: kind.fields }, claims.nats)
  const payload = { ...(writeShape({ fields: BASE_FIELDS }, claims) as object), nats }
  const signed = `${HEADER}.${encodeBase64Url(utf8(stringifyJson(payload)))}`
  return `${signed}.${encodeBase64Url(signer.sign(utf8(signed)))}`
}

/** The `jti`: SHA-512/256 of the eight standard members with `jti` blank, in base32. `nats` is not part of it. */
function tokenId(claims: Claims): string {
  const base = writeShape({ fields: BASE_FIELDS }, { ...claims, jti: '' })
  return encodeBase32(primitives().sha512_256(utf8(stringifyJson(base))))
}

/** A generic body is a map, and maps are written with their keys sorted. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]))
}

function checkServerUrl(claims: OperatorClaims): void {
  const url = claims.nats.account_server_url
  if (url === undefined || url === '') return
  if (!/^[a-z][a-z0-9+.-]*:/i.test(url)) {
    throw new IdentityError('invalidClaims', `account server url ${JSON.stringify(url)} requires a protocol`)
  }
}
