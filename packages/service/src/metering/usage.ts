// What an account uses, from the counters of the message servers.
import type { Fleet } from '../operator/fleet.ts'
import { readJson } from '../operator/fleet.ts'

/** Sums over all servers. Messages and bytes count since each server has started. */
export interface Usage {
  connections: number
  leafNodes: number
  subscriptions: number
  /** From the account's clients. */
  received: { messages: number; bytes: number }
  /** To the account's clients. */
  sent: { messages: number; bytes: number }
  slowConsumers: number
}

interface AccountStat {
  acc?: unknown
  conns?: unknown
  leafnodes?: unknown
  num_subscriptions?: unknown
  sent?: { msgs?: unknown; bytes?: unknown }
  received?: { msgs?: unknown; bytes?: unknown }
  slow_consumers?: unknown
}

const answerWithinMs = 1_000
const count = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)

/** The counters of accounts, asked for when somebody wants to know. */
export class Metering {
  readonly #fleet: Fleet
  /** Questions under way: any user may ask about its account as often as it likes, but the servers hear it once. */
  readonly #asking = new Map<string, Promise<Usage | null>>()

  constructor(fleet: Fleet) {
    this.#fleet = fleet
  }

  /** @returns sums over all servers; null when none can be asked */
  usage(account: string): Promise<Usage | null> {
    const asking = this.#asking.get(account)
    if (asking !== undefined) return asking
    const asked = readUsage(this.#fleet, account).finally(() => this.#asking.delete(account))
    this.#asking.set(account, asked)
    return asked
  }
}

/** Asks every server for the counters of one account. */
async function readUsage(fleet: Fleet, account: string): Promise<Usage | null> {
  const servers = fleet.servers.length
  if (!fleet.connected || servers === 0) return null
  const answers = await fleet.ask(
    '$SYS.REQ.ACCOUNT.PING.STATZ',
    JSON.stringify({ accounts: [account], include_unused: true }),
    (received) => received.length >= servers,
    answerWithinMs,
  )
  const usage: Usage = {
    connections: 0,
    leafNodes: 0,
    subscriptions: 0,
    received: { messages: 0, bytes: 0 },
    sent: { messages: 0, bytes: 0 },
    slowConsumers: 0,
  }
  for (const answer of answers) {
    const { data } = (readJson(answer) ?? {}) as { data?: { account_statz?: unknown } }
    const stats = Array.isArray(data?.account_statz) ? (data.account_statz as AccountStat[]) : []
    for (const stat of stats) {
      if (stat?.acc !== account) continue
      usage.connections += count(stat.conns)
      usage.leafNodes += count(stat.leafnodes)
      usage.subscriptions += count(stat.num_subscriptions)
      usage.received.messages += count(stat.received?.msgs)
      usage.received.bytes += count(stat.received?.bytes)
      usage.sent.messages += count(stat.sent?.msgs)
      usage.sent.bytes += count(stat.sent?.bytes)
      usage.slowConsumers += count(stat.slow_consumers)
    }
  }
  return usage
}
