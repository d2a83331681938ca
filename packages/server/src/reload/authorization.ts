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
  for (const account of server.accounts.all())
    for (const client of account.excess()) client.refuse('maxAccountConnections')
}

/** True for a user that the new configuration does not have, or has in another account. A guest counts as the user it stands for. */
function hasMoved({ authenticator }: Server, client: Client): boolean {
  const { nkey, user } = client.options
  if (nkey === '' && user === '') return false
  return authenticator.accountOf?.(client.options) !== client.account.name
}
