import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { readEntries, renderEntries } from './list-shared.ts'

export function run({ session, flags }: Call): undefined {
  const { context } = session
  if (context.storeRoot === '') throw failure('no store set - `nsc env --store <dir>`')
  if (flags.text('operator') !== '') context.setOperator(flags.text('operator'))
  if (context.operator === '') throw failure('no operator set - `nsc env --operator <name>`')
  if (flags.text('account') !== '') context.setAccount(flags.text('account'))
  if (context.account === '') throw failure('no account set - `nsc env --account <name>`')
  const store = context.store()
  const entries = readEntries(store.userNames(context.account), (name) => store.user(context.account, name))
  // The official program compares with the account here: a user named like it is the bold one.
  session.note(renderEntries('Users', entries, context.account, flags.switch('json')))
}
