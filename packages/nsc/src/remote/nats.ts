import {
  type Authenticator,
  AuthorizationError,
  ConnectionError,
  type ConnectionOptions,
  credsAuthenticator,
  jwtAuthenticator,
  type NatsConnection,
  NoRespondersError,
  PermissionViolationError,
  TimeoutError,
  wsconnect,
} from '@nats-io/nats-core'
import { connect as tcpConnect } from '@nats-io/transport-node'
import type { FlagValues } from '../cli/flags.ts'
import { failure, textOf } from '../errors.ts'
import type { Session } from '../session.ts'

/** Connections to servers, for the tool commands and for accounts kept by the servers themselves. */

const CONNECT_TIMEOUT_MS = 5_000
const RECONNECT_WAIT_MS = 2_000
const RECONNECT_TOTAL_MS = 10 * 60_000

export interface ConnectTask {
  /** Client name, as the server's monitoring shows it. */
  name: string
  /** URLs, each possibly a comma-separated list. */
  urls: readonly string[]
  authenticator: Authenticator
}

/** Authentication with the content of a creds file. */
export function withCreds(content: string): Authenticator {
  return credsAuthenticator(new TextEncoder().encode(content))
}

/** Authentication with a user's token and the seed of its key. */
export function withToken(token: string, seed: string): Authenticator {
  return jwtAuthenticator(token, new TextEncoder().encode(seed))
}

/** Connects; failures come in the words of the official program. */
export async function connectTo(
  session: Session,
  flags: FlagValues,
  task: ConnectTask,
): Promise<NatsConnection> {
  const urls = task.urls
    .flatMap((url) => url.split(','))
    .map((url) => url.trim())
    .filter((url) => url !== '')
  const webSocket = urls.some((url) => /^wss?:\/\//i.test(url))
  const options: ConnectionOptions = {
    name: task.name,
    servers: webSocket ? urls : urls.map((url) => url.replace(/^(nats|tls):\/\//i, '')),
    authenticator: task.authenticator,
    timeout: CONNECT_TIMEOUT_MS,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    maxReconnectAttempts: RECONNECT_TOTAL_MS / RECONNECT_WAIT_MS,
    ...tlsOptions(session, flags, urls),
  }
  try {
    const connection = await (webSocket ? wsconnect(options) : tcpConnect(options))
    void reportStatus(session, connection)
    return connection
  } catch (thrown) {
    throw natsError(thrown)
  }
}

function tlsOptions(
  session: Session,
  flags: FlagValues,
  urls: readonly string[],
): Pick<ConnectionOptions, 'tls'> {
  const { env } = session.io
  const caFile = flags.text('ca-cert') || env['NATS_CA']?.trim()
  const certFile = flags.text('client-cert') || env['NATS_CERT']
  const keyFile = flags.text('client-key') || env['NATS_KEY']
  const first = flags.switch('tls-first')
  const curves = parseCurves(flags.text('tls-curves'))
  const secure = urls.some((url) => /^tls:\/\//i.test(url))
  if (!caFile && !certFile && !keyFile && !first && curves === '' && !secure) return {}
  return {
    tls: {
      ...(caFile ? { caFile } : {}),
      ...(certFile ? { certFile } : {}),
      ...(keyFile ? { keyFile } : {}),
      ...(first ? { handshakeFirst: true } : {}),
      // Handed through to node:tls, which takes OpenSSL's names.
      ...(curves === '' ? {} : { ecdhCurve: curves }),
    },
  }
}

const CURVES: Record<string, string> = { p256: 'P-256', p384: 'P-384', p521: 'P-521', x25519: 'X25519' }

function parseCurves(text: string): string {
  if (text === '') return ''
  return text
    .split(',')
    .map((name) => {
      const curve =
        CURVES[
          name
            .trim()
            .toLowerCase()
            .replace(/^curve/, '')
        ]
      if (!curve) throw failure(`unknown TLS curve "${name.trim()}" - use p256, p384, p521 or x25519`)
      return curve
    })
    .join(':')
}

/** Says on standard error when a long-running command loses and regains its server. */
async function reportStatus(session: Session, connection: NatsConnection): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect')
      session.note(`Disconnected: will attempt reconnects for ${RECONNECT_TOTAL_MS / 60_000}m`)
    else if (status.type === 'reconnect') session.note(`Reconnected [${status.server}]`)
  }
}

/** An error of the client library in the words of the official program. */
export function natsError(thrown: unknown): Error {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  if (thrown instanceof PermissionViolationError || cause instanceof PermissionViolationError)
    return failure(`nats: permissions violation: ${textOf(cause ?? thrown)}`, thrown)
  if (thrown instanceof AuthorizationError)
    return failure(`nats: ${thrown.message.replace(/'/g, '')}`, thrown)
  if (isNoResponders(thrown)) return failure('nats: no responders available for request', thrown)
  if (thrown instanceof TimeoutError) return failure('nats: timeout', thrown)
  if (thrown instanceof ConnectionError) return failure(`nats: no servers available for connection`, thrown)
  return failure(textOf(thrown), thrown)
}

export function isNoResponders(thrown: unknown): boolean {
  return (
    thrown instanceof NoRespondersError ||
    (thrown instanceof Error && thrown.cause instanceof NoRespondersError)
  )
}

export function isTimeout(thrown: unknown): boolean {
  return thrown instanceof TimeoutError || (thrown instanceof Error && thrown.cause instanceof TimeoutError)
}
