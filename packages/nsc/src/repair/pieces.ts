import path from 'node:path'
import {
  type AccountClaims,
  type Claims,
  curveKeyPairFromSeed,
  decode,
  isAccount,
  isOperator,
  isUser,
  keyPairFromSeed,
  type OperatorClaims,
  parseCreds,
  roleOfSeed,
  type UserClaims,
  undecorateJwt,
} from '@ngs/identity/node'
import { failure, textOf } from '../errors.ts'
import { filesBelow, readText, statOf } from '../files.ts'
import type { StorableKey } from '../keystore/keystore.ts'
import { Report } from '../report.ts'
import { signingKeys } from '../signing.ts'
import { backquote } from '../text.ts'

/** A token together with what it says. */
export interface Piece<C extends Claims> {
  claims: C
  token: string
}

/** What was found in folders, put together by who signed whom; of each key only the token issued last. */
export interface Pieces {
  operators: Map<string, Piece<OperatorClaims>>
  /** Accounts by their key, each with the key of its operator. */
  accounts: Map<string, Piece<AccountClaims> & { operator: string }>
  /** Users by their key, each with the key of its account. */
  users: Map<string, Piece<UserClaims> & { account: string }>
  keys: Map<string, StorableKey>
}

/**
 * Looks at every file below the folders. Each that is a key, a token or a creds file gets a line in the report: taken,
 * older than another one, without its issuer, or damaged.
 */
export function collectPieces(
  folders: readonly string[],
  options: { creds: boolean },
  report: Report,
): Pieces {
  const files = folders.flatMap((given) => (statOf(given)?.isFile() ? [given] : filesBelow(given)))
  const ending = (suffix: string) => files.filter((file) => path.extname(file) === suffix)
  const pieces: Pieces = { operators: new Map(), accounts: new Map(), users: new Map(), keys: new Map() }
  const sections = ['Find NKeys', 'Find Operators', 'Find Accounts', 'Find Users'].map(
    (title) => new Report(title, { level: 'ok' }),
  ) as [Report, Report, Report, Report]
  report.add(...sections)
  const [keys, operators, accounts, users] = sections
  for (const file of ending('.nk')) findKey(pieces, file, keys)
  const tokens = ending('.jwt').flatMap((file) => readToken(file, operators))
  for (const { file, token, claims } of tokens)
    if (isOperator(claims)) takeOperator(pieces, { claims, token }, file, operators)
  for (const { file, token, claims } of tokens)
    if (isAccount(claims)) takeAccount(pieces, { claims, token }, file, accounts)
  for (const { file, token, claims } of tokens)
    if (isUser(claims)) takeUser(pieces, { claims, token }, file, users)
  if (options.creds) {
    const creds = new Report('Find Creds', { level: 'ok' })
    report.add(creds)
    for (const file of ending('.creds')) findCreds(pieces, file, creds)
  }
  return pieces
}

function findKey(pieces: Pieces, file: string, section: Report): void {
  try {
    const seed = parseCreds(readText(file)).seed ?? readText(file).trim()
    const pair = roleOfSeed(seed) === 'curve' ? curveKeyPairFromSeed(seed) : keyPairFromSeed(seed)
    pieces.keys.set(pair.publicKey, pair)
  } catch (thrown) {
    section.error(`error parsing nkey ${backquote(file)}: ${textOf(thrown)}`)
  }
}

function readToken(file: string, section: Report): { file: string; token: string; claims: Claims }[] {
  try {
    const token = undecorateJwt(readText(file)).trim()
    return [{ file, token, claims: decode(token) }]
  } catch (thrown) {
    section.warn(`error loading ${file}: ${textOf(thrown)}`)
    return []
  }
}

/** Puts the piece where it belongs if it is the newest of its key; tells in a line of the section. */
function keepNewest<P extends Piece<Claims>>(
  found: Map<string, P>,
  piece: P,
  file: string,
  kind: string,
  section: Report,
): void {
  const { sub, iat } = piece.claims
  const line = new Report(`${kind} ${sub}`, { level: 'ok' })
  section.add(line)
  const before = found.get(sub)
  if (before && Number(before.claims.iat) >= Number(iat)) return line.ok(`ignoring older config ${file}`)
  found.set(sub, piece)
  line.ok(before ? `updated from ${file}` : `loaded from ${file}`)
}

function takeOperator(pieces: Pieces, piece: Piece<OperatorClaims>, file: string, section: Report): void {
  keepNewest(pieces.operators, piece, file, 'operator', section)
}

function takeAccount(pieces: Pieces, piece: Piece<AccountClaims>, file: string, section: Report): void {
  const { sub, iss } = piece.claims
  for (const [operator, { claims }] of pieces.operators)
    if (iss === operator || claims.nats.signing_keys?.includes(iss))
      return keepNewest(pieces.accounts, { ...piece, operator }, file, 'account', section)
  const line = new Report(`account ${sub}`)
  section.add(line)
  line.warn(`operator ${iss} was not found - ignoring account ${file}`)
}

function takeUser(pieces: Pieces, piece: Piece<UserClaims>, file: string, section: Report): void {
  const { claims } = piece
  const account = claims.nats.issuer_account || claims.iss
  if (pieces.accounts.has(account))
    return keepNewest(pieces.users, { ...piece, account }, file, 'user', section)
  const line = new Report(`user ${claims.sub}`)
  section.add(line)
  line.warn(`account ${account} was not found - ignoring user ${file}`)
}

function findCreds(pieces: Pieces, file: string, section: Report): void {
  try {
    const content = readText(file)
    const token = undecorateJwt(content).trim()
    const claims = decode(token)
    if (!isUser(claims)) return
    takeUser(pieces, { claims, token }, file, section)
    const { seed } = parseCreds(content)
    if (seed === null) throw failure('no seed found')
    const pair = keyPairFromSeed(seed)
    pieces.keys.set(pair.publicKey, pair)
  } catch (thrown) {
    section.error(`error parsing creds ${backquote(file)}: ${textOf(thrown)}`)
  }
}

/** The keys an operator or account signs with, its own first. */
export function keysOf(claims: OperatorClaims | AccountClaims): string[] {
  const signing = isOperator(claims) ? (claims.nats.signing_keys ?? []) : signingKeys(claims)
  return [claims.sub, ...signing]
}
