// What the server tells unasked: connections that come and go, failed logins, counts of accounts, and its own state.
import type { Account } from '../account/account.ts'
import { randomToken } from '../account/random.ts'
import type { Client } from '../connection/client.ts'
import { accountStat } from '../monitor/accstatz.ts'
import { statsz } from '../monitor/statsz.ts'
import { local, utc } from '../time.ts'
import type { System } from './system.ts'

/** The state goes out early and often after the start, so that those who listen know of the server soon. */
const FIRST_STATSZ_MS = 250
const STATSZ_MS = 10_000
/** Least time between two, once the server is past its start. */
const STATSZ_GAP_MS = 1_000
const CONNS_MS = 30_000

export interface Events {
  /** The state of the server to everybody, now. */
  broadcastStatsz(): void
  /** The counts of an account, as its event has them. */
  connections(account: Account): Record<string, unknown>
}

export function announceEvents(system: System): Events {
  const { server } = system
  const event = (type: string, timestamp: string): Record<string, unknown> => ({
    type: `io.nats.server.advisory.v1.${type}`,
    id: randomToken(22),
    timestamp,
    server: system.info(),
  })
  const connections = (account: Account): Record<string, unknown> => ({
    ...event('account_connections', utc()),
    ...accountStat(account),
  })
  /** Traffic as the client sees it. */
  const disconnect = (
    client: Client,
    at: Date,
    timestamp: string,
    reason: string,
    account = client.account,
  ): Record<string, unknown> => ({
    ...event('client_disconnect', timestamp),
    client: client.describe(account.name, '', at),
    sent: { msgs: client.inMsgs, bytes: client.inBytes },
    received: { msgs: client.outMsgs, bytes: client.outBytes },
    reason,
  })

  const counts = new AccountCounts(system, connections)
  const state = new StateBroadcast(system)
  server.observers.push({
    connected(client) {
      const { account } = client
      counts.changed(account)
      system.announce(`$SYS.ACCOUNT.${account.name}.CONNECT`, () => ({
        ...event('client_connect', utc()),
        // Nobody has measured its round trip yet.
        client: { ...client.describe(), rtt: undefined },
      }))
    },
    left: (account) => counts.changed(account),
    closed(client, reason) {
      const { account } = client
      const at = client.stop ?? new Date()
      counts.changed(account)
      system.announce(`$SYS.ACCOUNT.${account.name}.DISCONNECT`, () =>
        disconnect(client, at, local(at), reason),
      )
    },
    authError(client, reason) {
      const at = new Date()
      system.announce(`$SYS.SERVER.${server.id}.CLIENT.AUTH.ERR`, () =>
        disconnect(client, at, utc(at), reason),
      )
    },
    loginFailed(client, account, reason) {
      const at = new Date()
      const make = () => disconnect(client, at, utc(at), reason, account)
      system.announce('$SYS.ACCOUNT.CLIENT.AUTH.ERR', make, account)
    },
    stateChanged: () => state.send(),
    lameDuck() {
      system.announce(`$SYS.SERVER.${server.id}.LAMEDUCK`, () => system.info())
    },
  })
  server.onStop(() => {
    counts.stop()
    state.stop()
    system.announce(`$SYS.SERVER.${server.id}.SHUTDOWN`, () => system.info())
  })
  return { connections, broadcastStatsz: () => state.now() }
}

/** Tells the counts of an account with each change, and from time to time while it has connections. Never of the global account. */
class AccountCounts {
  readonly #system: System
  readonly #make: (account: Account) => Record<string, unknown>
  readonly #timers = new Map<Account, NodeJS.Timeout>()

  constructor(system: System, make: (account: Account) => Record<string, unknown>) {
    this.#system = system
    this.#make = make
  }

  changed(account: Account): void {
    if (account === this.#system.server.accounts.global) return
    const timer = this.#timers.get(account)
    if (account.clients.size === 0) {
      clearTimeout(timer)
      this.#timers.delete(account)
    } else if (timer !== undefined) timer.refresh()
    else this.#timers.set(account, setTimeout(() => this.changed(account), CONNS_MS).unref())
    // The old subject and the new one.
    this.#system.announce(`$SYS.SERVER.ACCOUNT.${account.name}.CONNS`, () => this.#make(account))
    this.#system.announce(`$SYS.ACCOUNT.${account.name}.SERVER.CONNS`, () => this.#make(account))
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }
}

/** The state of the server to everybody: on its own account, and when somebody asks without waiting for the answer. */
class StateBroadcast {
  readonly #system: System
  #gap = FIRST_STATSZ_MS
  #last = 0
  #timer: NodeJS.Timeout

  constructor(system: System) {
    this.#system = system
    this.#timer = this.#after(this.#gap)
  }

  #after(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#gap = Math.min(this.#gap * 2, STATSZ_MS)
      this.#timer = this.#after(this.#gap)
      this.send()
    }, ms).unref()
  }

  now(): void {
    this.#last = 0
    this.send()
  }

  /** Too soon after the last one it waits for its time. */
  send(): void {
    const gap = Math.min(STATSZ_GAP_MS, this.#gap)
    const due = this.#last + gap - Date.now()
    if (due > 0) {
      clearTimeout(this.#timer)
      this.#timer = this.#after(due)
      return
    }
    this.#last = Date.now()
    const { server } = this.#system
    this.#system.announce(`$SYS.SERVER.${server.id}.STATSZ`, () => ({
      server: this.#system.info(),
      statsz: statsz(server),
    }))
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
