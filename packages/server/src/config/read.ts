// From the values of a configuration file to Options. All errors of a file are collected, each with its place.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { decodeAccount, decodeOperator, isPublicKey, undecorateJwt } from '@ngs/identity/node'
import { MINUTE, OPTION_ROWS, type OptionRow, type Options } from '../options.ts'
import { readAccounts, readAuthorization } from './accounts.ts'
import { ConfigError, type ConfigMap, type ConfigValue, parseConfigFile } from './language.ts'
import {
  asBoolean,
  asDuration,
  asInteger,
  asMap,
  asString,
  asStrings,
  collect,
  eachEntry,
  goType,
  Problems,
  place,
} from './values.ts'

/** Keys of the official server that this one does not have yet: said, never ignored. */
const NOT_YET = new Set([
  'jetstream',
  'store_dir',
  'storedir',
  'default_js_domain',
  'cluster',
  'gateway',
  'leafnodes',
  'leaf',
  'mqtt',
  'tls',
  'allow_non_tls',
  'ocsp',
  'ocsp_cache',
  'proxies',
  'proxy_protocol',
  'mappings',
  'maps',
  'trusted_keys',
  'trusted',
  'resolver_tls',
  'resolver_pinned_accounts',
  'default_sentinel',
  'https',
  'https_port',
  'syslog',
  'remote_syslog',
  'write_timeout',
  'prof_port',
])

/** Keys that are accepted because what they tune has no counterpart here. */
const WITHOUT_EFFECT = new Set([
  'lame_duck_duration',
  'lame_duck_grace_period',
  'no_fast_producer_stall',
  'disable_sublist_cache',
  'no_sublist_cache',
  'connect_error_reports',
  'reconnect_error_reports',
  'log_size_limit',
  'logfile_size_limit',
  'log_max_num',
  'logfile_max_num',
  'trace_verbose',
  'trace_headers',
  'feature_flags',
  'prof_block_rate',
])

/** Reads a file into the options. @throws ConfigError with every error of the file, one a line. */
export function readConfigFile(file: string, options: Options): { warnings: string[] } {
  const { root, digest } = parseConfigFile(file)
  const problems = new Problems()
  if (root.entries.size === 0) problems.warnings.push(`${file}: config has no values or is empty`)
  options.configFile = file
  options.configDigest = digest
  const rows = new Map<string, OptionRow>()
  for (const row of OPTION_ROWS) for (const key of [row.key, ...(row.aliases ?? [])]) rows.set(key, row)
  eachEntry(root, problems, (key, value) => {
    const row = rows.get(key)
    if (row !== undefined) setOption(options, row, value, problems)
    else if (NOT_YET.has(key)) problems.error(value, `"${key}" is not supported yet`)
    else if (!WITHOUT_EFFECT.has(key)) return readBlock(key, value, options, problems)
    return true
  })
  collect(problems, () => checkTogether(options))
  if (problems.errors.length > 0) throw new ConfigError([...problems.warnings, ...problems.errors].join('\n'))
  return { warnings: problems.warnings }
}

function setOption(options: Options, row: OptionRow, value: ConfigValue, problems: Problems): void {
  const target = options as unknown as Record<string, unknown>
  switch (row.type) {
    case 'string':
      target[row.field] = asString(value)
      break
    case 'boolean':
      target[row.field] = asBoolean(value)
      break
    case 'duration':
      target[row.field] = asDuration(value, row.key, problems)
      break
    default:
      target[row.field] = asInteger(value)
  }
  if (row.field === 'port' && options.port === 0) options.port = 4222
  if (row.field === 'serverName' && options.serverName.includes(' '))
    problems.error(value, 'server_name: server name cannot contain spaces')
  if (row.field === 'maxSubTokens') {
    if (options.maxSubTokens > 255) problems.error(value, 'max_sub_tokens value is too big')
    if (options.maxSubTokens <= 0) problems.error(value, 'max_sub_tokens value can not be negative')
  }
  if (
    (row.field === 'maxControlLine' || row.field === 'maxPayload') &&
    (target[row.field] as number) > 2 ** 31 - 1
  )
    problems.error(value, `${row.key} value is too big`)
}

