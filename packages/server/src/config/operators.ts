// Operators, their accounts and where account JWTs come from: the keys of a configuration file that operator mode has.
import { readFileSync, statSync } from 'node:fs'
import { decodeAccount, decodeOperator, isPublicKey, undecorateJwt } from '@ngs/identity/node'
import { goDuration } from '../duration.ts'
import { readProblem } from '../file-problem.ts'
import { MINUTE, type Options, RESOLVER_DEFAULTS, type ResolverOptions } from '../options.ts'
import { quoteText } from '../quote.ts'
import { ConfigError, type ConfigMap, type ConfigValue } from './language.ts'
import {
  asBoolean,
  asInteger,
  asString,
  DurationError,
  fail,
  goType,
  isString,
  type Problems,
  parseDuration,
  stringList,
} from './values.ts'

export function readOperators(value: ConfigValue, options: Options, problems: Problems): void {
  const items = Array.isArray(value.value) ? value.value : [value]
  const wrong = items.findIndex((item) => !isString(item))
  if (wrong >= 0) {
    problems.error(
      value,
      items[wrong] === value
        ? `error parsing operators: unsupported type ${goType(value)}`
        : 'error parsing operators: unsupported type *conf.token where string is expected',
    )
  }
  const whole = wrong < 0 ? items : items.slice(0, wrong)
  options.operators = whole.filter(isString).flatMap((item) => {
    try {
      const token = undecorateJwt(operatorText(item.value))
      decodeOperator(token)
      return [token]
    } catch (error) {
      problems.error(value, `error parsing operator JWT: ${(error as Error).message}`)
      return []
    }
  })
}

/** A file, relative to the working directory, or the token itself. */
function operatorText(text: string): string {
  try {
    return readFileSync(text, 'utf8')
  } catch (error) {
    if (text.startsWith('eyJ')) return text
    throw new ConfigError(readProblem(error as NodeJS.ErrnoException, text))
  }
}

export function readPreload(value: ConfigValue, options: Options, problems: Problems): void {
  if (!(value.value instanceof Map)) fail(value, 'preload should be a map of account_public_key:account_jwt')
  for (const [account, token] of value.value) {
    if (!isString(token)) {
      problems.error(token, 'preload map value should be a string JWT')
      continue
    }
    try {
      decodeAccount(token.value)
      options.resolverPreload.set(account, token.value)
    } catch {
      problems.error(token, 'invalid account JWT')
    }
  }
}

/** Operator keys that are trusted without an operator JWT. */
export function readTrustedKeys(value: ConfigValue, problems: Problems): string[] {
  const keys = stringList(value, 'trusted', problems) ?? []
  // The official server blames the last one for all.
  const at = Array.isArray(value.value) ? (value.value.at(-1) ?? value) : value
  for (const key of keys) {
    if (!isPublicKey(key, 'operator'))
      problems.error(at, `trust key ${quoteText(key)} required to be a valid public operator nkey`)
  }
  return keys
}

const NO_RESOLVER =
  'error parsing account resolver, should be MEM or  URL("url") or a map containing dir and type state=[FULL|CACHE])'

/** What the reader of a resolver block has understood so far. */
interface Draft extends ResolverOptions {
  given: Set<string>
}

export function readResolver(value: ConfigValue, problems: Problems): ResolverOptions | null {
  if (isString(value)) {
    // The official server looks for these words anywhere in the text, in any case.
    if (/mem/i.test(value.value)) return { ...RESOLVER_DEFAULTS }
    const url = /url\(\s*"?\s*([^"\s)]+)\s*"?\s*\)/i.exec(value.value)?.[1]
    return url === undefined ? fail(value, NO_RESOLVER) : { ...RESOLVER_DEFAULTS, type: 'url', url }
  }
  if (!(value.value instanceof Map))
    fail(value, `error parsing operator resolver, wrong type ${goType(value)}`)
  const { type, draft } = readBlock(value.value, value)
  if (type === 'MEM' || type === 'MEMORY') return { ...RESOLVER_DEFAULTS }
  if (type !== 'FULL' && type !== 'CACHE') return fail(value, NO_RESOLVER)
  if (draft.dir === '') problems.error(value, 'dir has no value and needs to point to a directory')
  else if (!isWritableFolder(draft.dir))
    problems.error(value, 'dir needs to point to an accessible directory')
  const refuse = (key: string, name = key): void => {
    if (draft.given.has(key)) problems.error(value, `${type} does not accept ${name}`)
  }
  const { given, ...resolver } = draft
  if (given.has('timeout') && resolver.timeoutMs <= 0)
    problems.error(value, `Fetch timeout ${goDuration(resolver.timeoutMs * 1e6)} is too smal`)
  if (type === 'CACHE') {
    refuse('interval', 'sync')
    refuse('hard_delete')
    if (resolver.allowDelete) refuse('allow_delete')
    return { ...resolver, type: 'cache', limit: resolver.limit || 1000, allowDelete: true, hardDelete: true }
  }
  if (resolver.ttlMs !== 0) refuse('ttl')
  if (given.has('hard_delete') && !resolver.allowDelete)
    problems.error(value, 'hard_delete has no effect without delete')
  return { ...resolver, type: 'full' }
}

/** Names that it does not know say nothing, and case counts, in the official server too. */
function readBlock(map: ConfigMap, block: ConfigValue): { type: string; draft: Draft } {
  const draft: Draft = { ...RESOLVER_DEFAULTS, given: new Set() }
  let type = ''
  const duration = (item: ConfigValue): number => {
    try {
      return parseDuration(asString(item))
    } catch (error) {
      if (!(error instanceof DurationError)) throw error
      return fail(block, error.message)
    }
  }
  const readers: Record<string, (item: ConfigValue) => void> = {
    dir: (item) => {
      draft.dir = asString(item)
    },
    type: (item) => {
      type = asString(item).toUpperCase()
    },
    allow_delete: (item) => {
      draft.allowDelete = asBoolean(item)
    },
    hard_delete: (item) => {
      draft.hardDelete = asBoolean(item)
    },
    limit: (item) => {
      draft.limit = asInteger(item)
    },
    ttl: (item) => {
      draft.ttlMs = duration(item)
    },
    interval: (item) => {
      draft.intervalMs = duration(item) || MINUTE
    },
    timeout: (item) => {
      draft.timeoutMs = duration(item)
    },
  }
  for (const [name, read] of Object.entries(readers)) {
    const item = map.get(name)
    if (item === undefined) continue
    draft.given.add(name)
    read(item)
  }
  return { type, draft }
}

/** True for a folder that its owner may write, and for what is not there yet. */
function isWritableFolder(path: string): boolean {
  const info = statSync(path, { throwIfNoEntry: false })
  return info === undefined || (info.isDirectory() && (info.mode & 0o200) !== 0)
}
