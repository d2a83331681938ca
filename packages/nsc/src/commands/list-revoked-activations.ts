import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { exportOf, kindOf, revocationTable } from './revocation-shared.ts'

export function run(call: Call): undefined {
  const { session, flags } = call
  const store = session.store()
  const account = session.requireAccount(flags.text('account'))
  const shared = exportOf(call, store.account(account), account)
  const list = shared.revocations ?? {}
  const kind = kindOf(call)
  if (Object.keys(list).length === 0) throw failure(`${kind} ${shared.name ?? ''} has no revocations`)
  const name = shared.name || shared.subject
  session.print(revocationTable(`Revoked Accounts for ${kind} ${name}`, list, 'All Accounts'))
}
