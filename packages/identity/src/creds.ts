// Decorated files: tokens and seeds between dashed lines. Read tolerantly, written byte for byte as the official tools do.
import { IdentityError } from './errors.ts'
import { decodeUser, peekKind } from './jwt/decode.ts'
import { keyPairFromSeed, roleOfSeed } from './nkeys.ts'

const BLOCK = /\s*-{3,}.*-{3,}\r?\n([\w\-.=]+)\r?\n-{3,}.*-{3,}(?:\r?\n|$)/g

/**
 * Reads a creds file. The first block is the JWT, the second the seed; labels are ignored. A text without blocks is a bare
 * JWT; with fewer than two blocks the first line that starts with SU, SA or SO is the seed.
 * @returns seed null when there is none. @throws IdentityError `badCreds` when there is no JWT at all.
 */
export function parseCreds(text: string): { jwt: string; seed: string | null } {
  const blocks = [...text.matchAll(BLOCK)].map((match) => match[1]!)
  const jwt = blocks[0] ?? text.trim()
  if (jwt === '')
    throw new IdentityError(
      'badCreds',
      'the credentials are empty: expected a NATS USER JWT block and a seed',
    )
  let seed = blocks[1] ?? null
  if (seed === null) {
    for (const line of text.split('\n')) {
      if (/^S[OAU]/.test(line)) {
        seed = line.trim()
        break
      }
    }
  }
  if (seed !== null && !['operator', 'account', 'user'].includes(roleOfSeed(seed) ?? '')) {
    throw new IdentityError('badCreds', 'the credentials hold no valid operator, account or user seed')
  }
  return { jwt, seed }
}

/** The token of a decorated or bare text. */
export function undecorateJwt(text: string): string {
  const match = text.matchAll(BLOCK).next().value
  return match === undefined ? text.trim() : match[1]!
}

/** `-----BEGIN NATS <KIND> JWT-----` block. @throws IdentityError when the token cannot be read. */
export function decorateJwt(token: string): string {
  const kind = peekKind(token).toUpperCase()
  return `-----BEGIN NATS ${kind} JWT-----\n${token}\n------END NATS ${kind} JWT------\n\n`
}

/** The seed part of a creds file. @throws IdentityError `invalidSeed` for other than operator, account and user seeds. */
export function decorateSeed(seed: string): string {
  const role = roleOfSeed(seed)
  if (role !== 'operator' && role !== 'account' && role !== 'user') {
    throw new IdentityError('invalidSeed', 'only operator, account and user seeds can be decorated')
  }
  const label = role.toUpperCase()
  return `************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.
NKEYs are sensitive and should be treated as secrets.

-----BEGIN ${label} NKEY SEED-----
${seed}
------END ${label} NKEY SEED------

*************************************************************
`
}

/** A creds file. @throws IdentityError when the token is no user JWT or the seed is not that user's. */
export function formatCreds(jwt: string, seed: string): string {
  const claims = decodeUser(jwt)
  const pair = keyPairFromSeed(seed)
  if (pair.role !== 'user' || pair.publicKey !== claims.sub) {
    throw new IdentityError('badCreds', `the seed is not that of user ${claims.sub}`)
  }
  return decorateJwt(jwt) + decorateSeed(seed)
}
