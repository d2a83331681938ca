import type { OperatorClaims } from '@ngs/identity/node'
import { Table } from '../table.ts'
import { addHead } from './common.ts'

/** @param nameOf the name of an account key, the key itself when unknown */
export function describeOperator(operator: OperatorClaims, nameOf: (key: string) => string): string {
  const { nats } = operator
  const table = new Table('Operator Details')
  addHead(table, operator, { idLabel: 'Operator ID', tags: nats.tags })
  if (nats.account_server_url) table.row('Account JWT Server', nats.account_server_url)
  table.list('Operator Service URLs', nats.operator_service_urls ?? [])
  const system = nats.system_account
  if (system)
    table.row('System Account', nameOf(system) === system ? system : `${system} / ${nameOf(system)}`)
  table.row('Require Signing Keys', String(nats.strict_signing_key_usage ?? false))
  if (nats.signing_keys?.length) {
    table.separator()
    table.list('Signing Keys', nats.signing_keys)
  }
  return table.render()
}
