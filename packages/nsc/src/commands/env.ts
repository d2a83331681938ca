import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import type { Session } from '../session.ts'
import { contextOfDirectory } from '../store/context.ts'
import { Table } from '../table.ts'
import { yesNo } from '../text.ts'

export function run({ session, flags }: Call): undefined {
  const { context, environment } = session
  const [root, operator, account] = [flags.text('store'), flags.text('operator'), flags.text('account')]
  if (environment.cwdOnly && (root || operator || account))
    throw failure('$NSC_CWD_ONLY is set - change your cwd to change context')
  if (root) context.setStoreRoot(environment.expand(root))
  if (operator) context.setOperator(operator)
  if (account) context.setAccount(account)
  if (root || operator || account) context.save()
  session.note(describeEnvironment(session))
}

function describeEnvironment({ environment, context, io, keystore }: Session): string {
  const table = new Table('NSC Environment', ['Setting', 'Set', 'Effective Value'])
  const isSet = (name: string) => yesNo(io.env[name] !== undefined)
  const row = (name: string, value: string, note = '') => table.row(`$${name}${note}`, isSet(name), value)
  row('XDG_CONFIG_HOME', io.env['XDG_CONFIG_HOME'] ?? '')
  row('XDG_DATA_HOME', io.env['XDG_DATA_HOME'] ?? '')
  row('NSC_CWD_ONLY', 'If set, default operator/account from cwd only')
  row('NSC_NO_GIT_IGNORE', 'If set, no .gitignore files written')
  row('NKEYS_PATH', environment.abbreviate(keystore.dir), ' (deprecated)')
  row('NSC_HOME', environment.abbreviate(environment.configDir), ' (deprecated)')
  row('NATS_CA', 'If set, root CAs in the referenced file will be used for nats connections')
  table.row('', '', 'If not set, will default to the system trust store')
  row('NATS_KEY', 'If set, the tls key in the referenced file will be used for nats connections')
  row('NATS_CERT', 'If set, the tls cert in the referenced file will be used for nats connections')
  table.separator()
  table.row('From CWD', '', yesNo(contextOfDirectory(io.cwd) !== null))
  table.row('Default Stores Dir', '', environment.abbreviate(environment.standardDataDir('stores')))
  table.row('Current Store Dir', '', environment.abbreviate(context.storeRoot || 'Not Set'))
  table.row('Current Operator', '', context.operator)
  table.row('Current Account', '', context.account)
  const authorities = io.env['NATS_CA']?.trim()
  table.row('Root CAs to trust', '', authorities ? `File: ${authorities}` : 'Default: System Trust Store')
  return table.render()
}
