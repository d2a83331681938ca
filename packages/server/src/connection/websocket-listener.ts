// The port for WebSocket clients: an HTTP server that answers nothing but requests for an upgrade.

import {
  createServer as createHttp,
  type Server as HttpServer,
  type IncomingMessage,
  STATUS_CODES,
} from 'node:http'
import { createServer as createHttps, Server as HttpsServer } from 'node:https'
import { createServer, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { timerDelay } from '../deadline.ts'
import { AcceptGuard } from '../descriptors.ts'
import { bind, hostPort, type Listener } from '../listen.ts'
import type { Server } from '../server.ts'
import { explain, isPinned, tlsSession } from '../tls/acceptor.ts'
import { tlsServerOptions, trustEachAuthority } from '../tls/context.ts'
import type { TlsOptions } from '../tls/options.ts'
import { fdOf } from './transport.ts'
import {
  canonical,
  malformed,
  refusalOf,
  settle,
  switchingProtocols,
  type UpgradeRefusal,
} from './upgrade.ts'
import { WebSocketTransport } from './websocket.ts'

/** Without handshake_timeout: strangers that ask for nothing do not stay for ever. */
const LONGEST_HANDSHAKE_MS = 60_000

const EVERYWHERE = '0.0.0.0'

const PLAIN = 'text/plain; charset=utf-8'

/** Requests with more bytes of header fields are refused: they are kept in memory until they are whole. */
const LARGEST_HEADER = 128 * 1024

export interface WebSocketListener extends Listener {
  readonly address: { readonly host: string; readonly port: number }
  readonly secure: boolean
  /** New connections get these certificates. @throws TlsError; then nothing has changed. */
  useTls(tls: TlsOptions): void
}

export async function startWebSocket(server: Server): Promise<WebSocketListener> {
  const { log } = server
  const options = server.options.websocket
  const host = options.host || EVERYWHERE
  const scheme = options.tls === null ? 'ws' : 'wss'
  /** Accepted connections whose upgrade has not come yet. */
  const waiting = new Map<Socket, NodeJS.Timeout>()
  const upgraded = (socket: Socket): void => {
    clearTimeout(waiting.get(socket))
    waiting.delete(socket)
  }
  let http = makeHttp(server, options.tls, upgraded)

  let guard: AcceptGuard | null = null
  const net = createServer({ noDelay: true }, (socket) => {
    guard?.accepted(fdOf(socket))
    const timeout = setTimeout(
      () => socket.destroy(),
      timerDelay(options.handshakeTimeoutMs || LONGEST_HANDSHAKE_MS),
    )
    waiting.set(socket, timeout.unref())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      clearTimeout(timeout)
      waiting.delete(socket)
    })
    // Node's documented way to hand a connection to a server that does not listen: so a reload can put another in its place.
    http.emit('connection', socket)
  })
  const { port } = await bind(
    net,
    host,
    options.port,
    (cause) => `Unable to listen for websocket connections: ${cause}`,
  )
  guard = new AcceptGuard(net, log, () => bind(net, host, port))
  log.info(`Listening for websocket clients on ${scheme}://${hostPort(host, port)}`)
  if (options.tls === null) log.warn('Websocket not configured with TLS. DO NOT USE IN PRODUCTION!')
  const stopAccepting = (): void => {
    guard.stop()
    net.close()
  }
  // Those that were upgraded are clients, which the server closes.
  const close = async (): Promise<void> => {
    stopAccepting()
    for (const socket of waiting.keys()) socket.destroy()
  }
  server.onStop(close)
  return {
    url: `${scheme}://${hostPort(host, port)}`,
    address: { host, port },
    secure: scheme === 'wss',
    close,
    stopAccepting,
    useTls(tls) {
      http = makeHttp(server, tls, upgraded)
    },
  }
}

