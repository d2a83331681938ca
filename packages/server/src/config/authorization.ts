// Users and what they may do: the `authorization` block, the `users` of accounts, permissions.
import { isPublicKey } from '@ngs/identity/node'
import { isSubject } from '../account/rules.ts'
import { CONNECTION_TYPES, type ConnectionType } from '../auth/authenticator.ts'
import type { Options, UserOptions } from '../options.ts'
import { quoteText } from '../quote.ts'
import type { PermissionsSpec } from '../subject/permissions.ts'
import { readCallout } from './callout.ts'
import type { ConfigValue } from './language.ts'
import {
  asBoolean,
  asInteger,
  asMap,
  asString,
  DurationError,
  eachEntry,
  fail,
  goType,
  isString,
  type Problems,
  parseDuration,
  shown,
  stringList,
} from './values.ts'

const GLOBAL = '$G'
const LONG_TIMEOUT_S = 60

export function readAuthorization(block: ConfigValue, options: Options, problems: Problems): void {
  let users: UserOptions[] | null = null
  let defaults: PermissionsSpec | null = null
  eachEntry(asMap(block), problems, (key, value, name) => {
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
        options.authTimeout = readTimeout(value, name, problems) || options.authTimeout
        return true
      case 'users':
        users = readUsers(value, GLOBAL, problems)
        return true
      case 'default_permissions':
      case 'default_permission':
      case 'permissions':
        defaults = readPermissions(value, problems)
        return true
      case 'auth_callout':
      case 'auth_hook':
        problems.guard(() => {
          options.authCallout = readCallout(value, problems)
        })
        return true
      case 'proxy_required':
        options.proxyRequired = asBoolean(value)
        return true
    }
    return false
  })
  options.authorizationDefined = true
  if ((options.user !== '' || options.password !== '') && options.token !== '')
    fail(block, 'Cannot have a user/pass and token')
  const list = users as UserOptions[] | null
  if (list === null) return
  if (options.user !== '') fail(block, 'Can not have a single user/pass and a users array')
  if (options.token !== '') fail(block, 'Can not have a token and a users array')
  for (const user of list) user.permissions ??= defaults
  addUsers(list, block, options, problems)
}

/** Names and nkeys of the users that are in options already. */
const taken = new WeakMap<Options, Set<string>>()

/** Users are known by name or nkey in the whole file; `at` is what a duplicate is blamed on. */
export function addUsers(users: UserOptions[], at: ConfigValue, options: Options, problems: Problems): void {
  const names = taken.get(options) ?? new Set()
  taken.set(options, names)
  for (const user of users) {
    const name = user.nkey || user.user
    if (names.has(name))
      problems.error(at, `Duplicate ${user.nkey === '' ? 'user' : 'nkey'} ${quoteText(name)} detected`)
    names.add(name)
    options.users.push(user)
  }
}

/** Seconds, or a duration; 0 is the default. */
function readTimeout(value: ConfigValue, name: string, problems: Problems): number {
  let seconds: number
  if (typeof value.value === 'number' || typeof value.value === 'bigint') seconds = Number(value.value)
  else if (isString(value)) {
    try {
      seconds = parseDuration(value.value) / 1000
    } catch (error) {
      if (!(error instanceof DurationError)) throw error
      return fail(value, `error parsing authorization config, 'timeout' ${error.message}`)
    }
  } else return fail(value, "error parsing authorization config, 'timeout' wrong type")
  if (seconds > LONG_TIMEOUT_S) {
    problems.warn(
      value,
      `invalid use of field ${quoteText(name)}: timeout of ${shown(value)} (${seconds.toFixed(6)} seconds) is high, consider keeping it under 60 seconds. possibly caused by unquoted duration; use '1m' instead of 1m, for example`,
    )
  }
  return seconds * 1000
}

/** @throws ConfigError at the first entry that is no user: the rest is not read then. */
export function readUsers(list: ConfigValue, account: string, problems: Problems): UserOptions[] {
  if (!Array.isArray(list.value)) fail(list, `Expected users field to be an array, got ${shown(list)}`)
  const users: UserOptions[] = []
  for (const item of list.value) {
    if (!(item.value instanceof Map)) {
      problems.error(item, `Expected user entry to be a map/struct, got ${shown(item)}`)
      continue
    }
    const user: UserOptions = {
      user: '',
      password: '',
      nkey: '',
      permissions: null,
      account,
      connectionTypes: [],
      proxyRequired: false,
    }
    // Where the official server puts the blame for an entry as a whole: on the field it looked at last.
    let last = item
    const whole = eachEntry(item.value, problems, (key, value) => {
      last = value
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
          return true
        case 'permission':
        case 'permissions':
        case 'authorization':
          problems.guard(() => {
            user.permissions = readPermissions(value, problems)
          })
          return true
        case 'allowed_connection_types':
        case 'connection_types':
        case 'clients':
          user.connectionTypes = readConnectionTypes(value, problems)
          return true
        case 'proxy_required':
          user.proxyRequired = asBoolean(value)
          return true
      }
      return false
    })
    if (!whole) return []
    if (user.nkey === '' && user.user === '') fail(last, 'User entry requires a user')
    if (user.nkey !== '') {
      if (!isPublicKey(user.nkey, 'user')) fail(last, 'Not a valid public nkey for a user')
      if (user.user !== '' || user.password !== '')
        fail(last, 'Nkey users do not take usernames or passwords')
    }
    users.push(user)
  }
  return users
}

