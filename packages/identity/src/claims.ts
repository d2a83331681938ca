// The claims of NATS JWTs, version 2, in their wire shape: member names are those of the token.
import type { Int64 } from './jwt/json.ts'

/** Members every token has. Times are unix seconds; `exp` and `nbf` absent mean no bound. */
export interface ClaimsBase {
  aud?: string
  exp?: Int64
  /** Computed when encoding. */
  jti: string
  /** Set when encoding. */
  iat: Int64
  /** Public key of the signer, set when encoding. */
  iss: string
  name?: string
  nbf?: Int64
  sub: string
}

interface Body<Type extends string> {
  tags?: string[]
  type: Type
  version: number
}

/**
 * What an operator says of itself: its signing keys, where account tokens are served, and which account is the
 * system account.
 */
export interface OperatorBody extends Body<'operator'> {
  signing_keys?: string[]
  account_server_url?: string
  operator_service_urls?: string[]
  system_account?: string
  assert_server_version?: string
  strict_signing_key_usage?: boolean
}

/** -1 is unlimited, 0 is none at all. `data` is enforced by no server. */
export interface NatsLimits {
  subs: Int64
  data: Int64
  payload: Int64
}

/**
 * Storage in bytes, numbers of things: -1 is unlimited. Storage that is 0 or absent is none, and none of both kinds switches JetStream
 * off; 0 or absent as the size of one stream is no bound.
 */
export interface JetStreamLimits {
  mem_storage?: Int64
  disk_storage?: Int64
  streams?: Int64
  consumer?: Int64
  max_ack_pending?: Int64
  mem_max_stream_bytes?: Int64
  disk_max_stream_bytes?: Int64
  max_bytes_required?: boolean
}

/** The members of JetStreamLimits in the order they are written. */
export const JET_STREAM_LIMITS = [
  'mem_storage',
  'disk_storage',
  'streams',
  'consumer',
  'max_ack_pending',
  'mem_max_stream_bytes',
  'disk_max_stream_bytes',
  'max_bytes_required',
] as const satisfies readonly (keyof JetStreamLimits)[]

/**
 * What an operator grants an account, as numbers of things at once: -1 is unlimited. `tiered_limits` are by number
 * of replicas (`R1`, `R3`).
 */
export interface OperatorLimits extends NatsLimits, JetStreamLimits {
  imports: Int64
  exports: Int64
  wildcards: boolean
  disallow_bearer?: boolean
  conn: Int64
  leaf: Int64
  tiered_limits?: Record<string, JetStreamLimits>
}

/** Subjects, with a queue group after a space where one is meant. Deny beats allow; no allow list allows all. */
export interface Permission {
  allow?: string[]
  deny?: string[]
}

/** Leave to answer requests on subjects that are not allowed otherwise. */
export interface ResponsePermission {
  /** 0 stands for 1, negative for unlimited. */
  max: Int64
  /** Nanoseconds; 0 stands for 2 minutes, negative for unlimited. */
  ttl: Int64
}

/** Where a user may publish and subscribe. */
export interface Permissions {
  pub: Permission
  sub: Permission
  resp?: ResponsePermission
}

/** Hours of a day in which a user may be connected. */
export interface TimeRange {
  /** `HH:MM:SS`. */
  start: string
  end: string
}

/** What a user may do, from where and when. -1 is unlimited. */
export interface UserPermissionLimits extends Permissions, NatsLimits {
  /** CIDR blocks. */
  src?: string[]
  times?: TimeRange[]
  /** IANA zone, absent for the server's. */
  times_location?: string
  bearer_token?: boolean
  proxy_required?: boolean
  allowed_connection_types?: string[]
}

/** Messages that flow to the importer, or requests that it may make. */
export type SharingKind = 'stream' | 'service'

/** Public key or `*` -> unix seconds: tokens issued up to then are revoked. */
export type RevocationList = Record<string, Int64>

/** A subject of the account that others may import. */
export interface Export {
  name?: string
  subject?: string
  type?: SharingKind | 'unknown'
  token_req?: boolean
  revocations?: RevocationList
  response_type?: string
  /** Nanoseconds. */
  response_threshold?: Int64
  /** sampling: 1-100, or 0 for `headers`. */
  service_latency?: { sampling: number; results: string }
  account_token_position?: Int64
  advertise?: boolean
  allow_trace?: boolean
  description?: string
  info_url?: string
}

/** A subject of another account, and its name in this one. */
export interface Import {
  name?: string
  subject?: string
  account?: string
  /** An embedded activation token. */
  token?: string
  /** Deprecated in favour of local_subject: a stream's prefix, a service's remote subject. */
  to?: string
  local_subject?: string
  type?: SharingKind | 'unknown'
  share?: boolean
  allow_trace?: boolean
}

/** What users signed by a scoped signing key get instead of permissions of their own. */
export interface UserScope {
  kind: 'user_scope'
  key: string
  role: string
  template: UserPermissionLimits
  description: string
}

/** One destination of a mapped subject, and its share of the messages. */
export interface WeightedMapping {
  subject: string
  /** Percent; 0 stands for 100. */
  weight?: Int64
  cluster?: string
}

/**
 * What an account is: limits by its operator, everything else by its owner. Null entries of lists are kept, since
 * the official tools write and read them.
 */
export interface AccountBody extends Body<'account'> {
  imports?: (Import | null)[]
  exports?: (Export | null)[]
  limits: OperatorLimits
  signing_keys?: (string | UserScope)[]
  revocations?: RevocationList
  default_permissions: Permissions
  mappings?: Record<string, WeightedMapping[]>
  authorization: { auth_users?: string[]; allowed_accounts?: string[]; xkey?: string }
  trace?: { dest?: string; sampling?: Int64 }
  cluster_traffic?: string
  description?: string
  info_url?: string
}

