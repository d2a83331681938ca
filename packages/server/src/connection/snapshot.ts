// What monitoring knows of a connection: of an open one when it is asked for, of a closed one for as long as it is remembered.
import type { Account } from '../account/account.ts'
import type { Subscription } from '../account/subscription.ts'
import { fromWire } from '../subject/subject.ts'
import type { Client } from './client.ts'
import type { TlsSession } from './transport.ts'

export interface SubscriptionSnapshot {
  readonly account: string
  readonly accountLabel: string
  readonly subject: string
  readonly queue: string | null
  readonly sid: string
  readonly delivered: number
  /** 0 for none. */
  readonly max: number
  readonly cid: number
}

/** What connections are sorted by: the same fields of a Client and of its snapshot. */
export interface ConnectionFigures {
  readonly cid: number
  readonly start: Date
  readonly stop: Date | null
  readonly closeReason: string | null
  /** ms since 1970. */
  readonly lastActivity: number
  readonly rttNs: number
  readonly pendingBytes: number
  readonly subscriptionCount: number
  readonly inMsgs: number
  readonly inBytes: number
  readonly outMsgs: number
  readonly outBytes: number
}

export interface ConnectionSnapshot extends ConnectionFigures {
  readonly type: string
  readonly ip: string
  readonly port: number
  readonly stalls: number
  readonly name: string
  readonly lang: string
  readonly version: string
  /** Of a closed connection without the peer's certificates. */
  readonly tls: TlsSession | null
  readonly user: string
  readonly account: string
  /** May be one that alone lets its bearer in: not to be shown as it is. */
  readonly jwt: string
  readonly issuerKey: string | undefined
  readonly proxyKey: string | undefined
  /** The user's name in its JWT. */
  readonly userName: string | undefined
  readonly tags: readonly string[] | undefined
  readonly subscriptions: readonly SubscriptionSnapshot[]
}

/** Cookies of strangers may be longer than all that CONNECT can hold, and many closed connections are remembered. */
const LONGEST_REMEMBERED = 8 * 1024

export function snapshot(client: Client): ConnectionSnapshot {
  const { transport, options, user, account } = client
  const remembered = (text: string): string =>
    client.stop !== null && text.length > LONGEST_REMEMBERED ? '' : text
  return {
    cid: client.cid,
    type: client.clientType,
    ip: transport.remoteAddress,
    port: transport.remotePort,
    start: client.start,
    stop: client.stop,
    closeReason: client.closeReason,
    lastActivity: client.lastActivity,
    rttNs: client.rttNs,
    pendingBytes: client.pendingBytes,
    inMsgs: client.inMsgs,
    outMsgs: client.outMsgs,
    inBytes: client.inBytes,
    outBytes: client.outBytes,
    stalls: client.stalls,
    subscriptionCount: client.subscriptionCount,
    name: options.name,
    lang: options.lang,
    version: options.version,
    tls:
      transport.tls === null || client.stop === null
        ? transport.tls
        : { ...transport.tls, certificate: undefined, verifiedChain: () => [] },
    user: remembered(user.user),
    account: account.name,
    jwt: user.bearer ? '' : remembered(options.jwt || (user.jwt ?? '')),
    issuerKey: user.issuerKey,
    proxyKey: user.proxyKey,
    userName: user.userName,
    tags: user.tags,
    subscriptions: Array.from(client.subscriptions.values(), (item) =>
      subscriptionSnapshot(item, client.account),
    ),
  }
}

/** Of a subscription in the account's index. A handler inside the server belongs to no connection: its cid is 0. */
export function subscriptionSnapshot(
  { client, subject, queue, sid, delivered, max }: Subscription,
  account: Account,
): SubscriptionSnapshot {
  const { name, label } = client?.account ?? account
  return {
    account: name,
    accountLabel: label,
    subject: fromWire(subject),
    queue: queue === null ? null : fromWire(queue),
    sid,
    delivered,
    max,
    cid: client?.cid ?? 0,
  }
}
