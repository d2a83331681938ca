import {
  type AccountClaims,
  type ActivationClaims,
  decodeActivation,
  type Export,
  type Import,
  type JetStreamLimits,
  type WeightedMapping,
} from '@ngs/identity/node'
import { textOf } from '../errors.ts'
import { Table } from '../table.ts'
import { compareBytes, titleCase, yesNo } from '../text.ts'
import { formatBytes, formatDate, type Int64 } from '../values.ts'
import { addHead, addPermissions, allowsStorage, describeScope, limitText } from './common.ts'

/** What a description needs besides the claims. */
export interface DescribeContext {
  /** Replaces an account key by a name where one is known. */
  nameOf: (key: string) => string
  /** Fetches an activation token that an import refers to by URL. */
  fetchToken: (url: string) => Promise<string>
}

/** The tables of an account: itself, exports, imports, mappings, scoped signing keys. */
export async function describeAccount(account: AccountClaims, context: DescribeContext): Promise<string> {
  const { nats } = account
  const parts = [accountTable(account)]
  const exports = (nats.exports ?? []).filter((entry) => entry !== null)
  const imports = (nats.imports ?? []).filter((entry) => entry !== null)
  if (exports.length > 0) parts.push(...exportTables(exports))
  if (imports.length > 0) parts.push(await importTable(imports, context))
  if (nats.mappings && Object.keys(nats.mappings).length > 0) parts.push(mappingTable(nats.mappings))
  for (const entry of nats.signing_keys ?? []) if (typeof entry !== 'string') parts.push(describeScope(entry))
  return parts.join('\n')
}

function accountTable(account: AccountClaims): string {
  const { nats } = account
  const table = new Table('Account Details')
  addHead(table, account, { idLabel: 'Account ID', tags: nats.tags })
  table.separator()
  if (nats.description) table.row('Description', nats.description.replaceAll('\n', ' '))
  if (nats.info_url) table.row('Info Url', nats.info_url)
  if (nats.description || nats.info_url) table.separator()
  const keys = (nats.signing_keys ?? []).map((entry) => (typeof entry === 'string' ? entry : entry.key))
  if (keys.length > 0) {
    table.list('Signing Keys', keys)
    table.separator()
  }
  addAuthCallout(table, nats.authorization)
  addLimits(table, nats.limits)
  addPermissions(table, nats.default_permissions)
  table.separator()
  addJetStream(table, nats.limits)
  table.separator()
  if (!nats.imports?.length) table.row('Imports', 'None')
  if (!nats.exports?.length) table.row('Exports', 'None')
  const revoked = Object.keys(nats.revocations ?? {}).length
  if (revoked > 0) {
    table.separator()
    table.row('Revocations', String(revoked))
  }
  table.separator()
  if (!nats.trace) table.row('Tracing Context', 'Disabled')
  else {
    table.row('Tracing Context', 'Enabled')
    table.row('Subject', nats.trace.dest ?? '')
    table.row('Sampling', `${nats.trace.sampling || 100}%`)
  }
  return table.render()
}

function addAuthCallout(table: Table, authorization: AccountClaims['nats']['authorization']): void {
  if (!authorization.auth_users?.length) return
  table.list('Auth Callout Users', authorization.auth_users)
  table.list('Allowed Accounts', authorization.allowed_accounts ?? [])
  if (authorization.xkey) table.row('Encrypt For', authorization.xkey)
  table.separator()
}

function addLimits(table: Table, limits: AccountClaims['nats']['limits']): void {
  const truth = (value: boolean | undefined) => (value ? 'True' : 'False')
  table.row('Max Connections', limitText(limits.conn, 'count'))
  table.row(
    'Max Leaf Node Connections',
    Number(limits.leaf) === 0 ? 'Not Allowed' : limitText(limits.leaf, 'count'),
  )
  table.row('Max Data', limitText(limits.data, 'bytes'))
  table.row('Max Exports', limitText(limits.exports, 'count'))
  table.row('Max Imports', limitText(limits.imports, 'count'))
  table.row('Max Msg Payload', limitText(limits.payload, 'bytes'))
  table.row('Max Subscriptions', limitText(limits.subs, 'count'))
  table.row('Exports Allows Wildcards', truth(limits.wildcards))
  table.row('Disallow Bearer Token', truth(limits.disallow_bearer))
}

function addJetStream(table: Table, limits: AccountClaims['nats']['limits']): void {
  const tiers = Object.entries(limits.tiered_limits ?? {}).sort(([a], [b]) => compareBytes(a, b))
  const enabled = tiers.length > 0 ? tiers.some(([, tier]) => allowsStorage(tier)) : allowsStorage(limits)
  if (!enabled) table.row('Jetstream', 'Disabled')
  else if (tiers.length === 0) {
    table.row('Jetstream', 'Enabled')
    addJetStreamLimits(table, limits)
  }
  if (!enabled) return
  for (const [index, [name, tier]] of tiers.entries()) {
    if (index > 0) table.separator()
    table.row('Jetstream Tier', name)
    addJetStreamLimits(table, tier)
  }
}

