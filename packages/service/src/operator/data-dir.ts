// The data directory: made on the first start, completed when a first start was cut short, refused when it is damaged.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AccountClaims,
  createKeyPair,
  decodeAccount,
  decodeOperator,
  decodeUser,
  encode,
  formatCreds,
  isPublicKey,
  type KeyPair,
  keyPairFromSeed,
  newAccountClaims,
  newOperatorClaims,
  newUserClaims,
  type OperatorClaims,
  parseCreds,
  type UserClaims,
} from '@ngs/identity/node'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import {
  checkDataDir,
  checkNatsUrls,
  checkPublicUrl,
  defaultNatsUrl,
  defaultPublicUrl,
  type PrepareOptions,
} from '../config.ts'
import { demoAccountClaims, demoUserClaims } from '../demo/account.ts'
import { reasonOf, ServiceError } from '../errors.ts'
import { createFile, ensureFolder, readSecret, replaceFile, sweepTemporaries } from './files.ts'
import { damaged, loadBearerToken, loadKey, type OwnKeys } from './keys.ts'
import { serverConfigText } from './server-config.ts'

/** Where everything is. */
export interface DataDirPaths {
  readonly manifest: string
  readonly keys: string
  readonly operatorToken: string
  readonly systemToken: string
  readonly demoToken: string
  readonly systemCreds: string
  readonly demoCreds: string
  readonly bearerToken: string
  readonly serverConfig: string
  readonly resolver: string
  readonly database: string
}

function dataDirPaths(dir: string): DataDirPaths {
  return {
    manifest: join(dir, 'ngs.json'),
    keys: join(dir, 'keys'),
    operatorToken: join(dir, 'operator.jwt'),
    systemToken: join(dir, 'system.jwt'),
    demoToken: join(dir, 'demo.jwt'),
    systemCreds: join(dir, 'system.creds'),
    demoCreds: join(dir, 'demo.creds'),
    bearerToken: join(dir, 'operator.token'),
    serverConfig: join(dir, 'server.conf'),
    resolver: join(dir, 'accounts'),
    database: join(dir, 'ngs.db'),
  }
}

/** Written when a directory is complete: from then on a missing secret is a loss, not a fresh start. */
const Manifest = Type.Object(
  {
    format: Type.Literal(1),
    operator: Type.String(),
    signing_key: Type.String(),
    system_account: Type.String(),
    demo_account: Type.String(),
  },
  { additionalProperties: false },
)
type Manifest = Static<typeof Manifest>

function readManifest(path: string): Manifest | null {
  const text = readSecret(path)
  if (text === null) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw damaged(path, `it is not JSON: ${reasonOf(error)}`)
  }
  if (
    typeof value === 'object' &&
    value !== null &&
    'format' in value &&
    typeof value.format === 'number' &&
    value.format > 1
  ) {
    throw new ServiceError(
      'data-dir-damaged',
      `${path} was written by a newer version; use that version, or another directory`,
    )
  }
  if (!Value.Check(Manifest, value)) throw damaged(path, 'it does not list the keys of the directory')
  const roles = {
    operator: 'operator',
    signing_key: 'operator',
    system_account: 'account',
    demo_account: 'account',
  } as const
  for (const [field, role] of Object.entries(roles) as [keyof typeof roles, 'operator' | 'account'][]) {
    if (!isPublicKey(value[field], role)) throw damaged(path, `${field} is not the public key of an ${role}`)
  }
  return value
}

/** An opened data directory. */
export interface DataDir {
  readonly dir: string
  readonly paths: DataDirPaths
  readonly keys: OwnKeys
  /** Of the system account and the demonstration account, by account key. */
  readonly ownTokens: ReadonlyMap<string, string>
  /** For the operator API. */
  readonly bearerToken: string
  /** The operator token with these URLs, kept on disk; signed anew only when it has changed. */
  operatorToken(publicUrl: string, natsUrls: readonly string[]): string
}

/**
 * Opens the directory, making or completing it.
 * @throws ServiceError data-dir-unusable, data-dir-damaged
 */
