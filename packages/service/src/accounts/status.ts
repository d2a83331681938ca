// How an account stands: what it may use and what it uses. The same for HTTP and for ngs.usage.
import { decodeAccount } from '@ngs/identity/node'
import { type Static, Type } from 'typebox'
import type { Usage } from '../metering/usage.ts'
import { Plan, PlanLimits } from '../plans/catalogue.ts'
import type { AccountRow } from '../store/accounts.ts'

const Count = (description: string) => Type.Integer({ minimum: 0, description })
const Traffic = Type.Object({ messages: Count('Messages'), bytes: Count('Bytes of payload and headers') })

/** What an account uses: schema of the API, and its type. */
export const UsageReport = Type.Object(
  {
    connections: Count('Client connections now'),
    leaf_nodes: Count('Leaf node connections now'),
    subscriptions: Count('Subscriptions now, those of imports included'),
    imports: Count('Imports besides the demonstration ones'),
    exports: Count('Exports'),
    data: Count('Bytes in and out, as far as the message servers remember: since each has started'),
    received: Type.Object(Traffic.properties, { description: 'From clients of the account' }),
    sent: Type.Object(Traffic.properties, { description: 'To clients of the account' }),
    slow_consumers: Count('Connections that were closed for being too slow'),
  },
  { description: 'Sums over all message servers' },
)
export type UsageReport = Static<typeof UsageReport>

/** How an account stands: schema of the API, and its type. */
export const AccountStatus = Type.Object({
  account: Type.String({ description: 'Public key' }),
  name: Type.String(),
  plan: Plan,
  state: Type.String({ description: 'active, or cancelled when the owner has deleted the account' }),
  limits: PlanLimits,
  usage: Type.Union([UsageReport, Type.Null()], { description: 'null while no message server can be asked' }),
  connections: Type.Union([Type.Integer(), Type.Null()], { description: 'Same as usage.connections' }),
  created_at: Type.String({ description: 'RFC 3339' }),
  updated_at: Type.String({ description: 'RFC 3339' }),
})
export type AccountStatus = Static<typeof AccountStatus>

export const timeText = (seconds: number): string => new Date(seconds * 1000).toISOString()

/** The account's own figures and those of the servers as one report. */
export function usageReport(row: AccountRow, demoAccount: string, usage: Usage): UsageReport {
  const { nats } = decodeAccount(row.signed_token)
  return {
    connections: usage.connections,
    leaf_nodes: usage.leafNodes,
    subscriptions: usage.subscriptions,
    imports: (nats.imports ?? []).filter((item) => item?.account !== demoAccount).length,
    exports: nats.exports?.length ?? 0,
    data: usage.received.bytes + usage.sent.bytes,
    received: usage.received,
    sent: usage.sent,
    slow_consumers: usage.slowConsumers,
  }
}

/** @param usage null when no message server can be asked */
export function accountStatus(
  row: AccountRow,
  plan: Plan,
  demoAccount: string,
  usage: Usage | null,
): AccountStatus {
  return {
    account: row.public_key,
    name: row.name,
    plan,
    state: row.state,
    limits: plan.limits,
    usage: usage === null ? null : usageReport(row, demoAccount, usage),
    connections: usage?.connections ?? null,
    created_at: timeText(row.created_at),
    updated_at: timeText(row.updated_at),
  }
}

function bytesText(bytes: number): string {
  let value = bytes
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (value < 1000) return unit === 'B' ? `${value} B` : `${value.toFixed(1)} ${unit}`
    value /= 1000
  }
  return `${value.toFixed(1)} TB`
}

/** A status as a few lines for people. */
export function statusText(status: AccountStatus): string {
  const { limits, usage } = status
  const most = (limit: number, text: (value: number) => string = String): string =>
    limit === -1 ? 'unlimited' : text(limit)
  const lines = [`account ${status.name} (${status.account})`, `plan ${status.plan.name}, ${status.state}`]
  if (usage !== null) {
    lines.push(
      `connections: ${usage.connections} of ${most(limits.connections)}`,
      `leaf nodes: ${usage.leaf_nodes} of ${most(limits.leaf_nodes)}`,
      `imports: ${usage.imports} of ${most(limits.imports)}`,
      `data: ${bytesText(usage.data)} of ${most(limits.data, bytesText)} a month ` +
        `(in ${bytesText(usage.received.bytes)}, out ${bytesText(usage.sent.bytes)}, since the servers have started)`,
    )
  }
  lines.push(`largest message: ${most(limits.payload, (value) => `${value} bytes`)}`)
  return lines.join('\n')
}