/** `host:port`, or a port alone. */
export function readListen(value: ConfigValue): { host: string | undefined; port: number } {
  if (typeof value.value === 'number') return { host: undefined, port: value.value }
  if (typeof value.value !== 'string')
    throw new ConfigError(`${place(value)}: expected port or host:port, got ${goType(value)}`)
  const match = /^(.*):([^:]*)$/.exec(value.value)
  if (match === null) {
    if (/^-?\d+$/.test(value.value)) return { host: undefined, port: Number(value.value) }
    throw new ConfigError(`${place(value)}: could not parse address string "${value.value}"`)
  }
  if (!/^-?\d+$/.test(match[2]!)) throw new ConfigError(`${place(value)}: could not parse port "${match[2]}"`)
  return { host: match[1]!.replace(/^\[|\]$/g, ''), port: Number(match[2]) }
}

function readBlock(key: string, value: ConfigValue, options: Options, problems: Problems): boolean {
  switch (key) {
    case 'listen': {
      const { host, port } = readListen(value)
      if (host !== undefined) options.host = host
      options.port = port
      return true
    }
    case 'http': {
      const { host, port } = readListen(value)
      if (host !== undefined) options.httpHost = host
      options.httpPort = port
      return true
    }
    case 'no_header_support':
      options.headerSupport = !asBoolean(value)
      return true
    case 'authorization':
      readAuthorization(asMap(value), options, problems)
      return true
    case 'accounts':
      readAccounts(value, options, problems)
      return true
    case 'operator':
    case 'operators':
    case 'root':
    case 'roots':
    case 'root_operator':
    case 'root_operators':
      options.operators = asStrings(value).map((text) => readOperator(text, value))
      return true
    case 'resolver':
    case 'account_resolver':
    case 'accounts_resolver':
      readResolver(value, options, problems)
      return true
    case 'resolver_preload':
      for (const [account, token] of asMap(value).entries) {
        collect(problems, () => {
          const text = asString(token)
          try {
            decodeAccount(text)
          } catch {
            throw new ConfigError(`${place(token)}: invalid account JWT`)
          }
          options.resolverPreload.set(account, text)
        })
      }
      return true
    case 'server_tags':
      options.serverTags = [...new Set(asStrings(value).map((tag) => tag.trim().toLowerCase()))]
      return true
    case 'server_metadata':
      for (const [name, item] of asMap(value).entries) options.serverMetadata[name] = asString(item)
      return true
    case 'websocket':
    case 'ws':
      readWebSocket(asMap(value), options, problems)
      return true
  }
  return false
}

/** A token, or a file that holds one, bare or decorated. */
function readOperator(text: string, value: ConfigValue): string {
  let content = text
  const path = isAbsolute(text) ? text : join(dirname(value.at.file), text)
  if (!text.startsWith('eyJ')) {
    const file = existsSync(path) ? path : text
    try {
      content = readFileSync(file, 'utf8')
    } catch (error) {
      throw new ConfigError(`${place(value)}: error parsing operator JWT: ${(error as Error).message}`)
    }
  }
  const token = undecorateJwt(content)
  try {
    decodeOperator(token)
  } catch (error) {
    throw new ConfigError(`${place(value)}: error parsing operator JWT: ${(error as Error).message}`)
  }
  return token
}

