// Trusted proxies: one that passes a client on signs the nonce of INFO with its own key, so that the server knows the client came that way.
import { decodeBase64Url, IdentityError, verifySignature } from '@ngs/identity/node'
import { type AuthResult, type ConnectAttempt, type Denial, refused } from './authenticator.ts'

export const PROXY_REQUIRED: Denial = refused('proxy connection required', 'Proxy Required')
export const PROXY_NOT_TRUSTED: Denial = refused('proxy is not trusted', 'Proxy Not Trusted')

/**
 * The key of the trusted proxy that signed; '' without a signature, or without proxies to trust, which makes signatures mean nothing.
 * A refusal for a signature of somebody else.
 */
export function proxyOf({ connect, nonce }: ConnectAttempt, trusted: readonly string[]): string | Denial {
  if (connect.proxy_sig === '' || trusted.length === 0) return ''
  let signature: Uint8Array
  try {
    // In the one alphabet only, other than the signatures of users.
    signature = decodeBase64Url(connect.proxy_sig)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return { ...PROXY_NOT_TRUSTED, hint: 'Proxy signature not valid base64', told: null }
  }
  const found = trusted.find((key) => verifySignature(key, Buffer.from(nonce), signature))
  return found ?? { ...PROXY_NOT_TRUSTED, told: null }
}

/** A refusal that tells which proxy the client came through. */
export function throughProxy(result: AuthResult, proxyKey: string): AuthResult {
  return result.ok || proxyKey === '' ? result : { ...result, proxyKey }
}
