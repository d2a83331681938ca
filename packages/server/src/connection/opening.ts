// What comes before the protocol on a TCP connection: a PROXY header, the choice between clear text and TLS, the handshake.
//
// By default the client first gets INFO in clear text, then TLS begins. `handshake_first` turns that around, and with a delay waits
// for what the client does; `allow_non_tls` looks at the first bytes to tell TLS from clear text.

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { timerDelay } from '../deadline.ts'
import { hostPort } from '../listen.ts'
import { PROXY_PREFIX, ProxyHeaderError, readProxyHeader } from '../protocol/proxy-header.ts'
import type { Server } from '../server.ts'
import { HandshakeError, type TlsAcceptor, tlsSession } from '../tls/acceptor.ts'
import { handshakeTimeout } from '../tls/options.ts'
import type { Client } from './client.ts'
import type { TcpTransport } from './transport.ts'

/** First byte of a TLS handshake record. */
const TLS_HANDSHAKE = 0x16
const NOTHING: Buffer = Buffer.alloc(0)
const PROXY_TIMEOUT_MS = 5_000
/** Enough to tell a PROXY header, TLS and clear text apart; shorter clear text (none is of use) waits for the timeout. */
const SNIFFED = 6

/** Runs until the client may speak the protocol, or is closed. Greets in this tick when the client is to be greeted at once. */
export async function openConnection(server: Server, client: Client, transport: TcpTransport): Promise<void> {
  const { tls } = server
  let first = tls?.options.handshakeFirst ?? false
  if (!first) client.greet()
  let secure = tls !== null && (first || !server.options.allowNonTls)
  let head = NOTHING
  if (first && tls!.options.fallbackDelay > 0) {
    head = await readHead(transport.socket, 1, tls!.options.fallbackDelay)
    if (client.closed) return
    if (head.length === 0) {
      first = false
      secure = !server.options.allowNonTls
      client.greet()
    }
  }
  const sniffs = !first && tls !== null && server.options.allowNonTls
  if (sniffs) {
    head = await readHead(transport.socket, SNIFFED, handshakeTimeout(tls.options))
    if (client.closed) return
    secure = head[0] === TLS_HANDSHAKE
  }
  if (server.options.proxyProtocol) {
    const before = head
    const rest = await readProxy(client, transport, head)
    if (rest === null || client.closed) return
    head = rest
    // What was looked at was the header's.
    if (sniffs && before !== rest) {
      if (head.length === 0) head = await readHead(transport.socket, 1, handshakeTimeout(tls.options))
      if (client.closed) return
      secure = head[0] === TLS_HANDSHAKE
    }
  }
  if (secure) {
    if (!tls!.mayBegin()) {
      client.refuse('throttled')
      return
    }
    if (head.length > 0) transport.socket.unshift(head)
    head = NOTHING
    if (!(await handshake(tls!, client, transport, first)) || client.closed) return
  }
  if (first) client.greet()
  client.begin()
  transport.start(head)
}

async function handshake(
  tls: TlsAcceptor,
  client: Client,
  transport: TcpTransport,
  first: boolean,
): Promise<boolean> {
  const { log } = client.server
  if (log.debugOn) log.debug(`${client.label} - Starting TLS client connection handshake`)
  let socket: TLSSocket
  try {
    transport.beginHandshake()
    socket = await tls.handshake(transport.socket)
  } catch (error) {
    if (!(error instanceof HandshakeError)) throw error
    if (!client.closed) {
      if (error.hint !== '') log.debug(`${client.label} - ${error.hint}`)
      const text = `${client.label} - TLS handshake error: ${error.message}`
      if (error.probe) log.debug(text)
      else log.error(text)
      client.close('TLS Handshake Failure')
    }
    return false
  }
  transport.secured(socket, tlsSession(socket, tls.options, first))
  if (client.closed) {
    socket.destroy()
    return false
  }
  if (log.debugOn) {
    const { version, cipher } = transport.tls!
    log.debug(`${client.label} - TLS handshake complete`)
    log.debug(`${client.label} - TLS version ${version}, cipher suite ${cipher}`)
  }
  return true
}

/**
 * Takes the client's address from a PROXY header, if the connection begins with one. What came behind it, or all that came when there is
 * none; null when it cannot be used, which closes the connection.
 */
async function readProxy(client: Client, transport: TcpTransport, before: Buffer): Promise<Buffer | null> {
  const { socket } = transport
  const end = performance.now() + PROXY_TIMEOUT_MS
  let head = before
  try {
    for (;;) {
      const header = readProxyHeader(head)
      if (header.kind === 'none') return head
      if (header.kind === 'header') {
        if (header.source !== null) {
          transport.remoteAddress = header.source.host
          transport.remotePort = header.source.port
        }
        return head.subarray(header.size)
      }
      const more = await readHead(socket, header.bytes, end - performance.now())
      if (client.closed) return null
      if (more.length < header.bytes)
        throw new ProxyHeaderError(
          `failed to read ${head.length < PROXY_PREFIX ? 'protocol version' : 'header'}: ${socket.readableEnded ? 'EOF' : 'i/o timeout'}`,
        )
      head = Buffer.concat([head, more])
    }
  } catch (error) {
    if (!(error instanceof ProxyHeaderError)) throw error
    const from = hostPort(transport.remoteAddress, transport.remotePort)
    client.server.log.warn(`Error reading PROXY protocol header from ${from}: ${error.message}`)
    client.close('Protocol Violation')
    return null
  }
}

/** All that has come in when that are `count` bytes, the time (ms) is over or the peer ended. */
function readHead(socket: Socket, count: number, timeout: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const finish = (head: Buffer | null): void => {
      clearTimeout(timer)
      socket.off('readable', look).off('end', giveUp).off('close', giveUp)
      resolve(head ?? NOTHING)
    }
    const look = (): void => {
      if (socket.readableLength >= count) finish(socket.read() as Buffer)
      // Null while there are fewer, unless the peer ended: then what is left.
      else finishWith(socket.read(count) as Buffer | null)
    }
    const finishWith = (head: Buffer | null): void => {
      if (head !== null) finish(head)
    }
    const giveUp = (): void => finish(socket.read() as Buffer | null)
    const timer = setTimeout(giveUp, timerDelay(timeout))
    socket.on('readable', look).on('end', giveUp).on('close', giveUp)
  })
}
