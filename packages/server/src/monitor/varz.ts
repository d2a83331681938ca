// /varz: the server at a glance, in the fields of the official one.
import { cpus } from 'node:os'
import { authTimeout } from '../options.ts'
import type { Server } from '../server.ts'
import { VERSION } from '../version.ts'
import { uptime } from './format.ts'

let lastCpu = process.cpuUsage()
let lastAt = performance.now()
let percent = 0

/** Percent of one core since the last question at least a second ago. */
export function cpuPercent(): number {
  const at = performance.now()
  if (at - lastAt >= 1000) {
    const { user, system } = process.cpuUsage(lastCpu)
    percent = Math.round(((user + system) / 1000 / (at - lastAt)) * 1000) / 10
    lastCpu = process.cpuUsage()
    lastAt = at
  }
  return percent
}

const ns = (ms: number): number => ms * 1e6

export function varz(server: Server, requests: Record<string, number> = {}): Record<string, unknown> {
  const { options } = server
  const now = new Date()
  const traffic = server.traffic()
  const monitoring = server.listeners.monitoring === null ? null : new URL(server.listeners.monitoring.url)
  const websocket = server.listeners.websocket === null ? null : new URL(server.listeners.websocket.url)
  const zero = { clients: 0, routes: 0, gateways: 0, leafs: 0 }
  return {
    server_id: server.id,
    server_name: server.name,
    version: VERSION,
    proto: 1,
    go: `node${process.version}`,
    host: options.host,
    port: server.port,
    ...(server.authenticator.required ? { auth_required: true } : {}),
    max_connections: options.maxConnections,
    ...(options.maxSubscriptions > 0 ? { max_subscriptions: options.maxSubscriptions } : {}),
    ping_interval: ns(options.pingInterval),
    ping_max: options.pingMax,
    http_host: options.httpHost || options.host,
    http_port: monitoring === null ? 0 : Number(monitoring.port),
    http_base_path: options.httpBasePath === '/' ? '' : options.httpBasePath,
    https_port: 0,
    auth_timeout: authTimeout(options) / 1000,
    max_control_line: options.maxControlLine,
    max_payload: options.maxPayload,
    max_pending: options.maxPending,
    cluster: {},
    gateway: {},
    leaf: {},
    mqtt: {},
    websocket:
      websocket === null
        ? {}
        : {
            host: websocket.hostname,
            port: Number(websocket.port),
            no_tls: options.websocket.noTls,
            compression: options.websocket.compression,
          },
    jetstream: {},
    tls_timeout: 2,
    write_deadline: ns(options.writeDeadline),
    start: server.start.toISOString(),
    now: now.toISOString(),
    uptime: uptime(now.getTime() - server.start.getTime()),
    mem: process.memoryUsage.rss(),
    cores: cpus().length,
    gomaxprocs: 1,
    cpu: cpuPercent(),
    connections: server.clients.size,
    total_connections: server.totalConnections,
    routes: 0,
    remotes: 0,
    leafnodes: 0,
    in_msgs: traffic.inMsgs,
    out_msgs: traffic.outMsgs,
    in_bytes: traffic.inBytes,
    out_bytes: traffic.outBytes,
    in_client_msgs: traffic.inMsgs,
    out_client_msgs: traffic.outMsgs,
    in_client_bytes: traffic.inBytes,
    out_client_bytes: traffic.outBytes,
    slow_consumers: server.slowConsumers,
    stale_connections: server.staleConnections,
    stalled_clients: 0,
    subscriptions: server.subscriptionCount(),
    http_req_stats: requests,
    config_load_time: server.configLoadTime.toISOString(),
    config_digest: options.configDigest,
    ...(options.serverTags.length > 0 ? { tags: options.serverTags } : {}),
    ...(Object.keys(options.serverMetadata).length > 0 ? { metadata: options.serverMetadata } : {}),
    ...(options.operators.length > 0 ? { trusted_operators_jwt: options.operators } : {}),
    ...(server.accounts.system === null ? {} : { system_account: server.accounts.system.name }),
    slow_consumer_stats: { ...zero, clients: server.slowConsumers },
    stale_connection_stats: { ...zero, clients: server.staleConnections },
  }
}
