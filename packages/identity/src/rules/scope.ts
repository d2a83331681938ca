// Scoped signing keys: the user brings no permissions, the key's template gives them, with `{{...}}` filled in.
import type { AccountClaims, UserClaims, UserPermissionLimits } from '../claims.ts'
import { IdentityError } from '../errors.ts'
import { isValidSubject } from '../subjects.ts'
import { issuerAccount, userScope } from './signers.ts'

/** More expansions of one list than this are refused. */
export const MAX_EXPANSIONS = 4096

const TEMPLATE = /\{\{([^}]+)\}\}/g

/**
 * What the user may do: its own permissions and limits, or, when its issuer is a scoped signing key, the expanded template.
 * @throws IdentityError `scope` when a scoped user brings permissions of its own, `template` when a template gives no subject.
 */
export function expandUserPermissions(account: AccountClaims, user: UserClaims): UserPermissionLimits {
  const scope = userScope(account, user)
  if (scope === null) return ownLimits(user)
  if (!isUnrestricted(user))
    throw new IdentityError('scope', 'scoped users require no permissions or limits set')
  const { template } = scope
  const expand = (list: string[] | undefined, deny: boolean): string[] | undefined =>
    expandList(list, deny, account, user)
  const sub = side(template.sub, expand)
  const pub = side(template.pub, expand)
  return { ...template, pub, sub }
}

function side(
  permission: { allow?: string[]; deny?: string[] },
  expand: (list: string[] | undefined, deny: boolean) => string[] | undefined,
): { allow?: string[]; deny?: string[] } {
  const allow = expand(permission.allow, false)
  let deny = expand(permission.deny, true)
  // Everything that was allowed fell away: then nothing is allowed, not everything.
  if ((permission.allow?.length ?? 0) > 0 && (allow?.length ?? 0) === 0) deny = [...(deny ?? []), '>']
  return { ...(allow?.length ? { allow } : {}), ...(deny?.length ? { deny } : {}) }
}

function ownLimits({ nats }: UserClaims): UserPermissionLimits {
  const { type: _type, version: _version, tags: _tags, issuer_account: _account, ...rest } = nats
  return rest
}

/** True when the user carries no permission and no limit, as users of scoped keys must. */
export function isUnrestricted({ nats }: UserClaims): boolean {
  const empty = (list: unknown[] | undefined) => list === undefined || list.length === 0
  return (
    empty(nats.pub.allow) &&
    empty(nats.pub.deny) &&
    empty(nats.sub.allow) &&
    empty(nats.sub.deny) &&
    nats.resp === undefined &&
    empty(nats.src) &&
    empty(nats.times) &&
    !nats.times_location &&
    !nats.subs &&
    !nats.data &&
    !nats.payload &&
    !nats.bearer_token &&
    !nats.proxy_required &&
    empty(nats.allowed_connection_types)
  )
}

function expandList(
  list: string[] | undefined,
  deny: boolean,
  account: AccountClaims,
  user: UserClaims,
): string[] | undefined {
  if (list === undefined || !list.some((entry) => /\{\{[^}]+\}\}/.test(entry))) return list
  const result: string[] = []
  for (const entry of list) {
    for (const subject of expandEntry(entry, deny, account, user)) {
      if (isValidSubject(subject)) result.push(subject)
      else if (deny)
        throw new IdentityError('template', `generated invalid subject ${JSON.stringify(subject)}`)
      if (result.length > MAX_EXPANSIONS) {
        throw new IdentityError(
          'template',
          `the template of the scoped signing key gives more than ${MAX_EXPANSIONS} subjects`,
        )
      }
    }
  }
  return result
}

/** The entry with every template replaced; the product of all values where a template has several. */
function expandEntry(entry: string, deny: boolean, account: AccountClaims, user: UserClaims): string[] {
  let texts = [entry]
  const seen = new Set<string>()
  for (const [whole, inner] of entry.matchAll(TEMPLATE)) {
    if (seen.has(whole)) continue
    seen.add(whole)
    const values = valuesOf(inner!.trim(), deny, account, user)
    const next: string[] = []
    for (const text of texts) {
      for (const value of values) next.push(text.replaceAll(whole, () => value))
      if (next.length > MAX_EXPANSIONS) {
        throw new IdentityError(
          'template',
          `the template ${JSON.stringify(entry)} gives more than ${MAX_EXPANSIONS} subjects`,
        )
      }
    }
    texts = next
  }
  return texts
}

function valuesOf(call: string, deny: boolean, account: AccountClaims, user: UserClaims): string[] {
  switch (call.toLowerCase()) {
    case 'name()':
      return [user.name ?? '']
    case 'subject()':
      return [user.sub]
    case 'account-name()':
      return [account.name ?? '']
    case 'account-subject()':
      return [issuerAccount(user)]
  }
  const tag = /^(tag|account-tag)\((.*)\)$/is.exec(call)
  if (tag === null)
    throw new IdentityError('template', `template operation in ${JSON.stringify(call)} is not defined`)
  const [, name, wanted] = tag as unknown as [string, string, string]
  // In other letters than these the official server takes the function's name for part of the tag's, which no tag has.
  const isExact = name === name.toLowerCase()
  const prefix = `${(isExact ? wanted : `${name}(${wanted}`).toLowerCase()}:`
  const tags = (name.toLowerCase() === 'tag' ? user.nats.tags : account.nats.tags) ?? []
  const values = tags.filter((text) => text.startsWith(prefix)).map((text) => text.slice(prefix.length))
  if (values.length > 0) return values
  if (deny)
    throw new IdentityError(
      'template',
      `generated invalid subject: no tag ${JSON.stringify(prefix)} for ${JSON.stringify(call)}`,
    )
  // A blank makes the entry invalid, so that it falls away.
  return [' ']
}
