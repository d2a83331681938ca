// /connz: connections, open and closed.
import { createHash, type X509Certificate } from 'node:crypto'
import { subjectsOverlap } from '@ngs/identity/node'
import { holderOf } from '../auth/der.ts'
import { printSubject } from '../auth/dn.ts'
import { Client } from '../connection/client.ts'
import {
  type ConnectionFigures,
  type ConnectionSnapshot,
  type SubscriptionSnapshot,
  snapshot,
} from '../connection/snapshot.ts'
import { goDuration } from '../duration.ts'
import type { Server } from '../server.ts'
import { local, utc } from '../time.ts'
import { uptime } from './format.ts'
import { filled, listed, nonzero, set } from './json.ts'
import { QueryError } from './query.ts'

/** Over the system account there are numbers for states, also for those that do not exist. */
export type ConnectionState = 'open' | 'closed' | 'all' | 'none'

export interface ConnzOptions {
  /** Empty: by cid. */
  sort: string
  /** User, account and JWT are shown. */
  auth: boolean
  subscriptions: boolean
  subscriptionsDetail: boolean
  offset: number
  /** 0 or less: the default. */
  limit: number
  /** This connection only; 0 for all. */
  cid: number
  state: ConnectionState
  user: string
  account: string
  mqttClient: string
  /** Connections with a subscription that overlaps it. Needs an account. */
  filterSubject: string
}

export const DEFAULT_LIMIT = 1024

type Order = (a: ConnectionFigures, b: ConnectionFigures) => number
const largestFirst =
  (key: (connection: ConnectionFigures) => number): Order =>
  (a, b) =>
    key(b) - key(a)
const smallestFirst =
  (key: (connection: ConnectionFigures) => number): Order =>
  (a, b) =>
    key(a) - key(b)

const byCid = smallestFirst(({ cid }) => cid)
const ORDERS: Readonly<Record<string, Order>> = {
  '': byCid,
  cid: byCid,
  start: byCid,
  subs: largestFirst(({ subscriptionCount }) => subscriptionCount),
  pending: largestFirst(({ pendingBytes }) => pendingBytes),
  msgs_to: largestFirst(({ outMsgs }) => outMsgs),
  msgs_from: largestFirst(({ inMsgs }) => inMsgs),
  bytes_to: largestFirst(({ outBytes }) => outBytes),
  bytes_from: largestFirst(({ inBytes }) => inBytes),
  last: largestFirst(({ lastActivity }) => lastActivity),
  idle: smallestFirst(({ lastActivity }) => lastActivity),
  // The youngest first, unlike every other measure.
  uptime: smallestFirst(({ start, stop }) => (stop?.getTime() ?? Date.now()) - start.getTime()),
  stop: largestFirst(({ stop }) => stop?.getTime() ?? 0),
  reason: ({ closeReason: a }, { closeReason: b }) => ((a ?? '') < (b ?? '') ? -1 : a === b ? 0 : 1),
  rtt: largestFirst(({ rttNs }) => rttNs),
}

/** @throws QueryError with the official text for a sort that does not exist or fit, or a filter without account. */
export function connz(server: Server, options: ConnzOptions): Record<string, unknown> {
  const { sort, state, account, user, cid } = options
  const order = Object.hasOwn(ORDERS, sort) ? ORDERS[sort] : undefined
  if (order === undefined) throw new QueryError(`invalid sorting option: ${sort}`)
  if ((sort === 'stop' || sort === 'reason') && state !== 'closed')
    throw new QueryError(`sort by ${sort} only valid on closed connections`)
  const filter = options.filterSubject === '>' ? '' : options.filterSubject
  if (filter !== '' && account === '')
    throw new QueryError('filter by subject only valid with account filtering')
  const offset = Math.max(options.offset, 0)
  const limit = cid > 0 ? 1 : options.limit > 0 ? options.limit : DEFAULT_LIMIT
  const answer = (total: number, connections: readonly unknown[] | null): Record<string, unknown> => ({
    // An account that nobody knows gets the official server's unfinished answer.
    server_id: connections === null ? '' : server.id,
    now: utc(),
    num_connections: connections?.length ?? 0,
    total,
    offset,
    limit,
    connections,
  })
  const scope = account === '' ? server.clients.values() : server.accounts.get(account)?.clients
  if (scope === undefined) return answer(0, null)

  const opened = state === 'open' || state === 'all' ? [...scope] : []
  let closed = state === 'closed' || state === 'all' ? server.closedClients.all() : []
  // The global account of a closed connection has no name there.
  if (account !== '') closed = closed.filter((one) => account !== '$G' && one.account === account)
  const total = opened.length + closed.length
  const isWanted = (name: string): boolean => (user === '' || name === user) && options.mqttClient === ''
  let connections: (Client | ConnectionSnapshot)[] = opened.filter(
    (client) =>
      (cid <= 0 || client.cid === cid) &&
      isWanted(client.user.user) &&
      (filter === '' || subscribesTo(client, filter)),
  )
  if (cid > 0) closed = connections.length > 0 ? [] : closed.filter((one) => one.cid === cid)
  connections = connections.concat(closed.filter((one) => isWanted(one.user)))
  connections.sort(order)
  const page = connections.slice(offset, offset + limit)
  return answer(
    total,
    page.map((one) => connection(server, one, options)),
  )
}

