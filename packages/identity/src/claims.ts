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

export interface OperatorLimits extends NatsLimits, JetStreamLimits {
  imports: Int64
  exports: Int64
  wildcards: boolean
  disallow_bearer?: boolean
  conn: Int64
  leaf: Int64
  tiered_limits?: Record<string, JetStreamLimits>
}

export interface Permission {
  allow?: string[]
  deny?: string[]
}

export interface ResponsePermission {
  /** 0 stands for 1, negative for unlimited. */
  max: Int64
  /** Nanoseconds; 0 stands for 2 minutes, negative for unlimited. */
  ttl: Int64
}

export interface Permissions {
  pub: Permission
  sub: Permission
  resp?: ResponsePermission
}

export interface TimeRange {
  /** `HH:MM:SS`. */
  start: string
  end: string
}

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

export type SharingKind = 'stream' | 'service'

/** Public key or `*` -> unix seconds: tokens issued up to then are revoked. */
export type RevocationList = Record<string, Int64>

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

export interface WeightedMapping {
  subject: string
  /** Percent; 0 stands for 100. */
  weight?: Int64
  cluster?: string
}

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

export interface UserBody extends UserPermissionLimits, Body<'user'> {
  issuer_account?: string
}

export interface ActivationBody extends Body<'activation'> {
  subject?: string
  kind?: SharingKind | 'unknown'
  issuer_account?: string
}

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

export interface AuthorizationResponseBody extends Body<'authorization_response'> {
  jwt?: string
  error?: string
  issuer_account?: string
}

/** Any other type: a free map. */
export type GenericBody = { type?: string; version?: number } & { [key: string]: unknown }

export interface OperatorClaims extends ClaimsBase {
  nats: OperatorBody
}
export interface AccountClaims extends ClaimsBase {
  nats: AccountBody
}
export interface UserClaims extends ClaimsBase {
  nats: UserBody
}
export interface ActivationClaims extends ClaimsBase {
  nats: ActivationBody
}
export interface AuthorizationRequestClaims extends ClaimsBase {
  nats: AuthorizationRequestBody
}
export interface AuthorizationResponseClaims extends ClaimsBase {
  nats: AuthorizationResponseBody
}
export interface GenericClaims extends ClaimsBase {
  nats: GenericBody
}
export type Claims =
  | OperatorClaims
  | AccountClaims
  | UserClaims
  | ActivationClaims
  | AuthorizationRequestClaims
  | AuthorizationResponseClaims
  | GenericClaims

export const isOperator = (claims: Claims): claims is OperatorClaims => claims.nats.type === 'operator'
export const isAccount = (claims: Claims): claims is AccountClaims => claims.nats.type === 'account'
export const isUser = (claims: Claims): claims is UserClaims => claims.nats.type === 'user'
export const isActivation = (claims: Claims): claims is ActivationClaims => claims.nats.type === 'activation'

const base = (sub: string, name?: string): ClaimsBase => ({
  jti: '',
  iat: 0,
  iss: '',
  ...(name ? { name } : {}),
  sub,
})

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
