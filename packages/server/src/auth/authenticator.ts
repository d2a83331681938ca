// The seam between connections and the ways to authenticate: one implementation is in force at a time, chosen from the options.
import type { Account } from '../account/account.ts'
import type { TlsSession } from '../connection/transport.ts'
import type { ConnectOptions } from '../protocol/connect.ts'
import type { CloseReason } from '../protocol/refusals.ts'
import type { PermissionsSpec } from '../subject/permissions.ts'

export type ConnectionType = 'STANDARD' | 'WEBSOCKET' | 'IN_PROCESS'

export interface ConnectAttempt {
  readonly connect: ConnectOptions
  /** The challenge of INFO, empty when none was sent. */
  readonly nonce: string
  readonly ip: string
  readonly connectionType: ConnectionType
  /** Null without TLS. */
  readonly tls: TlsSession | null
  /** The client's id, for logs. */
  readonly cid: number
}

/** Who a connection is, for monitoring, events and Nats-Request-Info. */
export interface UserIdentity {
  /** nkey, user name, JWT subject, or `[REDACTED]` for a token; empty for nobody. */
  readonly user: string
  readonly kind: 'none' | 'user' | 'nkey' | 'jwt' | 'token'
  readonly jwt?: string
  /** The account that stands behind the JWT, and the key that signed it. */
  readonly issuerKey?: string
  /** The user's name in its JWT. */
  readonly userName?: string
  readonly tags?: readonly string[]
  /** Unix seconds of the JWT, for revocation. */
  readonly issuedAt?: number
  readonly bearer?: boolean
  /** True when the permissions are the account's defaults, which a change of the account replaces. */
  readonly defaultPermissions?: boolean
}

export const NOBODY: UserIdentity = { user: '', kind: 'none' }

export type AuthResult =
  | {
      readonly ok: true
      readonly account: Account
      readonly user: UserIdentity
      readonly permissions: PermissionsSpec | null
      /** -1: no limit of the user's own. */
      readonly limits: { payload: number; subs: number }
      /** Milliseconds since 1970 when the connection has to end, null for never. */
      readonly expiresAt: number | null
    }
  | { readonly ok: false; readonly reason: CloseReason; readonly log: string }

export interface Authenticator {
  /** INFO says `auth_required`, the auth timer runs. */
  readonly required: boolean
  /** INFO carries a nonce. */
  readonly usesNonce: boolean
  /** INFO's auth_required in the first INFO; false while a guest user stands for clients that bring nothing. */
  readonly announces: boolean
  authenticate(attempt: ConnectAttempt): AuthResult | Promise<AuthResult>
  /** For a first operation that is no CONNECT: the guest, or null when there is none. */
  guest(attempt: ConnectAttempt): AuthResult | null
  /** Where a reload does not make a new one: takes what has changed in the options. */
  reload?(): void | Promise<void>
}