function readConnectionTypes(value: ConfigValue, problems: Problems): ConnectionType[] {
  const types = stringList(value, 'allowed connection types', problems)?.map((type) => type.toUpperCase())
  if (types === undefined) return []
  const unknown = types.filter((type) => !CONNECTION_TYPES.includes(type))
  if (unknown.length > 0)
    problems.error(value, `invalid connection types [${unknown.map((type) => quoteText(type)).join(' ')}]`)
  return types.filter((type) => CONNECTION_TYPES.includes(type)) as ConnectionType[]
}

export function readPermissions(value: ConfigValue, problems: Problems): PermissionsSpec {
  if (!(value.value instanceof Map))
    fail(value, `Expected permissions to be a map/struct, got ${shown(value)}`)
  const spec: PermissionsSpec = {
    publish: { allow: [], deny: [] },
    subscribe: { allow: [], deny: [] },
    responses: null,
  }
  eachEntry(
    value.value,
    problems,
    (key, item) => {
      if (['publish', 'pub', 'import'].includes(key)) spec.publish = readSide(item, false, problems)
      else if (['subscribe', 'sub', 'export'].includes(key)) spec.subscribe = readSide(item, true, problems)
      else if (key === 'allow_responses' || key === 'publish_allow_responses')
        spec.responses = readResponses(item, problems)
      else return false
      return true
    },
    (name) => `Unknown field ${quoteText(name)} parsing permissions`,
  )
  return spec
}

type Lists = PermissionsSpec['publish']

function readSide(value: ConfigValue, queues: boolean, problems: Problems): Lists {
  const lists: Lists = { allow: [], deny: [] }
  if (!(value.value instanceof Map)) {
    lists.allow = readSubjects(value, queues)
    return lists
  }
  eachEntry(
    value.value,
    problems,
    (key, item) => {
      if (key !== 'allow' && key !== 'deny') return false
      lists[key] = readSubjects(item, queues)
      return true
    },
    (name) =>
      `Unknown field name ${quoteText(name)} parsing subject permissions, only 'allow' or 'deny' are permitted`,
  )
  return lists
}

function readSubjects(value: ConfigValue, queues: boolean): string[] {
  const items = isString(value) ? [value] : value.value
  if (!Array.isArray(items))
    return fail(
      value,
      `Expected subject permissions to be a subject, or array of subjects, got ${goType(value)}`,
    )
  const subjects = items.map((item) =>
    isString(item) ? item.value : fail(item, 'Subject in permissions array cannot be cast to string'),
  )
  for (const subject of subjects) checkSubject(subject, queues, value)
  return subjects
}

function checkSubject(subject: string, queues: boolean, value: ConfigValue): void {
  if (isSubject(subject)) return
  const words = subject.trim().split(/\s+/)
  if (!queues || words.length !== 2) fail(value, `subject ${quoteText(subject)} is not a valid subject`)
  const [first, queue] = words
  if (!isSubject(first!)) fail(value, `subject ${quoteText(first!)} is not a valid subject`)
  if (!isSubject(queue!)) fail(value, `queue ${quoteText(queue!)} is not a valid queue`)
}

/** 0 stands for the default of each bound, as in PermissionsSpec. */
function readResponses(value: ConfigValue, problems: Problems): PermissionsSpec['responses'] {
  if (typeof value.value === 'boolean') return value.value ? { max: 0, ttl: 0 } : null
  if (!(value.value instanceof Map))
    return fail(value, 'error parsing response permissions, expected a boolean or a map')
  const result = { max: 0, ttl: 0 }
  eachEntry(
    value.value,
    problems,
    (key, item) => {
      if (['max', 'max_msgs', 'max_messages', 'max_responses'].includes(key)) result.max = asInteger(item)
      else if (['expires', 'expiration', 'ttl'].includes(key)) result.ttl = readExpiry(item)
      else return false
      return true
    },
    (name) => `Unknown field ${quoteText(name)} parsing permissions`,
  )
  return result
}

function readExpiry(value: ConfigValue): number {
  if (!isString(value)) return fail(value, 'error parsing expires, not a duration string')
  try {
    return parseDuration(value.value)
  } catch (error) {
    if (!(error instanceof DurationError)) throw error
    return fail(value, `error parsing expires: ${error.message}`)
  }
}
