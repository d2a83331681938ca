import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { readEntries, renderEntries } from './list-shared.ts'

export function run({ session, flags }: Call): undefined {
  const { context } = session
  if (context.storeRoot === '') throw failure('no store set - `env --store <dir>`')
  if (flags.text('operator') !== '') context.setOperator(flags.text('operator'))
  if (context.operator === '') throw failure('no operator set - `env --operator <name>`')
  const store = context.store()
  const entries = readEntries(store.accountNames(), (name) => store.account(name))
  session.note(renderEntries('Accounts', entries, context.account, flags.switch('json')))
}
