// From the options of a tls block to what Node's TLS servers take: certificates read, names translated.

import { constants, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type SecureContextOptions,
  type TlsOptions as ServerOptions,
  type Server as TlsServer,
} from 'node:tls'
import { timerDelay } from '../deadline.ts'
import { ServerError } from '../errors.ts'
import { type CertificatePair, handshakeTimeout, type TlsOptions } from './options.ts'
import { cipherList, curveList } from './suites.ts'

/** A certificate, key or authority that cannot be used; the text is the official one where there is one. */
export class TlsError extends ServerError {
  constructor(text: string) {
    super('tls', text)
  }
}

interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
  readonly leaf: X509Certificate
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const PRIVATE_KEY = /-----BEGIN (\w+ )?PRIVATE KEY-----/

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why =
      code === 'ENOENT'
        ? 'no such file or directory'
        : code === 'EACCES'
          ? 'permission denied'
          : code === 'EISDIR'
            ? 'is a directory'
            : message
    throw new TlsError(code === 'EISDIR' ? `read ${file}: ${why}` : `open ${file}: ${why}`)
  }
}

function load({ certFile, keyFile }: CertificatePair, which: string): Certificate {
  const problem = (text: string): never => {
    throw new TlsError(`error parsing X509 certificate/key pair${which}: ${text}`)
  }
  const readPart = (file: string): Buffer => {
    try {
      return read(file)
    } catch (error) {
      return problem((error as Error).message)
    }
  }
  const cert = readPart(certFile)
  const key = readPart(keyFile)
  const first = cert.toString('latin1').match(CERTIFICATE)?.[0]
  if (first === undefined) {
    return problem(
      PRIVATE_KEY.test(cert.toString('latin1'))
        ? 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched'
        : 'tls: failed to find any PEM data in certificate input',
    )
  }
  const keyText = key.toString('latin1')
  if (!PRIVATE_KEY.test(keyText)) {
    return problem(
      keyText.includes('-----BEGIN CERTIFICATE-----')
        ? 'tls: found a certificate rather than a key in the PEM for the private key'
        : 'tls: failed to find any PEM data in key input',
    )
  }
  let leaf: X509Certificate
  try {
    leaf = new X509Certificate(first)
  } catch (error) {
    return problem((error as Error).message)
  }
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey(key)
  } catch {
    return problem('tls: failed to parse private key')
  }
  if (leaf.publicKey.asymmetricKeyType !== privateKey.asymmetricKeyType)
    return problem('tls: private key type does not match public key type')
  if (!leaf.checkPrivateKey(privateKey)) problem('tls: private key does not match public key')
  return { cert, key, leaf }
}

/** The certificates of a file that can be read; others are passed over, unless there are no more. @throws TlsError. */
function loadAuthorities(file: string): X509Certificate[] {
  const found = (read(file).toString('latin1').match(CERTIFICATE) ?? []).flatMap((one) => {
    try {
      return [new X509Certificate(one)]
    } catch {
      return []
    }
  })
  if (found.length === 0) throw new TlsError('failed to parse root ca certificate')
  return found
}

/** What both sides of TLS have: whom to trust, where each authority of the file ends a chain, and what to offer. */
function common(tls: TlsOptions): SecureContextOptions {
  return {
    allowPartialTrustChain: true,
    ...(tls.caFile === '' ? {} : { ca: loadAuthorities(tls.caFile).map(String) }),
    ciphers: cipherList(tls.cipherSuites),
    ecdhCurve: curveList(tls.curves),
    minVersion: tls.minVersion === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
  }
}

/** Of each kind of key the first: a client may know one kind only. */
function oneOfEachKind(certificates: readonly Certificate[]): Certificate[] {
  const kinds = new Map<string, Certificate>()
  for (const one of certificates) {
    const kind = one.leaf.publicKey.asymmetricKeyType ?? ''
    if (!kinds.has(kind)) kinds.set(kind, one)
  }
  return [...kinds.values()]
}

/**
 * Reads the files of a block and makes the options for a TLS or HTTPS server of them.
 * `clientCertificates` false never asks for them: monitoring takes the server's certificate and nothing else.
 * @throws TlsError that names what cannot be used.
 */
export function tlsServerOptions(tls: TlsOptions, clientCertificates = true): ServerOptions {
  const many = tls.certificates.length > 1
  const certificates = tls.certificates.map((pair, i) =>
    load(pair, many ? ` ${i + 1}/${tls.certificates.length}` : ''),
  )
  const verify = clientCertificates && tls.verify
  const shared: SecureContextOptions = {
    ...common(tls),
    honorCipherOrder: true,
    // Clients whose first choice it is have no fast AES.
    secureOptions: constants.SSL_OP_PRIORITIZE_CHACHA,
    ...(verify && tls.caFile === '' ? { ca: getCACertificates('system') } : {}),
  }
  const contextOptions = (usable: readonly Certificate[]): SecureContextOptions => {
    const chosen = oneOfEachKind(usable)
    return { ...shared, cert: chosen.map(({ cert }) => cert), key: chosen.map(({ key }) => key) }
  }
  const options: ServerOptions = {
    ...contextOptions(certificates),
    requestCert: verify,
    rejectUnauthorized: verify,
    handshakeTimeout: timerDelay(handshakeTimeout(tls)),
  }
  if (many) options.SNICallback = byName(certificates, contextOptions)
  return options
}

/** `allowPartialTrustChain` in the context of a server: its options do not have it, other than those of a context. */
export function trustEachAuthority(server: TlsServer): void {
  const { _sharedCreds } = server as unknown as {
    _sharedCreds?: { context: { setAllowPartialTrustChain?(): void } }
  }
  _sharedCreds?.context.setAllowPartialTrustChain?.()
}

/**
 * The same for connections that this server opens: its own certificate, and whom it trusts.
 * @throws TlsError that names what cannot be used.
 */
export function tlsClientOptions(tls: TlsOptions): SecureContextOptions & { rejectUnauthorized: boolean } {
  const [own] = tls.certificates.map((pair) => load(pair, ''))
  return {
    ...common(tls),
    rejectUnauthorized: !tls.insecure,
    ...(own === undefined ? {} : { cert: own.cert, key: own.key }),
  }
}

/** Chooses the certificates that are for the name a client asks for; none is: those for everybody. */
function byName(
  certificates: readonly Certificate[],
  optionsFor: (usable: readonly Certificate[]) => SecureContextOptions,
): NonNullable<ServerOptions['SNICallback']> {
  // Keyed by which certificates fit, not by the name: a stranger cannot make this grow.
  const contexts = new Map<string, SecureContext>()
  return (name, done) => {
    const fitting = certificates.filter(({ leaf }) => leaf.checkHost(name) !== undefined)
    if (fitting.length === 0) return done(null)
    const key = fitting.map((one) => certificates.indexOf(one)).join()
    let context = contexts.get(key)
    if (context === undefined) {
      context = createSecureContext(optionsFor(fitting))
      contexts.set(key, context)
    }
    return done(null, context)
  }
}
