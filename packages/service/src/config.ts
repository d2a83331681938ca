// What the service can be told, with its defaults. The command line that sets these lives in the cli package.
import { isAbsolute, resolve } from 'node:path'
import type { Logger } from 'pino'
import { ServiceError } from './errors.ts'

/** Where the message server that the data directory's configuration file describes listens. */
export interface ServerSettings {
  /** Name of the server, unique among the servers of a cluster. Default `ngs`. */
  name?: string
  /** Address to listen on. Default `0.0.0.0`. */
  host?: string
  /** Ports; -1 lets the server choose. */
  port: number
  websocketPort: number
  monitoringPort: number
  /** Shown in `ngs.echo`, `ngs.active` and the answers of the system account. */
  region?: string
  location?: string
}

/** What a data directory is prepared for. */
export interface PrepareOptions {
  dataDir: string
  /** Where this service is reached over HTTP, without a trailing slash. Default `http://localhost:8228`. */
  publicUrl?: string
  /** Where clients reach the message servers. Default `nats://localhost:4222`. */
  natsUrls?: readonly string[]
  /** Writes the server's configuration file; leave out when an existing cluster is managed. */
  server?: ServerSettings
}

/** How much strangers, who need no permission to create an account, may make the service hold or do. */
export interface StrangerLimits {
  /** Bytes of one request body, and so of one token. */
  bodyBytes: number
  signingKeys: number
  exports: number
  imports: number
  mappings: number
  revocations: number
  /** Accounts the store may hold. */
  accounts: number
  /** New accounts one address may create: at most this many at once, regained evenly over an hour. */
  newAccountsPerHour: number
  /** Writes (pushes, challenges, sessions) one address may make: at most this many at once, regained evenly over a minute. */
  writesPerMinute: number
}

/** Used where ServiceOptions names no other. */
export const defaultStrangerLimits: Readonly<StrangerLimits> = {
  bodyBytes: 256 * 1024,
  signingKeys: 100,
  exports: 500,
  imports: 500,
  mappings: 500,
  revocations: 5000,
  accounts: 1_000_000,
  newAccountsPerHour: 1000,
  writesPerMinute: 3000,
}

/** What a service is started with. */
export interface ServiceOptions {
  /** A directory that `prepareDataDir` has prepared. */
  dataDir: string
  /** Message servers to connect to; more of the same cluster are learned from them. */
  natsUrls: readonly string[]
  /** Credentials of a system account user, when not the one of the data directory. */
  systemCreds?: string
  /** Published in the operator token. Default: the address the HTTP server got, as `http://localhost:PORT`. */
  publicUrl?: string
  /** What clients are told to connect to. Default `natsUrls`. */
  publicNatsUrls?: readonly string[]
  http?: { host?: string; port?: number /** Believe X-Forwarded-For. Default false. */; trustProxy?: boolean }
  /** Path of a plan catalogue. Default: the built-in one. */
  plansFile?: string
  limits?: Partial<StrangerLimits>
  /** Milliseconds that the first connection to the message servers may take. Default 15000. */
  connectWithinMs?: number
  /** Milliseconds between two messages on `ngs.active` for one server. Default 5000. */
  activeIntervalMs?: number
  /** Default: warnings and errors as JSON lines on stderr. */
  logger?: Logger
}

/** Where `ngs` looks for a service, and what one publishes, unless told otherwise. */
export const defaultPublicUrl = 'http://localhost:8228'
/** What clients are told to connect to unless told otherwise. */
export const defaultNatsUrl = 'nats://localhost:4222'

/** An absolute path of the data directory. */
export function checkDataDir(dataDir: string): string {
  if (dataDir === '') throw new ServiceError('bad-option', 'the data directory has no name; set --data-dir')
  return isAbsolute(dataDir) ? dataDir : resolve(dataDir)
}

/**
 * The public URL without a trailing slash.
 * @throws ServiceError bad-option unless it is an http or https URL without query, fragment and credentials
 */
export function checkPublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw new ServiceError(
      'bad-option',
      `the public URL "${text}" must look like http://HOST:PORT or https://HOST, without credentials, query and fragment`,
    )
  }
  return url.href.replace(/\/+$/, '')
}

/**
 * Service URLs as an operator token may carry them: scheme and host only, lower case (the rule of operator claims).
 * @throws ServiceError bad-option
 */
export function checkNatsUrls(urls: readonly string[]): string[] {
  if (urls.length === 0) throw new ServiceError('bad-option', 'name at least one URL of a message server')
  return urls.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : null
    const bare = url !== null && url.username === '' && url.password === '' && /^\/?$/.test(url.pathname)
    if (url === null || !bare || !/^(nats|tls|ws|wss):$/.test(url.protocol) || url.host === '') {
      throw new ServiceError(
        'bad-option',
        `the server URL "${text}" must look like nats://HOST:PORT (or tls, ws, wss), without credentials and path`,
      )
    }
    return `${url.protocol}//${url.host}`.toLowerCase()
  })
}
