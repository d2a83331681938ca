// From the codes of the service to HTTP, in the two forms there are: text for nsc, JSON for the API.
import { type Static, Type } from 'typebox'
import { type ErrorCode, ServiceError } from '../errors.ts'

export const statusOf: Record<ErrorCode, number> = {
  'bad-option': 500,
  'data-dir-unusable': 500,
  'data-dir-damaged': 500,
  'data-dir-in-use': 500,
  'bad-plans-file': 500,
  'not-a-jwt': 400,
  'bad-signature': 400,
  'wrong-kind': 400,
  'key-mismatch': 400,
  'wrong-issuer': 403,
  'reserved-account': 403,
  'stale-token': 409,
  'clock-ahead': 400,
  'expired-token': 400,
  'invalid-claims': 422,
  'over-plan': 403,
  'bad-import': 422,
  'too-large': 413,
  'rate-limited': 429,
  'unknown-account': 404,
  'ambiguous-account': 409,
  'unknown-plan': 400,
  'does-not-fit': 409,
  'account-cancelled': 409,
  unauthenticated: 401,
  'bad-challenge': 401,
  busy: 503,
  'not-connected': 503,
  'bad-request': 400,
  'not-found': 404,
  internal: 500,
}

/** A refusal of the JSON routes: schema of the API, and its type. */
export const ErrorBody = Type.Object(
  {
    code: Type.String({ description: 'Stable name of what went wrong' }),
    message: Type.String({ description: 'What happened, to which thing, and what to do next' }),
    remedy: Type.Optional(Type.Array(Type.String(), { description: 'What to change, one item a line' })),
  },
  { description: 'Refused' },
)
export type ErrorBody = Static<typeof ErrorBody>

interface FrameworkError {
  statusCode?: number
  code?: string
  message: string
  validation?: unknown
}

/** What a route, or the framework before it, threw, as an error of ours. A defect keeps its details to the log. */
export function asServiceError(error: unknown, bodyBytes: number): ServiceError {
  if (error instanceof ServiceError) return error
  const { statusCode = 500, code, message, validation } = error as FrameworkError
  if (statusCode === 413 || code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new ServiceError('too-large', `the body is larger than the ${bodyBytes} bytes that are taken`)
  }
  if (validation !== undefined) return new ServiceError('bad-request', `${message}; see /openapi.json`)
  if (statusCode >= 400 && statusCode < 500) return new ServiceError('bad-request', message)
  return new ServiceError('internal', 'the service failed; the operator finds the details in its log', {
    cause: error,
  })
}

/** Refuses what no route has. `url` is the one of the request line. */
export function notFound(method: string, url: string): ServiceError {
  const path = url.split('?')[0]
  return new ServiceError(
    'not-found',
    `there is nothing at ${path} for ${method}; see /jwt/v1/help and /openapi.json`,
  )
}

/** Of every text that is for people. */
export const textType = 'text/plain; charset=utf-8'

export function errorText(error: ServiceError): string {
  return `${[error.message, ...error.remedy].join('\n')}\n`
}

export function errorBody(error: ServiceError): ErrorBody {
  const remedy = error.remedy.length > 0 ? { remedy: [...error.remedy] } : {}
  return { code: error.code, message: error.message, ...remedy }
}
