// The validation rules of each claim, with the severity the official tools give them.
import type {
  AccountClaims,
  ActivationClaims,
  AuthorizationRequestClaims,
  AuthorizationResponseClaims,
  Claims,
  Export,
  Import,
  OperatorClaims,
  Permissions,
  UserClaims,
} from '../claims.ts'
import { JET_STREAM_LIMITS } from '../claims.ts'
import { decodeActivation } from '../jwt/decode.ts'
import { isPublicKey, roleOfPublicKey } from '../nkeys.ts'
import { SubjectIndex } from '../subject-index.ts'
import { hasWildcard, isContainedIn } from '../subjects.ts'

/** One finding of validate. */
export interface Issue {
  readonly level: 'error' | 'warning' | 'time'
  /** True for errors, and for time checks, which count only where the caller includes time. */
  readonly blocking: boolean
  readonly text: string
  /** Where in the claims, for example `exports[0].subject`. */
  readonly path?: string
}

const MAX_INFO = 8 * 1024
/** With a scheme and a host; the WHATWG parser finds hosts where there are none (`http:/x`). */
const ABSOLUTE_URL = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?[^:/?#]/i

class Issues {
  readonly list: Issue[] = []
  error(text: string, path?: string): void {
    this.list.push({ level: 'error', blocking: true, text, ...(path === undefined ? {} : { path }) })
  }
  time(text: string): void {
    this.list.push({ level: 'time', blocking: true, text })
  }
  warn(text: string, path?: string): void {
    this.list.push({ level: 'warning', blocking: false, text, ...(path === undefined ? {} : { path }) })
  }
}

/** True when an issue stands in the way; expiry and not-before only with includeTime. */
export function isBlocking(issues: readonly Issue[], options: { includeTime: boolean }): boolean {
  return issues.some((issue) => issue.level === 'error' || (issue.level === 'time' && options.includeTime))
}

/** Every issue of the claims. @param options.now unix seconds, the clock when absent. */
export function validate(claims: Claims, options: { now?: number } = {}): Issue[] {
  const issues = new Issues()
  const now = options.now ?? Math.floor(Date.now() / 1000)
  if (claims.exp !== undefined && claims.exp > 0 && claims.exp < now) issues.time('claim is expired')
  if (claims.nbf !== undefined && claims.nbf > now) issues.time('claim is not yet valid')
  switch (claims.nats.type) {
    case 'operator':
      operator(claims as OperatorClaims, issues)
      break
    case 'account':
      account(claims as AccountClaims, issues)
      break
    case 'user':
      user(claims as UserClaims, issues)
      break
    case 'activation':
      activation(claims as ActivationClaims, issues)
      break
    case 'authorization_request': {
      const key = (claims as AuthorizationRequestClaims).nats.user_nkey
      if (key === '') issues.error('User nkey is required', 'user_nkey')
      else if (!isPublicKey(key, 'user'))
        issues.error(`User nkey ${JSON.stringify(key)} is not a valid user public key`, 'user_nkey')
      break
    }
    case 'authorization_response':
      authorizationResponse(claims as AuthorizationResponseClaims, issues)
      break
  }
  return issues.list
}

function subject(text: string, issues: Issues, path: string): void {
  if (text === '') {
    issues.error('subject cannot be empty', path)
    return
  }
  if (text.includes(' ')) issues.error(`subject ${JSON.stringify(text)} cannot have spaces`, path)
  if (text.startsWith('.') || text.endsWith('.'))
    issues.error(`subject ${JSON.stringify(text)} cannot start or end with a \`.\``, path)
  if (text.includes('..'))
    issues.error(`subject ${JSON.stringify(text)} cannot contain consecutive \`.\``, path)
}

function operator({ nats }: OperatorClaims, issues: Issues): void {
  const url = nats.account_server_url
  if (url) {
    if (!/^[a-z][a-z0-9+.-]*:/i.test(url))
      issues.error(`account server url ${JSON.stringify(url)} requires a protocol`, 'account_server_url')
    else if (!URL.canParse(url))
      issues.error(`error parsing account server url: ${JSON.stringify(url)}`, 'account_server_url')
  }
  for (const [i, service] of (nats.operator_service_urls ?? []).entries()) {
    if (service === '') continue
    const path = `operator_service_urls[${i}]`
    // The WHATWG parser knows no nats: authority rules, so the scheme is swapped for one it has rules for.
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(service)?.[1]?.toLowerCase()
    const rest = scheme === undefined ? undefined : service.replace(/^[a-z][a-z0-9+.-]*:/i, 'http:')
    if (rest === undefined || !URL.canParse(rest)) {
      issues.error(`error parsing operator service url ${JSON.stringify(service)}`, path)
      continue
    }
    const parsed = new URL(rest)
    if (parsed.username !== '' || parsed.password !== '')
      issues.error(`operator service url ${JSON.stringify(service)} - credentials are not supported`, path)
    if (parsed.pathname !== '/' || /\/$/.test(service))
      issues.error(`operator service url ${JSON.stringify(service)} - paths are not supported`, path)
    if (!['nats', 'tls', 'ws', 'wss'].includes(scheme!)) {
      issues.error(
        `operator service url ${JSON.stringify(service)} - protocol not supported (only 'nats', 'tls', 'ws', 'wss' only)`,
        path,
      )
    }
  }
  for (const [i, key] of (nats.signing_keys ?? []).entries()) {
    if (!isPublicKey(key, 'operator'))
      issues.error(`${key} is not an operator public key`, `signing_keys[${i}]`)
  }
  if (nats.system_account && !isPublicKey(nats.system_account, 'account')) {
    issues.error(`${nats.system_account} is not an account public key`, 'system_account')
  }
  if (nats.assert_server_version && !/^\d+\.\d+\.\d+$/.test(nats.assert_server_version)) {
    issues.error('asserted server version is not of the form major.minor.update', 'assert_server_version')
  }
}

function account(claims: AccountClaims, issues: Issues): void {
  const { nats } = claims
  const imports = nats.imports ?? []
  const exports = nats.exports ?? []
  importsList(imports, claims.sub, issues)
  exportsList(exports, issues)
  limits(nats.limits, issues)
  permissions(nats.default_permissions, issues, 'default_permissions')
  mappings(nats.mappings ?? {}, issues)
  authorization(nats.authorization, issues)
  if (nats.trace !== undefined) {
    const { dest = '', sampling = 0 } = nats.trace
    const found = new Issues()
    subject(dest, found, 'trace.dest')
    if (found.list.length > 0)
      issues.error(`the account Trace.Destination ${found.list[0]!.text}`, 'trace.dest')
    if (hasWildcard(dest))
      issues.error(
        `the account Trace.Destination subject ${JSON.stringify(dest)} is not a valid publish subject`,
        'trace.dest',
      )
    if (sampling < 0 || sampling > 100)
      issues.error(
        `the account Trace.Sampling value '${sampling}' is not valid, should be in the range [1..100]`,
        'trace.sampling',
      )
  }
  if (nats.limits.imports !== -1 && imports.length > nats.limits.imports) {
    const text = 'the account contains more imports than allowed by the operator'
    issues.error(text, 'imports')
    // Said once more where the limits say anything.
    if (nats.limits.imports >= 0 && Object.values(nats.limits).some(Boolean)) issues.error(text, 'imports')
  }
  if (nats.limits.exports !== -1) {
    if (exports.length > nats.limits.exports)
      issues.error('the account contains more exports than allowed by the operator', 'exports')
    if (!nats.limits.wildcards)
      for (const [i, item] of exports.entries())
        if (item !== null && hasWildcard(item.subject ?? ''))
          issues.error(
            'the account contains wildcard exports that are not allowed by the operator',
            `exports[${i}].subject`,
          )
  }
  for (const [i, key] of (nats.signing_keys ?? []).entries()) {
    const text = typeof key === 'string' ? key : key.key
    if (isPublicKey(text, 'account')) continue
    const why =
      typeof key === 'string'
        ? `${JSON.stringify(text)} is not a valid account signing key`
        : `${text} is not an account public key`
    issues.error(why, `signing_keys[${i}]`)
  }
  if (!['', 'system', 'owner'].includes(nats.cluster_traffic ?? '')) {
    issues.error(`unknown cluster traffic option: ${JSON.stringify(nats.cluster_traffic)}`, 'cluster_traffic')
  }
  infoOf(nats, issues, '')
  if (roleOfPublicKey(claims.iss) === 'account') {
    // Also when they limit nothing: -1 is a claim that only the operator can make.
    const { tiered_limits = {}, ...plain } = nats.limits
    if (Object.values(plain).some(Boolean) || Object.keys(tiered_limits).length > 0)
      issues.warn("self-signed account JWTs shouldn't contain operator limits", 'limits')
  }
}

function limits(value: AccountClaims['nats']['limits'], issues: Issues): void {
  const tiers = Object.keys(value.tiered_limits ?? {})
  if (tiers.length === 0) return
  if (JET_STREAM_LIMITS.some((field) => value[field]))
    issues.error('JetStream Limits and tiered JetStream Limits are mutually exclusive', 'limits')
  if (tiers.includes(''))
    issues.error('Tiered JetStream Limits can not contain a blank "" tier name', 'limits.tiered_limits')
}

function permissions(value: Permissions, issues: Issues, path: string): void {
  const check = (list: string[] | undefined, where: string, queues: boolean): void => {
    for (const [i, entry] of (list ?? []).entries()) {
      const words = entry.split(' ')
      const at = `${path}${path === '' ? '' : '.'}${where}[${i}]`
      if (words.length > 2) {
        issues.error(`Permission Subject "${entry}" contains too many spaces`, at)
        continue
      }
      for (const word of words) subject(word, issues, at)
      if (words.length === 2 && !queues)
        issues.error(`Permission Subject "${entry}" is not allowed to contain queue`, at)
    }
  }
  check(value.sub.allow, 'sub.allow', true)
  check(value.sub.deny, 'sub.deny', true)
  check(value.pub.allow, 'pub.allow', false)
  check(value.pub.deny, 'pub.deny', false)
}

function mappings(value: NonNullable<AccountClaims['nats']['mappings']>, issues: Issues): void {
  const tooMuch = (source: string, where: string): void =>
    issues.error(
      `Mapping ${JSON.stringify(source)}${where} exceeds 100% among all of it's weighted to mappings`,
      `mappings.${source}`,
    )
  for (const [source, targets] of Object.entries(value)) {
    subject(source, issues, `mappings.${source}`)
    const sums = new Map<string, number>()
    for (const target of targets) {
      subject(target.subject, issues, `mappings.${source}`)
      const weight = Number(target.weight ?? 0) || 100
      if (weight > 100)
        issues.error(
          `Mapping ${JSON.stringify(source)} has a weight ${weight} that exceeds 100`,
          `mappings.${source}`,
        )
      const cluster = target.cluster ?? ''
      const sum = (sums.get(cluster) ?? 0) + weight
      sums.set(cluster, sum)
      if (cluster !== '' && sum > 100) tooMuch(source, ` in cluster ${JSON.stringify(cluster)}`)
    }
    if ((sums.get('') ?? 0) > 100) tooMuch(source, '')
  }
}

function authorization(value: AccountClaims['nats']['authorization'], issues: Issues): void {
  const users = value.auth_users ?? []
  const accounts = value.allowed_accounts ?? []
  if (accounts.length > 0 && users.length === 0)
    issues.error('External authorization cannot have accounts without users specified', 'authorization')
  for (const key of users) {
    if (!isPublicKey(key, 'user'))
      issues.error(
        `AuthUser ${JSON.stringify(key)} is not a valid user public key`,
        'authorization.auth_users',
      )
  }
  for (const key of accounts) {
    if (key === '*') {
      if (accounts.length > 1)
        issues.error(
          'AllowedAccounts can only be a list of accounts or "*"',
          'authorization.allowed_accounts',
        )
    } else if (!isPublicKey(key, 'account')) {
      issues.error(
        `Account ${JSON.stringify(key)} is not a valid account public key`,
        'authorization.allowed_accounts',
      )
    }
  }
  if (value.xkey && !isPublicKey(value.xkey, 'curve'))
    issues.error(`XKey ${JSON.stringify(value.xkey)} is not a valid public xkey`, 'authorization.xkey')
}

function infoOf(value: { description?: string; info_url?: string }, issues: Issues, path: string): void {
  const size = (text: string | undefined) => new TextEncoder().encode(text ?? '').length
  if (size(value.description) > MAX_INFO) issues.error('Description is too long', `${path}description`)
  if (!value.info_url) return
  if (size(value.info_url) > MAX_INFO) issues.error('Info URL is too long', `${path}info_url`)
  else if (!ABSOLUTE_URL.test(value.info_url) || !URL.canParse(value.info_url)) {
    issues.error('error parsing info url: no hostname or scheme', `${path}info_url`)
  }
}

/** More overlaps than these are not listed: each new entry can overlap with all before it. */
const MAX_OVERLAPS = 1000

function exportsList(list: (Export | null)[], issues: Issues): void {
  for (const [i, item] of list.entries())
    if (item === null) issues.error('null export is not allowed', `exports[${i}]`)
    else oneExport(item, issues, `exports[${i}].`)
  for (const kind of ['service', 'stream']) contained(list, kind, issues)
}

/** Each subject that contains another one of the kind, with the first of those. */
function contained(list: (Export | null)[], kind: string, issues: Issues): void {
  const index = new SubjectIndex()
  // Whatever is no service counts as a stream.
  const isMeant = (item: Export | null): item is Export =>
    item !== null && (item.type === 'service') === (kind === 'service')
  for (const [i, item] of list.entries()) if (isMeant(item)) index.add(item.subject ?? '', i)
  const wide = new Set<string>()
  for (const [i, item] of list.entries()) {
    if (!isMeant(item)) continue
    const narrow = item.subject ?? ''
    for (const other of index.containing(narrow)) {
      const subject = list[other]?.subject ?? ''
      if (other === i || wide.has(subject)) continue
      wide.add(subject)
      const text = `${kind} export subject ${JSON.stringify(subject)} already exports ${JSON.stringify(narrow)}`
      issues.error(text, `exports[${Math.max(i, other)}].subject`)
      if (wide.size === MAX_OVERLAPS) return
    }
  }
}

function oneExport(item: Export, issues: Issues, path: string): void {
  const service = item.type === 'service'
  const text = item.subject ?? ''
  if (!service && item.type !== 'stream')
    issues.error(`invalid export type: ${JSON.stringify(item.type ?? 'unknown')}`, `${path}type`)
  if (service && !['', 'Singleton', 'Stream', 'Chunked'].includes(item.response_type ?? '')) {
    issues.error(
      `invalid response type for service: ${JSON.stringify(item.response_type)}`,
      `${path}response_type`,
    )
  }
  if (item.type === 'stream') {
    if (item.response_type)
      issues.error(
        `invalid response type for stream: ${JSON.stringify(item.response_type)}`,
        `${path}response_type`,
      )
    if (item.allow_trace) issues.error('AllowTrace only valid for service export', `${path}allow_trace`)
  }
  if (item.service_latency !== undefined) {
    if (!service) issues.error('latency tracking only permitted for services', `${path}service_latency`)
    const { sampling, results } = item.service_latency
    if (sampling < 0 || sampling > 100)
      issues.error('sampling percentage needs to be between 1-100', `${path}service_latency.sampling`)
    subject(results, issues, `${path}service_latency.results`)
    if (hasWildcard(results))
      issues.error('results subject can not contain wildcards', `${path}service_latency.results`)
  }
  const threshold = item.response_threshold ?? 0
  if (threshold < 0) issues.error('negative response threshold is invalid', `${path}response_threshold`)
  if (threshold > 0 && !service)
    issues.error('response threshold only valid for services', `${path}response_threshold`)
  subject(text, issues, `${path}subject`)
  const position = Number(item.account_token_position ?? 0)
  if (position > 0) {
    const tokens = text.split('.')
    const at = `${path}account_token_position`
    if (!hasWildcard(text))
      issues.error(`Account Token Position can only be used with wildcard subjects: ${text}`, at)
    else if (position > tokens.length)
      issues.error(`Account Token Position ${position} exceeds length of subject '${text}'`, at)
    else if (tokens[position - 1] !== '*') {
      issues.error(
        `Account Token Position ${position} matches '${tokens[position - 1]}' but must match a * in: ${text}`,
        at,
      )
    }
  }
  infoOf(item, issues, path)
}

/** The subject of a service import that may not meet another one's: the old field, else the local name with references as wildcards. */
function claimedBy({ to, local_subject, subject }: Import): string {
  if (to) return to
  if (local_subject) return local_subject.replace(/(?<=^|\.)\$[+-]?\d+(?=\.|$)/g, '*')
  return subject ?? ''
}

function importsList(list: (Import | null)[], importer: string, issues: Issues): void {
  const meets = meetings(list)
  let left = MAX_OVERLAPS
  const seen = new Set<string>()
  for (const [i, item] of list.entries()) {
    if (item === null) {
      issues.error('null import is not allowed', `imports[${i}]`)
      continue
    }
    if (item.type === 'service') {
      const claimed = claimedBy(item)
      const [mine, account] = [JSON.stringify(claimed), JSON.stringify(item.account ?? '')]
      const overlaps = (text: string): void => {
        if (left-- > 0) issues.error(`overlapping subject namespace for ${text}`, `imports[${i}]`)
      }
      const isKnown = seen.has(`${item.account} ${claimed}`)
      if (isKnown) overlaps(`${mine} and ${mine} in same account ${account}`)
      for (const other of meets.get(`${item.account} ${claimed}`) ?? [])
        if (seen.has(`${item.account} ${other}`))
          overlaps(`${mine} and ${JSON.stringify(other)} in same account ${account}`)
      if (isKnown) overlaps(`${mine} in account ${account}`)
      seen.add(`${item.account} ${claimed}`)
    }
    oneImport(item, importer, issues, `imports[${i}].`)
  }
}

/** For the subject of each service import, by exporter and subject, the others of that exporter that contain it or are contained in it. */
function meetings(list: (Import | null)[]): Map<string, Set<string>> {
  const byAccount = new Map<string, string[]>()
  for (const item of list) {
    if (item?.type !== 'service') continue
    const subjects = byAccount.get(item.account ?? '')
    if (subjects === undefined) byAccount.set(item.account ?? '', [claimedBy(item)])
    else subjects.push(claimedBy(item))
  }
  const meets = new Map<string, Set<string>>()
  let left = MAX_OVERLAPS
  const meet = (account: string, one: string, other: string): void => {
    const key = `${account} ${one}`
    const others = meets.get(key)
    if (others === undefined) meets.set(key, new Set([other]))
    else others.add(other)
  }
  for (const [account, all] of byAccount) {
    const subjects = [...new Set(all)]
    const index = new SubjectIndex()
    for (const [i, subject] of subjects.entries()) index.add(subject, i)
    for (const [i, subject] of subjects.entries())
      for (const wide of index.containing(subject)) {
        if (wide === i) continue
        if (left-- === 0) return meets
        meet(account, subject, subjects[wide]!)
        meet(account, subjects[wide]!, subject)
      }
  }
  return meets
}

function oneImport(item: Import, importer: string, issues: Issues, path: string): void {
  const service = item.type === 'service'
  const text = item.subject ?? ''
  if (!service && item.type !== 'stream')
    issues.error(`invalid import type: ${JSON.stringify(item.type ?? 'unknown')}`, `${path}type`)
  if (service && item.allow_trace)
    issues.error('AllowTrace only valid for stream import', `${path}allow_trace`)
  if (!item.account) issues.error(`account to import from is not specified`, `${path}account`)
  if (item.to) issues.warn('the field to has been deprecated (use LocalSubject instead)', `${path}to`)
  subject(text, issues, `${path}subject`)
  if (item.local_subject) {
    localSubject(item.local_subject, text, issues, `${path}local_subject`)
    if (item.to) issues.error('Local Subject replaces To', `${path}to`)
  }
  if (item.share && !service)
    issues.error(
      `sharing information (for latency tracking) is only valid for services: ${JSON.stringify(text)}`,
      `${path}share`,
    )
  if (item.token) embeddedToken(item, item.token, importer, issues, path)
}

function embeddedToken(item: Import, token: string, importer: string, issues: Issues, path: string): void {
  const at = `${path}token`
  let claims: ActivationClaims
  try {
    claims = decodeActivation(token)
  } catch {
    issues.error(`import ${JSON.stringify(item.subject ?? '')} contains an invalid activation token`, at)
    return
  }
  if (claims.iss !== item.account && claims.nats.issuer_account !== item.account) {
    issues.error(
      `activation token doesn't match account for import ${JSON.stringify(item.subject ?? '')}`,
      at,
    )
  }
  if (claims.sub !== importer)
    issues.error(
      `activation token doesn't match account it is being included in, ${JSON.stringify(item.subject ?? '')}`,
      at,
    )
  if (claims.nats.kind !== item.type) {
    issues.error(`mismatch between token import type ${claims.nats.kind} and type of import ${item.type}`, at)
  }
  activation(claims, issues)
  const remote = item.type === 'service' && item.to ? item.to : (item.subject ?? '')
  if (!isContainedIn(remote, claims.nats.subject ?? '')) {
    issues.error(
      `activation token import subject ${JSON.stringify(claims.nats.subject ?? '')} doesn't match import ${JSON.stringify(item.subject ?? '')}`,
      at,
    )
  }
}

function localSubject(local: string, remote: string, issues: Issues, path: string): void {
  subject(local, issues, path)
  if (remote === '') issues.error('subject cannot be empty', path)
  if (local.includes(' ')) issues.error(`subject ${JSON.stringify(local)} cannot have spaces`, path)
  const localTokens = local.split('.')
  const remoteTokens = remote.split('.')
  if ((localTokens.at(-1) === '>') !== (remoteTokens.at(-1) === '>'))
    issues.error('both, renaming subject and subject, need to end or not end in >', path)
  const stars = remoteTokens.filter((token) => token === '*').length
  let references = 0
  for (const token of localTokens) {
    if (token === '*') references++
    else if (/^\$[+-]?\d+$/.test(token)) {
      const number = Number(token.slice(1))
      if (number <= stars) references++
      else
        issues.error(
          `Reference $${number} in ${JSON.stringify(local)} reference * in ${JSON.stringify(remote)} that do not exist`,
          path,
        )
    }
  }
  if (references !== stars)
    issues.error('subject does not contain enough * or reference wildcards $[0-9]', path)
}

/** `15:04:05`; the hour may have one digit, the seconds a fraction. */
const CLOCK = /^(\d|[01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d+)?$/

function user({ nats }: UserClaims, issues: Issues): void {
  permissions(nats, issues, '')
  for (const [i, network] of (nats.src ?? []).entries()) {
    if (!isCidr(network))
      issues.error(`invalid cidr ${JSON.stringify(network)} in user src limits`, `src[${i}]`)
  }
  for (const [i, range] of (nats.times ?? []).entries()) {
    for (const end of ['start', 'end'] as const) {
      const text = range[end]
      if (text === '') {
        const article = end === 'start' ? 'a' : 'an'
        issues.error(`time ranges ${end} must contain ${article} ${end}`, `times[${i}].${end}`)
      } else if (!CLOCK.test(text)) {
        issues.error(`${end} in time range is invalid ${JSON.stringify(text)}`, `times[${i}].${end}`)
      }
    }
  }
  if (nats.times_location && !isTimeZone(nats.times_location)) {
    issues.error(
      `could not parse iana time zone by name: unknown time zone ${nats.times_location}`,
      'times_location',
    )
  }
  issuer(nats.issuer_account, issues)
}

function issuer(key: string | undefined, issues: Issues): void {
  if (key && !isPublicKey(key, 'account'))
    issues.error('account_id is not an account public key', 'issuer_account')
}

function activation({ nats }: ActivationClaims, issues: Issues): void {
  if (nats.kind !== 'stream' && nats.kind !== 'service')
    issues.error(`invalid import type: ${JSON.stringify(nats.kind ?? 'unknown')}`, 'kind')
  subject(nats.subject ?? '', issues, 'subject')
  issuer(nats.issuer_account, issues)
}

function authorizationResponse(claims: AuthorizationResponseClaims, issues: Issues): void {
  const { nats } = claims
  if (!isPublicKey(claims.sub, 'user')) issues.error('Subject must be a user public key', 'sub')
  if (!isPublicKey(claims.aud, 'server')) issues.error('Audience must be a server public key', 'aud')
  if (!nats.error && !nats.jwt) issues.error('Error or Jwt is required', 'jwt')
  if (nats.error && nats.jwt) issues.error('Only Error or Jwt can be set', 'jwt')
  issuer(nats.issuer_account, issues)
}

/** An IPv4 or IPv6 block such as `10.0.0.0/8`. */
export function isCidr(text: string): boolean {
  const match = /^([0-9a-f:.]+)\/(\d{1,3})$/i.exec(text)
  if (match === null) return false
  const bits = Number(match[2])
  if (match[1]!.includes(':')) return bits <= 128 && URL.canParse(`http://[${match[1]}]/`)
  const bytes = match[1]!.split('.')
  return (
    bits <= 32 &&
    bytes.length === 4 &&
    bytes.every((byte) => /^(0|[1-9]\d{0,2})$/.test(byte) && Number(byte) <= 255)
  )
}

/** A name of the IANA database as it is written there. ECMAScript takes other letters and offsets, too. */
function isTimeZone(name: string): boolean {
  if (name === 'Local') return true
  if (/^[+-]/.test(name)) return false
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions()
    // Where the name is another one for the same zone, there is nothing to compare it with.
    return timeZone === name || timeZone.toLowerCase() !== name.toLowerCase()
  } catch {
    return false
  }
}
