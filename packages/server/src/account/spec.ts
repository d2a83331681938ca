// An account as configuration or claims describe it; Account.apply makes it so.
import type { PermissionsSpec } from '../subject/permissions.ts'
import type { MappingSpec } from './mappings.ts'

export type ResponseType = 'Singleton' | 'Stream' | 'Chunked'

export interface ExportSpec {
  kind: 'stream' | 'service'
  /** Wire string. */
  subject: string
  /** Configuration files: the only accounts that may import it; null for all. */
  accounts: ReadonlySet<string> | null
  /** Claims: whether this import is authorised (token, revocation). Null: no further question. Returns why not, or null when it is. */
  authorize: ((importer: string, imported: ImportSpec) => string | null) | null
  responseType: ResponseType
  /** ms after which a pending response is given up. */
  responseThreshold: number
  /** 1-based token of the import's subject that has to be the importer's name; 0 for none. */
  accountTokenPosition: number
  /** Services: requests whose times are told on a subject of the exporter; null for none. */
  latency: LatencySpec | null
  /** Services: traces of messages may go on inside the exporter. */
  allowTrace: boolean
}

export interface LatencySpec {
  /** Percent of the requests; 0: only those whose tracing headers ask for it. */
  sampling: number
  /** Wire string. */
  subject: string
}

export interface ImportSpec {
  kind: 'stream' | 'service'
  /** Exporting account. */
  account: string
  /** Subject there. */
  subject: string
  /** Subject here, may hold `$n` references. */
  to: string
  /** Streams: `to` is this and the subject. */
  prefix?: string
  /** Services: tell the exporter who asks. */
  share: boolean
  /** Streams: traces of messages may go on here. */
  allowTrace: boolean
  /** An activation token. */
  token?: string
  /** The server's own import: no authorisation needed, survives updates. */
  system?: boolean
}

/** -1: no limit. subs and payload hold for each connection. */
export interface AccountLimits {
  connections: number
  subs: number
  payload: number
  leafs: number
}

export const NO_LIMITS: AccountLimits = { connections: -1, subs: -1, payload: -1, leafs: -1 }

export interface AccountSpec {
  exports: ExportSpec[]
  imports: ImportSpec[]
  limits: AccountLimits
  /** For users without permissions of their own. */
  defaultPermissions: PermissionsSpec | null
  mappings: readonly MappingSpec[]
  /** For messages that carry a `traceparent`; null for none. */
  trace: TraceSpec | null
}

export interface TraceSpec {
  /** Wire string. */
  destination: string
  /** Percent. */
  sampling: number
}

export const EMPTY_SPEC: AccountSpec = {
  exports: [],
  imports: [],
  limits: NO_LIMITS,
  defaultPermissions: null,
  mappings: [],
  trace: null,
}
export const DEFAULT_RESPONSE_THRESHOLD = 2 * 60_000
