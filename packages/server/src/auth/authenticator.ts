// The seam between connections and the ways to authenticate: one implementation is in force at a time, chosen from the options. A reload
// makes a new one from the new options and lets every connection authenticate again (reload.ts).
import type { Account } from '../account/account.ts'
import type { TlsSession } from '../connection/transport.ts'
import type { ConnectOptions } from '../protocol/connect.ts'
import type { CloseReason } from '../protocol/refusals.ts'
import type { PermissionsSpec } from '../subject/permissions.ts'

export type ConnectionType = 'STANDARD' | 'WEBSOCKET' | 'IN_PROCESS'

/** Names that lists of connection types may hold, in this server or in another. */
export const CONNECTION_TYPES: readonly string[] = [
  'STANDARD',
  'WEBSOCKET',
  'LEAFNODE',
  'LEAFNODE_WS',
  'MQTT',
  'MQTT_WS',
  'IN_PROCESS',
]

export interface ConnectAttempt {
  /**
   * The connection's own options. An authenticator writes into them whom it takes the client for (a guest, a certificate's user, the
   * user that a callout service names), because a repeated CONNECT and a reload go on from there.
   */
  readonly connect: ConnectOptions
  /** The challenge of INFO, empty when none was sent. */
  readonly nonce: string
  readonly ip: string
  readonly connectionType: ConnectionType
  /** The connection's id. */
  readonly cid: number
  /** Null without TLS. */
  readonly tls: TlsSession | null
}

/** Who a connection is, for monitoring, events and Nats-Request-Info. */
export interface UserIdentity {
  /** nkey, user name, JWT subject, or `[REDACTED]` for a token; empty for nobody. */
  readonly user: string
  readonly kind: 'none' | 'user' | 'nkey' | 'jwt' | 'token'
  readonly jwt?: string
  /** The key that signed the JWT; without `issuer_account` in it, and for nkeys of the configuration, the account's name. */
  readonly issuerKey?: string
  /** The user's name in its JWT. */
  readonly userName?: string
  readonly tags?: readonly string[]
  /** The key that revocations name; of a user that a callout service let in, the one-time key. */
  readonly key?: string
  /** Unix seconds of the JWT, for revocation. */
  readonly issuedAt?: number
  readonly bearer?: boolean
  /** True when the permissions are the account's defaults, which a change of the account replaces. */
  readonly defaultPermissions?: boolean
  /** Public key of the trusted proxy that the connection came through. */
  readonly proxyKey?: string
}

export const NOBODY: UserIdentity = { user: '', kind: 'none' }

/** A login that succeeded. */
export interface Admission {
  readonly ok: true
  readonly account: Account
  readonly user: UserIdentity
  readonly permissions: PermissionsSpec | null
  /** -1: no limit of the user's own. */
  readonly limits: { payload: number; subs: number }
  /** Milliseconds since 1970 when the connection has to end, null for never. */
  readonly expiresAt: number | null
  /** For the log in debug mode. */
  readonly log?: string
}

export interface Denial {
  readonly ok: false
  readonly reason: CloseReason
  /** Why, for the log of the server alone; empty for nothing to add. */
  readonly log: string
  /** Debug unless the operator should see it without asking. */
  readonly level?: 'error'
  /** What the log has in debug mode before that. */
  readonly hint?: string
  /** Public key of the trusted proxy that the connection came through. */
  readonly proxyKey?: string
  /** Where else than in the connection's account, and in which words, the event of a failed login tells of it; null for nowhere. */
  readonly told?: { readonly account: Account; readonly reason: string } | null
}

export type AuthResult = Admission | Denial

export interface Authenticator {
  /** INFO says `auth_required`, the auth timer runs. */
  readonly required: boolean
  /** Logins into accounts that are not among the pinned ones. */
  readonly pinnedFailures?: number
  /** INFO carries a nonce. */
  readonly usesNonce: boolean
  /** INFO's auth_required in the first INFO; false while a guest user stands for clients that bring nothing. */
  readonly announces: boolean
  authenticate(attempt: ConnectAttempt): AuthResult | Promise<AuthResult>
  /** For a first operation that is no CONNECT: the guest, or null when there is none. */
  guest(attempt: ConnectAttempt): AuthResult | Promise<AuthResult> | null
  /** Name of the account that the configuration has for this user or nkey; undefined when it has none. */
  accountOf?(connect: ConnectOptions): string | undefined
  /** Where a reload does not make a new one: takes what has changed in the options. */
  reload?(): void | Promise<void>
}

export const refused = (log: string, reason: CloseReason = 'Authentication Failure'): Denial => ({
  ok: false,
  reason,
  log,
})

/** Whom CONNECT says the client is: the first of nkey, user, JWT and token. The subject of a JWT is known once that was verified. */
export function claimedUser(connect: ConnectOptions, jwtSubject = ''): string {
  if (connect.nkey !== '') return connect.nkey
  if (connect.user !== '') return connect.user
  if (connect.jwt !== '') return jwtSubject
  return connect.auth_token === '' ? '' : '[REDACTED]'
}
