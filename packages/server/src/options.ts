// What the server can be told: every option with its default. Keys, flags and what a reload may change are option-table.ts's.
import type { MappingSpec } from './account/mappings.ts'
import type { AccountSpec } from './account/spec.ts'
import type { ConnectionType } from './auth/authenticator.ts'
import type { PermissionsSpec } from './subject/permissions.ts'
import { handshakeTimeout, type TlsOptions } from './tls/options.ts'

/** A user of the configuration file. */
export interface UserOptions {
  /** User name; empty for nkey users. */
  user: string
  /** Plain or bcrypt; empty for nkey users. */
  password: string
  nkey: string
  /** Null: the account's defaults. */
  permissions: PermissionsSpec | null
  /** Name of the account, `$G` by default. */
  account: string
  connectionTypes: ConnectionType[]
  /** Comes in through a trusted proxy only. */
  proxyRequired: boolean
}

/** `auth_callout`: a service decides who may come in. */
export interface CalloutOptions {
  /** Account key that signs the answers and the users in them. */
  issuer: string
  /** Account that the service listens in, `$G` by default. */
  account: string
  /** Users and nkeys that the service itself comes in as: they are not asked about. */
  authUsers: string[]
  /** Curve key of the service, which requests are sealed to; empty for none. */
  xkey: string
  /** Accounts whose users are asked about, besides those of the global account; empty for all. */
  allowedAccounts: string[]
}

export interface ResolverOptions {
  type: 'memory' | 'url' | 'full' | 'cache'
  /** Folder of a full or cache resolver, else empty. */
  dir: string
  /** Base URL of a url resolver: the account's key is appended. */
  url: string
  /** Stored accounts; 0 for no limit. */
  limit: number
  /** full: time between two comparisons with another server's store. */
  intervalMs: number
  /** Longest wait for an answer of other servers or of the URL. */
  timeoutMs: number
  /** cache: unused for so long, a token goes; 0 for never. */
  ttlMs: number
  allowDelete: boolean
  hardDelete: boolean
}

export const RESOLVER_DEFAULTS: Readonly<ResolverOptions> = {
  type: 'memory',
  dir: '',
  url: '',
  limit: 0,
  intervalMs: 60_000,
  timeoutMs: 1_900,
  ttlMs: 0,
  allowDelete: false,
  hardDelete: false,
}

export interface WebSocketOptions {
  host: string
  /** 0: no listener, -1: any free port. */
  port: number
  noTls: boolean
  sameOrigin: boolean
  allowedOrigins: string[]
  compression: boolean
  /** From the connection to the end of the upgrade; 0 for no limit of the options. */
  handshakeTimeoutMs: number
  /** Null for clear text, which noTls has to allow. */
  tls: TlsOptions | null
  /** host or host:port that INFO names in clusters. */
  advertise: string
  /** Instead of the user, token and guest of the server, for these clients; empty for none. */
  user: string
  password: string
  token: string
  noAuthUser: string
  /** 0 for the server's. */
  authTimeoutMs: number
  pingIntervalMs: number
  /** More header fields of the answer to an upgrade. */
  headers: Record<string, string>
  jwtCookie: string
  userCookie: string
  passCookie: string
  tokenCookie: string
}

