import { decodeOperator, type OperatorClaims, undecorateJwt } from '@ngs/identity/node'
import { failure, textOf } from '../errors.ts'

/** An operator's token from a file or server, bare or decorated. */
export function readOperatorToken(
  content: string,
  what = 'importing',
): { token: string; claims: OperatorClaims } {
  const token = undecorateJwt(content).trim()
  let claims: OperatorClaims
  try {
    claims = decodeOperator(token)
  } catch (thrown) {
    throw failure(`error ${what} operator jwt: ${textOf(thrown)}`, thrown)
  }
  if (claims.nats.version !== 2)
    throw failure(
      `the operator jwt (v${claims.nats.version}) is incompatible with this version of nsc - ` +
        'ask the operator for a token of version 2',
    )
  return { token, claims }
}
