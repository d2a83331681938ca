// /accountz: the accounts in memory, or one of them in detail.
import { type AccountClaims, decodeAccount, localPattern, validate } from '@ngs/identity/node'
import type { Account } from '../account/account.ts'
import { itself, type MappingSpec, refusalOf } from '../account/mappings.ts'
import { ServiceImport } from '../account/sharing.ts'
import type { ExportSpec, ImportSpec, LatencySpec } from '../account/spec.ts'
import type { Server } from '../server.ts'
import { fromWire } from '../subject/subject.ts'
import { local, utc } from '../time.ts'
import { entries, filled, listed, set } from './json.ts'
import { QueryError } from './query.ts'
import { indexStats } from './subsz.ts'

/** @param name empty for the list. @throws QueryError when there is no such account. */
export function accountz(server: Server, name: string): Record<string, unknown> {
  return {
    server_id: server.id,
    now: utc(),
    system_account: server.accounts.system?.name,
    accounts: name === '' ? [...server.accounts.all()].map((account) => account.name) : undefined,
    account_detail: name === '' ? undefined : accountDetail(server, name),
  }
}

/** @throws QueryError when there is no such account. */
export function accountDetail(server: Server, name: string): Record<string, unknown> {
  const account = server.accounts.get(name)
  if (account === undefined) throw new QueryError(`Account ${name} does not exist`)
  const claims = account.token === '' ? null : decodeAccount(account.token)
  const automatic = [...account.held].filter(({ system }) => system)
  // What was never in force is not listed; what is not any more, as invalid.
  const known = account.spec.imports.filter((spec) => account.everHeld.has(spec))
  const imports = [...known, ...automatic].sort(streamsFirst)
  const exports = [...server.accounts.exportsOf(account)].sort((a, b) => streamsFirst(b, a))
  return {
    account_name: account.name,
    update_time: utc(account.updatedAt),
    is_system: set(account.isSystem),
    expired: account.expired,
    complete: known.length === account.spec.imports.length,
    jetstream_enabled: false,
    leafnode_connections: 0,
    client_connections: account.clients.size,
    subscriptions: account.index.size,
    mappings: entries(
      account.spec.mappings
        .filter((mapping) => refusalOf(mapping) === null)
        .map((mapping) => [fromWire(mapping.source), destinations(mapping)]),
    ),
    exports: listed(exports.map((spec) => exported(spec, claims))),
    imports: listed(imports.map((spec) => imported(account, spec))),
    jwt: filled(account.token),
    issuer_key: claims?.iss,
    name_tag: account.label,
    tags: listed(claims?.nats.tags ?? undefined),
    decoded_jwt: claims === null ? undefined : payloadOf(account.token),
    validation_result_jwt: claims === null ? undefined : listed(validate(claims).map(issue)),
    revoked_user: revocations(claims?.nats.revocations),
    sublist_stats: indexStats([account]),
    responses: entries(
      [...account.replies.pending()].map(([subject, { account: requester, reply }]) => [
        subject,
        service(reply, requester.name, subject),
      ]),
    ),
  }
}

const streamsFirst = (a: { kind: string }, b: { kind: string }): number =>
  Number(b.kind === 'stream') - Number(a.kind === 'stream')

/** As it is written there, numbers beyond 2^53 rounded. */
const payloadOf = (token: string): unknown =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())

const issue = ({ text, blocking, level }: ReturnType<typeof validate>[number]): unknown => ({
  description: text,
  blocking,
  time_check: level === 'time',
})

/** Times before which the tokens of each key do not count. */
const revocations = (
  list: Readonly<Record<string, number | bigint>> | undefined,
): Record<string, string> | undefined =>
  entries(Object.entries(list ?? {}).map(([key, at]) => [key, local(Number(at) * 1000).replace('.000', '')]))

/** As they are drawn from: the lightest first, each with the sum of the weights up to it, the source itself for what is left over. */
function destinations({ source, destinations: all }: MappingSpec): Record<string, unknown>[] {
  const clusters = ['', ...new Set(all.map(({ cluster }) => cluster).filter((cluster) => cluster !== ''))]
  return clusters.flatMap((cluster) => {
    const group = all.filter((destination) => destination.cluster === cluster)
    const rest = 100 - group.reduce((sum, { weight }) => sum + weight, 0)
    if (rest !== 0 && !all.some(({ subject }) => subject === source))
      group.push({ subject: itself(source), weight: rest, cluster })
    let sum = 0
    return group
      .sort((a, b) => a.weight - b.weight)
      .map(({ subject, weight }) => {
        sum += weight
        return { subject: fromWire(subject), weight: sum, cluster: filled(cluster) }
      })
  })
}

function exported(spec: ExportSpec, claims: AccountClaims | null): Record<string, unknown> {
  const subject = fromWire(spec.subject)
  const claim = claims?.nats.exports?.find((item) => item?.subject === subject && item.type === spec.kind)
  return {
    subject,
    type: spec.kind,
    token_req: set(spec.authorize !== null),
    response_type:
      spec.kind === 'stream' ? undefined : spec.responseType === 'Stream' ? 'Streamed' : spec.responseType,
    service_latency: latency(spec.latency),
    approved_accounts: listed([...(spec.accounts ?? [])]),
    // Not kept for a stream that everybody may import.
    revoked_activations:
      spec.kind === 'stream' && spec.authorize === null && spec.accountTokenPosition === 0
        ? undefined
        : revocations(claim?.revocations),
  }
}

const latency = (spec: LatencySpec | null): Record<string, unknown> | undefined =>
  spec === null ? undefined : { sampling: spec.sampling || 'headers', results: fromWire(spec.subject) }

function imported(account: Account, spec: ImportSpec): Record<string, unknown> {
  const invalid = !account.held.has(spec)
  const [subject, to] = [fromWire(spec.subject), fromWire(localPattern(spec.to))]
  if (spec.kind === 'service') {
    const item = account.everHeld.get(spec)
    return {
      ...service(subject, spec.account, to, spec.share, invalid),
      latency: item instanceof ServiceImport ? latency(item.export.latency) : undefined,
    }
  }
  return {
    subject,
    account: spec.account,
    local_subject: to,
    type: 'stream',
    invalid,
    share: false,
    tracking: false,
  }
}

function service(
  subject: string,
  account: string,
  to: string,
  share = false,
  invalid = false,
): Record<string, unknown> {
  return {
    subject,
    account,
    // The old name of the next field.
    to,
    local_subject: to,
    type: 'service',
    invalid,
    share,
    tracking: false,
  }
}
