// What the server says to a client it refuses, and what that does to the connection. One table: text after -ERR (null: nothing
// is sent), the close reason as monitoring shows it (null: the connection stays), and the level at which the log has it, which is the
// text unless `says` is there. Source: client protocol, ADR-less folklore of the official server, proven by the conformance suite.

export interface Refusal {
  readonly text: string | null
  readonly closes: CloseReason | null
  readonly logs?: 'error' | 'debug'
  readonly says?: string
  /** The log has it once in so many ms for all connections of an account: strangers may cause it at will. */
  readonly everyMs?: number
}

export const REFUSALS = {
  unknownOperation: {
    text: 'Unknown Protocol Operation',
    closes: 'Protocol Violation',
    logs: 'error',
    says: 'Client parser ERROR',
  },
  badArguments: {
    text: null,
    closes: 'Protocol Violation',
    logs: 'error',
    says: 'Client parser ERROR, bad arguments',
  },
  clientError: { text: null, closes: 'Parse Error' },
  controlLine: {
    text: 'maximum control line exceeded',
    closes: 'Maximum Control Line Exceeded',
    logs: 'error',
  },
  maxPayload: { text: 'Maximum Payload Violation', closes: 'Maximum Message Payload Exceeded' },
  authorization: { text: 'Authorization Violation', closes: 'Authentication Failure' },
  authTimeout: {
    text: 'Authentication Timeout',
    closes: 'Authentication Timeout',
    logs: 'debug',
    everyMs: 1_000,
  },
  userExpired: { text: 'User Authentication Expired', closes: 'Authentication Expired', logs: 'debug' },
  accountExpired: { text: 'Account Authentication Expired', closes: 'Authentication Expired', logs: 'debug' },
  revoked: { text: 'User Authentication Revoked', closes: 'Credentials Revoked', logs: 'debug' },
  signingKeyGone: { text: null, closes: 'Authentication Failure' },
  maxConnections: {
    text: 'maximum connections exceeded',
    closes: 'Maximum Connections Exceeded',
    logs: 'error',
    everyMs: 1_000,
  },
  throttled: {
    text: 'Connection throttling is active. Please try again later.',
    closes: 'Maximum Connections Exceeded',
  },
  maxAccountConnections: {
    text: 'maximum account active connections exceeded',
    closes: 'Maximum Account Connections Exceeded',
    logs: 'error',
  },
  clientProtocol: {
    text: 'invalid client protocol',
    closes: 'Bad Client Protocol Version',
    logs: 'error',
  },
  noRespondersNeedHeaders: {
    text: 'no responders requires headers support',
    closes: 'No Responders Requires Headers',
    logs: 'error',
  },
  stale: {
    text: 'Stale Connection',
    closes: 'Stale Connection',
    logs: 'debug',
    says: 'Stale Client Connection - Closing',
  },
  maxSubscriptions: {
    text: 'maximum subscriptions exceeded',
    closes: null,
    logs: 'error',
    everyMs: 2_000,
  },
  invalidSubject: { text: 'Invalid Subject', closes: null },
  invalidPublishSubject: { text: 'Invalid Publish Subject', closes: null },
  kicked: { text: null, closes: 'Kicked' },
} as const satisfies Record<string, Refusal>

export type RefusalName = keyof typeof REFUSALS

export type CloseReason =
  | 'Client Closed'
  | 'Authentication Timeout'
  | 'Authentication Failure'
  | 'TLS Handshake Failure'
  | 'Slow Consumer (Pending Bytes)'
  | 'Slow Consumer (Write Deadline)'
  | 'Write Error'
  | 'Read Error'
  | 'Parse Error'
  | 'Stale Connection'
  | 'Protocol Violation'
  | 'Bad Client Protocol Version'
  | 'Maximum Account Connections Exceeded'
  | 'Maximum Connections Exceeded'
  | 'Maximum Message Payload Exceeded'
  | 'Maximum Control Line Exceeded'
  | 'Maximum Subscriptions Exceeded'
  | 'Server Shutdown'
  | 'Authentication Expired'
  | 'Missing Account'
  | 'Credentials Revoked'
  | 'No Responders Requires Headers'
  | 'Kicked'
  | 'Proxy Not Trusted'
  | 'Proxy Required'

/** Reasons after which what is still queued for the peer is thrown away. */
export const DISCARDS: ReadonlySet<CloseReason> = new Set<CloseReason>([
  'Read Error',
  'Write Error',
  'TLS Handshake Failure',
  'Slow Consumer (Pending Bytes)',
  'Slow Consumer (Write Deadline)',
])
