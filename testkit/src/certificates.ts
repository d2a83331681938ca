// Certificates for tests, made by the openssl program: an authority, and what it signs.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CertificateFiles {
  readonly certFile: string
  readonly keyFile: string
  readonly cert: Buffer
  readonly key: Buffer
  /** Hex SHA-256 of its SubjectPublicKeyInfo. */
  readonly keyId: string
}

export interface CertificateRequest {
  /** In openssl's form: `/O=Acme/CN=alice`; `+` joins values of one RDN. */
  subject: string
  /** `DNS:host`, `IP:address`, `email:address`, `URI:uri`. */
  names?: readonly string[]
  /** `ec` (P-256) by default. */
  key?: 'ec' | 'rsa'
}

/** Options of a test that needs certificates. @throws in CI, which has to have openssl. */
export function needsOpenssl(): { skip: string | false } {
  if (spawnSync('openssl', ['version']).status === 0) return { skip: false }
  if (process.env['CI'] === 'true') throw new Error('CI needs the openssl program')
  return { skip: 'the openssl program is not installed' }
}

const NONE: CertificateFiles = {
  certFile: '',
  keyFile: '',
  cert: Buffer.alloc(0),
  key: Buffer.alloc(0),
  keyId: '',
}

/** An authority whose files are in a folder. Without openssl there are none: the tests that need them are skipped then. */
export class Authority {
  readonly caFile: string
  readonly ca: Buffer
  /** Path and name of what it issues, without number and ending. */
  readonly #base: string
  readonly #keyFile: string
  readonly #usable: boolean
  #count = 0

  /** With a parent, one that the parent vouches for. */
  constructor(dir: string, name = 'Test Authority', parent: Authority | null = null) {
    this.#base = join(dir, name.toLowerCase().replaceAll(' ', '-'))
    this.caFile = `${this.#base}.pem`
    this.#keyFile = `${this.#base}-key.pem`
    this.#usable = needsOpenssl().skip === false
    if (!this.#usable) {
      this.ca = NONE.cert
      return
    }
    const signed = parent === null ? [] : ['-CA', parent.caFile, '-CAkey', parent.#keyFile]
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'],
      ...['-subj', `/CN=${name}`, '-addext', 'keyUsage=critical,keyCertSign,cRLSign', ...signed],
      ...['-keyout', this.#keyFile, '-out', this.caFile],
    )
    this.ca = readFileSync(this.caFile)
  }

  /** Signs a new certificate for server and client use. */
  issue({ subject, names = [], key = 'ec' }: CertificateRequest): CertificateFiles {
    if (!this.#usable) return NONE
    const base = `${this.#base}-${this.#count++}`
    const certFile = `${base}.pem`
    const keyFile = `${base}-key.pem`
    const extensions = ['extendedKeyUsage=serverAuth,clientAuth', 'basicConstraints=CA:FALSE']
    if (names.length > 0) extensions.push(`subjectAltName=${names.join(',')}`)
    writeFileSync(`${base}.ext`, extensions.join('\n'))
    const kind = key === 'ec' ? ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : ['rsa:2048']
    openssl(
      ...['req', '-new', '-newkey', ...kind, '-nodes', '-utf8', '-multivalue-rdn', '-subj', subject],
      ...['-keyout', keyFile, '-out', `${base}.csr`],
    )
    openssl(
      ...['x509', '-req', '-in', `${base}.csr`, '-CA', this.caFile, '-CAkey', this.#keyFile],
      ...['-CAcreateserial', '-days', '30', '-extfile', `${base}.ext`, '-out', certFile],
    )
    const cert = readFileSync(certFile)
    const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
    return {
      certFile,
      keyFile,
      cert,
      key: readFileSync(keyFile),
      keyId: createHash('sha256').update(spki).digest('hex'),
    }
  }
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
