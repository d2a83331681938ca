// The service's HTTP API as far as ngs uses it. Every route the commands know is in this file.
import { encodeBase64Url, type KeyPair } from '@ngs/identity/node'
import type { AccountStatus, ErrorBody, noncePrefix, PlanFile, PlanLimits, UsageReport } from '@ngs/service'
import { CliError, reasonOf } from '../errors.ts'

/** Typed as the service's, so that the two cannot differ; the service itself is not loaded for it. */
const NONCE_PREFIX: typeof noncePrefix = 'ngs-auth:'

/** One account as the operator sees it. */
export interface AccountEntry {
  account: string
  name: string
  plan: string
  state: string
  distributed: boolean
  created_at: string
  updated_at: string
}

/** Where the service listens unless told otherwise. */
export const DEFAULT_URL = 'http://localhost:8228'

const TIMEOUT_MS = 10_000

export class ServiceClient {
  readonly url: string
  readonly #bearer: string | null

  constructor(url: string, bearer: string | null = null) {
    this.url = url
    this.#bearer = bearer
  }

  plans(): Promise<PlanFile> {
    return this.request('GET', '/api/v1/plans')
  }

  /**
   * Signs in as the owner of an account: the service sends a nonce, the account's key signs it. Only a text that
   * begins as nonces do is signed; any other could be a token that the key's owner never meant to issue.
   * @throws CliError bad-nonce, or what the service refuses with
   */
  async signIn(account: string, key: KeyPair): Promise<ServiceClient> {
    const { nonce } = await this.request<{ nonce: string }>('POST', '/api/v1/auth/challenge', { account })
    if (typeof nonce !== 'string' || !nonce.startsWith(`${NONCE_PREFIX}${account}:`)) {
      throw new CliError(
        'bad-nonce',
        `${this.url} asks for a signature on something that is no nonce; nothing was signed. Is that address really the service's?`,
      )
    }
    const signature = encodeBase64Url(key.sign(new TextEncoder().encode(nonce)))
    const session = await this.request<{ token: string }>('POST', '/api/v1/auth/session', {
      account,
      nonce,
      signature,
    })
    return new ServiceClient(this.url, session.token)
  }

  status(): Promise<AccountStatus> {
    return this.request('GET', '/api/v1/account')
  }

  usage(): Promise<{ account: string; usage: UsageReport; limits: PlanLimits }> {
    return this.request('GET', '/api/v1/account/usage')
  }

  /** For the operator alone. */
  accounts(): Promise<{ accounts: AccountEntry[] }> {
    return this.request('GET', '/api/v1/operator/accounts')
  }

  /** For the operator alone. @param account public key, or a name that one account has */
  changePlan(account: string, plan: string): Promise<AccountEntry> {
    return this.request('PUT', `/api/v1/operator/accounts/${encodeURIComponent(account)}/plan`, { plan })
  }

  /**
   * One request; JSON in, JSON out.
   * @throws CliError no-service when nothing answers, else with the code and text that the service gives
   */
  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    let response: Response
    try {
      response = await fetch(this.url + path, {
        method,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(this.#bearer === null ? {} : { authorization: `Bearer ${this.#bearer}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
    } catch (error) {
      throw unreachable(this.url, error)
    }
    const text = await response.text()
    let value: unknown
    try {
      value = text === '' ? null : JSON.parse(text)
    } catch {
      throw new CliError(
        'not-the-service',
        `${this.url}${path} answered ${response.status} but not with JSON; is NGS_URL or --url the service's address?`,
      )
    }
    if (!response.ok) throw refused(this.url + path, response.status, value)
    return value as T
  }
}

function unreachable(url: string, error: unknown): CliError {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  const why =
    (error as Error).name === 'TimeoutError'
      ? `no answer within ${TIMEOUT_MS / 1000} s`
      : (cause?.code ?? cause?.message ?? reasonOf(error))
  return new CliError(
    'no-service',
    `cannot reach the service at ${url} (${why}); start it with ngs up, or set NGS_URL or --url to where it is`,
  )
}

function refused(url: string, status: number, value: unknown): CliError {
  const error = value as Partial<ErrorBody> | null
  if (typeof error?.code !== 'string' || typeof error.message !== 'string') {
    return new CliError(
      'not-the-service',
      `${url} answered ${status}; is NGS_URL or --url the service's address?`,
    )
  }
  return new CliError(error.code, error.message, { details: error.remedy ?? [] })
}
