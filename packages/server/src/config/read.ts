import { guestProblem } from '../auth/guest.ts'
import { isOperatorMode, operatorProblem } from '../auth/operators.ts'
import { goDuration } from '../duration.ts'
import { OPTION_ROWS, type OptionRow } from '../option-table.ts'
import type { Options } from '../options.ts'
import { quoteText } from '../quote.ts'
import { VERSION } from '../version.ts'
import { readAccounts } from './accounts.ts'
import { readAuthorization } from './authorization.ts'
import { readProxies } from './callout.ts'
import { ConfigError, type ConfigMap, type ConfigValue, parseConfigFile } from './language.ts'
import { readMappings } from './mappings.ts'
import { readOperators, readPreload, readResolver, readTrustedKeys } from './operators.ts'
import { readTls } from './tls.ts'
import {
  asBoolean,
  asDuration,
  asInteger,
  asListen,
  asString,
  durationOf,
  eachEntry,
  fail,
  goType,
  isString,
  notYet,
  Problems,
  stringList,
} from './values.ts'
import { readWebSocket, validateWebSocket } from './websocket.ts'

/** Keys of the official server that this one does not have yet: said, never ignored. */
const NOT_YET = new Set([
  'store_dir',
  'storedir',
  'default_js_domain',
  'cluster',
  'gateway',
  'leafnodes',
  'leaf',
  'mqtt',
])

/** Read in this order, whatever the file's: users of accounts are checked against what `authorization` says. */
const LATE = ['authorization', 'accounts']

/** Reads a file into the options. @throws ConfigError with every warning and error of the file, each with a newline behind it. */
export function readConfigFile(file: string, options: Options): { warnings: string[] } {
  const { root, digest } = parseConfigFile(file)
  const problems = new Problems()
  if (root.size === 0) problems.warnings.push(`${file}: config has no values or is empty`)
  options.configFile = file
  options.configDigest = digest
  const rows = new Map<string, OptionRow>()
  for (const row of OPTION_ROWS) for (const key of [row.key, ...(row.aliases ?? [])]) rows.set(key, row)
  const rank = (name: string): number => LATE.indexOf(name.toLowerCase())
  const ordered: ConfigMap = new Map([...root].sort(([a], [b]) => rank(a) - rank(b)))
  eachEntry(ordered, problems, (key, value, name) => {
    const row = rows.get(key)
    if (row !== undefined) setOption(options, row, name, value, problems)
    else if (NOT_YET.has(key)) {
      // An empty block asks for nothing.
      if (!(value.value instanceof Map && value.value.size === 0)) notYet(value, key, problems)
    } else return readBlock(key, value, options, problems)
    return true
  })
  const absent = options.authCallout?.allowedAccounts.filter((name) => !options.accounts.has(name)) ?? []
  for (const name of absent) {
    problems.errors.push(`auth_callout allowed account ${quoteText(name)} not found in configured accounts`)
  }
  if (problems.errors.length > 0)
    throw new ConfigError([...problems.warnings, ...problems.errors].map((line) => `${line}\n`).join(''))
  return { warnings: problems.warnings }
}

/** Written as 0, these stay what they are by default. */
const ZERO_IS_DEFAULT: ReadonlySet<keyof Options> = new Set([
  'port',
  'maxControlLine',
  'maxPayload',
  'maxPending',
  'maxClosedClients',
  'pingInterval',
  'pingMax',
  'writeDeadline',
])
const LARGEST = 2 ** 31 - 1

function setOption(
  options: Options,
  row: OptionRow,
  name: string,
  value: ConfigValue,
  problems: Problems,
): void {
  const target = options as unknown as Record<string, unknown>
  const read = plainValue(row, name, value, problems)
  if (read !== 0 || !ZERO_IS_DEFAULT.has(row.field)) target[row.field] = read
  if (row.field === 'traceVerbose' || row.field === 'traceHeaders') options.trace = read === true
}

function plainValue(row: OptionRow, name: string, value: ConfigValue, problems: Problems): unknown {
  switch (row.type) {
    case 'string': {
      if (row.field === 'systemAccount' && !isString(value))
        fail(value, 'system account name must be a string')
      const text = asString(value)
      if (row.field === 'serverName' && text.includes(' ')) fail(value, 'server name cannot contain spaces')
      if (row.field === 'writeTimeout' && !['default', 'close', 'retry'].includes(text))
        fail(value, "write_timeout must be 'default', 'close' or 'retry'")
      return text
    }
    case 'boolean':
      return asBoolean(value)
    case 'duration':
      return asDuration(value, row.key, problems)
    case 'durationText':
      return lameDuckTime(row, value)
  }
  const number = asInteger(value)
  switch (row.field) {
    case 'maxConnections':
      // As there, nobody: it is easily meant as "no limit".
      return number === 0 ? -1 : number
    case 'maxSubTokens':
      if (number > 255) fail(value, `${name} value is too big`)
      if (number <= 0) fail(value, `${name} value can not be negative`)
      return number
    case 'maxControlLine':
    case 'maxPayload':
      if (number > LARGEST) fail(value, `${name} value is too big`)
  }
  return number
}

const LEAST_LAME_DUCK_MS = 30_000

function lameDuckTime(row: OptionRow, value: ConfigValue): number {
  const time = durationOf(value, (text) => `error parsing ${row.key}: ${text}`)
  if (row.field === 'lameDuckDuration' && time < LEAST_LAME_DUCK_MS)
    fail(value, `invalid ${row.key} of ${goDuration(time * 1e6)}, minimum is 30 seconds`)
  if (time < 0) fail(value, `invalid ${row.key}, needs to be positive`)
  return time
}

