// The operators that a server trusts, and what they demand of it before it starts.
import {
  decodeOperator,
  decodeUser,
  isPublicKey,
  isUnrestricted,
  type OperatorClaims,
} from '@ngs/identity/node'
import { type Options, RESOLVER_DEFAULTS, type ResolverOptions } from '../options.ts'

export class Operators {
  /** As configured; the first one alone may ask for deletions. */
  readonly claims: readonly OperatorClaims[]
  /** Keys that may sign accounts. A strict operator's identity is none of them. */
  readonly #trusted: ReadonlySet<string>
  /** Signing keys of strict operators: accounts that they sign do not sign users with their identity. */
  readonly #strictSigners: ReadonlySet<string>

  /**
   * @param keys public keys of operators that no JWT describes (`trusted_keys`).
   * @throws IdentityError when a token is none of an operator.
   */
  constructor(tokens: readonly string[], keys: readonly string[] = []) {
    this.claims = tokens.map((token) => decodeOperator(token))
    const keysOf = (claims: OperatorClaims): string[] => claims.nats.signing_keys ?? []
    this.#trusted = new Set([
      ...keys,
      ...this.claims.flatMap((claims) =>
        isStrict(claims) ? keysOf(claims) : [claims.sub, ...keysOf(claims)],
      ),
    ])
    this.#strictSigners = new Set(this.claims.filter(isStrict).flatMap(keysOf))
  }

  /** May this key sign accounts? */
  trusts(key: string): boolean {
    return this.#trusted.has(key)
  }

  /** True when an account with this issuer must sign its users with signing keys. */
  demandsSigningKeys(issuer: string): boolean {
    return this.#strictSigners.has(issuer)
  }

  /** True for the identity of an operator that signs accounts with signing keys only. */
  isForbiddenIdentity(issuer: string): boolean {
    return this.claims.some((claims) => isStrict(claims) && claims.sub === issuer)
  }

  /** True when the key is the first operator's, whom stores obey. */
  maySignDeletion(key: string): boolean {
    const [first] = this.claims
    return first !== undefined && (first.sub === key || (first.nats.signing_keys ?? []).includes(key))
  }

  /** The system account that the operator names; of several operators none decides. */
  get systemAccount(): string | undefined {
    const [only, ...others] = this.claims
    return others.length > 0 ? undefined : only?.nats.system_account || undefined
  }
}

const isStrict = (claims: OperatorClaims): boolean => claims.nats.strict_signing_key_usage === true

/**
 * Why a server with these options cannot start; null when it can. The rules are the official server's, and so are most texts.
 * @param version of this server, for operators that demand a newer one.
 */
export function operatorProblem(options: Options, version: string): string | null {
  if (options.operators.length === 0)
    return options.defaultSentinel === '' ? null : 'default sentinel requires operators and accounts'
  if (options.trustedKeys.length > 0) return "conflicting options for 'TrustedKeys' and 'TrustedOperators'"
  const operators = new Operators(options.operators)
  const { systemAccount } = options
  const resolver = resolverOf(options, operators)
  if (resolver === null) return 'operators require an account resolver to be configured'
  if (options.accounts.size > 0) return 'operators do not allow Accounts to be configured directly'
  if (options.users.length > 0) return 'operators do not allow users to be configured directly'
  if (options.noAuthUser !== '') return 'no_auth_user not compatible with Trusted Operator'
  const named = operators.claims.map((claims) => claims.nats.system_account).filter(Boolean)
  if (systemAccount !== '' && named.length > 0 && !named.includes(systemAccount))
    return 'system_account in config and operator JWT must be identical'
  if (systemAccount !== '' && !isPublicKey(systemAccount, 'account'))
    return `system_account has to be an account's public key with operators, got "${systemAccount}"`
  if (systemAccount === '' && operators.systemAccount === undefined && resolver.dir !== '')
    return 'using nats based account resolver - the system account needs to be specified in configuration or the operator jwt'
  if (resolver.type === 'url' && options.resolverPreload.size > 0)
    return 'resolver preloads only available for writeable resolver types MEM/DIR/CACHE_DIR'
  const pinned = options.pinnedAccounts.find((key) => !isPublicKey(key, 'account'))
  if (pinned !== undefined) return `pinned account key "${pinned}" is not a valid public account nkey`
  return versionProblem(operators, version) ?? sentinelProblem(options.defaultSentinel)
}

/** True when users come with JWTs. */
export const isOperatorMode = (options: Options): boolean =>
  options.operators.length > 0 || options.trustedKeys.length > 0

/** The resolver as configured, else the account server that the only operator names; null for neither. */
export function resolverOf(options: Options, operators: Operators): ResolverOptions | null {
  if (options.resolver !== null) return options.resolver
  const [only, ...others] = operators.claims
  const url = only?.nats.account_server_url ?? ''
  return others.length > 0 || !/^https?:/i.test(url)
    ? null
    : { ...RESOLVER_DEFAULTS, type: 'url', url: `${url.replace(/\/$/, '')}/accounts/` }
}

function versionProblem(operators: Operators, version: string): string | null {
  const own = version.split('.').map(Number)
  for (const { sub, nats } of operators.claims) {
    if (!nats.assert_server_version) continue
    const demanded = nats.assert_server_version.split('.').map(Number)
    for (const [i, part] of ['major', 'minor', 'update'].entries()) {
      const [want, have] = [demanded[i] ?? 0, own[i] ?? 0]
      if (want > have)
        return `operator ${sub} expected ${part} version ${want} > server ${part} version ${have}`
      if (want < have) break
    }
  }
  return null
}

/** A sentinel stands for clients that bring nothing, so it must be of no use alone: a bearer token, or a user without any rights of its own. */
function sentinelProblem(token: string): string | null {
  if (token === '') return null
  try {
    const user = decodeUser(token)
    if (user.nats.bearer_token || (isUnrestricted(user) && user.nats.issuer_account)) return null
    return 'default sentinel must be a bearer token'
  } catch {
    return 'default sentinel JWT not valid'
  }
}
