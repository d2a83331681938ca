// Reading a pushed token: everything that can be said about it without knowing what is stored.
import { type AccountClaims, decodeAccount, IdentityError, isPublicKey } from '@ngs/identity/node'
import type { StrangerLimits } from '../config.ts'
import { type ErrorCode, reasonOf, ServiceError } from '../errors.ts'

const codeOf: Partial<Record<IdentityError['code'], ErrorCode>> = {
  badSignature: 'bad-signature',
  wrongKind: 'wrong-kind',
  wrongIssuer: 'wrong-issuer',
  tokenTooLarge: 'too-large',
}

const hints: Partial<Record<IdentityError['code'], string>> = {
  badSignature: 'the token was changed after it was signed; push the one that nsc keeps',
  wrongKind: 'push the token of an account',
  wrongIssuer: 'an account is signed by an account key or an operator key',
}

/**
 * The claims of a pushed token: it decodes, its signature holds for the issuer it names, and it is about `account`.
 * @throws ServiceError not-a-jwt, bad-signature, wrong-kind, wrong-issuer, key-mismatch, too-large, invalid-claims
 */
export function readPushedToken(token: string, account: string, limits: StrangerLimits): AccountClaims {
  if (token.length > limits.bodyBytes) {
    throw new ServiceError(
      'too-large',
      `the token has ${token.length} bytes; at most ${limits.bodyBytes} are taken`,
    )
  }
  if (!isPublicKey(account, 'account')) {
    throw new ServiceError('key-mismatch', `"${account}" in the path is not the public key of an account`)
  }
  let claims: AccountClaims
  try {
    claims = decodeAccount(token.trim())
  } catch (error) {
    // Reading is pure: whatever it stumbles over is the token's doing.
    const code = error instanceof IdentityError ? error.code : 'badToken'
    const hint = hints[code] ?? 'the body must be one account token, as nsc push sends it'
    throw new ServiceError(
      codeOf[code] ?? 'not-a-jwt',
      `cannot read the account JWT: ${reasonOf(error)}; ${hint}`,
    )
  }
  if (claims.nats.version !== 2) {
    throw new ServiceError(
      'not-a-jwt',
      'the account JWT is of version 1; sign it again with nsc 2 (nsc upgrade-jwt)',
    )
  }
  if (claims.sub !== account) {
    throw new ServiceError(
      'key-mismatch',
      `the token is about account ${claims.sub}, the path about ${account}`,
    )
  }
  checkSizes(claims, limits)
  return claims
}

/** Holds what a stranger may make us keep within bounds. */
function checkSizes(claims: AccountClaims, limits: StrangerLimits): void {
  const { nats } = claims
  const exports = nats.exports ?? []
  const sizes: [string, number, number][] = [
    ['signing keys', nats.signing_keys?.length ?? 0, limits.signingKeys],
    ['exports', exports.length, limits.exports],
    ['imports', nats.imports?.length ?? 0, limits.imports],
    [
      'mappings',
      Object.values(nats.mappings ?? {}).reduce((sum, targets) => sum + targets.length, 0),
      limits.mappings,
    ],
    [
      'revocations',
      Object.keys(nats.revocations ?? {}).length +
        exports.reduce((sum, item) => sum + Object.keys(item?.revocations ?? {}).length, 0),
      limits.revocations,
    ],
  ]
  const over = sizes.filter(([, count, most]) => count > most)
  if (over.length > 0) {
    const list = over.map(([what, count, most]) => `${count} ${what} (at most ${most})`)
    throw new ServiceError('too-large', `the account has ${list.join(', ')}; remove some`)
  }
  const name = claims.name ?? ''
  // Names end up in terminals, file names and logs of others.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is refused
  if (name.length > 255 || /[\u0000-\u001f\u007f-\u009f/\\]/.test(name)) {
    throw new ServiceError(
      'invalid-claims',
      'the name of the account has more than 255 characters, control characters, or one of / and \\; rename it with nsc',
    )
  }
}
