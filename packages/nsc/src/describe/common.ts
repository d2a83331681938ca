import type {
  ClaimsBase,
  JetStreamLimits,
  NatsLimits,
  Permissions,
  UserPermissionLimits,
  UserScope,
} from '@ngs/identity/node'
import { Table } from '../table.ts'
import { yesNo } from '../text.ts'
import { formatBytes, formatDate, formatDuration, type Int64 } from '../values.ts'

/** The rows that several kinds of claims share. Row names and their order are those of the official program. */

export interface HeadInfo {
  idLabel: string
  issuerAccount?: string | undefined
  tags?: readonly string[] | undefined
}

/** Name, identity, issuer, dates and tags: the head of every description. */
export function addHead(table: Table, claims: ClaimsBase, info: HeadInfo): void {
  if (claims.name) table.row('Name', claims.name)
  table.row(info.idLabel, claims.sub)
  table.row('Issuer ID', claims.iss)
  if (info.issuerAccount) table.row('Issuer Account', info.issuerAccount)
  table.row('Issued', formatDate(claims.iat))
  table.row('Expires', formatDate(claims.exp))
  table.list('Tags', info.tags ?? [])
}

export function addPermissions(table: Table, permissions: Permissions): void {
  const lists: [string, readonly string[]][] = [
    ['Pub Allow', permissions.pub.allow ?? []],
    ['Pub Deny', permissions.pub.deny ?? []],
    ['Sub Allow', permissions.sub.allow ?? []],
    ['Sub Deny', permissions.sub.deny ?? []],
  ]
  if (lists.some(([, values]) => values.length > 0)) {
    table.separator()
    for (const [label, values] of lists) table.list(label, values)
  }
  if (!permissions.resp) table.row('Response Permissions', 'Not Set')
  else {
    table.row('Max Responses', String(permissions.resp.max))
    table.row('Response Permission TTL', formatDuration(permissions.resp.ttl))
  }
}

/** Limits of a user or of a scope's template; what is not above zero shows as unlimited. */
export function addUserLimits(
  table: Table,
  limits: NatsLimits & Pick<UserPermissionLimits, 'src' | 'times'>,
): void {
  const sized = (value: Int64) => (value > 0 ? `${value} bytes (≈${formatBytes(value)})` : 'Unlimited')
  table.row('Max Msg Payload', sized(limits.payload))
  table.row('Max Data', sized(limits.data))
  table.row('Max Subs', limits.subs > 0 ? String(limits.subs) : 'Unlimited')
  table.row('Network Src', limits.src?.length ? `[${limits.src.join(' ')}]` : 'Any')
  const times = (limits.times ?? []).map((range) => `${range.start}-${range.end}`)
  table.list('Time', times.length > 0 ? times : ['Any'])
}

export function addConnectionTypes(table: Table, types: readonly string[] | undefined): void {
  if (!types?.length) return
  table.separator()
  table.list('Allowed Connection Types', types)
}

/** The table of a scoped signing key. */
export function describeScope(scope: UserScope): string {
  const table = new Table('Scoped Signing Key - Details')
  table.row('Key', scope.key)
  table.row('Role', scope.role)
  table.row('Description', scope.description)
  addPermissions(table, scope.template)
  addUserLimits(table, scope.template)
  table.row('Bearer Token', yesNo(scope.template.bearer_token ?? false))
  addConnectionTypes(table, scope.template.allowed_connection_types)
  return table.render()
}

/** A number, or `Unlimited` below zero; sizes also in bytes. */
export function limitText(limit: Int64, unit: 'count' | 'bytes'): string {
  if (limit < 0) return 'Unlimited'
  return unit === 'bytes' ? `${formatBytes(limit)} (${limit} bytes)` : String(limit)
}

/** Whether messages may be stored at all under these limits. */
export function allowsStorage(limits: JetStreamLimits): boolean {
  return Number(limits.mem_storage ?? 0) !== 0 || Number(limits.disk_storage ?? 0) !== 0
}
