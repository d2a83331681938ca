// HTTP monitoring: the listener, paths as Go's ServeMux has them, and the form of answers.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import { posix } from 'node:path'
import { ServerError } from '../errors.ts'
import { bind, hostPort, type Listener } from '../listen.ts'
import type { Options } from '../options.ts'
import type { Server } from '../server.ts'
import { type Answer, ENDPOINTS, text } from './endpoints.ts'
import { indexPage } from './index-page.ts'
import { Query, QueryError } from './query.ts'

// Collectors ask every minute or so, on the connection that they have.
const LIMITS = { headersTimeout: 5_000, keepAliveTimeout: 120_000, maxHeaderSize: 1024 * 1024 }
const HTML = 'text/html; charset=utf-8'

/** Opens the monitoring port. @throws ServerError when it is taken or the options do not fit together. */
export async function startMonitoring(server: Server): Promise<Listener> {
  const { options } = server
  const { httpPort, httpsPort } = options
  if (httpPort !== 0 && httpsPort !== 0)
    throw refused(`can't specify both HTTP (${httpPort}) and HTTPs (${httpsPort}) ports`)
  const host = options.httpHost || options.host
  const base = posix.resolve('/', options.httpBasePath)
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    respond(server, base, request, response).catch((error: Error) => {
      server.log.error(`monitoring: ${request.url}: ${error.message}`)
      if (!response.headersSent) send(response, text(500, 'Internal Server Error\n'))
      else response.destroy()
    })
  }
  const { http, renewTls } =
    httpsPort === 0 ? { http: createServer(LIMITS, handle) } : await secureServer(options, handle)
  const { port } = await bind(
    http,
    host,
    httpPort || httpsPort,
    (cause) => refused(`can't listen to the monitor port: ${cause}`).message,
  )
  const protocol = httpsPort === 0 ? 'http' : 'https'
  server.log.info(`Starting ${protocol} monitor on ${hostPort(host, port)}`)
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      http.close(() => resolve())
      http.closeAllConnections()
    })
  server.onStop(close)
  return {
    url: `${protocol}://${hostPort(host, port)}`,
    close,
    ...(renewTls === undefined ? {} : { renewTls }),
  }
}

const refused = (why: string): ServerError => new ServerError('monitoring', `Can't start monitoring: ${why}`)

/** With the certificates of the client port, but without asking for those of the clients. */
async function secureServer(
  options: Options,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ http: SecureServer; renewTls: () => void }> {
  const { tls } = options
  if (tls === null) throw refused('TLS cert and key required for HTTPS')
  const { createServer: createSecureServer } = await import('node:https')
  const { tlsServerOptions } = await import('../tls/context.ts')
  let current = tlsServerOptions(tls, false)
  const http = createSecureServer(
    {
      ...LIMITS,
      ...current,
      SNICallback: (name, done) =>
        current.SNICallback === undefined ? done(null) : current.SNICallback(name, done),
    },
    handle,
  )
  const renewTls = (): void => {
    // Without a tls block the old certificates stay.
    if (options.tls === null) return
    current = tlsServerOptions(options.tls, false)
    http.setSecureContext(current)
  }
  return { http, renewTls }
}

async function respond(
  server: Server,
  base: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A request through a proxy names the host, too.
  const url = (request.url ?? '').replace(/^https?:\/\/[^/?]*/i, '')
  const at = url.indexOf('?')
  const path = decodePath(at < 0 ? url : url.slice(0, at))
  const search = at < 0 ? '' : url.slice(at + 1)
  if (path === null || path === '*') return send(response, text(400, '400 Bad Request'))
  const clean = posix.resolve('/', path) + (path.length > 1 && path.endsWith('/') ? '/' : '')
  if (clean !== path && clean !== '//') return redirect(request, response, clean, search)
  if (path === base) {
    count(server, '/')
    return send(response, { type: HTML, body: indexPage(base === '/' ? '' : base, server.options.metrics) })
  }
  const name = base === '/' ? path : path.startsWith(`${base}/`) ? path.slice(base.length) : ''
  if (name === '/metrics' && server.options.metrics) {
    const { metrics } = await import('./metrics.ts')
    return send(response, await metrics(server))
  }
  const endpoint = Object.hasOwn(ENDPOINTS, name) ? ENDPOINTS[name]! : null
  if (endpoint === null) {
    response.setHeader('X-Content-Type-Options', 'nosniff')
    return send(response, text(404, '404 page not found\n'))
  }
  if (endpoint.counted !== undefined) count(server, endpoint.counted)
  let answer: Answer
  try {
    answer = endpoint.answer(server, new Query(search))
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    answer = text(400, error.message)
  }
  send(response, answer)
}

function count({ httpRequests }: Server, name: string): void {
  httpRequests.set(name, (httpRequests.get(name) ?? 0) + 1)
}

function decodePath(path: string): string | null {
  try {
    return decodeURIComponent(path)
  } catch {
    return null
  }
}

/** A path with `//`, `.` or `..` is asked for again without. */
function redirect({ method }: IncomingMessage, response: ServerResponse, path: string, search: string): void {
  const target = encodeURI(path) + (search === '' ? '' : `?${search}`)
  const shown = target.replaceAll('&', '&amp;').replaceAll('"', '&#34;').replaceAll('<', '&lt;')
  response.setHeader('Location', target)
  if (method === 'GET' || method === 'HEAD')
    send(response, { status: 307, type: HTML, body: `<a href="${shown}">Temporary Redirect</a>.\n\n` })
  else response.writeHead(307, { 'Content-Length': 0 }).end()
}

function send(response: ServerResponse, { status = 200, type, shared, body }: Answer): void {
  response.writeHead(status, {
    ...(shared ? { 'Access-Control-Allow-Origin': '*' } : {}),
    'Content-Type': type ?? 'application/json',
    'Content-Length': Buffer.byteLength(body),
  })
  response.end(body)
}
