/**
 * Every way the service can fail, by stable code. The value says what the code means; the text of a thrown error says
 * what happened, to which thing and what to do next. http/errors.ts gives each code its HTTP status.
 */
export const errorCodes = {
  'bad-option': 'an option of the service is missing or malformed',
  'data-dir-unusable': 'the data directory cannot be created, read or written',
  'data-dir-damaged': 'a file of the data directory is missing or not what it was',
  'data-dir-in-use': 'another process has the data directory open',
  'bad-plans-file': 'the plan catalogue is missing or malformed',
  'not-a-jwt': 'the body is not a token that decodes',
  'bad-signature': 'the signature of the token does not verify',
  'wrong-kind': 'the token is not an account token',
  'key-mismatch': 'the token is about another account than the path',
  'wrong-issuer': 'the token is signed by a key that may not sign this account',
  'reserved-account': 'the account belongs to the operator',
  'stale-token': 'the token is older than the one that is stored',
  'clock-ahead': 'the token was issued in the future',
  'expired-token': 'the token has expired or is not valid yet',
  'invalid-claims': 'the claims break a rule that the servers enforce',
  'over-plan': 'the account wants more than its plan allows',
  'bad-import': 'an import cannot work: it lacks a valid activation, or names what is not offered',
  'too-large': 'the token, or a list in it, is too large',
  'rate-limited': 'too many requests came from one address',
  'unknown-account': 'no such account',
  'ambiguous-account': 'several accounts have this name',
  'unknown-plan': 'no such plan in the catalogue',
  'does-not-fit': 'the account uses more than the plan allows',
  'account-cancelled': 'the owner has deleted the account',
  unauthenticated: 'the bearer token is missing, wrong or expired',
  'bad-challenge': 'the challenge is unknown, used, expired, or signed by another key',
  busy: 'a bounded table is full for now',
  'not-connected': 'no message server can be reached at the moment',
  'bad-request': 'the request does not have the documented shape',
  'not-found': 'no such route',
  internal: 'a defect of the service',
} as const

/** A key of errorCodes. */
export type ErrorCode = keyof typeof errorCodes

/** The one error of this package. `remedy`, when there is one, lists what to change, one item a line. */
export class ServiceError extends Error {
  readonly code: ErrorCode
  readonly remedy: readonly string[]

  constructor(code: ErrorCode, text: string, options: { remedy?: readonly string[]; cause?: unknown } = {}) {
    super(text, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ServiceError'
    this.code = code
    this.remedy = options.remedy ?? []
  }
}

/** The text of anything that was thrown; of a failed system call what the system says, without its code and arguments. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const { syscall, message } = thrown as NodeJS.ErrnoException
  return syscall === undefined ? message : message.replace(/^[A-Z0-9_]+: (.+?), .*$/s, '$1')
}
