// The server side of TLS handshakes on connections that began in clear text, and what is then known of them.
import { createHash, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import {
  createServer,
  type DetailedPeerCertificate,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls'
import type { TlsSession } from '../connection/transport.ts'
import type { Server } from '../server.ts'
import { tlsServerOptions, trustEachAuthority } from './context.ts'
import type { TlsOptions } from './options.ts'

/** What the handshake settled. `first`: it came before INFO. */
export function tlsSession(socket: TLSSocket, options: TlsOptions, first: boolean): TlsSession {
  return {
    version: socket.getProtocol() === 'TLSv1.3' ? '1.3' : '1.2',
    cipher: socket.getCipher().standardName,
    certificate: socket.getPeerX509Certificate(),
    verified: socket.authorized,
    verifiedChain: () => verifiedChain(socket),
    mapsUser: options.map,
    first,
  }
}

/** With the authority's own certificate, which no client sends. */
function verifiedChain(socket: TLSSocket): X509Certificate[] {
  const chain: Buffer[] = []
  if (!socket.authorized) return []
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (next?.raw !== undefined && !chain.some((seen) => seen.equals(next!.raw))) {
    chain.push(next.raw)
    // Its own issuer at the end.
    next = next.issuerCertificate
  }
  return chain.map((der) => new X509Certificate(der))
}

/** Hex SHA-256 of the certificate's SubjectPublicKeyInfo, as `pinned_certs` has it. */
function keyId(certificate: X509Certificate): string {
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

/** Why pinned_certs does not let the client's certificate in, for those who want to pin it. */
function notPinned(certificate: X509Certificate | undefined): string {
  return certificate === undefined
    ? 'Failed pinned cert test as client did not provide a certificate'
    : `Failed pinned cert test for key id: ${keyId(certificate)}`
}

/** Whether pinned_certs lets the client's certificate in. */
export function isPinned({ pinnedCerts }: TlsOptions, certificate: X509Certificate | undefined): boolean {
  return pinnedCerts.length === 0 || (certificate !== undefined && pinnedCerts.includes(keyId(certificate)))
}

/** A handshake that failed. `probe`: whoever connected does not speak TLS, or said nothing at all. */
export class HandshakeError extends Error {
  readonly probe: boolean
  /** What the log has in debug mode before it. */
  readonly hint: string
  constructor(text: string, probe: boolean, hint = '') {
    super(text)
    this.probe = probe
    this.hint = hint
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
    trustEachAuthority(this.#server)
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
    const own = secure.getPeerX509Certificate()
    if (!isPinned(this.options, own)) {
      secure.destroy()
      throw new HandshakeError('certificate not pinned', false, notPinned(own))
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

const UNKNOWN_AUTHORITY = 'certificate signed by unknown authority'
const WRONG_TIME = 'certificate has expired or is not yet valid'
const X509_PROBLEMS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: WRONG_TIME,
  CERT_NOT_YET_VALID: WRONG_TIME,
  INVALID_PURPOSE: 'certificate specifies an incompatible key usage',
}

/** Why a handshake failed, in the words of Go where it has some. */
export function explain(error: Error, socket: TLSSocket): HandshakeError {
  const { code, reason } = error as NodeJS.ErrnoException & { reason?: string }
  const { authorizationError } = socket
  if (authorizationError) {
    const why = X509_PROBLEMS[String(authorizationError)] ?? String(authorizationError)
    return new HandshakeError(`tls: failed to verify certificate: x509: ${why}`, false)
  }
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
    case 'ERR_SSL_NO_SUITABLE_KEY_SHARE':
    case 'ERR_SSL_NO_SUITABLE_GROUPS':
      return new HandshakeError('tls: no key exchanges supported by both client and server', false)
    case 'ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS':
      return new HandshakeError(
        "tls: peer doesn't support any of the certificate's signature algorithms",
        false,
      )
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
      return new HandshakeError('tls: client offered only unsupported versions', false)
    case 'ECONNRESET':
      return new HandshakeError('EOF', false)
  }
  return new HandshakeError(`tls: ${reason ?? error.message}`, false)
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
