// What carries a connection's bytes. The client knows this seam only; TCP and TLS are here, WebSocket in websocket.ts.
import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ConnectionType } from '../auth/authenticator.ts'
import type { CloseReason } from '../protocol/refusals.ts'
import { readShared } from './shared-read.ts'

/** What a TLS handshake agreed on, and who the client is by it. */
export interface TlsSession {
  readonly version: '1.2' | '1.3'
  /** As IANA names it. */
  readonly cipher: string
  /** The client's own. Node does not tell which others came with it. */
  readonly certificate: X509Certificate | undefined
  /** The certificates were checked against the authorities of the listener. */
  readonly verified: boolean
  /** The chain that they were checked by, from the client's own to that of the authority; empty when they were not. DER. */
  readonly verifiedChain: () => X509Certificate[]
  /** The listener takes the user from the certificate (`verify_and_map`). */
  readonly mapsUser: boolean
  /** The handshake came before INFO. */
  readonly first: boolean
}

export interface Transport {
  readonly type: ConnectionType
  /** Null without TLS. Read at CONNECT, when the handshake is over. */
  readonly tls: TlsSession | null
  readonly remoteAddress: string
  readonly remotePort: number
  /** A descriptor one may write to directly while nothing is queued, or -1. */
  readonly fd: number
  /** What the transport's handshake brought as credentials (WebSocket cookies). */
  readonly credentials: TransportCredentials | null
  /** The outbox makes each batch a WebSocket frame. */
  readonly framed: boolean
  /** Whom a proxy in between spoke for (X-Forwarded-For), for logs; empty for none. */
  readonly forwardedFor: string
  /** `done` is called when the bytes left this process, or with the error that kept them from it. */
  write(bytes: Buffer, done: (error?: Error | null) => void): void
  pause(): void
  resume(): void
  /** Sends what is queued, then closes; WebSocket says the reason. */
  end(reason: CloseReason): void
  destroy(): void
}

export interface TransportCredentials {
  jwt?: string
  user?: string
  pass?: string
  token?: string
}

export interface TransportEvents {
  /** The largest payload that the client may send now, 0 or less for any. */
  readonly maxPayload: number
  /** The chunk may be overwritten after the call. */
  onData(chunk: Buffer): void
  /** Sends bytes that are no part of the protocol, between two batches. */
  onControl(bytes: Buffer): void
  /** The peer ended the conversation, or broke its rules; the connection is open still. */
  onEnded(error: Error | null): void
  /** Once; with the error for anything but the peer's orderly end. */
  onClose(error: Error | null): void
}

/** Longest wait for a peer to take what was sent before the close. */
export const LINGER_MS = 2_000

export class TcpTransport implements Transport {
  readonly type = 'STANDARD'
  tls: TlsSession | null = null
  readonly credentials = null
  readonly framed = false
  readonly forwardedFor = ''
  /** What a PROXY header says, once it is read, instead of the peer's own. */
  remoteAddress: string
  remotePort: number
  fd: number
  socket: Socket
  #error: Error | null = null
  readonly #events: TransportEvents

  /** Nothing is read before start(). */
  constructor(socket: Socket, events: TransportEvents) {
    this.socket = socket
    this.#events = events
    this.remoteAddress = plainAddress(socket.remoteAddress)
    this.remotePort = socket.remotePort ?? 0
    this.fd = fdOf(socket)
    socket.setNoDelay(true)
    this.#listen()
  }

  #listen(): void {
    this.socket.on('error', this.#onError).on('end', this.#onEnd).on('close', this.#onClose)
  }
  readonly #onError = (problem: Error): void => {
    this.#error = problem
  }
  readonly #onEnd = (): void => {
    this.socket.end()
  }
  readonly #onClose = (): void => this.#events.onClose(this.#error)

  /** A handshake takes the connection over: nothing goes past it to the descriptor, and it alone tells how the connection ends. */
  beginHandshake(): void {
    this.fd = -1
    this.socket.off('end', this.#onEnd).off('close', this.#onClose)
  }
  secured(socket: TLSSocket, session: TlsSession): void {
    this.socket = socket
    this.tls = session
    this.#listen()
  }

  /** Delivers what comes in, from now on, after what was read already. */
  start(head: Buffer | null = null): void {
    const { socket } = this
    const take = (chunk: Buffer): void => this.#events.onData(chunk)
    if (!readShared(socket, take)) socket.on('data', take)
    // The handshake or a PROXY header may have left it in another mode.
    socket.resume()
    if (head !== null && head.length > 0) this.#events.onData(head)
  }

  write(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.socket.write(bytes, done)
  }
  pause(): void {
    this.socket.pause()
  }
  resume(): void {
    this.socket.resume()
  }
  end(): void {
    const { socket } = this
    // Input is still read (and ignored): closing over unread input would reset the connection and take the last line with it.
    socket.resume()
    socket.end()
    const linger = setTimeout(() => socket.destroy(), LINGER_MS).unref()
    socket.once('close', () => clearTimeout(linger))
  }
  destroy(): void {
    this.socket.destroy()
  }
}

/** IPv4 in its own form, also where the listener is an IPv6 one. */
export function plainAddress(address = ''): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

/** The socket's descriptor, or -1: it is not public, and absent on Windows and for TLS; then everything goes through the stream. */
export function fdOf(socket: Socket): number {
  return (socket as unknown as { _handle?: { fd?: number } })._handle?.fd ?? -1
}
