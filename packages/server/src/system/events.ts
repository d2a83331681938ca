// What the server tells unasked: connections that come and go, failed logins, counts of accounts, and its own state.
import type { Account } from '../account/account.ts'
import { randomToken } from '../account/random.ts'
import type { Client } from '../connection/client.ts'
import { accountStat } from '../monitor/accstatz.ts'
import { statsz } from '../monitor/statsz.ts'
import type { CloseReason } from '../protocol/refusals.ts'
import type { System } from './system.ts'

/** The state goes out early and often after the start, so that those who listen know of the server soon. */
const FIRST_STATSZ_MS = 250
const STATSZ_MS = 10_000
/** Least time between two when somebody asks for them. */
const STATSZ_GAP_MS = 1_000
const CONNS_MS = 30_000

export interface Events {
  /** The state of the server to everybody, at most once a second. */
  broadcastStatsz(): void
  /** The counts of an account, as its event has them. */
  connections(account: Account): Record<string, unknown>
}

export function announceEvents(system: System): Events {
  const { server } = system
  let lastStatsz = 0

  const event = (type: string): Record<string, unknown> => ({
    type: `io.nats.server.advisory.v1.${type}`,
    id: randomToken(22),
    timestamp: new Date().toISOString(),
    server: system.info(),
  })
  const connections = (account: Account): Record<string, unknown> => ({
    ...event('account_connections'),
    ...accountStat(account),
  })
  const disconnect = (client: Client, reason: CloseReason): Record<string, unknown> => ({
    ...event('client_disconnect'),
    client: { ...client.describe(), stop: (client.stop ?? new Date()).toISOString() },
    // Seen from the client.
    sent: { msgs: client.inMsgs, bytes: client.inBytes },
    received: { msgs: client.outMsgs, bytes: client.outBytes },
    reason,
  })
  const announceConnections = (account: Account): void => {
    if (account === server.accounts.global) return
    system.announce(`$SYS.SERVER.ACCOUNT.${account.name}.CONNS`, () => connections(account))
    system.announce(`$SYS.ACCOUNT.${account.name}.SERVER.CONNS`, () => connections(account))
  }
  const announceStatsz = (): void => {
    lastStatsz = Date.now()
    system.announce(`$SYS.SERVER.${server.id}.STATSZ`, () => ({
      server: system.info(),
      statsz: statsz(server),
    }))
  }

  server.observers.push({
    connected(client) {
      const { account } = client
      announceConnections(account)
      system.announce(`$SYS.ACCOUNT.${account.name}.CONNECT`, () => ({
        ...event('client_connect'),
        client: client.describe(),
      }))
    },
    closed(client, reason) {
      const { account } = client
      if (client.user.kind !== 'none') announceConnections(account)
      system.announce(`$SYS.ACCOUNT.${account.name}.DISCONNECT`, () => disconnect(client, reason))
    },
    authError(client) {
      const make = (): Record<string, unknown> => disconnect(client, 'Authentication Failure')
      system.announce(`$SYS.SERVER.${server.id}.CLIENT.AUTH.ERR`, make)
      const inside = '$SYS.ACCOUNT.CLIENT.AUTH.ERR'
      if (client.account.hasInterest(inside))
        client.account.publishInternal(inside, '', JSON.stringify(make()))
    },
    stateChanged: announceStatsz,
    lameDuck() {
      system.announce(`$SYS.SERVER.${server.id}.LAMEDUCK`, () => system.info())
    },
  })

  let gap = FIRST_STATSZ_MS
  const beat = (): void => {
    announceStatsz()
    gap = Math.min(gap * 2, STATSZ_MS)
    heartbeat = setTimeout(beat, gap).unref()
  }
  let heartbeat = setTimeout(beat, gap).unref()
  const counts = setInterval(() => {
    for (const account of server.accounts.all()) if (account.clients.size > 0) announceConnections(account)
  }, CONNS_MS).unref()
  server.onStop(() => {
    clearTimeout(heartbeat)
    clearInterval(counts)
    system.announce(`$SYS.SERVER.${server.id}.SHUTDOWN`, () => system.info())
  })

  return {
    connections,
    broadcastStatsz() {
      if (Date.now() - lastStatsz >= STATSZ_GAP_MS) announceStatsz()
    },
  }
}
