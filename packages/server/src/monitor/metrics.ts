// /metrics: figures of the server for Prometheus. Not an endpoint of the official server; off unless `metrics: true`.
import { Counter, Gauge, Registry } from 'prom-client'
import type { Server } from '../server.ts'
import { VERSION } from '../version.ts'
import { accountStat } from './accstatz.ts'
import type { Answer } from './endpoints.ts'
import { cpuPercent } from './process.ts'

/** Accounts with figures of their own; those beyond it are in the totals only, since every label value is a time series. */
const MAX_ACCOUNTS = 10_000

type Figures = Readonly<Record<string, [help: string, value: number]>>

type Recorder = (name: string, help: string, value: number, labels?: Record<string, string>) => void

/** The figures of this moment, in the text format. */
export async function metrics(server: Server): Promise<Answer> {
  const registry = new Registry()
  const known = new Map<string, Counter | Gauge>()
  // What only rises has a name that ends in _total, and is a counter.
  const record: Recorder = (name, help, value, labels = {}) => {
    let metric = known.get(name)
    if (metric === undefined) {
      const options = {
        name: `ngs_server_${name}`,
        help,
        labelNames: Object.keys(labels),
        registers: [registry],
      }
      metric = name.endsWith('_total') ? new Counter(options) : new Gauge(options)
      known.set(name, metric)
    }
    metric.inc(labels, value)
  }
  record('info', 'Which server this is.', 1, {
    server_id: server.id,
    server_name: server.name,
    version: VERSION,
  })
  for (const [name, [help, value]] of Object.entries(figures(server))) record(name, help, value)
  accounts(server, record)
  return { type: registry.contentType, body: await registry.metrics() }
}

function figures(server: Server): Figures {
  const { inMsgs, inBytes, outMsgs, outBytes } = server.traffic()
  let pending = 0
  for (const client of server.clients.values()) pending += client.pendingBytes
  return {
    start_time_seconds: ['When the server started, seconds since 1970.', server.start.getTime() / 1000],
    config_load_time_seconds: [
      'When the configuration was loaded, seconds since 1970.',
      server.configLoadTime.getTime() / 1000,
    ],
    memory_bytes: ['Resident memory.', process.memoryUsage.rss()],
    cpu_percent: ['Use of one core.', cpuPercent()],
    connections: ['Open connections.', server.clients.size],
    connections_total: ['Connections since the start.', server.totalConnections],
    subscriptions: ['Subscriptions.', server.subscriptionCount()],
    accounts: ['Accounts in memory.', server.accounts.size],
    pending_bytes: ['Bytes that wait for receivers.', pending],
    received_messages_total: ['Messages from clients.', inMsgs],
    received_bytes_total: ['Payload bytes from clients.', inBytes],
    sent_messages_total: ['Messages to clients.', outMsgs],
    sent_bytes_total: ['Payload bytes to clients.', outBytes],
    slow_consumers_total: ['Connections closed because they did not keep up.', server.slowConsumers],
    stale_connections_total: [
      'Connections closed because they did not answer PING.',
      server.staleConnections,
    ],
    stalls_total: ['How often a sender was held back for its receivers.', server.stalledClients],
  }
}

function accounts(server: Server, record: Recorder): void {
  let left = MAX_ACCOUNTS
  for (const account of server.accounts.all()) {
    if (left-- === 0) break
    const { acc, name, conns, num_subscriptions, received, sent, slow_consumers } = accountStat(account)
    const label = { account: acc, name }
    record('account_connections', 'Open connections of the account.', conns, label)
    record('account_subscriptions', 'Subscriptions in the account.', num_subscriptions, label)
    record('account_received_messages_total', 'Messages that its clients published.', received.msgs, label)
    record('account_received_bytes_total', 'Bytes that its clients published.', received.bytes, label)
    record(
      'account_sent_messages_total',
      'Messages that clients got of what was published in it.',
      sent.msgs,
      label,
    )
    record(
      'account_sent_bytes_total',
      'Bytes that clients got of what was published in it.',
      sent.bytes,
      label,
    )
    record('account_slow_consumers_total', 'Its connections that did not keep up.', slow_consumers, label)
  }
}