function readResolver(value: ConfigValue, options: Options, problems: Problems): void {
  const resolver = {
    type: 'memory' as 'memory' | 'full',
    dir: '',
    limit: 0,
    intervalMs: MINUTE,
    timeoutMs: 1_900,
    allowDelete: false,
    hardDelete: false,
  }
  if (typeof value.value === 'string') {
    if (/mem/i.test(value.value)) options.resolver = resolver
    else
      problems.error(
        value,
        `resolver "${value.value}" is not supported yet: use MEMORY or a map with type full`,
      )
    return
  }
  let type = ''
  eachEntry(asMap(value), problems, (key, item) => {
    if (key === 'type') type = asString(item).toLowerCase()
    else if (key === 'dir') resolver.dir = asString(item)
    else if (key === 'limit') resolver.limit = asInteger(item)
    else if (key === 'interval') resolver.intervalMs = asDuration(item, key, problems)
    else if (key === 'timeout') resolver.timeoutMs = asDuration(item, key, problems)
    else if (key === 'allow_delete') resolver.allowDelete = asBoolean(item)
    else if (key === 'hard_delete') resolver.hardDelete = asBoolean(item)
    else if (key === 'ttl') problems.error(item, 'FULL does not accept ttl')
    else return false
    return true
  })
  if (type === 'mem' || type === 'memory') options.resolver = resolver
  else if (type === 'full') {
    resolver.type = 'full'
    if (resolver.dir === '') problems.error(value, 'dir has no value and needs to point to a directory')
    if (resolver.hardDelete && !resolver.allowDelete)
      problems.error(value, 'hard_delete has no effect without delete')
    options.resolver = resolver
  } else if (type === 'cache' || type === 'url')
    problems.error(value, `resolver type "${type}" is not supported yet`)
  else
    problems.error(
      value,
      'error parsing account resolver, should be MEM or  URL("url") or a map containing dir and type state=[FULL|CACHE])',
    )
}

function readWebSocket(map: ConfigMap, options: Options, problems: Problems): void {
  const ws = options.websocket
  eachEntry(map, problems, (key, value) => {
    switch (key) {
      case 'listen': {
        const { host, port } = readListen(value)
        ws.host = host ?? ws.host
        ws.port = port
        return true
      }
      case 'host':
      case 'net':
        ws.host = asString(value)
        return true
      case 'port':
        ws.port = asInteger(value)
        return true
      case 'no_tls':
        ws.noTls = asBoolean(value)
        return true
      case 'same_origin':
        ws.sameOrigin = asBoolean(value)
        return true
      case 'allowed_origins':
      case 'allowed_origin':
      case 'allow_origins':
      case 'allow_origin':
      case 'origins':
      case 'origin':
        ws.allowedOrigins = asStrings(value)
        return true
      case 'compression':
      case 'compress':
        ws.compression = asBoolean(value)
        return true
      case 'handshake_timeout':
        ws.handshakeTimeoutMs = asDuration(value, key, problems)
        return true
      case 'jwt_cookie':
        ws.jwtCookie = asString(value)
        return true
      case 'user_cookie':
        ws.userCookie = asString(value)
        return true
      case 'pass_cookie':
        ws.passCookie = asString(value)
        return true
      case 'token_cookie':
        ws.tokenCookie = asString(value)
        return true
      case 'tls':
      case 'authorization':
      case 'authentication':
      case 'no_auth_user':
      case 'headers':
      case 'advertise':
      case 'ping_interval':
        problems.error(value, `websocket "${key}" is not supported yet`)
        return true
    }
    return false
  })
  if (ws.port !== 0 && !ws.noTls)
    problems.errors.push(
      'websocket requires TLS configuration, which is not supported yet: set `no_tls: true` behind a proxy that ends TLS',
    )
}

/** Checks that need several options, as far as they belong to the file. */
function checkTogether(options: Options): void {
  if (options.operators.length > 0) {
    if (options.accounts.size > 0)
      throw new ConfigError('operators do not allow Accounts to be configured directly')
    if (options.users.length > 0 || options.user !== '')
      throw new ConfigError('operators do not allow users to be configured directly')
    if (options.noAuthUser !== '') throw new ConfigError('no_auth_user not compatible with Trusted Operator')
    if (options.resolver === null)
      throw new ConfigError('operators require an account resolver to be configured')
    if (options.systemAccount !== '' && !isPublicKey(options.systemAccount, 'account')) {
      throw new ConfigError(
        `system_account in config and operator JWT must be a public account key, got "${options.systemAccount}"`,
      )
    }
  }
  if (options.user !== '' && options.token !== '') throw new ConfigError('Cannot have a user/pass and token')
}

/** What only a server that starts is refused for. @throws ConfigError. */
export function validateOptions(options: Options): void {
  if (options.maxPayload > options.maxPending) {
    throw new ConfigError(
      `max_payload (${options.maxPayload}) cannot be higher than max_pending (${options.maxPending})`,
    )
  }
}
