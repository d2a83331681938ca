// The options of a `tls` block: of the client port, of WebSocket.

export interface CertificatePair {
  readonly certFile: string
  readonly keyFile: string
}

export interface TlsOptions {
  /** Certificates to choose from by the name that the client asks for; the first is for everybody else. */
  certificates: CertificatePair[]
  /** Whom client certificates are checked against; empty for the authorities that the system trusts. */
  caFile: string
  /** A client must have a certificate. */
  verify: boolean
  /** The certificate names the user. */
  map: boolean
  /** Of connections that this server opens: whose certificate the other side has does not matter. */
  insecure: boolean
  /** Longest handshake in ms; 0 for the default. */
  timeout: number
  /** Names as IANA and Go have them; empty for the defaults. TLS 1.3 has its own, which are always on. */
  cipherSuites: string[]
  /** Names as Go has them; empty for the defaults. */
  curves: string[]
  minVersion: '1.2' | '1.3'
  /** Hex SHA-256 of the SubjectPublicKeyInfo of the client certificates that are let in; empty for all. */
  pinnedCerts: string[]
  /** Handshakes a second; 0 for no limit. */
  rateLimit: number
  /** The handshake comes before INFO. */
  handshakeFirst: boolean
  /** With handshakeFirst: ms without a byte after which the client gets INFO in clear text after all; 0 for never. */
  fallbackDelay: number
}

export const defaultTlsOptions = (): TlsOptions => ({
  certificates: [],
  caFile: '',
  verify: false,
  map: false,
  insecure: false,
  timeout: 0,
  cipherSuites: [],
  curves: [],
  minVersion: '1.2',
  pinnedCerts: [],
  rateLimit: 0,
  handshakeFirst: false,
  fallbackDelay: 0,
})

const DEFAULT_TIMEOUT_MS = 2_000

export const handshakeTimeout = (tls: TlsOptions): number => tls.timeout || DEFAULT_TIMEOUT_MS
