// The reload of options with structure. Every field of Options that is no row of the option table has a rule here, which the compiler
// checks: whoever adds such an option says what a reload does about it. A rule is asked only when the field has changed (`ALWAYS` apart).
// It judges first and throws ReloadRefused while nothing has been applied yet; what it returns is applied when no rule has refused.
import { isOperatorMode } from '../auth/operators.ts'
import type { PlainField } from '../option-table.ts'
import { authTimeout, type Options } from '../options.ts'
import { reloadProxies } from './proxies.ts'
import { type Effect, ReloadRefused, type Rule, refuse } from './rule.ts'
import { reloadTls } from './tls.ts'
import { reloadWebSocket } from './websocket.ts'

type BlockField = Exclude<keyof Options, PlainField>

/** Asked at every reload, as the official server does: accounts hold state, and the files of a tls block may have changed. */
export const ALWAYS: ReadonlySet<keyof Options> = new Set<keyof Options>([
  'users',
  'accounts',
  // Its default depends on tls.
  'authTimeout',
  'tls',
  'websocket',
])

const NOTHING: Effect = {}
const authorization =
  (what: string): (() => Effect) =>
  () => ({ says: [`Reloaded: ${what}`], rebuilds: ['authorization'] })

/** Of a block that only a restart can change. */
const restart =
  (name: string): Rule<BlockField> =>
  (before, after) =>
    refuse(name, shown(before), shown(after))

/** As Go prints a struct or a map, roughly: nobody reads more out of it than that it changed. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value !== 'object') return `${value}`
  if (Array.isArray(value)) return `[${value.map(shown).join(' ')}]`
  const entries = [...(value instanceof Map ? value : Object.entries(value))]
  return `map[${entries.map(([key, item]) => `${key}:${shown(item)}`).join(' ')}]`
}

export const BLOCK_RULES: { readonly [F in BlockField]: Rule<F> } = {
  users: authorization('authorization users'),
  accounts: (_before, after, reload) => {
    const { systemAccount } = reload.after
    if (systemAccount !== '' && !isOperatorMode(reload.after) && !after.has(systemAccount))
      throw new ReloadRefused('error resolving system account: account missing')
    return { says: ['Reloaded: accounts'], rebuilds: ['authorization'] }
  },
  mappings: authorization('accounts'),
  user: authorization('authorization username'),
  password: authorization('authorization password'),
  token: authorization('authorization token'),
  authTimeout: (_before, _after, reload) => {
    const timeout = authTimeout(reload.after)
    if (timeout === authTimeout(reload.before)) return NOTHING
    return { says: [`Reloaded: authorization timeout = ${timeout / 1000}`] }
  },
  authorizationDefined: () => NOTHING,
  proxyRequired: restart('ProxyRequired'),
  authCallout: restart('AuthCallout'),
  trustedProxies: reloadProxies,
  trustedKeys: restart('TrustedKeys'),
  resolverTls: restart('AccountResolverTLSConfig'),
  operators: restart('TrustedOperators'),
  resolver: (before, after) => {
    if ((before === null) !== (after === null))
      throw new ReloadRefused('config reload does not support moving to or from an account resolver')
    // Its store is open, and requests for claims are answered from it.
    return refuse('AccountResolver', shown(before), shown(after))
  },
  resolverPreload: () => ({ rebuilds: ['authorization'] }),
  pinnedAccounts: () => ({ rebuilds: ['authorization'] }),
  serverTags: () => ({ says: ['Reloaded: tags'], rebuilds: ['statsz'] }),
  serverMetadata: () => ({ says: ['Reloaded: metadata'], rebuilds: ['statsz'] }),
  tls: reloadTls,
  featureFlags: restart('FeatureFlags'),
  httpHost: (before, after, reload) => {
    const [old, now] = [before || reload.before.host, after || reload.after.host]
    return old === now ? NOTHING : refuse('HTTPHost', old, now)
  },
  websocket: reloadWebSocket,
  configFile: () => NOTHING,
  configDigest: () => NOTHING,
}
