// The `authorization` and `accounts` blocks: users, permissions, sharing, limits.
import { isPublicKey, isValidSubject } from '@ngs/identity/node'
import {
  type AccountSpec,
  DEFAULT_RESPONSE_THRESHOLD,
  type ExportSpec,
  type ImportSpec,
  NO_LIMITS,
} from '../account/spec.ts'
import type { ConnectionType } from '../auth/authenticator.ts'
import type { Options, UserOptions } from '../options.ts'
import type { PermissionsSpec } from '../subject/permissions.ts'
import { toWire } from '../subject/subject.ts'
import { ConfigError, ConfigMap, type ConfigValue } from './language.ts'
import {
  asBoolean,
  asDuration,
  asInteger,
  asMap,
  asString,
  asStrings,
  collect,
  eachEntry,
  goDuration,
  type Problems,
  place,
} from './values.ts'

const GLOBAL = '$G'
const CONNECTION_TYPES = ['STANDARD', 'WEBSOCKET', 'LEAFNODE', 'LEAFNODE_WS', 'MQTT', 'MQTT_WS', 'IN_PROCESS']

export function readAuthorization(map: ConfigMap, options: Options, problems: Problems): void {
  let users: ConfigValue | null = null
  let defaults: PermissionsSpec | null = null
  eachEntry(map, problems, (key, value) => {
    switch (key) {
      case 'user':
      case 'username':
        options.user = asString(value)
        return true
      case 'password':
      case 'pass':
        options.password = asString(value)
        return true
      case 'token':
        options.token = asString(value)
        return true
      case 'timeout':
        options.authTimeout =
          typeof value.value === 'number' ? value.value * 1000 : asDuration(value, key, problems)
        return true
      case 'users':
        users = value
        return true
      case 'default_permissions':
      case 'default_permission':
      case 'permissions':
        defaults = readPermissions(asMap(value), problems)
        return true
      case 'auth_callout':
      case 'auth_hook':
      case 'proxy_required':
        problems.error(value, `"${key}" is not supported yet`)
        return true
    }
    return false
  })
  const list = users as ConfigValue | null
  if (list === null) return
  if (options.user !== '') problems.error(list, 'Can not have a single user/pass and a users array')
  if (options.token !== '') problems.error(list, 'Can not have a token and a users array')
  readUsers(list, GLOBAL, defaults, options, problems)
}

function readUsers(
  list: ConfigValue,
  account: string,
  defaults: PermissionsSpec | null,
  options: Options,
  problems: Problems,
): void {
  if (!Array.isArray(list.value))
    throw new ConfigError(`${place(list)}: Expected users field to be an array, got ${typeof list.value}`)
  for (const item of list.value) {
    collect(problems, () => {
      const user: UserOptions = {
        user: '',
        password: '',
        nkey: '',
        permissions: defaults,
        account,
        connectionTypes: [],
      }
      eachEntry(asMap(item), problems, (key, value) => {
        switch (key) {
          case 'user':
          case 'username':
            user.user = asString(value)
            return true
          case 'pass':
          case 'password':
            user.password = asString(value)
            return true
          case 'nkey':
            user.nkey = asString(value)
            if (!isPublicKey(user.nkey, 'user')) problems.error(value, 'Not a valid public nkey for a user')
            return true
          case 'permission':
          case 'permissions':
          case 'authorization':
            user.permissions = readPermissions(asMap(value), problems)
            return true
          case 'allowed_connection_types':
          case 'connection_types':
          case 'clients': {
            const types = asStrings(value).map((type) => type.toUpperCase())
            const bad = types.filter((type) => !CONNECTION_TYPES.includes(type))
            if (bad.length > 0)
              problems.error(
                value,
                `invalid connection types [${bad.map((type) => JSON.stringify(type)).join(' ')}]`,
              )
            user.connectionTypes = types as ConnectionType[]
            return true
          }
        }
        return false
      })
      if (user.nkey !== '' && (user.user !== '' || user.password !== ''))
        problems.error(item, 'Nkey users do not take usernames or passwords')
      else if (user.nkey === '' && user.user === '') problems.error(item, 'User entry requires a user')
      if (
        options.users.some((other) =>
          user.nkey === '' ? other.user === user.user : other.nkey === user.nkey,
        )
      ) {
        problems.error(
          item,
          user.nkey === ''
            ? `Duplicate user "${user.user}" detected`
            : `Duplicate nkey "${user.nkey}" detected`,
        )
      }
      options.users.push(user)
    })
  }
}

function subjects(value: ConfigValue, queues: boolean, problems: Problems): string[] {
  const list = asStrings(value)
  for (const entry of list) {
    const words = entry.trim().split(/\s+/)
    if (words.length > (queues ? 2 : 1) || !isValidSubject(words[0]!))
      problems.error(value, `subject "${entry}" is not a valid subject`)
  }
  return list
}

