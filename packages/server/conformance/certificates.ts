// The certificates of the TLS suites: an authority, a server, clients, and a stranger's authority.
import { after } from 'node:test'
import type { ConnectionOptions } from 'node:tls'
import { Authority, type CertificateFiles, tempFolder } from '@ngs/testkit'

const folder = tempFolder()
after(folder.remove)

export const authority = new Authority(folder.path)
export const strangers = new Authority(folder.path, 'Strangers')
export const localhost = authority.issue({
  subject: '/CN=localhost',
  names: ['DNS:localhost', 'IP:127.0.0.1'],
})
export const alice = authority.issue({ subject: '/O=Acme/CN=alice', names: ['email:alice@acme.example'] })
export const stranger = strangers.issue({ subject: '/O=Acme/CN=alice', names: ['email:alice@acme.example'] })

/** Lines of a `tls` block for a server certificate. */
export const serverFiles = (files: CertificateFiles = localhost): string =>
  `cert_file: "${files.certFile}", key_file: "${files.keyFile}"`
export const caFile = `ca_file: "${authority.caFile}"`

/** How a client trusts the authority, with its own certificate or without. */
export const trusting = (own?: CertificateFiles): ConnectionOptions => ({
  ca: authority.ca,
  servername: 'localhost',
  ...(own === undefined ? {} : { cert: own.cert, key: own.key }),
})