/** What a user may do. `issuer_account` is the account when a signing key of it signs. */
export interface UserBody extends UserPermissionLimits, Body<'user'> {
  issuer_account?: string
}

/** Leave to import a private export: from the exporter (issuer) to the importing account (`sub`). */
export interface ActivationBody extends Body<'activation'> {
  subject?: string
  kind?: SharingKind | 'unknown'
  issuer_account?: string
}

/** What a server asks an auth callout service about a connection. */
export interface AuthorizationRequestBody extends Body<'authorization_request'> {
  server_id: {
    name: string
    host: string
    id: string
    version?: string
    cluster?: string
    tags?: string[]
    xkey?: string
  }
  user_nkey: string
  client_info: {
    host?: string
    id?: Int64
    user?: string
    name?: string
    tags?: string[]
    name_tag?: string
    kind?: string
    type?: string
    mqtt_id?: string
    nonce?: string
  }
  connect_opts: {
    jwt?: string
    nkey?: string
    sig?: string
    auth_token?: string
    user?: string
    pass?: string
    name?: string
    lang?: string
    version?: string
    protocol: Int64
  }
  client_tls?: { version?: string; cipher?: string; certs?: string[]; verified_chains?: string[][] }
  request_nonce?: string
}

/** The answer of an auth callout service: a user token, or why not. */
export interface AuthorizationResponseBody extends Body<'authorization_response'> {
  jwt?: string
  error?: string
  issuer_account?: string
}

/** Any other type: a free map. */
export type GenericBody = { type?: string; version?: number } & { [key: string]: unknown }

/** The token of an operator, `sub` O...; signed by itself. */
export interface OperatorClaims extends ClaimsBase {
  nats: OperatorBody
}
/** The token of an account, `sub` A...; signed by its operator, or by itself before the operator has. */
export interface AccountClaims extends ClaimsBase {
  nats: AccountBody
}
/** The token of a user, `sub` U...; signed by its account or a signing key of it. */
export interface UserClaims extends ClaimsBase {
  nats: UserBody
}
/** The token that activates a private export for the account in `sub`. */
export interface ActivationClaims extends ClaimsBase {
  nats: ActivationBody
}
/** Signed by the server, for the callout service. */
export interface AuthorizationRequestClaims extends ClaimsBase {
  nats: AuthorizationRequestBody
}
/** Signed by the callout service, for the server in `aud`. */
export interface AuthorizationResponseClaims extends ClaimsBase {
  nats: AuthorizationResponseBody
}
/** A token of any other type. */
export interface GenericClaims extends ClaimsBase {
  nats: GenericBody
}
/** What decode returns; `nats.type` tells which one. */
export type Claims =
  | OperatorClaims
  | AccountClaims
  | UserClaims
  | ActivationClaims
  | AuthorizationRequestClaims
  | AuthorizationResponseClaims
  | GenericClaims

/** Narrows what decode returned, by its type; the same below. */
export const isOperator = (claims: Claims): claims is OperatorClaims => claims.nats.type === 'operator'
/** By `nats.type`. */
export const isAccount = (claims: Claims): claims is AccountClaims => claims.nats.type === 'account'
/** By `nats.type`. */
export const isUser = (claims: Claims): claims is UserClaims => claims.nats.type === 'user'
/** By `nats.type`. */
export const isActivation = (claims: Claims): claims is ActivationClaims => claims.nats.type === 'activation'

const base = (sub: string, name?: string): ClaimsBase => ({
  jti: '',
  iat: 0,
  iss: '',
  ...(name ? { name } : {}),
  sub,
})

/** Claims without signing keys and URLs. @param sub public key O... */
export function newOperatorClaims(sub: string, name?: string): OperatorClaims {
  return { ...base(sub, name), nats: { type: 'operator', version: 2 } }
}

/** Everything unlimited but JetStream, which is off. */
export function newAccountClaims(sub: string, name?: string): AccountClaims {
  const limits: OperatorLimits = {
    subs: -1,
    data: -1,
    payload: -1,
    imports: -1,
    exports: -1,
    wildcards: true,
    conn: -1,
    leaf: -1,
  }
  return {
    ...base(sub, name),
    nats: {
      limits,
      default_permissions: { pub: {}, sub: {} },
      authorization: {},
      type: 'account',
      version: 2,
    },
  }
}

/** Everything unlimited. @param sub public key U... */
export function newUserClaims(sub: string, name?: string): UserClaims {
  return {
    ...base(sub, name),
    nats: { pub: {}, sub: {}, subs: -1, data: -1, payload: -1, type: 'user', version: 2 },
  }
}

/** A user of a scoped signing key: no permissions or limits of its own. */
export function newScopedUserClaims(sub: string, name?: string): UserClaims {
  return {
    ...base(sub, name),
    nats: { pub: {}, sub: {}, subs: 0, data: 0, payload: 0, type: 'user', version: 2 },
  }
}

/** @param sub the importing account. */
export function newActivationClaims(sub: string, name?: string): ActivationClaims {
  return { ...base(sub, name), nats: { type: 'activation', version: 2 } }
}

/** Claims with an empty body, for a type of your own. */
export function newGenericClaims(sub: string): GenericClaims {
  return { ...base(sub), nats: {} }
}

/** A scope with the defaults of a new template. */
export function newUserScope(key: string, role = ''): UserScope {
  return {
    kind: 'user_scope',
    key,
    role,
    template: { pub: {}, sub: {}, subs: -1, data: -1, payload: -1 },
    description: '',
  }
}
