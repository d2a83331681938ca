// What the server says to a client it refuses, and what that does to the connection. One table: text after -ERR (null: nothing
// is sent) and the close reason as monitoring shows it (null: the connection stays). Source: client protocol, ADR-less folklore
// of the official server, proven by the conformance suite.

export const REFUSALS = {
  unknownOperation: { text: 'Unknown Protocol Operation', closes: 'Protocol Violation' },
  badArguments: { text: null, closes: 'Protocol Violation' },
  clientError: { text: null, closes: 'Parse Error' },
  controlLine: { text: 'maximum control line exceeded', closes: 'Maximum Control Line Exceeded' },
  maxPayload: { text: 'Maximum Payload Violation', closes: 'Maximum Message Payload Exceeded' },
  authorization: { text: 'Authorization Violation', closes: 'Authentication Failure' },
  authTimeout: { text: 'Authentication Timeout', closes: 'Authentication Timeout' },
  userExpired: { text: 'User Authentication Expired', closes: 'Authentication Expired' },
  accountExpired: { text: 'Account Authentication Expired', closes: 'Authentication Expired' },
  revoked: { text: 'User Authentication Revoked', closes: 'Credentials Revoked' },
  signingKeyGone: { text: null, closes: 'Authentication Failure' },
  maxConnections: { text: 'maximum connections exceeded', closes: 'Maximum Connections Exceeded' },
  maxAccountConnections: {
    text: 'maximum account active connections exceeded',
    closes: 'Maximum Account Connections Exceeded',
  },
  clientProtocol: { text: 'invalid client protocol', closes: 'Bad Client Protocol Version' },
  noRespondersNeedHeaders: {
    text: 'no responders requires headers support',
    closes: 'No Responders Requires Headers',
  },
  stale: { text: 'Stale Connection', closes: 'Stale Connection' },
  maxSubscriptions: { text: 'maximum subscriptions exceeded', closes: null },
  maxSubscriptionsApplied: {
    text: 'maximum subscriptions exceeded',
    closes: 'Maximum Subscriptions Exceeded',
  },
  invalidSubject: { text: 'Invalid Subject', closes: null },
  invalidPublishSubject: { text: 'Invalid Publish Subject', closes: null },
  kicked: { text: null, closes: 'Kicked' },
} as const satisfies Record<string, { text: string | null; closes: CloseReason | null }>

export type RefusalName = keyof typeof REFUSALS

export type CloseReason =
  | 'Client Closed'
  | 'Authentication Timeout'
  | 'Authentication Failure'
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
  | 'Proxy Required'

/** Reasons after which what is still queued for the peer is thrown away. */
export const DISCARDS: ReadonlySet<CloseReason> = new Set<CloseReason>([
  'Read Error',
  'Write Error',
  'Slow Consumer (Pending Bytes)',
  'Slow Consumer (Write Deadline)',
])

/** A value in double quotes as the official server prints it: Go escapes, wire bytes that are no UTF-8 as \xff. */
export function quote(wire: string): string {
  let text = '"'
  const decoded = Buffer.from(wire, 'latin1').toString('utf8')
  if (decoded.includes('\ufffd')) {
    for (const character of wire) text += escapeOne(character)
    return `${text}"`
  }
  for (const character of decoded) text += escapeOne(character, true)
  return `${text}"`
}

function escapeOne(character: string, unicode = false): string {
  switch (character) {
    case '"':
      return '\\"'
    case '\\':
      return '\\\\'
    case '\n':
      return '\\n'
    case '\r':
      return '\\r'
    case '\t':
      return '\\t'
  }
  const code = character.codePointAt(0)!
  if (code < 0x20 || code === 0x7f || (!unicode && code > 0x7e))
    return `\\x${code.toString(16).padStart(2, '0')}`
  return character
}
