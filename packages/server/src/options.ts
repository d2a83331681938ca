// Every option of the server with its default. One table names the configuration key, its aliases and the flags that set it; the
// configuration reader, the command line and the documents derive from it.
import type { AccountSpec } from './account/spec.ts'
import type { ConnectionType } from './auth/authenticator.ts'
import type { PermissionsSpec } from './subject/permissions.ts'

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
  handshakeTimeoutMs: number
  jwtCookie: string
  userCookie: string
  passCookie: string
  tokenCookie: string
}

export interface Options {
  host: string
  /** -1: any free port. */
  port: number
  serverName: string
  clientAdvertise: string
  debug: boolean
  trace: boolean
  logtime: boolean
  logtimeUtc: boolean
  logFile: string
  pidFile: string
  portsFileDir: string
  /** 0: no monitoring, -1: any free port. */
  httpPort: number
  httpHost: string
  httpBasePath: string
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
  authTimeout: number
  headerSupport: boolean
  token: string
  user: string
  password: string
  users: UserOptions[]
  /** There was an `authorization` block, even an empty one: then system users alone do not let guests in. */
  authorizationDefined: boolean
  /** Accounts of the configuration file. */
  accounts: Map<string, AccountSpec>
  noAuthUser: string
  systemAccount: string
  noSystemAccount: boolean
  /** Operator JWTs. */
  operators: string[]
  resolver: ResolverOptions | null
  resolverPreload: Map<string, string>
  /** The only accounts that may connect, besides the system account; empty for all. */
  pinnedAccounts: string[]
  /** User JWT for clients that bring none; empty for none. */
  defaultSentinel: string
  serverTags: string[]
  serverMetadata: Record<string, string>
  websocket: WebSocketOptions
  /** The file they came from, for messages; empty for none. */
  configFile: string
  configDigest: string
}

export const MINUTE = 60_000

/** Fresh defaults. */
export function defaultOptions(): Options {
  return {
    host: '0.0.0.0',
    port: 4222,
    serverName: '',
    clientAdvertise: '',
    debug: false,
    trace: false,
    logtime: true,
    logtimeUtc: false,
    logFile: '',
    pidFile: '',
    portsFileDir: '',
    httpPort: 0,
    httpHost: '',
    httpBasePath: '/',
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
    authTimeout: 2_000,
    headerSupport: true,
    token: '',
    user: '',
    password: '',
    users: [],
    authorizationDefined: false,
    accounts: new Map(),
    noAuthUser: '',
    systemAccount: '',
    noSystemAccount: false,
    operators: [],
    resolver: null,
    resolverPreload: new Map(),
    pinnedAccounts: [],
    defaultSentinel: '',
    serverTags: [],
    serverMetadata: {},
    websocket: {
      host: '',
      port: 0,
      noTls: false,
      sameOrigin: false,
      allowedOrigins: [],
      compression: false,
      handshakeTimeoutMs: 2_000,
      jwtCookie: '',
      userCookie: '',
      passCookie: '',
      tokenCookie: '',
    },
    configFile: '',
    configDigest: '',
  }
}

type Scalar = 'string' | 'integer' | 'boolean' | 'duration' | 'port'

/** A plain option: one value under one key. What has structure (authorization, accounts, ...) is read in config/. */
export interface OptionRow {
  /** Field of Options. */
  readonly field: keyof Options
  readonly key: string
  readonly aliases?: readonly string[]
  readonly type: Scalar
  /** Long flags without dashes, and letters. */
  readonly flags?: readonly string[]
  /** Whether a reload may change it; the reload itself is not there yet. */
  readonly reloadable: boolean
  readonly doc: string
}

