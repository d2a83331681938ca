// /connz: connections, open and closed.
import type { Client } from '../connection/client.ts'
import type { Server } from '../server.ts'
import { fromWire } from '../subject/subject.ts'
import { goDuration, uptime } from './format.ts'

export interface ConnzQuery {
  sort: string
  auth: boolean
  subs: boolean | 'detail'
  offset: number
  limit: number
  cid: number
  state: 'open' | 'closed' | 'all'
  user: string
  acc: string
}

export class QueryError extends Error {}

const DEFAULT_LIMIT = 1024

type Key = (client: Client) => number
const SORTS: Record<string, { key: Key; ascending: boolean; closedOnly?: true }> = {
  cid: { key: (client) => client.cid, ascending: true },
  start: { key: (client) => client.start.getTime(), ascending: true },
  subs: { key: (client) => client.subscriptions.size, ascending: false },
  pending: { key: (client) => client.outbox.pending, ascending: false },
  msgs_to: { key: (client) => client.outMsgs, ascending: false },
  msgs_from: { key: (client) => client.inMsgs, ascending: false },
  bytes_to: { key: (client) => client.outBytes, ascending: false },
  bytes_from: { key: (client) => client.inBytes, ascending: false },
  rtt: { key: (client) => client.rttNs, ascending: false },
  last: { key: (client) => client.lastActivity, ascending: false },
  idle: { key: (client) => client.lastActivity, ascending: true },
  uptime: { key: (client) => client.start.getTime(), ascending: false },
  stop: { key: (client) => client.stop?.getTime() ?? 0, ascending: false, closedOnly: true },
  reason: { key: () => 0, ascending: true, closedOnly: true },
}

/** @throws QueryError with the official text for a sort that does not exist or fit. */
export function connz(server: Server, query: ConnzQuery): Record<string, unknown> {
  const order = SORTS[query.sort]
  if (order === undefined) throw new QueryError(`invalid sorting option: ${query.sort}`)
  if (order.closedOnly && query.state !== 'closed')
    throw new QueryError(`sort by ${query.sort} only valid on closed connections`)
  let clients: Client[] = []
  if (query.state !== 'closed') clients = [...server.clients.values()]
  if (query.state !== 'open') clients = [...clients, ...server.closedClients]
  if (query.cid > 0)
    clients = [...server.clients.values(), ...server.closedClients].filter(
      (client) => client.cid === query.cid,
    )
  if (query.acc !== '') clients = clients.filter((client) => client.account.name === query.acc)
  if (query.user !== '') clients = clients.filter((client) => client.user.user === query.user)
  if (query.sort === 'reason')
    clients.sort((a, b) => (a.closeReason ?? '').localeCompare(b.closeReason ?? ''))
  else clients.sort((a, b) => (order.ascending ? order.key(a) - order.key(b) : order.key(b) - order.key(a)))
  const limit = query.cid > 0 ? 1 : query.limit > 0 ? query.limit : DEFAULT_LIMIT
  const page = clients.slice(query.offset, query.offset + limit)
  return {
    server_id: server.id,
    now: new Date().toISOString(),
    num_connections: page.length,
    total: clients.length,
    offset: query.offset,
    limit,
    connections: page.map((client) => connection(client, query)),
  }
}

function connection(client: Client, query: ConnzQuery): Record<string, unknown> {
  const { transport, options, user } = client
  const now = client.stop?.getTime() ?? Date.now()
  const filled = (name: string, value: string | undefined): Record<string, string> =>
    value === undefined || value === '' ? {} : { [name]: value }
  return {
    cid: client.cid,
    kind: 'Client',
    type: transport.type === 'WEBSOCKET' ? 'websocket' : 'nats',
    ip: transport.remoteAddress,
    port: transport.remotePort,
    start: client.start.toISOString(),
    last_activity: new Date(client.lastActivity).toISOString(),
    ...(client.stop === null ? {} : { stop: client.stop.toISOString() }),
    ...filled('reason', client.closeReason ?? ''),
    rtt: goDuration(client.rttNs),
    uptime: uptime(now - client.start.getTime()),
    idle: uptime(now - client.lastActivity),
    pending_bytes: client.outbox.pending,
    in_msgs: client.inMsgs,
    out_msgs: client.outMsgs,
    in_bytes: client.inBytes,
    out_bytes: client.outBytes,
    subscriptions: client.subscriptions.size,
    ...filled('name', options.name),
    ...filled('lang', options.lang),
    ...filled('version', options.version),
    ...filled('tls_version', transport.tls?.version),
    ...filled('tls_cipher_suite', transport.tls?.cipher),
    ...(transport.tls?.first ? { tls_first: true } : {}),
    ...(query.auth ? filled('authorized_user', user.user) : {}),
    ...(query.auth && client.account.name !== '$G' ? { account: client.account.name } : {}),
    ...(query.subs === true ? { subscriptions_list: client.subscriptionSubjects() } : {}),
    ...(query.subs === 'detail'
      ? { subscriptions_list_detail: [...client.subscriptions.values()].map(subscription) }
      : {}),
    ...(query.auth
      ? {
          ...(user.bearer ? {} : filled('jwt', user.jwt)),
          ...filled('issuer_key', user.issuerKey),
          ...filled('name_tag', client.account.label),
        }
      : {}),
    ...(query.auth && user.tags !== undefined && user.tags.length > 0 ? { tags: user.tags } : {}),
  }
}

export function subscription(item: {
  subject: string
  queue: string | null
  sid: string
  delivered: number
  max: number
  client: Client | null
}): Record<string, unknown> {
  return {
    subject: fromWire(item.subject),
    ...(item.queue === null ? {} : { qgroup: fromWire(item.queue) }),
    sid: item.sid,
    msgs: item.delivered,
    ...(item.max > 0 ? { max: item.max } : {}),
    cid: item.client?.cid ?? 0,
  }
}