export function readPermissions(map: ConfigMap, problems: Problems): PermissionsSpec {
  const spec: PermissionsSpec = {
    publish: { allow: [], deny: [] },
    subscribe: { allow: [], deny: [] },
    responses: null,
  }
  const side = (value: ConfigValue, queues: boolean): { allow: string[]; deny: string[] } => {
    const lists: { allow: string[]; deny: string[] } = { allow: [], deny: [] }
    if (!(value.value instanceof ConfigMap)) return { allow: subjects(value, queues, problems), deny: [] }
    eachEntry(
      value.value,
      problems,
      (key, item) => {
        if (key !== 'allow' && key !== 'deny') return false
        lists[key] = subjects(item, queues, problems)
        return true
      },
      (name) =>
        `Unknown field name "${name}" parsing subject permissions, only 'allow' or 'deny' are permitted`,
    )
    return lists
  }
  eachEntry(
    map,
    problems,
    (key, value) => {
      if (['publish', 'pub', 'import'].includes(key)) spec.publish = side(value, false)
      else if (['subscribe', 'sub', 'export'].includes(key)) spec.subscribe = side(value, true)
      else if (key === 'allow_responses' || key === 'publish_allow_responses')
        spec.responses = responses(value, problems)
      else return false
      return true
    },
    (name) => `Unknown field "${name}" parsing permissions`,
  )
  return spec
}

function responses(value: ConfigValue, problems: Problems): PermissionsSpec['responses'] {
  if (typeof value.value === 'boolean') return value.value ? { max: 0, ttl: 0 } : null
  const result = { max: 0, ttl: 0 }
  eachEntry(asMap(value), problems, (key, item) => {
    if (['max', 'max_msgs', 'max_messages', 'max_responses'].includes(key)) result.max = asInteger(item)
    else if (['expires', 'expiration', 'ttl'].includes(key)) result.ttl = asDuration(item, key, problems)
    else return false
    return true
  })
  return result
}

export function readAccounts(value: ConfigValue, options: Options, problems: Problems): void {
  if (Array.isArray(value.value)) {
    for (const item of value.value) {
      const name = asString(item)
      if (options.accounts.has(name)) problems.error(item, `Duplicate Account Entry: ${name}`)
      options.accounts.set(name, emptyAccount())
    }
    return
  }
  if (!(value.value instanceof ConfigMap))
    throw new ConfigError(`${place(value)}: Expected map entries for accounts`)
  for (const [name, item] of value.value.entries) {
    if (name === GLOBAL) problems.error(item, `"${GLOBAL}" is a Reserved Account`)
    else
      collect(
        problems,
        () => void options.accounts.set(name, readAccount(name, asMap(item), options, problems)),
      )
  }
  for (const spec of options.accounts.values()) {
    for (const imported of spec.imports) {
      if (!options.accounts.has(imported.account))
        problems.error(value, `"${imported.account}" account not defined for ${imported.kind} import`)
    }
    for (const exported of spec.exports) {
      for (const account of exported.accounts ?? []) {
        if (!options.accounts.has(account))
          problems.error(value, `"${account}" account not defined for ${exported.kind} export`)
      }
    }
  }
}

const emptyAccount = (): AccountSpec => ({
  exports: [],
  imports: [],
  limits: { ...NO_LIMITS },
  defaultPermissions: null,
})

function readAccount(name: string, map: ConfigMap, options: Options, problems: Problems): AccountSpec {
  const spec = emptyAccount()
  let users: ConfigValue | null = null
  eachEntry(map, problems, (key, value) => {
    switch (key) {
      case 'nkey':
        if (!isPublicKey(asString(value), 'account'))
          problems.error(value, `Not a valid public nkey for an account: "${asString(value)}"`)
        return true
      case 'users':
        users = value
        return true
      case 'default_permissions':
        spec.defaultPermissions = readPermissions(asMap(value), problems)
        return true
      case 'limits':
        readLimits(asMap(value), spec, problems)
        return true
      case 'exports':
        for (const item of list(value))
          collect(problems, () => void spec.exports.push(readExport(asMap(item), item, problems)))
        return true
      case 'imports':
        for (const item of list(value))
          collect(problems, () => void spec.imports.push(readImport(asMap(item), item, problems)))
        return true
      case 'mappings':
      case 'maps':
      case 'jetstream':
      case 'msg_trace':
      case 'trace_dest':
        problems.error(value, `account "${key}" is not supported yet`)
        return true
    }
    return false
  })
  if (users !== null) readUsers(users, name, null, options, problems)
  const seen = new Set<string>()
  for (const imported of spec.imports) {
    if (imported.kind !== 'service') continue
    const key = `${imported.account} ${imported.to}`
    if (seen.has(key)) {
      problems.errors.push(
        `Duplicate service import subject "${imported.to}", previously used in import for account "${imported.account}", subject "${imported.subject}"`,
      )
    }
    seen.add(key)
  }
  return spec
}