function subscribesTo(client: Client, subject: string): boolean {
  for (const subscription of client.subscriptions.values())
    if (subjectsOverlap(subject, subscription.subject)) return true
  return false
}

function connection(
  server: Server,
  one: Client | ConnectionSnapshot,
  { auth, subscriptions, subscriptionsDetail }: ConnzOptions,
): Record<string, unknown> {
  const shown = one instanceof Client ? snapshot(one) : one
  const isClosed = shown.stop !== null
  const now = shown.stop?.getTime() ?? Date.now()
  const isNamed = auth && shown.account !== '$G'
  const details = subscriptionsDetail ? shown.subscriptions : []
  return {
    cid: shown.cid,
    kind: 'Client',
    type: shown.type,
    ip: shown.ip,
    port: shown.port,
    start: local(shown.start),
    last_activity: local(shown.lastActivity),
    stop: shown.stop === null ? undefined : local(shown.stop),
    reason: shown.closeReason ?? undefined,
    rtt: roundTrip(shown.rttNs),
    uptime: uptime(now - shown.start.getTime()),
    idle: uptime(now - shown.lastActivity),
    pending_bytes: shown.pendingBytes,
    in_msgs: shown.inMsgs,
    out_msgs: shown.outMsgs,
    in_bytes: shown.inBytes,
    out_bytes: shown.outBytes,
    stalls: nonzero(shown.stalls),
    subscriptions: shown.subscriptionCount,
    name: filled(shown.name),
    lang: filled(shown.lang),
    version: filled(shown.version),
    tls_version: shown.tls?.version,
    tls_cipher_suite: shown.tls?.cipher,
    tls_peer_certs: auth && shown.tls?.certificate ? [certificate(shown.tls.certificate)] : undefined,
    tls_first: set(shown.tls?.first),
    authorized_user: auth ? filled(shown.user) : undefined,
    account: isNamed ? shown.account : undefined,
    subscriptions_list:
      subscriptions && !subscriptionsDetail
        ? listed(shown.subscriptions.map(({ subject }) => subject))
        : undefined,
    subscriptions_list_detail: listed(details.map((detail) => subscriptionDetail(detail, isClosed))),
    jwt: auth || isClosed ? filled(withoutBearer(shown.jwt)) : undefined,
    issuer_key: auth || isClosed ? filled(shown.issuerKey) : undefined,
    name_tag: filled(nameTag(server, shown, auth, isNamed)),
    tags: auth || isClosed ? listed(shown.tags) : undefined,
    proxy: shown.proxyKey === undefined ? undefined : { key: shown.proxyKey },
  }
}

/** Of an open connection its account's name; of a closed one the user's own, unless its account is asked for. */
function nameTag(
  server: Server,
  shown: ConnectionSnapshot,
  auth: boolean,
  isNamed: boolean,
): string | undefined {
  const label = server.accounts.get(shown.account)?.label
  if (shown.stop === null) return auth ? label : undefined
  return (isNamed ? label : undefined) ?? shown.userName
}

/** Hashes are hex SHA-256. */
function certificate(peer: X509Certificate): Record<string, unknown> {
  const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
  return {
    subject: filled(printSubject(holderOf(peer.raw).subject)),
    spki_sha256: hash(peer.publicKey.export({ type: 'spki', format: 'der' })),
    cert_sha256: hash(peer.raw),
  }
}

/** Whole microseconds below a millisecond. */
function roundTrip(ns: number): string {
  return goDuration(ns > 1000 && ns < 1e6 ? Math.trunc(ns / 1000) * 1000 : ns)
}

/** A bearer token is a password: it is not shown, whether it was accepted or not. */
function withoutBearer(jwt: string): string {
  if (jwt === '') return ''
  try {
    const payload: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
    const { nats } = payload as { nats?: { bearer_token?: boolean } }
    return nats?.bearer_token ? '' : jwt
  } catch {
    return jwt
  }
}

export function subscriptionDetail(
  { account, accountLabel, subject, queue, sid, delivered, max, cid }: SubscriptionSnapshot,
  withAccount: boolean,
): Record<string, unknown> {
  return {
    account: withAccount ? account : undefined,
    account_tag: withAccount ? accountLabel : undefined,
    subject,
    qgroup: queue ?? undefined,
    sid,
    msgs: delivered,
    max: nonzero(max),
    cid,
  }
}
