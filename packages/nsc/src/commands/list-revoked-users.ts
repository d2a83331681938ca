import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { revocationTable } from './revocation-shared.ts'

export function run({ session, flags }: Call): undefined {
  const store = session.store()
  const account = store.account(session.requireAccount(flags.text('account')))
  const name = account.name || account.sub
  const list = account.nats.revocations ?? {}
  if (Object.keys(list).length === 0) throw failure(`account ${name} does not have revoked users`)
  session.print(revocationTable(`Revoked Users for ${name}`, list, 'All Users'))
}
