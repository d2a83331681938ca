// The `accounts` block: users, limits, exports and imports of each account.
import { isPublicKey } from '@ngs/identity/node'
import {
  type AccountSpec,
  DEFAULT_RESPONSE_THRESHOLD,
  type ExportSpec,
  type ImportSpec,
  type LatencySpec,
  NO_LIMITS,
  type ResponseType,
} from '../account/spec.ts'
import type { Options, UserOptions } from '../options.ts'
import { quoteText } from '../quote.ts'
import { toWire } from '../subject/subject.ts'
import { addUsers, readPermissions, readUsers } from './authorization.ts'
import type { ConfigMap, ConfigValue } from './language.ts'
import { readMappings, readPercent } from './mappings.ts'
import { checkSharing } from './sharing.ts'
import { readTrace } from './tracing.ts'
import {
  asBoolean,
  asInteger,
  asList,
  asMap,
  asString,
  DurationError,
  eachEntry,
  fail,
  goType,
  isString,
  notYet,
  type Problems,
  parseDuration,
  shown,
} from './values.ts'

const GLOBAL = '$G'
const BAD_SAMPLING = 'bad sampling percentage, should be 1-100'

/** Reads the block after `authorization`, whose credentials exclude users of accounts. */
export function readAccounts(value: ConfigValue, options: Options, problems: Problems): void {
  if (Array.isArray(value.value)) {
    for (const item of value.value) {
      const name = asString(item)
      if (name === GLOBAL) problems.error(item, `"${GLOBAL}" is a Reserved Account`)
      else if (options.accounts.has(name)) problems.error(item, `Duplicate Account Entry: ${name}`)
      else options.accounts.set(name, emptyAccount())
    }
    return
  }
  // As the official server: what is neither list nor map says nothing about accounts.
  if (!(value.value instanceof Map)) return
  for (const [name, item] of value.value) {
    if (item.used) continue
    if (!(item.value instanceof Map)) problems.error(item, 'Expected map entries for accounts')
    else if (name === GLOBAL) problems.error(item, `"${GLOBAL}" is a Reserved Account`)
    else readAccount(name, item.value, options, problems)
  }
  if (problems.errors.length === 0)
    checkSharing(options.accounts, !options.noSystemAccount, (text) => problems.error(value, text))
}

const emptyAccount = (): AccountSpec => ({
  exports: [],
  imports: [],
  limits: { ...NO_LIMITS },
  defaultPermissions: null,
  mappings: [],
  trace: null,
})

function readAccount(name: string, map: ConfigMap, options: Options, problems: Problems): void {
  const spec = emptyAccount()
  options.accounts.set(name, spec)
  let users: UserOptions[] = []
  let usersAt: ConfigValue | null = null
  eachEntry(map, problems, (key, value) => {
    switch (key) {
      case 'nkey':
        if (!isString(value) || !isPublicKey(value.value, 'account'))
          fail(value, `Not a valid public nkey for an account: "${shown(value)}"`)
        return true
      case 'users':
        usersAt = value
        users = readUsers(value, name, problems)
        return true
      case 'default_permissions':
        spec.defaultPermissions = readPermissions(value, problems)
        return true
      case 'limits':
        readLimits(value, spec, problems)
        return true
      case 'exports':
        if (!Array.isArray(value.value)) fail(value, `Exports should be an array, got ${goType(value)}`)
        for (const item of value.value) {
          problems.guard(() => {
            const read = readExport(item, problems)
            if (read !== null) spec.exports.push(read)
          })
        }
        return true
      case 'imports':
        if (!Array.isArray(value.value)) fail(value, `Imports should be an array, got ${goType(value)}`)
        for (const item of value.value) {
          problems.guard(() => {
            const read = readImport(item, problems)
            if (read !== null) addImport(read, item, spec, problems)
          })
        }
        return true
      case 'mappings':
      case 'maps':
        spec.mappings = readMappings(value, problems)
        return true
      case 'msg_trace':
      case 'trace_dest':
        spec.trace = readTrace(value, key)
        return true
      case 'jetstream':
        notYet(value, key, problems)
        return true
    }
    return false
  })
  if (usersAt === null || users.length === 0) return
  if (options.user !== '') problems.error(usersAt, 'Can not have a single user/pass and accounts')
  else if (options.token !== '') problems.error(usersAt, 'Can not have a token and accounts')
  else addUsers(users, usersAt, options, problems)
}

