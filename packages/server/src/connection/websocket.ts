// The WebSocket transport: the same protocol bytes in binary messages. Several operations may share a message and one may span several.

import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { bind, hostPort, type Listener } from '../listen.ts'
import type { Server } from '../server.ts'
import type { TlsSession, Transport, TransportCredentials, TransportEvents } from './transport.ts'

class WebSocketTransport implements Transport {
  readonly type = 'WEBSOCKET'
  readonly tls: TlsSession | null = null
  readonly fd = -1
  readonly remoteAddress: string
  readonly remotePort: number
  readonly credentials: TransportCredentials | null
  readonly #socket: WebSocket

  constructor(
    socket: WebSocket,
    request: IncomingMessage,
    credentials: TransportCredentials | null,
    events: TransportEvents,
  ) {
    this.#socket = socket
    this.credentials = credentials
    const address = request.socket.remoteAddress ?? ''
    this.remoteAddress = address.startsWith('::ffff:') ? address.slice(7) : address
    this.remotePort = request.socket.remotePort ?? 0
    let problem: Error | null = null
    socket.on('message', (data: Buffer) => events.onData(data))
    socket.on('error', (error) => {
      problem = error
    })
    socket.on('close', () => events.onClose(problem))
  }
  write(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.#socket.send(bytes, { binary: true }, done)
  }
  pause(): void {
    this.#socket.pause()
  }
  resume(): void {
    this.#socket.resume()
  }
  end(): void {
    this.#socket.close(1000)
    setTimeout(() => this.#socket.terminate(), 2_000).unref()
  }
  destroy(): void {
    this.#socket.terminate()
  }
}

export async function startWebSocket(server: Server): Promise<Listener> {
  const options = server.options.websocket
  const host = options.host || server.options.host
  const http = createServer((_request, response) =>
    response.writeHead(400, { 'Content-Type': 'text/plain' }).end('this port speaks WebSocket only\n'),
  )
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: options.compression ? { threshold: 64 } : false,
    // A message may hold many operations; the protocol limits each of them.
    maxPayload: 64 * 1024 * 1024,
  })
  http.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    if (!isAllowedOrigin(request, options)) {
      socket.end(
        'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\norigin not allowed\r\n',
      )
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      server.attach(
        (events) => new WebSocketTransport(webSocket, request, credentials(request, options), events),
        (client) => {
          client.greet()
          client.begin()
        },
      )
    })
  })
  const { port } = await bind(http, host, options.port)
  server.log.info(`Listening for websocket clients on ws://${hostPort(host, port)}`)
  server.log.warn('Websocket not configured with TLS. DO NOT USE IN PRODUCTION!')
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      http.close(() => resolve())
      for (const socket of sockets.clients) socket.close(1001)
      http.closeAllConnections()
      // Upgraded sockets are no longer the HTTP server's to close.
      setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate()
      }, 100)
    })
  server.onStop(close)
  return { url: `ws://${hostPort(host, port)}`, close, stopAccepting: () => void http.close() }
}

/** A browser's page must come from here (same_origin) or from the list; clients without Origin are no browsers. */
function isAllowedOrigin(
  request: IncomingMessage,
  options: { sameOrigin: boolean; allowedOrigins: string[] },
): boolean {
  const { origin } = request.headers
  if (origin === undefined || (!options.sameOrigin && options.allowedOrigins.length === 0)) return true
  if (!URL.canParse(origin)) return false
  const page = new URL(origin)
  if (options.sameOrigin && page.host !== request.headers.host) return false
  return (
    options.allowedOrigins.length === 0 ||
    options.allowedOrigins.some((allowed) => URL.canParse(allowed) && new URL(allowed).origin === page.origin)
  )
}

function credentials(
  request: IncomingMessage,
  options: { jwtCookie: string; userCookie: string; passCookie: string; tokenCookie: string },
): TransportCredentials | null {
  const cookies = new Map(
    (request.headers.cookie ?? '').split(';').map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const
    }),
  )
  const found: TransportCredentials = {}
  const take = (name: string, field: keyof TransportCredentials): void => {
    const value = name === '' ? undefined : cookies.get(name)
    if (value !== undefined) found[field] = value
  }
  take(options.jwtCookie, 'jwt')
  take(options.userCookie, 'user')
  take(options.passCookie, 'pass')
  take(options.tokenCookie, 'token')
  return Object.keys(found).length === 0 ? null : found
}
