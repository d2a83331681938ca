// Revocations: public key (or `*`) -> unix seconds. A token is revoked when its iat is not later than that.
import type { RevocationList } from '../claims.ts'
import type { Int64 } from '../jwt/json.ts'

/** Stands for every key. */
export const ALL = '*'

/** Whether the list revokes a token of this key, or every token, that was issued at `issuedAt` (unix seconds). */
export function isRevoked(list: RevocationList | undefined, key: string, issuedAt: Int64): boolean {
  if (list === undefined) return false
  return covers(list[key], issuedAt) || covers(list[ALL], issuedAt)
}

const covers = (at: Int64 | undefined, issuedAt: Int64): boolean => at !== undefined && at >= issuedAt

/** The list with the key revoked up to `at`; a later time that is there already is kept. */
export function addRevocation(list: RevocationList | undefined, key: string, at: Int64): RevocationList {
  const before = list?.[key]
  return { ...list, [key]: before !== undefined && before > at ? before : at }
}

/** The list without the entries that `*` covers, and their keys. */
export function compactRevocations(list: RevocationList): { list: RevocationList; removed: string[] } {
  const all = list[ALL]
  if (all === undefined) return { list, removed: [] }
  const removed = Object.keys(list).filter((key) => key !== ALL && list[key]! <= all)
  return { list: Object.fromEntries(Object.entries(list).filter(([key]) => !removed.includes(key))), removed }
}