function addJetStreamLimits(table: Table, limits: JetStreamLimits): void {
  const storage = (value: Int64 = 0) =>
    value > 0 ? formatBytes(value) : Number(value) === 0 ? 'Disabled' : 'Unlimited'
  const above = (value: Int64 | undefined, unit: 'count' | 'bytes', otherwise: string) =>
    value !== undefined && value > 0 ? limitText(value, unit) : otherwise
  table.row('Max Disk Storage', storage(limits.disk_storage))
  table.row('Max Mem Storage', storage(limits.mem_storage))
  table.row('Max Streams', above(limits.streams, 'count', 'Unlimited'))
  table.row('Max Consumers', above(limits.consumer, 'count', 'Unlimited'))
  table.row('Max Ack Pending', above(limits.max_ack_pending, 'count', 'Consumer Setting'))
  table.row('Max Bytes', `${limits.max_bytes_required ? 'required' : 'optional'} (Stream setting)`)
  table.row('Max Memory Stream', above(limits.mem_max_stream_bytes, 'bytes', 'Unlimited'))
  table.row('Max Disk Stream', above(limits.disk_max_stream_bytes, 'bytes', 'Unlimited'))
}

function exportTables(exports: readonly Export[]): string[] {
  const table = new Table('Exports', [
    'Name',
    'Type',
    'Subject',
    'Account Token Position',
    'Public',
    'Revocations',
    'Tracking',
    'Allow Trace',
  ])
  const described = new Table('Exports - Descriptions', ['Name', 'Description', 'Info Url'])
  for (const entry of exports) {
    const isService = entry.type === 'service'
    const replies =
      isService && ['Stream', 'Chunked'].includes(entry.response_type ?? '')
        ? ` [${entry.response_type}]`
        : ''
    const latency = entry.service_latency
    const tracking = latency ? `${latency.results} (${latency.sampling}%)` : '-'
    table.row(
      entry.name ?? '',
      titleCase(entry.type ?? 'unknown') + replies,
      entry.subject ?? '',
      Number(entry.account_token_position ?? 0) > 0 ? String(entry.account_token_position) : '-',
      yesNo(!entry.token_req),
      String(Object.keys(entry.revocations ?? {}).length),
      isService ? tracking : 'N/A',
      entry.type === 'stream' ? 'N/A' : yesNo(entry.allow_trace ?? false),
    )
    if (entry.description || entry.info_url)
      described.row(entry.name ?? '', (entry.description ?? '').replaceAll('\n', ' '), entry.info_url ?? '')
  }
  const hasDescriptions = exports.some((entry) => entry.description || entry.info_url)
  return hasDescriptions ? [table.render(), described.render()] : [table.render()]
}

async function importTable(imports: readonly Import[], context: DescribeContext): Promise<string> {
  const table = new Table('Imports', [
    'Name',
    'Type',
    'Remote',
    'Local',
    'Expires',
    'From Account',
    'Public',
    'Allow Trace',
  ])
  for (const entry of imports) {
    const isService = entry.type === 'service'
    // The old `to` of a service is the remote subject, its `subject` the local one.
    const swapped = isService && entry.to
    table.row(
      entry.name ?? '',
      titleCase(entry.type ?? 'unknown'),
      (swapped ? entry.to : entry.subject) ?? '',
      (swapped ? entry.subject : entry.local_subject) ?? '',
      entry.token ? await expiryOf(entry.token, context) : '',
      context.nameOf(entry.account ?? ''),
      yesNo(!entry.token),
      isService ? 'N/A' : yesNo(entry.allow_trace ?? false),
    )
  }
  return table.render()
}

async function expiryOf(token: string, context: DescribeContext): Promise<string> {
  try {
    const text = /^https?:\/\//i.test(token) ? await context.fetchToken(token) : token
    return formatDate(decodeActivation(text.trim()).exp)
  } catch (thrown) {
    return `error decoding: ${textOf(thrown)}`
  }
}

function mappingTable(mappings: Record<string, WeightedMapping[]>): string {
  const table = new Table('Mappings', ['From', 'To', 'Weight (%)'])
  for (const [from, targets] of Object.entries(mappings).sort(([a], [b]) => compareBytes(a, b))) {
    for (const [index, target] of targets.entries())
      table.row(
        index === 0 ? from : '',
        target.subject,
        String(index === 0 ? weightOf(target) : (target.weight ?? 0)),
      )
    // The sum is kept in a byte by the official program.
    const sum = targets.reduce((total, target) => total + weightOf(target), 0) & 0xff
    table.row('', '', `sum=${sum}`)
  }
  return table.render()
}

function weightOf(mapping: WeightedMapping): number {
  return Number(mapping.weight) || 100
}

export function describeActivation(claims: ActivationClaims, hashId: string): string {
  const table = new Table('Activation')
  addHead(table, claims, {
    idLabel: 'Account ID',
    issuerAccount: claims.nats.issuer_account,
    tags: claims.nats.tags,
  })
  table.separator()
  table.row('Hash ID', hashId)
  table.separator()
  table.row('Import Type', titleCase(claims.nats.kind ?? 'unknown'))
  table.row('Import Subject', claims.nats.subject ?? '')
  table.separator()
  return table.render()
}
