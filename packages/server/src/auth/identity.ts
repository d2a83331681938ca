// Who a client is that came in by the configuration file, as monitoring and events show it.
import type { UserOptions } from '../options.ts'
import { type ConnectAttempt, claimedUser, type UserIdentity } from './authenticator.ts'

/** @param user null for clients that are none of the configured users. */
export function identity(
  user: UserOptions | null,
  { connect }: ConnectAttempt,
  proxyKey: string,
  defaultPermissions: boolean,
): UserIdentity {
  const claimed = claimedUser(connect)
  const kind = connect.nkey !== '' ? 'nkey' : connect.user !== '' ? 'user' : 'token'
  return {
    user: claimed,
    kind: claimed === '' ? 'none' : kind,
    ...(user !== null && user.nkey !== '' ? { issuerKey: user.account } : {}),
    ...(user === null ? {} : { defaultPermissions }),
    ...(proxyKey === '' ? {} : { proxyKey }),
  }
}
