import { decodeOperator, type OperatorClaims, undecorateJwt } from '@ngs/identity/node'
import { failure, textOf } from '../errors.ts'
import type { Io } from '../io.ts'
import { loadUrl } from '../remote/account-server.ts'
import { unreachableHint } from '../store/well-known.ts'

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

/** The content of an operator's URL. */
export async function loadOperatorUrl(env: Io['env'], url: string): Promise<string> {
  try {
    return await loadUrl(env, url)
  } catch (thrown) {
    throw failure(textOf(thrown) + unreachableHint(env, url), thrown)
  }
}
