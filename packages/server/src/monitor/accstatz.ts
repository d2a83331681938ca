// /accstatz: traffic and connections of each account. "sent" is what the server sent.
import type { Account } from '../account/account.ts'
import type { Server } from '../server.ts'
import { utc } from '../time.ts'

interface Traffic {
  msgs: number
  bytes: number
  gateways: { msgs: number; bytes: number }
  routes: { msgs: number; bytes: number }
  leafs: { msgs: number; bytes: number }
}

export interface AccountStat {
  acc: string
  name: string
  conns: number
  leafnodes: number
  total_conns: number
  num_subscriptions: number
  sent: Traffic
  received: Traffic
  slow_consumers: number
}

/** Of the named accounts, or all (empty). Accounts without connections only with `unused`. */
export function accountStatz(
  server: Server,
  names: readonly string[],
  unused: boolean,
): { server_id: string; now: string; account_statz: AccountStat[] } {
  const list: AccountStat[] = []
  const accounts =
    names.length === 0 ? server.accounts.all() : names.flatMap((name) => server.accounts.get(name) ?? [])
  for (const account of accounts) if (account.clients.size > 0 || unused) list.push(accountStat(account))
  return { server_id: server.id, now: utc(), account_statz: list }
}

export function accountStat(account: Account): AccountStat {
  const sum = { ...account.past }
  for (const client of account.clients) {
    sum.inMsgs += client.inMsgs
    sum.inBytes += client.inBytes
    sum.outMsgs += client.outMsgs
    sum.outBytes += client.outBytes
  }
  return {
    acc: account.name,
    name: account.label,
    conns: account.clients.size,
    leafnodes: 0,
    total_conns: account.clients.size,
    num_subscriptions: account.index.size,
    sent: traffic(sum.outMsgs, sum.outBytes),
    received: traffic(sum.inMsgs, sum.inBytes),
    slow_consumers: sum.slowConsumers,
  }
}

const traffic = (msgs: number, bytes: number): Traffic => {
  const none = { msgs: 0, bytes: 0 }
  return { msgs, bytes, gateways: none, routes: none, leafs: none }
}