/** Every option of a server. Durations are in milliseconds, sizes in bytes; defaultOptions has the defaults. */
export interface Options {
  host: string
  /** -1: any free port. */
  port: number
  serverName: string
  clientAdvertise: string
  debug: boolean
  trace: boolean
  /** Trace what internal clients of the system account say, too. */
  traceVerbose: boolean
  /** Trace the headers of messages and not their payloads. */
  traceHeaders: boolean
  logtime: boolean
  logtimeUtc: boolean
  logFile: string
  /** Bytes after which a log file is rotated; 0 for never. */
  logSizeLimit: number
  /** Log files that are kept, the one in use included; 0 for all. */
  logMaxNum: number
  pidFile: string
  portsFileDir: string
  /** 0: no monitoring, -1: any free port. */
  httpPort: number
  /** The same with TLS. */
  httpsPort: number
  /** Empty: `host`. */
  httpHost: string
  httpBasePath: string
  /** Monitoring has /metrics, too. */
  metrics: boolean
  /** ms, see BusyPoll. */
  busyPoll: number
  maxConnections: number
  /** 0: no limit. */
  maxSubscriptions: number
  maxSubTokens: number
  maxControlLine: number
  maxPayload: number
  maxPending: number
  maxClosedClients: number
  maxTracedMsgLen: number
  /** ms, as every time here. */
  pingInterval: number
  pingMax: number
  writeDeadline: number
  /** What happens at the deadline; clients are closed by default. */
  writeTimeout: 'default' | 'close' | 'retry'
  lameDuckDuration: number
  /** Between the announcement of lame duck mode and the first closed connection. */
  lameDuckGracePeriod: number
  noFastProducerStall: boolean
  /** Of failed attempts to connect to other servers every n-th is logged. */
  connectErrorReports: number
  reconnectErrorReports: number
  disableSublistCache: boolean
  profBlockRate: number
  /** 0 for the default, which authTimeout() knows. */
  authTimeout: number
  noHeaderSupport: boolean
  token: string
  user: string
  password: string
  users: UserOptions[]
  /** `authorization.proxy_required`: token and single user come in through a trusted proxy only. */
  proxyRequired: boolean
  /** Public keys of the proxies that may speak for others. */
  trustedProxies: string[]
  authCallout: CalloutOptions | null
  /** There was an `authorization` block, even an empty one: then system users alone do not let guests in. */
  authorizationDefined: boolean
  /** Accounts of the configuration file. */
  accounts: Map<string, AccountSpec>
  /** Of the global account. */
  mappings: MappingSpec[]
  noAuthUser: string
  systemAccount: string
  noSystemAccount: boolean
  /** Operator JWTs. */
  operators: string[]
  /** Operator keys that are trusted without a JWT. */
  trustedKeys: string[]
  resolver: ResolverOptions | null
  /** How a url resolver's account server is spoken to over HTTPS; null for the defaults of the system. */
  resolverTls: TlsOptions | null
  resolverPreload: Map<string, string>
  /** The only accounts that may connect, besides the system account; empty for all. */
  pinnedAccounts: string[]
  /** User JWT for clients that bring none; empty for none. */
  defaultSentinel: string
  serverTags: string[]
  serverMetadata: Record<string, string>
  featureFlags: Record<string, boolean>
  /** Of the client port; null for clear text. */
  tls: TlsOptions | null
  /** With `tls`: clients in clear text are let in as well. */
  allowNonTls: boolean
  /** Client connections may begin with a PROXY header. */
  proxyProtocol: boolean
  websocket: WebSocketOptions
  /** The file they came from, for messages; empty for none. */
  configFile: string
  configDigest: string
}

export const MINUTE = 60_000

const AUTH_TIMEOUT_MS = 2_000

/** Time for CONNECT, in ms: with TLS a second more than the handshake may take. */
export function authTimeout({ authTimeout: set, tls }: Options): number {
  return set || (tls === null ? AUTH_TIMEOUT_MS : handshakeTimeout(tls) + 1_000)
}

/** Fresh defaults. */
export function defaultOptions(): Options {
  return {
    host: '0.0.0.0',
    port: 4222,
    serverName: '',
    clientAdvertise: '',
    debug: false,
    trace: false,
    traceVerbose: false,
    traceHeaders: false,
    logtime: true,
    logtimeUtc: false,
    logFile: '',
    logSizeLimit: 0,
    logMaxNum: 0,
    pidFile: '',
    portsFileDir: '',
    httpPort: 0,
    httpsPort: 0,
    httpHost: '',
    httpBasePath: '',
    metrics: false,
    busyPoll: 0.15,
    maxConnections: 65_536,
    maxSubscriptions: 0,
    maxSubTokens: 0,
    maxControlLine: 4096,
    maxPayload: 1024 * 1024,
    maxPending: 64 * 1024 * 1024,
    maxClosedClients: 10_000,
    maxTracedMsgLen: 0,
    pingInterval: 2 * MINUTE,
    pingMax: 2,
    writeDeadline: 10_000,
    writeTimeout: 'default',
    lameDuckDuration: 2 * MINUTE,
    lameDuckGracePeriod: 10_000,
    noFastProducerStall: false,
    connectErrorReports: 3600,
    reconnectErrorReports: 1,
    disableSublistCache: false,
    profBlockRate: 0,
    authTimeout: 0,
    noHeaderSupport: false,
    token: '',
    user: '',
    password: '',
    users: [],
    proxyRequired: false,
    trustedProxies: [],
    authCallout: null,
    authorizationDefined: false,
    accounts: new Map(),
    mappings: [],
    noAuthUser: '',
    systemAccount: '',
    noSystemAccount: false,
    operators: [],
    trustedKeys: [],
    resolver: null,
    resolverTls: null,
    resolverPreload: new Map(),
    pinnedAccounts: [],
    defaultSentinel: '',
    serverTags: [],
    serverMetadata: {},
    featureFlags: {},
    tls: null,
    allowNonTls: false,
    proxyProtocol: false,
    websocket: {
      host: '',
      port: 0,
      noTls: false,
      sameOrigin: false,
      allowedOrigins: [],
      compression: false,
      handshakeTimeoutMs: 0,
      tls: null,
      advertise: '',
      user: '',
      password: '',
      token: '',
      noAuthUser: '',
      authTimeoutMs: 0,
      pingIntervalMs: 0,
      headers: {},
      jwtCookie: '',
      userCookie: '',
      passCookie: '',
      tokenCookie: '',
    },
    configFile: '',
    configDigest: '',
  }
}