export const OPTION_ROWS: readonly OptionRow[] = [
  {
    field: 'host',
    key: 'host',
    aliases: ['net'],
    type: 'string',
    flags: ['a', 'addr', 'net'],
    reloadable: false,
    doc: 'address to listen on',
  },
  {
    field: 'port',
    key: 'port',
    type: 'port',
    flags: ['p', 'port'],
    reloadable: false,
    doc: 'port for clients, -1 for any free one',
  },
  {
    field: 'serverName',
    key: 'server_name',
    type: 'string',
    flags: ['n', 'name', 'server_name'],
    reloadable: false,
    doc: 'name of this server, its id by default',
  },
  {
    field: 'pidFile',
    key: 'pid_file',
    aliases: ['pidfile'],
    type: 'string',
    flags: ['P', 'pid'],
    reloadable: true,
    doc: 'file to write the process id to',
  },
  {
    field: 'httpPort',
    key: 'http_port',
    aliases: ['monitor_port'],
    type: 'integer',
    flags: ['m', 'http_port'],
    reloadable: false,
    doc: 'port for HTTP monitoring, -1 for any free one',
  },
  {
    field: 'httpBasePath',
    key: 'http_base_path',
    type: 'string',
    reloadable: false,
    doc: 'path under which monitoring answers',
  },
  {
    field: 'clientAdvertise',
    key: 'client_advertise',
    type: 'string',
    flags: ['client_advertise'],
    reloadable: true,
    doc: 'host or host:port that INFO names',
  },
  {
    field: 'portsFileDir',
    key: 'ports_file_dir',
    type: 'string',
    flags: ['ports_file_dir'],
    reloadable: true,
    doc: 'folder for a file that names the ports in use',
  },
  {
    field: 'logFile',
    key: 'log_file',
    aliases: ['logfile'],
    type: 'string',
    flags: ['l', 'log'],
    reloadable: true,
    doc: 'file to log to instead of stderr',
  },
  {
    field: 'logtime',
    key: 'logtime',
    type: 'boolean',
    flags: ['T', 'logtime'],
    reloadable: true,
    doc: 'time stamps in log lines',
  },
  {
    field: 'logtimeUtc',
    key: 'logtime_utc',
    type: 'boolean',
    flags: ['logtime_utc'],
    reloadable: true,
    doc: 'time stamps in UTC',
  },
  {
    field: 'debug',
    key: 'debug',
    type: 'boolean',
    flags: ['D', 'debug'],
    reloadable: true,
    doc: 'log debug lines',
  },
  {
    field: 'trace',
    key: 'trace',
    type: 'boolean',
    flags: ['V', 'trace'],
    reloadable: true,
    doc: 'log trace lines',
  },
  {
    field: 'maxConnections',
    key: 'max_connections',
    aliases: ['max_conn'],
    type: 'integer',
    reloadable: true,
    doc: 'most client connections; 0 or negative refuses all',
  },
  {
    field: 'maxSubscriptions',
    key: 'max_subscriptions',
    aliases: ['max_subs'],
    type: 'integer',
    reloadable: false,
    doc: 'most subscriptions of a connection, 0 for no limit',
  },
  {
    field: 'maxSubTokens',
    key: 'max_sub_tokens',
    aliases: ['max_subscription_tokens'],
    type: 'integer',
    reloadable: false,
    doc: 'most tokens of a subscription subject, 0 for no limit',
  },
  {
    field: 'maxControlLine',
    key: 'max_control_line',
    type: 'integer',
    reloadable: true,
    doc: 'bytes of arguments in a protocol line',
  },
  {
    field: 'maxPayload',
    key: 'max_payload',
    type: 'integer',
    reloadable: true,
    doc: 'bytes of headers and payload of a message',
  },
  {
    field: 'maxPending',
    key: 'max_pending',
    type: 'integer',
    reloadable: false,
    doc: 'bytes queued for a connection before it is cut as a slow consumer',
  },
  {
    field: 'maxClosedClients',
    key: 'max_closed_clients',
    type: 'integer',
    reloadable: false,
    doc: 'closed connections that monitoring remembers',
  },
  {
    field: 'maxTracedMsgLen',
    key: 'max_traced_msg_len',
    type: 'integer',
    flags: ['max_traced_msg_len'],
    reloadable: true,
    doc: 'bytes of a payload in trace lines, 0 for all',
  },
  {
    field: 'pingInterval',
    key: 'ping_interval',
    type: 'duration',
    reloadable: true,
    doc: 'time between PINGs to a quiet client',
  },
  {
    field: 'pingMax',
    key: 'ping_max',
    type: 'integer',
    reloadable: true,
    doc: 'unanswered PINGs before a connection is stale',
  },
  {
    field: 'writeDeadline',
    key: 'write_deadline',
    type: 'duration',
    reloadable: true,
    doc: 'time a connection may take nothing before it is cut as a slow consumer',
  },
  {
    field: 'noAuthUser',
    key: 'no_auth_user',
    type: 'string',
    reloadable: false,
    doc: 'user that connections without credentials get',
  },
  {
    field: 'systemAccount',
    key: 'system_account',
    aliases: ['system'],
    type: 'string',
    reloadable: false,
    doc: 'account for events and requests of the server',
  },
  {
    field: 'noSystemAccount',
    key: 'no_system_account',
    aliases: ['no_system', 'no_sys_acc'],
    type: 'boolean',
    reloadable: false,
    doc: 'no system account',
  },
]
