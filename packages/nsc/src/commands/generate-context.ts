import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { exists } from '../files.ts'
import { Report } from '../report.ts'
import { quote } from '../text.ts'
import { writeNatsContext } from './nats-context.ts'

export function run({ session, flags }: Call): Report {
  const store = session.store()
  const account = session.selectAccount(flags.text('account'))
  const name = flags.text('context')
  if (flags.text('user') === '' && account !== '' && store.userNames(account).length === 0)
    throw failure(`account ${quote(account)} has no users`)
  const user = flags.text('user') || (account === '' ? '' : (store.onlyUser(account) ?? ''))
  const [url] = store.operator().nats.operator_service_urls ?? []
  if (name === '') throw failure('context name is required')
  if (/[/\\]/.test(name)) throw failure('context name cannot contain filepath separators')
  if (account === '') throw failure('account is required')
  if (user === '') throw failure('user is required')
  if (!store.hasUser(account, user)) throw failure(`user ${quote(user)} not found in ${quote(account)}`)
  const creds = session.keystore.credsPath(store.name, account, user)
  if (!exists(creds)) throw failure(`creds file ${quote(creds)} - doesn't exist - nsc generate creds first`)
  const nsc = `nsc://${store.name}/${account}/${user}`
  const file = writeNatsContext(session, name, url === undefined ? { nsc, creds } : { nsc, url, creds })
  session.note(file)
  return Report.line('ok', `wrote nats cli context file to ${session.shown(file)}`)
}
