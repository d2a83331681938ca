// The service's HTTP API as far as ngs uses it. Every route the commands know is in this file.
import type { PlanFile } from '@ngs/service'
import { CliError, reasonOf } from '../errors.ts'

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
    return this.request('GET', '/v1/plans')
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
  const { code, message, remedy } = (value ?? {}) as { code?: unknown; message?: unknown; remedy?: unknown }
  return new CliError(
    typeof code === 'string' ? code : 'refused',
    typeof message === 'string' ? message : `${url} answered ${status}`,
    { details: Array.isArray(remedy) ? remedy.map(String) : [] },
  )
}
