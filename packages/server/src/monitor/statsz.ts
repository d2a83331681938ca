// The state of the server as the system account tells it.
import { cpus } from 'node:os'
import type { Server } from '../server.ts'
import { cpuPercent } from './varz.ts'

export function statsz(server: Server): Record<string, unknown> {
  const { inMsgs, inBytes, outMsgs, outBytes } = server.traffic()
  let active = 0
  for (const account of server.accounts.all()) if (account.clients.size > 0) active++
  const sent = { msgs: outMsgs, bytes: outBytes }
  const received = { msgs: inMsgs, bytes: inBytes }
  return {
    start: server.start.toISOString(),
    mem: process.memoryUsage.rss(),
    cores: cpus().length,
    cpu: cpuPercent(),
    connections: server.clients.size,
    total_connections: server.totalConnections,
    active_accounts: active,
    subscriptions: server.subscriptionCount(),
    sent,
    sent_to_clients: sent,
    received,
    received_from_clients: received,
    slow_consumers: server.slowConsumers,
    active_servers: 1,
    gomaxprocs: 1,
  }
}
