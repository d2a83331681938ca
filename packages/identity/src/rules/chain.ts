// The trust chain, verified whole every time: operator -> account -> user, and exporter -> activation -> importer.

import type { AccountClaims, ActivationClaims, OperatorClaims, SharingKind, UserClaims } from '../claims.ts'
import { primitives } from '../crypto.ts'
import { encodeBase32, utf8 } from '../encoding.ts'
import { IdentityError } from '../errors.ts'
import { decodeAccount, decodeActivation, decodeUser } from '../jwt/decode.ts'
import { isSubsetMatch } from '../subjects.ts'
import { isRevoked } from './revocations.ts'
import { accountSigners, didSign, issuerAccount } from './signers.ts'
import { isBlocking, validate } from './validate.ts'

/** Which token of a chain a failure is about. */
export type ChainLink = 'operator' | 'account' | 'user' | 'activation'

/** Why a link does not hold. `text` is for people; `code` is stable. */
export interface ChainFailure {
  ok: false
  link: ChainLink
  code: 'malformed' | 'invalid' | 'expired' | 'untrustedIssuer' | 'otherAccount' | 'revoked'
  reason: string
}

/** Every link holds. `user` is there when the chain went down to one. */
export interface ChainSuccess {
  ok: true
  operator: OperatorClaims
  account: AccountClaims
  user?: UserClaims
}

const fail = (link: ChainLink, code: ChainFailure['code'], reason: string): ChainFailure => ({
  ok: false,
  link,
  code,
  reason,
})

/** Decodes where a token was given; a failure says which link it was. */
function read<T>(link: ChainLink, value: string | T, decodeAs: (token: string) => T): T | ChainFailure {
  if (typeof value !== 'string') return value
  try {
    return decodeAs(value)
  } catch (error) {
    if (error instanceof IdentityError) return fail(link, 'malformed', `${link}: ${error.message}`)
    throw error
  }
}

const failed = (value: object): value is ChainFailure => 'ok' in value && value.ok === false

/**
 * Checks that one of the operators stands for the account and, when given, the account for the user: signatures (tokens
 * given as text are decoded), issuers, strict mode, validation rules, expiry, revocation of the user.
 * @param input.now unix seconds, the clock when absent.
 */
export function verifyChain(input: {
  operators: readonly OperatorClaims[]
  account: string | AccountClaims
  user?: string | UserClaims
  now?: number
}): ChainSuccess | ChainFailure {
  const now = input.now ?? Math.floor(Date.now() / 1000)
  if (input.operators.length === 0) return fail('operator', 'invalid', 'no trusted operator is known')
  const account = read('account', input.account, decodeAccount)
  if (failed(account)) return account
  const operator = input.operators.find((candidate) => didSign(candidate, account))
  if (operator === undefined) {
    return fail(
      'account',
      'untrustedIssuer',
      `account ${account.sub} is signed by ${account.iss}, which is no key of a trusted operator`,
    )
  }
  const bad = brokenRules('account', account, now)
  if (bad !== null) return bad
  if (input.user === undefined) return { ok: true, operator, account }

  const user = read('user', input.user, decodeUser)
  if (failed(user)) return user
  if (issuerAccount(user) !== account.sub) {
    return fail(
      'user',
      'otherAccount',
      `user ${user.sub} belongs to account ${issuerAccount(user)}, not to ${account.sub}`,
    )
  }
  const strict = operator.nats.strict_signing_key_usage === true && account.iss !== operator.sub
  if (!accountSigners(account).has(user.iss) || (strict && user.iss === account.sub)) {
    return fail(
      'user',
      'untrustedIssuer',
      `user ${user.sub} is signed by ${user.iss}, which may not sign users of account ${account.sub}`,
    )
  }
  const broken = brokenRules('user', user, now)
  if (broken !== null) return broken
  if (isRevoked(account.nats.revocations, user.sub, user.iat)) {
    return fail('user', 'revoked', `user ${user.sub} was revoked by account ${account.sub}`)
  }
  return { ok: true, operator, account, user }
}

function brokenRules(
  link: ChainLink,
  claims: AccountClaims | UserClaims | ActivationClaims,
  now: number,
): ChainFailure | null {
  const issues = validate(claims, { now })
  const error = issues.find((issue) => issue.level === 'error')
  if (error !== undefined) return fail(link, 'invalid', `${link} ${claims.sub}: ${error.text}`)
  const time = issues.find((issue) => issue.level === 'time')
  return time === undefined || !isBlocking(issues, { includeTime: true })
    ? null
    : fail(link, 'expired', `${link} ${claims.sub}: ${time.text}`)
}

/**
 * Checks the activation token of a private import (nats-server's order): kind and subject, issuer, validation, expiry,
 * revocation in the export.
 * @param input.subject the remote subject that is imported.
 */
export function verifyActivation(input: {
  token: string | ActivationClaims
  importer: string
  exporter: AccountClaims
  kind: SharingKind
  subject: string
  now?: number
}): { ok: true; claims: ActivationClaims } | ChainFailure {
  const now = input.now ?? Math.floor(Date.now() / 1000)
  const claims = read('activation', input.token, decodeActivation)
  if (failed(claims)) return claims
  const { exporter } = input
  if (claims.sub !== input.importer)
    return fail(
      'activation',
      'otherAccount',
      `the activation token is for account ${claims.sub}, not for ${input.importer}`,
    )
  if (issuerAccount(claims) !== exporter.sub || !accountSigners(exporter).has(claims.iss)) {
    return fail(
      'activation',
      'untrustedIssuer',
      `the activation token was not issued by account ${exporter.sub} or one of its signing keys`,
    )
  }
  if (claims.nats.kind !== input.kind || !isSubsetMatch(input.subject, claims.nats.subject ?? '')) {
    return fail(
      'activation',
      'invalid',
      `the activation token is for the ${claims.nats.kind} ${JSON.stringify(claims.nats.subject ?? '')}, not for the ${input.kind} ${JSON.stringify(input.subject)}`,
    )
  }
  const broken = brokenRules('activation', claims, now)
  if (broken !== null) return broken
  if (claims.exp !== undefined && claims.exp > 0 && claims.exp <= now)
    return fail('activation', 'expired', 'the activation token is expired')
  const found = findExport(exporter, input.kind, input.subject)
  if (found !== undefined && isRevoked(found.revocations, claims.sub, claims.iat)) {
    return fail('activation', 'revoked', `account ${exporter.sub} revoked the activation of ${claims.sub}`)
  }
  return { ok: true, claims }
}

/** The export that decides about an import: the one of the very subject, else the first that contains it. */
export function findExport(exporter: AccountClaims, kind: SharingKind, subject: string) {
  const exports = (exporter.nats.exports ?? []).filter((item) => item !== null && item.type === kind)
  return (
    exports.find((item) => item?.subject === subject) ??
    exports.find((item) => item !== null && isSubsetMatch(subject, item.subject ?? '')) ??
    undefined
  )
}

/** Name under which an activation is filed: base32, with padding, of SHA-256 over issuer, subject and import subject up to its first wildcard. */
export function activationHashId(claims: ActivationClaims): string {
  const tokens = (claims.nats.subject ?? '').split('.')
  const wild = tokens.findIndex((token) => token === '*' || token === '>')
  const literal = wild < 0 ? tokens.join('.') : wild === 0 ? '_' : tokens.slice(0, wild).join('.')
  const text = encodeBase32(primitives().sha256(utf8(`${issuerAccount(claims)}.${claims.sub}.${literal}`)))
  return text.padEnd(Math.ceil(text.length / 8) * 8, '=')
}
