// no_auth_user: the user that clients get who bring no credentials.
import type { Options } from '../options.ts'

/** Why the guest cannot be one; null when it can, or when there is none. */
export function guestProblem({ noAuthUser: name, users }: Options): string | null {
  if (name === '') return null
  if (users.length === 0) return `no_auth_user: "${name}" present, but users/nkeys are not defined`
  return users.some((user) => (user.nkey || user.user) === name)
    ? null
    : `no_auth_user: "${name}" not present as user or nkey in authorization block or account configuration`
}
