import type { NatsConnection } from '@nats-io/nats-core'

/**
 * Watches a connection for refused publishes and subscriptions: the server tells of them apart from any call.
 *
 * @returns a function that gives the first one so far
 */
export function firstPermissionError(connection: NatsConnection): () => Error | null {
  let first: Error | null = null
  void (async () => {
    for await (const status of connection.status()) if (status.type === 'error') first ??= status.error
  })()
  return () => first
}
