import http from 'node:http'
import https from 'node:https'
import { failure } from '../errors.ts'
import type { Io } from '../io.ts'
import { quote } from '../text.ts'

/**
 * The few HTTP requests nsc makes. Plain node:http rather than fetch: it starts faster, and errors name the address.
 * Proxy variables of the environment are honoured, redirects are followed as clients of the official program do
 * (a POST becomes a GET on 301, 302 and 303).
 */

export interface HttpAnswer {
  status: number
  /** Reason phrase as sent, for messages. */
  reason: string
  body: string
}

export interface HttpRequest {
  method: 'GET' | 'POST'
  url: string
  body?: string
  headers?: Record<string, string>
  /** Milliseconds for the whole exchange; unlimited when left out. */
  timeout?: number
}

const MAX_REDIRECTS = 10
/** A token is at most 1 MiB; anything much longer is no answer of an account server. */
const MAX_BODY_BYTES = 4 * 1024 * 1024

/** Performs a request. Any status is an answer; only a failed exchange throws, with a text that starts like `Get "url": `. */
export async function request(env: Io['env'], ask: HttpRequest): Promise<HttpAnswer> {
  const agents = makeAgents(env)
  try {
    if (!URL.canParse(ask.url)) throw new Error('unsupported protocol scheme ""')
    return await follow(agents, ask)
  } catch (thrown) {
    const verb = ask.method === 'POST' ? 'Post' : 'Get'
    throw failure(`${verb} ${quote(ask.url)}: ${reasonOf(thrown)}`, thrown)
  } finally {
    agents.http.destroy()
    agents.https.destroy()
  }
}

/** A GET within five seconds, as all of nsc's are. */
export function get(env: Io['env'], url: string): Promise<HttpAnswer> {
  return request(env, { method: 'GET', url, timeout: 5_000 })
}

interface Agents {
  http: http.Agent
  https: https.Agent
}

function makeAgents(env: Io['env']): Agents {
  const options = { proxyEnv: env as NodeJS.ProcessEnv }
  return { http: new http.Agent(options), https: new https.Agent(options) }
}

async function follow(agents: Agents, ask: HttpRequest): Promise<HttpAnswer> {
  const signal = ask.timeout === undefined ? undefined : AbortSignal.timeout(ask.timeout)
  let { method, url, body, headers } = ask
  for (let hops = 0; ; hops++) {
    const answer = await exchange(agents, { method, url, body, headers }, signal)
    const { location } = answer.headers
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer
    if (hops >= MAX_REDIRECTS) throw new Error(`stopped after ${MAX_REDIRECTS} redirects`)
    url = new URL(location, url).href
    if (answer.status < 307 && method === 'POST') {
      method = 'GET'
      body = undefined
      headers = undefined
    }
  }
}

type Exchange = Pick<HttpRequest, 'method' | 'url'> & {
  body: string | undefined
  headers: Record<string, string> | undefined
}

function exchange(
  agents: Agents,
  ask: Exchange,
  signal: AbortSignal | undefined,
): Promise<HttpAnswer & { headers: http.IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const url = new URL(ask.url)
    const secure = url.protocol === 'https:'
    if (!secure && url.protocol !== 'http:')
      throw new Error(`unsupported protocol scheme "${url.protocol.slice(0, -1)}"`)
    const options: http.RequestOptions = {
      method: ask.method,
      agent: secure ? agents.https : agents.http,
      headers: {
        'User-Agent': 'nsc',
        ...ask.headers,
        ...(ask.body === undefined ? {} : { 'Content-Length': Buffer.byteLength(ask.body) }),
      },
      ...(signal ? { signal } : {}),
    }
    const call = (secure ? https : http).request(url, options, (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > MAX_BODY_BYTES) call.destroy(new Error(`answer is longer than ${MAX_BODY_BYTES} bytes`))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          reason: response.statusMessage ?? '',
          body: Buffer.concat(chunks).toString('utf8'),
          headers: response.headers,
        }),
      )
    })
    call.on('error', reject)
    call.end(ask.body)
  })
}

/** A failed exchange in the usual words: `dial tcp 127.0.0.1:1: connect: connection refused`. */
function reasonOf(thrown: unknown): string {
  const error = (
    thrown instanceof AggregateError ? thrown.errors.at(-1) : thrown
  ) as NodeJS.ErrnoException & {
    address?: string
    port?: number
    hostname?: string
  }
  const address = error.address?.includes(':') ? `[${error.address}]` : error.address
  switch (error.code) {
    case 'ECONNREFUSED':
      return `dial tcp ${address}:${error.port}: connect: connection refused`
    case 'EHOSTUNREACH':
      return `dial tcp ${address}:${error.port}: connect: no route to host`
    case 'ENETUNREACH':
      return `dial tcp ${address}:${error.port}: connect: network is unreachable`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${error.hostname}: no such host`
    case 'ECONNRESET':
      return 'EOF'
    case 'ABORT_ERR':
    case 'ETIMEDOUT':
      return 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
    default:
      return error.message
  }
}
