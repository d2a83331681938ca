import type { NatsConnection } from '@nats-io/nats-core'

/**
 * Watches a connection for refused publishes and subscriptions: the server tells of them apart from any call.
 *
 * @returns a function that waits until the server has seen everything sent so far, and throws what it refused first
 */
export function refusals(connection: NatsConnection): () => Promise<void> {
  let first: Error | null = null
  void (async () => {
    for await (const status of connection.status()) if (status.type === 'error') first ??= status.error
  })()
  return async () => {
    // The refusal comes before the answer to the flush, but reaches the loop above a moment later.
    await connection.flush()
    await new Promise((resolve) => setImmediate(resolve))
    if (first) throw first
  }
}