function readBlock(key: string, value: ConfigValue, options: Options, problems: Problems): boolean {
  switch (key) {
    case 'listen': {
      const { host, port } = asListen(value)
      if (host !== '') options.host = host
      if (port !== 0) options.port = port
      return true
    }
    case 'http': {
      const { host, port } = asListen(value)
      options.httpHost = host
      options.httpPort = port
      return true
    }
    case 'https': {
      const { host, port } = asListen(value)
      options.httpHost = host
      options.httpsPort = port
      return true
    }
    case 'syslog':
      if (asBoolean(value)) fail(value, NO_SYSLOG)
      return true
    case 'remote_syslog':
      if (asString(value) !== '') fail(value, NO_SYSLOG)
      return true
    case 'prof_port':
      if (asInteger(value) !== 0) fail(value, NO_PROFILES)
      return true
    case 'jetstream':
      if (!isJetStreamOff(value)) notYet(value, key, problems)
      return true
    case 'feature_flags':
      readFeatureFlags(value, options)
      return true
    case 'tls':
      options.tls = readTls(value)
      return true
    case 'ocsp':
    case 'ocsp_cache':
      if (!isTurnedOff(value)) notYet(value, key, problems)
      return true
    case 'authorization':
      readAuthorization(value, options, problems)
      return true
    case 'accounts':
      readAccounts(value, options, problems)
      return true
    case 'mappings':
    case 'maps':
      options.mappings = readMappings(value, problems)
      return true
    case 'operator':
    case 'operators':
    case 'root':
    case 'roots':
    case 'root_operator':
    case 'root_operators':
      readOperators(value, options, problems)
      return true
    case 'trusted':
    case 'trusted_keys':
      options.trustedKeys = readTrustedKeys(value, problems)
      return true
    case 'proxies':
      problems.guard(() => {
        options.trustedProxies = readProxies(value, problems)
      })
      return true
    case 'resolver':
    case 'account_resolver':
    case 'accounts_resolver':
      options.resolver = readResolver(value, problems)
      return true
    case 'resolver_tls':
      options.resolverTls = readTls(value)
      return true
    case 'resolver_preload':
      readPreload(value, options, problems)
      return true
    case 'resolver_pinned_accounts':
      options.pinnedAccounts = stringList(value, key, problems) ?? []
      return true
    case 'server_tags':
      options.serverTags = readTags(value)
      return true
    case 'server_metadata':
      if (!(value.value instanceof Map))
        fail(value, `error parsing metadata: unsupported type ${goType(value)}`)
      for (const [name, item] of value.value)
        problems.guard(() => {
          options.serverMetadata[name] = asString(item)
        })
      return true
    case 'websocket':
    case 'ws':
      readWebSocket(value, options, problems)
      return true
  }
  return false
}

export const NO_SYSLOG =
  'syslog is not supported: log to a file (log_file), or to stderr for the service manager to pass on'
export const NO_PROFILES =
  'prof_port is not supported: there are no Go profiles here, use the inspector of Node (--inspect)'

function readFeatureFlags(value: ConfigValue, options: Options): void {
  if (!(value.value instanceof Map))
    fail(value, `error parsing feature flags: unsupported type ${goType(value)}`)
  for (const [name, item] of value.value) {
    if (typeof item.value !== 'boolean')
      fail(item, `error parsing feature flag ${quoteText(name)}: expected bool, got ${goType(item)}`)
    options.featureFlags[name] = item.value
  }
}

/** JetStream is not there yet: what turns it off is taken. */
function isJetStreamOff({ value }: ConfigValue): boolean {
  if (!(value instanceof Map)) return value === false || /^disabled?$/i.test(`${value}`)
  return [...value].some(([name, item]) => /^enabled?$/i.test(name) && item.value === false)
}

/** OCSP is not there yet: what turns it off is taken. */
function isTurnedOff({ value }: ConfigValue): boolean {
  if (!(value instanceof Map)) return value === false
  const word = (value.get('mode') ?? value.get('type'))?.value
  return typeof word === 'string' && ['never', 'none'].includes(word.toLowerCase())
}

function readTags(value: ConfigValue): string[] {
  const items = Array.isArray(value.value) ? value.value : [value]
  const tags = items.map((item) => {
    if (isString(item)) return item.value.trim().toLowerCase()
    return item === value
      ? fail(value, `error parsing tags: unsupported type ${goType(value)}`)
      : fail(value, 'error parsing tags: unsupported type *conf.token where string is expected')
  })
  return [...new Set(tags)]
}

/** What only a server that starts is refused for: -t does not look at it, as the official one. @throws ConfigError. */
export function validateOptions(options: Options): void {
  const refuse = (text: string): never => {
    throw new ConfigError(text)
  }
  const { lameDuckDuration: duration, lameDuckGracePeriod: grace } = options
  if (duration > 0 && grace >= duration) {
    refuse(
      `lame duck grace period (${goDuration(grace * 1e6)}) should be strictly lower than lame duck duration (${goDuration(duration * 1e6)})`,
    )
  }
  if (options.maxPayload > options.maxPending)
    refuse(`max_payload (${options.maxPayload}) cannot be higher than max_pending (${options.maxPending})`)
  if (options.serverName.includes(' ')) refuse('server name cannot contain spaces')
  const problem = operatorProblem(options, VERSION)
  if (problem !== null) refuse(problem)
  const guest = isOperatorMode(options) ? null : guestProblem(options)
  if (guest !== null) refuse(guest)
  validateWebSocket(options)
}