function addImport(read: ImportSpec, at: ConfigValue, spec: AccountSpec, problems: Problems): void {
  const same = spec.imports.find(
    (other) =>
      read.kind === 'service' &&
      other.kind === 'service' &&
      other.to === read.to &&
      other.account === read.account,
  )
  if (same === undefined) spec.imports.push(read)
  else {
    problems.error(
      at,
      `Duplicate service import subject "${read.to}", previously used in import for account "${same.account}", subject "${same.subject}"`,
    )
  }
}

function readLimits(value: ConfigValue, spec: AccountSpec, problems: Problems): void {
  if (!(value.value instanceof Map))
    fail(value, `Expected account limits to be a map/struct, got ${shown(value)}`)
  eachEntry(
    value.value,
    problems,
    (key, item) => {
      if (key === 'max_connections' || key === 'max_conn') spec.limits.connections = asInteger(item)
      else if (key === 'max_subscriptions' || key === 'max_subs') spec.limits.subs = asInteger(item)
      else if (key === 'max_payload' || key === 'max_pay') spec.limits.payload = asInteger(item)
      else if (key === 'max_leafnodes' || key === 'max_leafs') spec.limits.leafs = asInteger(item)
      else return false
      return true
    },
    (name) => `Unknown field ${quoteText(name)} parsing account limits`,
  )
}

const RESPONSE_TYPES: Readonly<Record<string, ResponseType>> = {
  single: 'Singleton',
  singleton: 'Singleton',
  stream: 'Stream',
  chunk: 'Chunked',
  chunked: 'Chunked',
}

/** Null when the entry names neither stream nor service, which says nothing. */
function readExport(entry: ConfigValue, problems: Problems): ExportSpec | null {
  if (!(entry.value instanceof Map))
    fail(entry, `Export Items should be a map with type entry, got ${goType(entry)}`)
  const spec: ExportSpec = {
    kind: 'stream',
    subject: '',
    accounts: null,
    authorize: null,
    responseType: 'Singleton',
    responseThreshold: DEFAULT_RESPONSE_THRESHOLD,
    accountTokenPosition: 0,
    latency: null,
    allowTrace: false,
  }
  let named = false
  // Service keys and what they are called in the error about a stream that has them.
  const serviceOnly: (readonly [string, ConfigValue])[] = []
  const whole = eachEntry(entry.value, problems, (key, value) => {
    switch (key) {
      case 'stream':
      case 'service':
        if (named && spec.kind !== key)
          fail(value, `Detected ${key} "${shown(value)}" but already saw a ${spec.kind}`)
        if (!isString(value)) fail(value, `Expected ${key} name to be string, got ${goType(value)}`)
        spec.kind = key
        spec.subject = toWire(value.value)
        named = true
        return true
      case 'accounts': {
        const names = asList(value).map(asString)
        // An empty list leaves the export public.
        spec.accounts = names.length === 0 ? null : new Set(names)
        return true
      }
      case 'response':
      case 'response_type': {
        serviceOnly.push(['response', value])
        if (!isString(value)) fail(value, `Expected response type to be string, got ${goType(value)}`)
        const type = RESPONSE_TYPES[value.value.toLowerCase()]
        if (type === undefined) fail(value, `Unknown response type: ${quoteText(value.value)}`)
        spec.responseType = type
        return true
      }
      case 'threshold':
      case 'response_threshold':
      case 'response_max_time':
      case 'response_time':
        serviceOnly.push(['response', value])
        spec.responseThreshold = readThreshold(value) || DEFAULT_RESPONSE_THRESHOLD
        return true
      case 'account_token_position':
        spec.accountTokenPosition = asInteger(value)
        return true
      case 'latency':
        serviceOnly.push(['latency', value])
        spec.latency = readLatency(value)
        return true
      case 'allow_trace':
        serviceOnly.push(['allow_trace', value])
        spec.allowTrace = asBoolean(value)
        return true
    }
    return false
  })
  if (named && spec.kind === 'stream') {
    for (const [what, value] of serviceOnly)
      problems.error(value, `Detected ${what} directive on non-service`)
  }
  return named && whole ? spec : null
}

