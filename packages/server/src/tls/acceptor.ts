// The server side of TLS handshakes on connections that began in clear text, and what is then known of them.
import { createHash, type X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import {
  createServer,
  type DetailedPeerCertificate,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls'
import type { TlsSession } from '../connection/transport.ts'
import type { Server } from '../server.ts'
import { tlsServerOptions } from './context.ts'
import type { TlsOptions } from './options.ts'

/** What the handshake settled. `first`: it came before INFO. */
export function tlsSession(socket: TLSSocket, options: TlsOptions, first: boolean): TlsSession {
  const own = socket.getPeerX509Certificate()
  return {
    version: socket.getProtocol() === 'TLSv1.3' ? '1.3' : '1.2',
    cipher: socket.getCipher().standardName,
    peerCertificates: own === undefined ? [] : [own],
    verified: socket.authorized,
    verifiedChain: () => verifiedChain(socket),
    mapsUser: options.map,
    first,
  }
}

/** With the authority's own certificate, which no client sends. */
function verifiedChain(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = []
  if (!socket.authorized) return chain
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (next?.raw !== undefined && !chain.some((seen) => seen.equals(next!.raw))) {
    chain.push(next.raw)
    // Its own issuer at the end.
    next = next.issuerCertificate
  }
  return chain
}

/** Hex SHA-256 of the certificate's SubjectPublicKeyInfo, as `pinned_certs` has it. */
function keyId(certificate: X509Certificate): string {
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

/** Whether pinned_certs lets the client's certificate in. */
export function isPinned({ pinnedCerts }: TlsOptions, certificate: X509Certificate | undefined): boolean {
  return pinnedCerts.length === 0 || (certificate !== undefined && pinnedCerts.includes(keyId(certificate)))
}

/** A handshake that failed. `probe`: whoever connected does not speak TLS, or said nothing at all. */
export class HandshakeError extends Error {
  readonly probe: boolean
  constructor(text: string, probe: boolean) {
    super(text)
    this.probe = probe
  }
}

interface Waiting {
  resolve(socket: TLSSocket): void
  reject(error: HandshakeError): void
}

export class TlsAcceptor {
  readonly options: TlsOptions
  readonly #server: TlsServer
  readonly #waiting = new Map<Socket, Waiting>()
  #windowEnd = 0
  #inWindow = 0
  #rejected = 0

  /** Reads the files. @throws TlsError that names what cannot be used. */
  constructor(options: TlsOptions) {
    this.options = options
    this.#server = createServer(tlsServerOptions(options))
    this.#server.on('secureConnection', (socket) => this.#take(socket)?.resolve(socket))
    this.#server.on('tlsClientError', (error, socket) => this.#take(socket)?.reject(explain(error, socket)))
  }

  /** Makes the connection secure. @throws HandshakeError; the connection is of no use then. */
  async handshake(socket: Socket): Promise<TLSSocket> {
    if (socket.destroyed) throw new HandshakeError('EOF', false)
    const secure = await new Promise<TLSSocket>((resolve, reject) => {
      this.#waiting.set(socket, { resolve, reject })
      // Node's documented way to hand a connection to a server that does not listen.
      this.#server.emit('connection', socket)
    })
    if (!isPinned(this.options, secure.getPeerX509Certificate())) {
      secure.destroy()
      throw new HandshakeError('certificate not pinned', false)
    }
    return secure
  }

  #take(socket: TLSSocket): Waiting | undefined {
    // Not public: the connection below the secure one.
    const { _parent: plain } = socket as unknown as { _parent: Socket }
    const waiting = this.#waiting.get(plain)
    this.#waiting.delete(plain)
    return waiting
  }

  /** Whether connection_rate_limit lets one more handshake begin in this second. */
  mayBegin(): boolean {
    const { rateLimit } = this.options
    if (rateLimit <= 0) return true
    const now = performance.now()
    if (now > this.#windowEnd) {
      this.#windowEnd = now + 1_000
      this.#inWindow = 0
    } else this.#inWindow++
    if (this.#inWindow < rateLimit) return true
    this.#rejected++
    return false
  }

  /** How many mayBegin() refused since the last call. */
  takeRejected(): number {
    const count = this.#rejected
    this.#rejected = 0
    return count
  }
}

/** Why a handshake failed, in the words of Go where it has some. */
export function explain(error: Error, socket: TLSSocket): HandshakeError {
  const { code } = error as NodeJS.ErrnoException
  const { authorizationError } = socket
  if (authorizationError)
    return new HandshakeError(`tls: failed to verify certificate: ${authorizationError}`, false)
  switch (code) {
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return new HandshakeError('i/o timeout', true)
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_HTTP_REQUEST':
    case 'ERR_SSL_HTTPS_PROXY_REQUEST':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return new HandshakeError('tls: first record does not look like a TLS handshake', true)
    case 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE':
      return new HandshakeError("tls: client didn't provide a certificate", false)
    case 'ERR_SSL_NO_SHARED_CIPHER':
      return new HandshakeError('tls: no cipher suite supported by both client and server', false)
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
      return new HandshakeError('tls: client offered only unsupported versions', false)
    case 'ECONNRESET':
      return new HandshakeError('EOF', false)
  }
  return new HandshakeError(`tls: ${error.message}`, false)
}

/** Says every second how many the rate limit turned away, if any. */
export function reportRejected(server: Server): void {
  const report = (): void => {
    const count = server.tls?.takeRejected() ?? 0
    if (count > 0) server.log.warn(`Rejected ${count} connections due to TLS rate limiting`)
  }
  const timer = setInterval(report, 1_000).unref()
  server.onStop(() => clearInterval(timer))
}
