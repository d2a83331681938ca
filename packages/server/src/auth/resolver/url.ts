// URL: an HTTP account server, asked with GET <base>/<account>.
import { ServerError } from '../../errors.ts'
import type { Resolver } from './resolver.ts'

/** More than any token. */
const MAX_BODY = 4 * 1024 * 1024

export class UrlResolver implements Resolver {
  readonly store = null
  readonly #base: string
  readonly #timeoutMs: number

  constructor(url: string, timeoutMs: number) {
    this.#base = url.endsWith('/') ? url : `${url}/`
    this.#timeoutMs = timeoutMs
  }

  /** The base alone has to answer 200: a wrong URL shows at the start, not at the first client. @throws ServerError. */
  async check(): Promise<void> {
    try {
      await this.#get('')
    } catch (error) {
      throw new ServerError('resolver', (error as Error).message)
    }
  }

  async fetch(account: string): Promise<string | null> {
    return this.#get(account)
  }

  async #get(path: string): Promise<string> {
    const url = this.#base + path
    let response: Response
    let body: string
    try {
      response = await fetch(url, { signal: AbortSignal.timeout(this.#timeoutMs) })
      body = await response.text()
    } catch (error) {
      const { cause, message } = error as Error & { cause?: Error }
      throw new Error(`could not fetch <"${url}">: ${cause?.message ?? message}`)
    }
    if (response.status !== 200)
      throw new Error(`could not fetch <"${url}">: ${response.status} ${response.statusText}`)
    if (body.length > MAX_BODY) throw new Error(`could not fetch <"${url}">: the answer is too large`)
    return body.trim()
  }

  async close(): Promise<void> {}
}
