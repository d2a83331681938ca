// The state of the server as the system account tells it.
import type { Server } from '../server.ts'
import { local } from '../time.ts'
import { nonzero } from './json.ts'
import { coreCount, cpuPercent } from './process.ts'
import { byKind } from './varz.ts'

export function statsz(server: Server): Record<string, unknown> {
  const { inMsgs, inBytes, outMsgs, outBytes } = server.traffic()
  let active = 0
  for (const account of server.accounts.all()) if (account.clients.size > 0) active++
  const sent = { msgs: outMsgs, bytes: outBytes }
  const received = { msgs: inMsgs, bytes: inBytes }
  const { slowConsumers, staleConnections, stalledClients } = server
  return {
    start: local(server.start),
    mem: process.memoryUsage.rss(),
    cores: coreCount(),
    cpu: cpuPercent(),
    connections: server.clients.size,
    total_connections: server.totalConnections,
    active_accounts: active,
    subscriptions: server.subscriptionCount(),
    sent,
    sent_to_clients: sent,
    received,
    received_from_clients: received,
    slow_consumers: slowConsumers,
    slow_consumer_stats: slowConsumers === 0 ? undefined : byKind(slowConsumers),
    stale_connections: nonzero(staleConnections),
    stale_connection_stats: staleConnections === 0 ? undefined : byKind(staleConnections),
    stalled_clients: nonzero(stalledClients),
    active_servers: 1,
    gomaxprocs: 1,
  }
}
