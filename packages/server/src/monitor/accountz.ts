// /accountz: the accounts in memory, or one of them in detail.
import type { Account } from '../account/account.ts'
import type { ExportSpec, ImportSpec } from '../account/spec.ts'
import type { Server } from '../server.ts'
import { fromWire } from '../subject/subject.ts'
import { QueryError } from './connz.ts'

/** @throws QueryError when the account that is named does not exist. */
export function accountz(server: Server, name: string): Record<string, unknown> {
  const { system } = server.accounts
  return {
    server_id: server.id,
    now: new Date().toISOString(),
    ...(system === null ? {} : { system_account: system.name }),
    ...(name === ''
      ? { accounts: [...server.accounts.all()].map((account) => account.name) }
      : { account_detail: accountDetail(server, name) }),
  }
}

/** @throws QueryError when there is no such account. */
export function accountDetail(server: Server, name: string): Record<string, unknown> {
  const account = server.accounts.get(name)
  if (account === undefined) throw new QueryError(`Account ${name} does not exist`)
  const { exports, imports } = account.spec
  const all = [...imports, ...server.accounts.automatic(account)]
  const claims = account.token === '' ? null : payloadOf(account.token)
  return {
    account_name: account.name,
    update_time: account.updatedAt.toISOString(),
    ...(account.isSystem ? { is_system: true } : {}),
    expired: account.expired,
    complete: all.every((spec) => server.accounts.get(spec.account) !== undefined),
    jetstream_enabled: false,
    leafnode_connections: 0,
    client_connections: account.clients.size,
    subscriptions: account.index.size,
    ...(exports.length > 0 ? { exports: exports.map(exported) } : {}),
    ...(all.length > 0 ? { imports: all.map((spec) => imported(account, spec)) } : {}),
    ...(claims === null ? {} : { jwt: account.token, issuer_key: claims.iss }),
    name_tag: account.label,
    ...(claims?.nats?.tags ? { tags: claims.nats.tags } : {}),
    ...(claims === null ? {} : { decoded_jwt: claims }),
    sublist_stats: { num_subscriptions: account.index.size },
  }
}

/** As it is written there, numbers beyond 2^53 rounded. */
function payloadOf(token: string): { iss?: string; nats?: { tags?: string[] } } {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
}

function exported(spec: ExportSpec): Record<string, unknown> {
  return {
    subject: fromWire(spec.subject),
    type: spec.kind,
    ...(spec.authorize === null ? {} : { token_req: true }),
    ...(spec.kind === 'service'
      ? { response_type: spec.responseType === 'Stream' ? 'Streamed' : spec.responseType }
      : {}),
    ...(spec.accountTokenPosition > 0 ? { account_token_position: spec.accountTokenPosition } : {}),
    ...(spec.accounts === null ? {} : { approved_accounts: [...spec.accounts] }),
  }
}

function imported(account: Account, spec: ImportSpec): Record<string, unknown> {
  const inForce = spec.kind === 'stream' ? (account.streams ?? []) : account.services
  return {
    subject: fromWire(spec.subject),
    account: spec.account,
    local_subject: fromWire(spec.to),
    type: spec.kind,
    ...(spec.token === undefined ? {} : { token: spec.token }),
    invalid: !inForce.some((item) => item.spec === spec || isSame(item.spec, spec)),
    share: spec.share,
    tracking: false,
  }
}

const isSame = (a: ImportSpec, b: ImportSpec): boolean =>
  a.account === b.account && a.subject === b.subject && a.to === b.to
