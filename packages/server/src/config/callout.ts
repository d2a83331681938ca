// Who decides besides the configuration: the `auth_callout` block and the `proxies` block.
import { decodePublicKey, isPublicKey } from '@ngs/identity/node'
import { GLOBAL } from '../account/registry.ts'
import type { CalloutOptions } from '../options.ts'
import { quoteText } from '../quote.ts'
import type { ConfigValue } from './language.ts'
import { asMap, asString, eachEntry, fail, goType, type Problems, shown } from './values.ts'

/** Null when an entry is wrong. @throws ConfigError when something that it cannot be without is absent. */
export function readCallout(block: ConfigValue, problems: Problems): CalloutOptions | null {
  if (!(block.value instanceof Map))
    fail(block, `Expected authorization callout to be a map/struct, got ${shown(block)}`)
  const callout: CalloutOptions = { issuer: '', account: '', authUsers: [], xkey: '', allowedAccounts: [] }
  // What is missing is blamed on the field that was looked at last, as the official server does.
  let last = block
  const whole = eachEntry(
    block.value,
    problems,
    (key, value) => {
      last = value
      switch (key) {
        case 'issuer':
          callout.issuer = asString(value)
          if (!isPublicKey(callout.issuer, 'account')) {
            fail(
              value,
              `Expected callout user to be a valid public account nkey, got ${quoteText(callout.issuer)}`,
            )
          }
          return true
        case 'account':
        case 'acc':
          callout.account = asString(value)
          return true
        case 'auth_users':
        case 'users':
          callout.authUsers = names(value, 'auth_users field')
          return true
        case 'xkey':
        case 'key':
          callout.xkey = asString(value)
          if (!isPublicKey(callout.xkey, 'curve')) {
            fail(value, `Expected callout xkey to be a valid public xkey, got ${quoteText(callout.xkey)}`)
          }
          return true
        case 'allowed_accounts':
          callout.allowedAccounts = names(value, 'allowed accounts field')
          return true
      }
      return false
    },
    (name) => `Unknown field ${quoteText(name)} parsing authorization callout`,
  )
  if (!whole) return null
  if (callout.account === '') callout.account = GLOBAL
  if (callout.issuer === '') fail(last, 'Authorization callouts require an issuer to be specified')
  if (callout.authUsers.length === 0)
    fail(last, 'Authorization callouts require authorized users to be specified')
  return callout
}

function names(value: ConfigValue, what: string): string[] {
  if (!Array.isArray(value.value)) fail(value, `Expected ${what} to be an array, got *conf.token`)
  return value.value.map(asString)
}

/** Public keys of the proxies that are trusted. */
export function readProxies(block: ConfigValue, problems: Problems): string[] {
  if (!(block.value instanceof Map)) fail(block, `expected proxies to be a map/struct, got ${goType(block)}`)
  const keys: string[] = []
  eachEntry(block.value, problems, (key, value) => {
    if (key !== 'trusted') return false
    if (!Array.isArray(value.value))
      fail(value, `expected proxies' trusted field to be an array, got ${goType(value)}`)
    for (const item of value.value) {
      if (!(item.value instanceof Map)) {
        problems.error(item, `expected proxies' trusted entry to be a map/struct, got ${goType(item)}`)
        continue
      }
      eachEntry(asMap(item), problems, (name, entry) => {
        if (name !== 'key' && name !== 'public_key') return false
        const proxy = asString(entry)
        if (decodePublicKey(proxy) === undefined)
          problems.error(entry, `invalid proxy key ${quoteText(proxy)}`)
        keys.push(proxy)
        return true
      })
    }
    return true
  })
  return keys
}