export function openDataDir(dataDir: string): DataDir {
  const dir = checkDataDir(dataDir)
  const paths = dataDirPaths(dir)
  ensureFolder(dir)
  ensureFolder(paths.keys)
  ensureFolder(paths.resolver)
  sweepTemporaries(dir)
  sweepTemporaries(paths.keys)
  const manifest = readManifest(paths.manifest)
  if (manifest === null && existsSync(paths.database)) {
    throw damaged(paths.manifest, 'it is missing though the directory holds accounts')
  }
  const keys: OwnKeys = {
    operator: loadKey(join(paths.keys, 'operator.nk'), 'operator', manifest?.operator ?? null),
    signer: loadKey(join(paths.keys, 'operator-signing.nk'), 'operator', manifest?.signing_key ?? null),
    system: loadKey(join(paths.keys, 'system-account.nk'), 'account', manifest?.system_account ?? null),
    demo: loadKey(join(paths.keys, 'demo-account.nk'), 'account', manifest?.demo_account ?? null),
  }
  const systemClaims = newAccountClaims(keys.system.publicKey, 'SYS')
  const demoClaims = demoAccountClaims(keys.demo.publicKey)
  const ownTokens = new Map([
    [keys.system.publicKey, keepToken(paths.systemToken, decodeAccount, systemClaims, keys.signer)],
    [keys.demo.publicKey, keepToken(paths.demoToken, decodeAccount, demoClaims, keys.signer)],
  ])
  keepCreds(paths.systemCreds, (user) => newUserClaims(user, 'sys'), keys.system)
  keepCreds(paths.demoCreds, demoUserClaims, keys.demo)
  const bearerToken = loadBearerToken(paths.bearerToken)
  if (manifest === null) {
    const complete: Manifest = {
      format: 1,
      operator: keys.operator.publicKey,
      signing_key: keys.signer.publicKey,
      system_account: keys.system.publicKey,
      demo_account: keys.demo.publicKey,
    }
    createFile(paths.manifest, `${JSON.stringify(complete, null, 2)}\n`)
  }
  return {
    dir,
    paths,
    keys,
    ownTokens,
    bearerToken,
    operatorToken(publicUrl, natsUrls) {
      const claims = newOperatorClaims(keys.operator.publicKey, 'ngs')
      claims.nats.signing_keys = [keys.signer.publicKey]
      claims.nats.account_server_url = `${checkPublicUrl(publicUrl)}/jwt/v1`
      claims.nats.operator_service_urls = checkNatsUrls(natsUrls)
      claims.nats.system_account = keys.system.publicKey
      return keepToken(paths.operatorToken, decodeOperator, claims, keys.operator)
    },
  }
}

/** The token on disk while it says what it should; else a new one, later than the old so that servers take it. */
function keepToken<T extends OperatorClaims | AccountClaims>(
  path: string,
  decodeAs: (token: string) => T,
  wanted: T,
  signer: KeyPair,
): string {
  const text = readSecret(path)?.trim() ?? null
  let earliest = 0
  if (text !== null) {
    let kept: T
    try {
      kept = decodeAs(text)
    } catch (error) {
      throw new ServiceError(
        'data-dir-damaged',
        `${path} is damaged: ${reasonOf(error)}; delete it to have it signed again`,
        { cause: error },
      )
    }
    // Signatures are deterministic: the same claims of the same second give the same token.
    if (encode(structuredClone(wanted), signer, { issuedAt: Number(kept.iat) }) === text) return text
    earliest = Number(kept.iat) + 1
  }
  const token = encode(wanted, signer, { issuedAt: Math.max(earliest, Math.floor(Date.now() / 1000)) })
  replaceFile(path, token)
  return token
}

/** Credentials of a user of one of our accounts, made when missing, signed anew when its claims have changed. */
function keepCreds(path: string, claimsFor: (user: string) => UserClaims, account: KeyPair): void {
  const text = readSecret(path)
  if (text === null) {
    const user = createKeyPair('user')
    createFile(path, formatCreds(encode(claimsFor(user.publicKey), account), user.seed))
    return
  }
  try {
    const { jwt, seed } = parseCreds(text)
    const user = decodeUser(jwt)
    if (seed === null || keyPairFromSeed(seed).publicKey !== user.sub)
      throw new Error('the seed is not that of its user')
    if (user.iss !== account.publicKey)
      throw new Error(`its user is of account ${user.iss}, not of ${account.publicKey}`)
    const wanted = claimsFor(user.sub)
    if (encode(wanted, account, { issuedAt: Number(user.iat) }) !== jwt) {
      replaceFile(path, formatCreds(encode(wanted, account), seed))
    }
  } catch (error) {
    if (error instanceof ServiceError) throw error
    throw new ServiceError(
      'data-dir-damaged',
      `${path} is damaged: ${reasonOf(error)}; delete it to have new credentials made`,
      { cause: error },
    )
  }
}

/** What a caller needs to start a message server, and the service, on a data directory. */
export interface PreparedDataDir {
  readonly dataDir: string
  /** Configuration file of the message server; null when none was asked for. */
  readonly serverConfig: string | null
  /** Credentials of a user of the system account. */
  readonly systemCreds: string
  /** File with the bearer token of the operator API. */
  readonly operatorTokenFile: string
  readonly operator: string
  readonly systemAccount: string
}

/**
 * Makes or opens the data directory and, when `server` is given, writes the configuration file of the message server.
 * To be called before the server starts; calling it again changes nothing that has not changed.
 * @throws ServiceError bad-option, data-dir-unusable, data-dir-damaged
 */
export function prepareDataDir(options: PrepareOptions): PreparedDataDir {
  const opened = openDataDir(options.dataDir)
  const { dir, keys, paths } = opened
  const operatorToken = opened.operatorToken(
    options.publicUrl ?? defaultPublicUrl,
    options.natsUrls ?? [defaultNatsUrl],
  )
  if (options.server !== undefined) {
    const text = serverConfigText({
      settings: options.server,
      operatorToken,
      systemAccount: keys.system.publicKey,
      preload: Object.fromEntries(opened.ownTokens),
      resolverDir: paths.resolver,
    })
    if (readSecret(paths.serverConfig) !== text) replaceFile(paths.serverConfig, text)
  }
  return {
    dataDir: dir,
    serverConfig: options.server === undefined ? null : paths.serverConfig,
    systemCreds: paths.systemCreds,
    operatorTokenFile: paths.bearerToken,
    operator: keys.operator.publicKey,
    systemAccount: keys.system.publicKey,
  }
}
