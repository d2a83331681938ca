import { isUnrestricted, type UserClaims, type UserScope } from '@ngs/identity/node'
import { Table } from '../table.ts'
import { yesNo } from '../text.ts'
import { addConnectionTypes, addHead, addPermissions, addUserLimits, describeScope } from './common.ts'

/** The table of a user, followed by that of the scope it is bound to. */
export function describeUser(user: UserClaims, scope: UserScope | null): string {
  const { nats } = user
  const table = new Table('User')
  addHead(table, user, { idLabel: 'User ID', issuerAccount: nats.issuer_account, tags: nats.tags })
  if (isUnrestricted(user)) table.row('Issuer Scoped', 'Yes')
  else {
    table.row('Bearer Token', yesNo(nats.bearer_token ?? false))
    addPermissions(table, nats)
    table.separator()
    addUserLimits(table, nats)
    addConnectionTypes(table, nats.allowed_connection_types)
  }
  return scope ? `${table.render()}\n${describeScope(scope)}` : table.render()
}