function list(value: ConfigValue): ConfigValue[] {
  if (!Array.isArray(value.value))
    throw new ConfigError(
      `${place(value)}: Imports and exports should be an array, got ${typeof value.value}`,
    )
  return value.value
}

function readLimits(map: ConfigMap, spec: AccountSpec, problems: Problems): void {
  eachEntry(
    map,
    problems,
    (key, value) => {
      if (key === 'max_connections' || key === 'max_conn') spec.limits.connections = asInteger(value)
      else if (key === 'max_subscriptions' || key === 'max_subs') spec.limits.subs = asInteger(value)
      else if (key === 'max_payload' || key === 'max_pay') spec.limits.payload = asInteger(value)
      else if (key === 'max_leafnodes' || key === 'max_leafs') spec.limits.leafs = asInteger(value)
      else return false
      return true
    },
    (name) => `Unknown field "${name}" parsing account limits`,
  )
}

function readExport(map: ConfigMap, at: ConfigValue, problems: Problems): ExportSpec {
  const spec: ExportSpec = {
    kind: 'stream',
    subject: '',
    accounts: null,
    authorize: null,
    responseType: 'Singleton',
    responseThreshold: DEFAULT_RESPONSE_THRESHOLD,
    accountTokenPosition: 0,
  }
  eachEntry(map, problems, (key, value) => {
    switch (key) {
      case 'stream':
      case 'service':
        spec.kind = key
        spec.subject = toWire(asString(value))
        return true
      case 'accounts': {
        const names = asStrings(value)
        // An empty list is public.
        spec.accounts = names.length === 0 ? null : new Set(names)
        return true
      }
      case 'response':
      case 'response_type': {
        const text = asString(value).toLowerCase()
        if (text === 'single' || text === 'singleton') spec.responseType = 'Singleton'
        else if (text === 'stream') spec.responseType = 'Stream'
        else if (text === 'chunk' || text === 'chunked') spec.responseType = 'Chunked'
        else problems.error(value, `Unknown response type: "${text}"`)
        return true
      }
      case 'threshold':
      case 'response_threshold':
      case 'response_max_time':
      case 'response_time': {
        const duration = goDuration(asString(value))
        if (duration === undefined)
          problems.error(
            value,
            `Expected response threshold to be a parseable time duration, got "${asString(value)}"`,
          )
        else spec.responseThreshold = duration
        return true
      }
      case 'account_token_position':
        spec.accountTokenPosition = asInteger(value)
        return true
      case 'latency':
      case 'allow_trace':
        problems.error(value, `export "${key}" is not supported yet`)
        return true
    }
    return false
  })
  if (spec.subject === '') problems.error(at, 'Expected a stream or service in an export')
  else if (!isValidSubject(spec.subject)) problems.error(at, `"${spec.subject}" is not a valid subject`)
  return spec
}

function readImport(map: ConfigMap, at: ConfigValue, problems: Problems): ImportSpec {
  const spec: ImportSpec = { kind: 'stream', account: '', subject: '', to: '', share: false }
  let prefix = ''
  eachEntry(map, problems, (key, value) => {
    switch (key) {
      case 'stream':
      case 'service': {
        spec.kind = key
        const source = asMap(value).entries
        const account = source.get('account')
        const subject = source.get('subject')
        if (account === undefined || subject === undefined)
          throw new ConfigError(`${place(value)}: Expect an account name and a subject`)
        spec.account = asString(account)
        spec.subject = toWire(asString(subject))
        return true
      }
      case 'prefix':
        prefix = toWire(asString(value))
        return true
      case 'to':
        spec.to = toWire(asString(value))
        return true
      case 'share':
        spec.share = asBoolean(value)
        return true
      case 'allow_trace':
        problems.error(value, 'import "allow_trace" is not supported yet')
        return true
    }
    return false
  })
  if (spec.account === '') problems.error(at, 'Expected a stream or service in an import')
  if (prefix !== '' && spec.to !== '')
    problems.error(at, "Stream import can not have a 'prefix' and a 'to' property")
  if (prefix !== '') spec.to = `${prefix}${prefix.endsWith('.') ? '' : '.'}${numbered(spec.subject)}`
  if (spec.to === '') spec.to = spec.subject
  return spec
}

/** A subject as the destination of its own matches: its wildcards by number. */
function numbered(subject: string): string {
  let next = 0
  return subject
    .split('.')
    .map((token) => (token === '*' ? `$${++next}` : token))
    .join('.')
}
