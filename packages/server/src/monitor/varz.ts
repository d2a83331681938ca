// /varz: the server at a glance, in the fields of the official one.
import { featureFlags } from '../feature-flags.ts'
import { authTimeout } from '../options.ts'
import type { Server } from '../server.ts'
import { utc } from '../time.ts'
import { certificateEnd } from '../tls/certificate-end.ts'
import { defaultTlsOptions, handshakeTimeout } from '../tls/options.ts'
import { VERSION } from '../version.ts'
import { uptime } from './format.ts'
import { entries, filled, listed, nonzero, set } from './json.ts'
import { coreCount, cpuPercent } from './process.ts'

const ns = (ms: number): number => ms * 1e6
const seconds = (ms: number): number => ms / 1000

/** Counts of something by kind of connection; there are clients only. */
export const byKind = (clients: number): Record<string, number> => ({
  clients,
  routes: 0,
  gateways: 0,
  leafs: 0,
})

export function varz(server: Server): Record<string, unknown> {
  const { options } = server
  const { tls } = options
  const now = Date.now()
  const { inMsgs, inBytes, outMsgs, outBytes } = server.traffic()
  const info = server.advertised()
  return {
    server_id: server.id,
    server_name: server.name,
    version: VERSION,
    proto: 1,
    go: `node${process.version}`,
    host: info.host,
    port: info.port,
    auth_required: set(server.authenticator.required),
    tls_required: set(tls !== null && !options.allowNonTls),
    tls_verify: set(tls?.verify),
    max_connections: options.maxConnections,
    max_subscriptions: nonzero(options.maxSubscriptions),
    ping_interval: ns(options.pingInterval),
    ping_max: options.pingMax,
    http_host: options.httpHost || options.host,
    // As configured: -1 stays -1.
    http_port: options.httpPort,
    http_base_path: options.httpBasePath,
    https_port: options.httpsPort,
    auth_timeout: seconds(authTimeout(options)),
    max_control_line: options.maxControlLine,
    max_payload: options.maxPayload,
    max_pending: options.maxPending,
    cluster: {},
    gateway: {},
    leaf: {},
    mqtt: {},
    websocket: webSocket(server),
    jetstream: {},
    tls_timeout: seconds(handshakeTimeout(tls ?? defaultTlsOptions())),
    write_deadline: ns(options.writeDeadline),
    write_timeout: options.writeTimeout === 'default' ? undefined : options.writeTimeout,
    start: utc(server.start),
    now: utc(now),
    uptime: uptime(now - server.start.getTime()),
    mem: process.memoryUsage.rss(),
    cores: coreCount(),
    gomaxprocs: 1,
    cpu: cpuPercent(),
    connections: server.clients.size,
    total_connections: server.totalConnections,
    routes: 0,
    remotes: 0,
    leafnodes: 0,
    in_msgs: inMsgs,
    in_bytes: inBytes,
    in_client_msgs: inMsgs,
    in_client_bytes: inBytes,
    out_msgs: outMsgs,
    out_bytes: outBytes,
    out_client_msgs: outMsgs,
    out_client_bytes: outBytes,
    slow_consumers: server.slowConsumers,
    stale_connections: server.staleConnections,
    stalled_clients: server.stalledClients,
    subscriptions: server.subscriptionCount(),
    http_req_stats: entries(server.httpRequests) ?? {},
    config_load_time: utc(server.configLoadTime),
    config_digest: options.configDigest,
    tags: listed(options.serverTags),
    metadata: entries(Object.entries(options.serverMetadata)),
    feature_flags: featureFlags(options),
    trusted_operators_jwt: listed(options.operators),
    trusted_operators_claim: listed(options.operators.map(claimsOf)),
    system_account: server.accounts.system?.name,
    pinned_account_fails: nonzero(server.authenticator.pinnedFailures ?? 0),
    slow_consumer_stats: byKind(server.slowConsumers),
    stale_connection_stats: byKind(server.staleConnections),
    disk_io_wait_stats: { waiters: 0, waits: 0, wait_time: 0, max_wait_time: 0 },
    proxies:
      options.trustedProxies.length === 0
        ? undefined
        : { trusted: options.trustedProxies.map((key) => ({ key })) },
    tls_cert_not_after: certificateEnd(tls),
  }
}

function webSocket({ options: { websocket }, listeners }: Server): Record<string, unknown> {
  if (listeners.websocket === null) return {}
  const { hostname, port } = new URL(listeners.websocket.url)
  const { tls } = websocket
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port),
    advertise: filled(websocket.advertise),
    no_auth_user: filled(websocket.noAuthUser),
    jwt_cookie: filled(websocket.jwtCookie),
    handshake_timeout: nonzero(ns(websocket.handshakeTimeoutMs)),
    auth_timeout: nonzero(seconds(websocket.authTimeoutMs)),
    no_tls: set(websocket.noTls),
    tls_map: set(tls?.map),
    tls_pinned_certs: listed(tls?.pinnedCerts),
    same_origin: set(websocket.sameOrigin),
    allowed_origins: listed(websocket.allowedOrigins),
    compression: set(websocket.compression),
    tls_cert_not_after: certificateEnd(tls),
  }
}

const claimsOf = (token: string): unknown =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