/** `onUpgrade` is told of the plain connection under each that is a WebSocket from now on. */
function makeHttp(server: Server, tls: TlsOptions | null, onUpgrade: (plain: Socket) => void): HttpServer {
  const { log } = server
  const options = server.options.websocket
  const secure = tls !== null
  const refusal = (request: IncomingMessage): UpgradeRefusal | null => refusalOf(request, options, secure)
  const settings = {
    maxHeaderSize: LARGEST_HEADER,
    requireHostHeader: false,
    // A refused request is an ordinary one, whose connection may be used again.
    shouldUpgradeCallback: (request: IncomingMessage) =>
      malformed(request) === null && canonical(request) === null && refusal(request) === null,
  }
  const http = tls === null ? createHttp(settings) : createHttps({ ...settings, ...tlsServerOptions(tls) })
  if (http instanceof HttpsServer) trustEachAuthority(http)
  http.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    const { remoteAddress = '', remotePort = 0 } = socket
    const { message } = explain(error, socket)
    log.error(`websocket: http: TLS handshake error from ${hostPort(remoteAddress, remotePort)}: ${message}`)
  })
  // All of them count: one that is left out may be one that decides.
  http.maxHeadersCount = 0
  http.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Other errors are those of the connection, or of its TLS.
    if (error.code?.startsWith('HPE_') && socket.writable) {
      const status = statusOf(error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400)
      socket.write(`HTTP/1.1 ${status}\r\nContent-Type: ${PLAIN}\r\nConnection: close\r\n\r\n${status}`)
      socket.destroySoon()
    } else socket.destroy()
  })
  http.on('checkExpectation', (request, response) => http.emit('request', request, response))
  http.on('request', (request: IncomingMessage, response) => {
    const broken = malformed(request)
    if (broken !== null) {
      const status = statusOf(broken.status, broken.why)
      response
        .writeHead(broken.status, status.slice(4), {
          Connection: 'close',
          'Content-Length': status.length,
          'Content-Type': PLAIN,
        })
        .end(status)
      return
    }
    const path = canonical(request)
    if (path !== null) {
      const link = `<a href="${path.replace(/["&'<>]/g, (one) => `&#${one.charCodeAt(0)};`)}">Temporary Redirect</a>.\n\n`
      response
        .writeHead(307, {
          'Content-Length': Buffer.byteLength(link),
          'Content-Type': 'text/html; charset=utf-8',
          Location: path,
        })
        .end(link)
      return
    }
    const { status, why } = refusal(request) ?? { status: 400, why: "invalid value for header 'Upgrade'" }
    const { remoteAddress = '', remotePort = 0 } = request.socket
    log.error(`${hostPort(remoteAddress, remotePort)} - websocket handshake error: ${why}`)
    const body = `${STATUS_CODES[status]}\n`
    response
      .writeHead(status, {
        'Content-Length': body.length,
        'Content-Type': PLAIN,
        'Sec-Websocket-Version': '13',
        'X-Content-Type-Options': 'nosniff',
      })
      .end(body)
  })
  http.on('upgrade', (request: IncomingMessage, stream, head) => {
    const socket = stream as Socket
    onUpgrade(secure ? plainBelow(socket as TLSSocket) : socket)
    socket.on('error', () => socket.destroy())
    const address = hostPort(socket.remoteAddress ?? '', socket.remotePort ?? 0)
    if (head.length > 0) {
      log.error(`${address} - websocket handshake error: client sent data before handshake is complete`)
      socket.destroy()
      return
    }
    const session = tls === null ? null : tlsSession(socket as TLSSocket, tls, false)
    if (tls !== null && !isPinned(tls, session?.certificate)) {
      log.error(`${address} - websocket handshake error: certificate not pinned`)
      socket.destroy()
      return
    }
    const upgrade = settle(request, options)
    socket.write(switchingProtocols(request, upgrade, options))
    if (upgrade.kind === 'leaf') {
      log.error('Not configured to accept leaf node connections')
      socket.end()
      return
    }
    server.attach(
      (events) => new WebSocketTransport(socket, session, upgrade, events),
      (client, transport) => {
        client.greet()
        client.begin()
        transport.start()
      },
    )
  })
  return http
}

/** `400 Bad Request: why`. */
const statusOf = (status: number, why = ''): string =>
  `${status} ${STATUS_CODES[status]}${why === '' ? '' : `: ${why}`}`

/** Not public: the connection below a secure one. */
const plainBelow = (socket: TLSSocket): Socket => (socket as unknown as { _parent: Socket })._parent
