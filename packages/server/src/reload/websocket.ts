// The reload of the WebSocket port: its certificates may change, the rest needs a restart.
import { isDeepStrictEqual } from 'node:util'
import type { WebSocketOptions } from '../options.ts'
import { tlsServerOptions } from '../tls/context.ts'
import { type Effect, type Reload, refuse } from './rule.ts'

export function reloadWebSocket(before: WebSocketOptions, after: WebSocketOptions, _reload: Reload): Effect {
  // A random port is no change: whoever was given one keeps it.
  if (after.port === -1) after.port = before.port
  if (!isDeepStrictEqual(fixed(before), fixed(after))) refuse('Websocket', summary(before), summary(after))
  const { tls } = after
  if (before.tls === null || tls === null) return {}
  // Reads the files: what cannot be used refuses the reload.
  tlsServerOptions(tls)
  return { apply: (server) => server.listeners.websocket?.useTls(tls) }
}

/** What a reload may not change. */
const fixed = (options: WebSocketOptions): unknown => ({
  ...options,
  tls: { map: options.tls?.map ?? false, pinnedCerts: options.tls?.pinnedCerts ?? [] },
})

/** Nobody reads more out of it than that it changed; passwords have no place in a log. */
const summary = ({ host, port, noTls, compression }: WebSocketOptions): string =>
  `{${host} ${port} no_tls:${noTls} compression:${compression}}`
