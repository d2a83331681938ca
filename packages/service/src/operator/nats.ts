// Connections of the service to the message servers.
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { NatsConnection } from '@nats-io/nats-core'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import type { Logger } from 'pino'
import { reasonOf, ServiceError } from '../errors.ts'

const firstRetryMs = 100

/**
 * Connects with a creds file; once connected it reconnects for as long as it is not closed.
 * @param options.name shown by the servers
 * @param options.signal gives up the first connection when aborted
 * @throws ServiceError not-connected when aborted, data-dir-unusable when the credentials cannot be read
 */
export async function connectToServers(options: {
  name: string
  servers: readonly string[]
  creds: string
  log: Logger
  signal: AbortSignal
}): Promise<NatsConnection> {
  const { name, log, signal } = options
  let creds: Uint8Array
  try {
    creds = readFileSync(options.creds)
  } catch (error) {
    throw new ServiceError(
      'data-dir-unusable',
      `cannot read the credentials ${options.creds}: ${reasonOf(error)}`,
    )
  }
  for (;;) {
    try {
      const nc = await connect({
        servers: [...options.servers],
        authenticator: credsAuthenticator(creds),
        name,
        timeout: 2000,
        // Requests of our own must not reach our own subscriptions.
        noEcho: true,
        maxReconnectAttempts: -1,
        // A server that has restarted with an empty directory knows the account a moment later.
        ignoreAuthErrorAbort: true,
        reconnectTimeWait: 250,
        reconnectJitter: 250,
        pingInterval: 20_000,
        maxPingOut: 2,
      })
      void logStatus(nc, name, log)
      return nc
    } catch (error) {
      if (signal.aborted) {
        throw new ServiceError(
          'not-connected',
          `cannot connect to a message server at ${options.servers.join(', ')} as ${name}: ${reasonOf(error)}`,
          { cause: error },
        )
      }
    }
    await delay(firstRetryMs, undefined, { signal }).catch(() => {})
  }
}

async function logStatus(nc: NatsConnection, connection: string, log: Logger): Promise<void> {
  for await (const status of nc.status()) {
    if (status.type === 'disconnect') log.warn({ connection }, 'lost the message server')
    if (status.type === 'reconnect') log.info({ connection, server: status.server }, 'connected again')
    if (status.type === 'error') {
      log.warn({ connection, reason: status.error.message }, 'the message server refused something')
    }
  }
}
