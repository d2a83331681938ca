import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { backquote, quote } from '../text.ts'
import { credsOf } from './shared.ts'

export function run({ session, flags }: Call): undefined {
  const store = session.store()
  const account = session.selectAccount(flags.text('account'))
  if (account === '') throw failure('account is required')
  const users = store.userNames(account)
  if (flags.text('name') === '' && users.length === 0) throw failure(`account ${quote(account)} has no users`)
  const name = flags.text('name') || (store.onlyUser(account) ?? '')
  if (name === '') throw failure('user is required')
  if (!store.hasUser(account, name)) throw failure(`user ${quote(name)} not found in ${quote(account)}`)
  const creds = credsOf(session, store, account, name)
  const output = flags.text('output-file')
  if (output === '--') {
    session.print(creds)
    return
  }
  session.writeOutput(output, creds)
  session.print(`[ OK ] wrote credentials to ${session.shown(output)}`)
  session.note(`Success!! - generated ${backquote(output)}`)
}
