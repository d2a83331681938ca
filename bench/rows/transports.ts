// The same stream inside TLS and WebSocket.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { streamRow } from '../lib/stream.ts'

const pair = { publishers: 1, subscribers: 1, size: 128 }

/** The `tls` block of a configuration with a certificate made for it. */
function tls(dir: string): string {
  const cert = join(dir, 'cert.pem')
  const key = join(dir, 'key.pem')
  try {
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
        ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
        ...['-keyout', key, '-out', cert],
      ],
      { stdio: 'ignore' },
    )
  } catch {
    throw new Error(
      'the certificate of this row is made with the openssl program, which is not there or failed',
    )
  }
  return `tls { cert_file: "${cert}", key_file: "${key}" }\n`
}

export const transports = [
  streamRow(
    'tls',
    '1 to 1 inside TLS, 128 B',
    { ...pair, transport: 'tls' },
    { rate: 1 },
    { config: tls, ceiling: false },
  ),
  streamRow(
    'websocket',
    '1 to 1 inside WebSocket, 128 B',
    { ...pair, transport: 'websocket' },
    { rate: 1 },
    { config: 'websocket { host: 127.0.0.1, port: -1, no_tls: true }\n', ceiling: false },
  ),
]
