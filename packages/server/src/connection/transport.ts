// What carries a connection's bytes. The client knows this seam only; TCP is here, WebSocket in websocket.ts.
import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { ConnectionType } from '../auth/authenticator.ts'

/** What a TLS handshake agreed on, and who the client is by it. */
export interface TlsSession {
  readonly version: '1.2' | '1.3'
  /** As IANA names it. */
  readonly cipher: string
  /** What the client presented, its own certificate first, then those it was checked with; empty for none. */
  readonly peerCertificates: readonly X509Certificate[]
  /** The certificates were checked against the authorities of the listener. */
  readonly verified: boolean
  /** The listener takes the user from the certificate (`verify_and_map`). */
  readonly mapsUser: boolean
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
  /** `done` is called when the bytes left this process, or with the error that kept them from it. */
  write(bytes: Buffer, done: (error?: Error | null) => void): void
  pause(): void
  resume(): void
  /** Sends what is queued, then closes. */
  end(): void
  destroy(): void
}

export interface TransportCredentials {
  jwt?: string
  user?: string
  pass?: string
  token?: string
}

export interface TransportEvents {
  onData(chunk: Buffer): void
  /** Once; with the error for anything but the peer's orderly end. */
  onClose(error: Error | null): void
}

/** Longest wait for a peer to take what was sent before the close. */
const LINGER_MS = 2_000

export class TcpTransport implements Transport {
  readonly type = 'STANDARD'
  readonly tls: TlsSession | null = null
  readonly credentials = null
  readonly remoteAddress: string
  readonly remotePort: number
  readonly fd: number
  readonly #socket: Socket

  constructor(socket: Socket, events: TransportEvents) {
    this.#socket = socket
    const address = socket.remoteAddress ?? ''
    this.remoteAddress = address.startsWith('::ffff:') ? address.slice(7) : address
    this.remotePort = socket.remotePort ?? 0
    // Not public, absent on Windows and for TLS: then everything goes through the stream.
    this.fd = (socket as unknown as { _handle?: { fd?: number } })._handle?.fd ?? -1
    socket.setNoDelay(true)
    let error: Error | null = null
    socket.on('data', (chunk: Buffer) => events.onData(chunk))
    socket.on('error', (problem) => {
      error = problem
    })
    socket.on('end', () => socket.end())
    socket.on('close', () => events.onClose(error))
  }

  write(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.#socket.write(bytes, done)
  }
  pause(): void {
    this.#socket.pause()
  }
  resume(): void {
    this.#socket.resume()
  }
  end(): void {
    // Input is still read (and ignored): closing over unread input would reset the connection and take the last line with it.
    this.#socket.resume()
    this.#socket.end()
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref()
  }
  destroy(): void {
    this.#socket.destroy()
  }
}