function readLatency(value: ConfigValue): LatencySpec {
  if (isString(value)) return { sampling: 100, subject: toWire(value.value) }
  if (!(value.value instanceof Map))
    fail(value, `Expected latency entry to be a map/struct or string, got ${goType(value)}`)
  const at = value.value.get('sampling')
  const sampling = at === undefined ? 100 : readSampling(at)
  const subject = value.value.get('subject')
  if (subject === undefined) return fail(value, 'Latency subject required, but missing')
  if (!isString(subject)) return fail(subject, 'Expected latency subject to be a string, got string')
  return { sampling, subject: toWire(subject.value) }
}

function readSampling(value: ConfigValue): number {
  if (isString(value) && value.value.trim().toLowerCase() === 'headers') return 0
  const number = readPercent(value, (text) =>
    fail(value, `Failed to parse latency sample: strconv.Atoi: parsing ${quoteText(text)}: invalid syntax`),
  )
  if (number === null)
    return fail(value, `Expected latency sample to be a string or map/struct, got ${goType(value)}`)
  if (number < 1 || number > 100) fail(value, BAD_SAMPLING)
  return number
}

function readThreshold(value: ConfigValue): number {
  const expected = 'Expected response threshold to be a parseable time duration, got'
  if (!isString(value)) return fail(value, `${expected} ${goType(value)}`)
  try {
    return parseDuration(value.value)
  } catch (error) {
    if (!(error instanceof DurationError)) throw error
    return fail(value, `${expected} ${quoteText(value.value)}`)
  }
}

/** Null when the entry names neither stream nor service. */
function readImport(entry: ConfigValue, problems: Problems): ImportSpec | null {
  if (!(entry.value instanceof Map))
    fail(entry, `Import Items should be a map with type entry, got ${goType(entry)}`)
  const spec: ImportSpec = {
    kind: 'stream',
    account: '',
    subject: '',
    to: '',
    share: false,
    allowTrace: false,
  }
  let prefix = ''
  let renamed: ConfigValue | null = null
  let traceAt: ConfigValue | null = null
  const whole = eachEntry(entry.value, problems, (key, value) => {
    switch (key) {
      case 'stream':
      case 'service': {
        const name = key === 'stream' ? 'Stream' : 'Service'
        if (spec.account !== '' && spec.kind !== key)
          fail(value, `Detected ${key} but already saw a ${spec.kind}`)
        if (!(value.value instanceof Map))
          fail(value, `${name} entry should be an account map, got ${goType(value)}`)
        spec.kind = key
        Object.assign(spec, readSource(value, problems))
        return true
      }
      case 'prefix':
        prefix = toWire(asString(value))
        return true
      case 'to':
        renamed = value
        spec.to = toWire(asString(value))
        return true
      case 'share':
        spec.share = asBoolean(value)
        return true
      case 'allow_trace':
        traceAt = value
        spec.allowTrace = asBoolean(value)
        return true
    }
    return false
  })
  if (spec.kind === 'service' && traceAt !== null)
    problems.error(traceAt, 'Detected allow_trace directive on a non-stream')
  if (!whole || spec.account === '') return null
  if (spec.kind === 'stream' && prefix !== '') {
    if (renamed !== null) fail(renamed, "Stream import can not have a 'prefix' and a 'to' property")
    spec.prefix = prefix
    spec.to = `${prefix}${prefix.endsWith('.') ? '' : '.'}${spec.subject}`
  }
  if (spec.to === '') spec.to = spec.subject
  return spec
}

function readSource(value: ConfigValue, problems: Problems): { account: string; subject: string } {
  const source = { account: '', subject: '' }
  eachEntry(asMap(value), problems, (key, item) => {
    if (key === 'account') source.account = asString(item)
    else if (key === 'subject') source.subject = toWire(asString(item))
    else return false
    return true
  })
  if (source.account === '' || source.subject === '') fail(value, 'Expect an account name and a subject')
  return source
}
