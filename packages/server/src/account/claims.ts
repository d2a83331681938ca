// An account JWT as an AccountSpec.
import {
  type AccountClaims,
  type Export,
  type Import,
  type Int64,
  type Permissions,
  verifyActivation,
} from '@ngs/identity/node'
import type { PermissionsSpec } from '../subject/permissions.ts'
import { toWire } from '../subject/subject.ts'
import type { MappingSpec } from './mappings.ts'
import {
  type AccountSpec,
  DEFAULT_RESPONSE_THRESHOLD,
  type ExportSpec,
  type ImportSpec,
  type LatencySpec,
  type ResponseType,
  type TraceSpec,
} from './spec.ts'

const INT32_MAX = 2 ** 31 - 1
/** int64 of a claim as the int32 that servers work with; clamps, never wraps. */
export const limit = (value: Int64): number =>
  value < 0 ? -1 : value > INT32_MAX ? INT32_MAX : Number(value)

/** Null when nothing is set, so that account defaults can step in. */
export function permissionsOf(permissions: Permissions): PermissionsSpec | null {
  const { pub, sub, resp } = permissions
  const lists = [pub.allow, pub.deny, sub.allow, sub.deny]
  if (resp === undefined && lists.every((list) => list === undefined || list.length === 0)) return null
  return {
    publish: { allow: pub.allow ?? [], deny: pub.deny ?? [] },
    subscribe: { allow: sub.allow ?? [], deny: sub.deny ?? [] },
    responses: resp === undefined ? null : { max: Number(resp.max), ttl: Number(resp.ttl) / 1e6 },
  }
}

export function specOf(claims: AccountClaims): AccountSpec {
  const { limits } = claims.nats
  return {
    exports: (claims.nats.exports ?? []).flatMap((item) => (item === null ? [] : [exportOf(item, claims)])),
    imports: (claims.nats.imports ?? []).flatMap((item) => (item === null ? [] : [importOf(item)])),
    limits: {
      connections: limit(limits.conn),
      subs: limit(limits.subs),
      payload: limit(limits.payload),
      leafs: limit(limits.leaf),
    },
    defaultPermissions: permissionsOf(claims.nats.default_permissions),
    mappings: mappingsOf(claims),
    trace: traceOf(claims),
  }
}

function mappingsOf(claims: AccountClaims): MappingSpec[] {
  return Object.entries(claims.nats.mappings ?? {}).map(([source, targets]) => ({
    source: toWire(source),
    destinations: targets.map(({ subject, weight, cluster }) => ({
      subject: toWire(subject),
      weight: Number(weight ?? 0) || 100,
      cluster: cluster ?? '',
    })),
  }))
}

function traceOf(claims: AccountClaims): TraceSpec | null {
  const { dest = '', sampling = 0 } = claims.nats.trace ?? {}
  // As there, without a number all of them.
  return dest === '' ? null : { destination: toWire(dest), sampling: Number(sampling) || 100 }
}

function latencyOf({ type, service_latency: latency }: Export): LatencySpec | null {
  if (type !== 'service' || latency === undefined || latency === null) return null
  const { sampling, results } = latency
  return { sampling: Number(sampling), subject: toWire(results) }
}

function exportOf(item: Export, exporter: AccountClaims): ExportSpec {
  const kind = item.type === 'service' ? 'service' : 'stream'
  return {
    kind,
    subject: toWire(item.subject ?? ''),
    accounts: null,
    authorize: item.token_req ? (importer, imported) => refusal(importer, imported, exporter) : null,
    responseType: (item.response_type || 'Singleton') as ResponseType,
    responseThreshold: item.response_threshold
      ? Number(item.response_threshold) / 1e6
      : DEFAULT_RESPONSE_THRESHOLD,
    accountTokenPosition: Number(item.account_token_position ?? 0),
    latency: latencyOf(item),
    allowTrace: item.allow_trace ?? false,
  }
}

/** Why a private export does not let the import in; null when it does. */
function refusal(importer: string, imported: ImportSpec, exporter: AccountClaims): string | null {
  if (imported.token === undefined)
    return `the export is private and the import has no activation token of account ${exporter.sub}`
  const result = verifyActivation({
    token: imported.token,
    importer,
    exporter,
    kind: imported.kind,
    subject: imported.subject,
  })
  return result.ok ? null : result.reason
}

function importOf(item: Import): ImportSpec {
  const kind = item.type === 'service' ? 'service' : 'stream'
  const named = toWire(item.subject ?? '')
  const old = toWire(item.to ?? '')
  const local = toWire(item.local_subject ?? '')
  const base = {
    kind,
    account: item.account ?? '',
    share: item.share ?? false,
    allowTrace: item.allow_trace ?? false,
    ...(item.token ? { token: item.token } : {}),
  } as const
  if (local !== '') return { ...base, subject: named, to: local }
  if (old === '') return { ...base, subject: named, to: named }
  // The deprecated field: a stream's prefix, a service's remote subject.
  return kind === 'stream'
    ? { ...base, subject: named, to: `${old}${old.endsWith('.') ? '' : '.'}${named}`, prefix: old }
    : { ...base, subject: old, to: named }
}
