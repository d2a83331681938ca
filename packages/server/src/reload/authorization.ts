// After a reload everybody who is connected is asked again who they are.
import { isOperatorMode } from '../auth/operators.ts'
import type { Client } from '../connection/client.ts'
import type { Server } from '../server.ts'
import { rebuildAuthenticator } from '../setup.ts'

/** Rebuilds accounts and authentication from the new options; closes those who may not stay, and gives the rest what they may do now. */
export async function reloadAuthorization(server: Server): Promise<void> {
  await rebuildAuthenticator(server)
  const clients = [...server.clients.values()]
  const moved = isOperatorMode(server.options) ? [] : clients.filter((client) => hasMoved(server, client))
  for (const client of moved) client.close('Client Closed')
  await Promise.all(clients.map((client) => client.reauthorize()))
}

/** True for a user that the new configuration does not have, or has in another account. */
function hasMoved(server: Server, client: Client): boolean {
  const { nkey, user } = client.options
  // A guest stands for the user that the configuration names.
  const name = nkey !== '' ? nkey : user !== '' ? user : client.user.kind === 'user' ? client.user.user : ''
  if (name === '') return false
  const now = server.options.users.find(
    (one) => (nkey === '' ? one.nkey === '' && one.user : one.nkey) === name,
  )
  return now?.account !== client.account.name
}
