// URL: an HTTP account server, asked with GET <base>/<account>.
import { get as getPlain, type IncomingMessage } from 'node:http'
import { get as getSecure } from 'node:https'
import { ServerError } from '../../errors.ts'
import { TlsError, tlsClientOptions } from '../../tls/context.ts'
import type { TlsOptions } from '../../tls/options.ts'
import type { Resolver } from './resolver.ts'

/** More than any token, in bytes. */
const MAX_BODY = 4 * 1024 * 1024
const MOST_REDIRECTS = 10

export class UrlResolver implements Resolver {
  readonly store = null
  readonly #base: string
  readonly #timeoutMs: number
  readonly #tls: ReturnType<typeof tlsClientOptions> | null

  /** @throws ServerError for TLS options that cannot be used. */
  constructor(url: string, timeoutMs: number, tls: TlsOptions | null = null) {
    this.#base = url.endsWith('/') ? url : `${url}/`
    this.#timeoutMs = timeoutMs
    try {
      this.#tls = tls === null ? null : tlsClientOptions(tls)
    } catch (error) {
      if (!(error instanceof TlsError)) throw error
      throw new ServerError('resolver', error.message)
    }
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
    try {
      return await this.#follow(url, AbortSignal.timeout(this.#timeoutMs))
    } catch (error) {
      throw new Error(`could not fetch <"${url}">: ${(error as Error).message}`)
    }
  }

  async #follow(start: string, signal: AbortSignal): Promise<string> {
    let url = new URL(start)
    for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
      const response = await this.#request(url, signal)
      const { statusCode = 0, statusMessage = '', headers } = response
      if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
        response.destroy()
        url = new URL(headers.location, url)
        continue
      }
      if (statusCode === 200) return await bodyOf(response)
      response.destroy()
      throw new Error(`${statusCode} ${statusMessage}`)
    }
    throw new Error(`stopped after ${MOST_REDIRECTS} redirects`)
  }

  #request(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request =
        url.protocol === 'https:'
          ? getSecure(url, { ...this.#tls, signal }, resolve)
          : getPlain(url, { signal }, resolve)
      request.on('error', (error) =>
        reject(signal.aborted ? new Error('timeout: the account server takes too long') : error),
      )
    })
  }

  async close(): Promise<void> {}
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  let body = ''
  response.setEncoding('latin1')
  for await (const piece of response as AsyncIterable<string>) {
    body += piece
    if (body.length > MAX_BODY) throw new Error('the answer is too large')
  }
  return body.trim()
}
