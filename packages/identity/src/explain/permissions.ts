// What a connection may publish and subscribe to, as servers judge it, and which entry of which list decides.
import type { AccountClaims, Permissions, UserClaims, UserPermissionLimits, UserScope } from '../claims.ts'
import { IdentityError } from '../errors.ts'
import { expandUserPermissions } from '../rules/scope.ts'
import { userScope } from '../rules/signers.ts'
import { isSubsetMatch } from '../subjects.ts'

/** Whose lists decide: the user's own, those of its role, or the account's defaults for users without any. */
export type RightsSource = 'user' | 'role' | 'account'

export interface Rights {
  source: RightsSource
  scope: UserScope | null
  permissions: Permissions
  limits: UserPermissionLimits
}

/** Why something is not allowed: no entry of the allow list covers it, or an entry of the deny list does. */
export type Refusal = { by: 'allow' } | { by: 'deny'; entry: string }

const isEmpty = ({ pub, sub, resp }: Permissions): boolean =>
  resp === undefined && [pub.allow, pub.deny, sub.allow, sub.deny].every((list) => !list?.length)

/** @throws IdentityError when the user's signing key has a scope that does not fit. */
export function rightsOf(account: AccountClaims, user: UserClaims): Rights {
  const limits = expandUserPermissions(account, user)
  const scope = userScope(account, user)
  if (!isEmpty(limits)) return { source: scope ? 'role' : 'user', scope, permissions: limits, limits }
  const { default_permissions: defaults } = account.nats
  if (!isEmpty(defaults)) return { source: 'account', scope, permissions: defaults, limits }
  return { source: scope ? 'role' : 'user', scope, permissions: limits, limits }
}

/** By the lists alone: whether a reply was granted by `resp` is asked apart. */
export function publishRefusal({ pub, resp }: Permissions, subject: string): Refusal | null {
  if (pub.allow?.length) {
    if (!pub.allow.some((entry) => isSubsetMatch(subject, entry))) return { by: 'allow' }
  } else if (resp !== undefined) return { by: 'allow' }
  const entry = pub.deny?.find((denied) => isSubsetMatch(subject, denied))
  return entry === undefined ? null : { by: 'deny', entry }
}

/** Whether a pattern covers what is looked up as if it were literal, whatever it holds: `*` covers `>`. */
function covers(pattern: string, lookedUp: string): boolean {
  const a = lookedUp.split('.')
  const b = pattern.split('.')
  for (let i = 0; i < b.length; i++) {
    if (b[i] === '>' && i === b.length - 1) return a.length > i
    if (i >= a.length || (b[i] !== '*' && b[i] !== a[i])) return false
  }
  return a.length === b.length
}

interface SubscribeEntry {
  text: string
  subject: string
  queue: string | null
}

function entries(list: string[] | undefined, subject: string): SubscribeEntry[] {
  return (list ?? [])
    .map((text) => {
      const [entry = '', queue] = text.trim().split(/\s+/)
      return { text, subject: entry, queue: queue ?? null }
    })
    .filter((entry) => covers(entry.subject, subject))
}

function refusedAs({ sub }: Permissions, subject: string, queue: string | null): Refusal | null {
  if (sub.allow?.length) {
    const found = entries(sub.allow, subject)
    const qualified = found.filter((entry) => entry.queue !== null)
    const allowed =
      queue !== null && qualified.length > 0
        ? qualified.some((entry) => isSubsetMatch(queue, entry.queue as string))
        : found.some((entry) => entry.queue === null)
    if (!allowed) return { by: 'allow' }
  }
  const denied = denial({ sub }, subject, queue)
  return denied === undefined ? null : { by: 'deny', entry: denied.text }
}

function denial(
  { sub }: Pick<Permissions, 'sub'>,
  subject: string,
  queue: string | null,
): SubscribeEntry | undefined {
  return entries(sub.deny, subject).find(
    (entry) => entry.queue === null || (queue !== null && isSubsetMatch(queue, entry.queue)),
  )
}

/** Messages that a wider subscription brings are filtered by the deny list one by one. */
const isDenied = (permissions: Permissions, subject: string, queue: string | null): boolean =>
  denial(permissions, subject, queue) !== undefined

/** How a user may come to receive a literal subject. */
export interface Subscription {
  /** What it subscribes to: the subject, or a pattern that covers it. */
  subject: string
  /** The queue group that it has to be a member of; null for none. */
  queue: string | null
}

/**
 * The subscription that gets a literal subject: to itself, as a member of a queue group, or by a wider one. Servers look a subscription
 * up as if it were a literal subject, so that an entry `a.*` lets `a.>` pass as well, and with it much more than the entry says.
 */
export function subscription(
  permissions: Permissions,
  subject: string,
): { ok: true; by: Subscription } | { ok: false; refusal: Refusal } {
  const plain = refusedAs(permissions, subject, null)
  if (plain === null) return { ok: true, by: { subject, queue: null } }
  for (const text of permissions.sub.allow ?? []) {
    const [entry = '', pattern] = text.trim().split(/\s+/)
    // A pattern of queue names stands for any of them.
    const queue =
      pattern
        ?.split('.')
        .map((token) => (token === '*' || token === '>' ? 'q' : token))
        .join('.') ?? null
    for (const wanted of [subject, entry.replace(/(^|\.)\*$/, '$1>')])
      if (
        isSubsetMatch(subject, wanted) &&
        refusedAs(permissions, wanted, queue) === null &&
        !isDenied(permissions, subject, queue)
      )
        return { ok: true, by: { subject: wanted, queue } }
  }
  return { ok: false, refusal: plain }
}

/** The entry as it stands in the role's template, which is what has to be edited. */
export function templateEntry(
  account: AccountClaims,
  user: UserClaims,
  side: 'pub' | 'sub',
  entry: string,
): string {
  const scope = userScope(account, user)
  for (const text of scope?.template[side].deny ?? []) {
    if (text === entry) return text
    const only = { ...scope, template: { ...scope?.template, [side]: { deny: [text] } } } as UserScope
    const keys = (account.nats.signing_keys ?? []).map((key) =>
      typeof key !== 'string' && key.key === scope?.key ? only : key,
    )
    try {
      const expanded = expandUserPermissions(
        { ...account, nats: { ...account.nats, signing_keys: keys } },
        user,
      )
      if (expanded[side].deny?.includes(entry)) return text
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
    }
  }
  return entry
}
