import {
  type AccountClaims,
  decodeActivation,
  type Export,
  type Import,
  isSubsetMatch,
  type UserClaims,
} from '@ngs/identity/node'
import { failure } from '../errors.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { quote } from '../text.ts'

interface Member {
  account: AccountClaims
  users: UserClaims[]
}

/** Accounts, keys of users, exports and imports in the words of the server's configuration, without tokens. */
export function nkeyConfig(store: OperatorStore): string {
  const members = store.accountNames().map((name) => ({
    account: store.account(name),
    users: store.userNames(name).map((user) => store.user(name, user)),
  }))
  return `accounts: {\n${members.map((member) => accountBlock(member, members)).join('')}}\n`
}

function accountBlock({ account, users }: Member, all: readonly Member[]): string {
  const exports = (account.nats.exports ?? []).filter((entry) => entry !== null)
  const imports = (account.nats.imports ?? []).filter((entry) => entry !== null)
  return [
    `  ${account.name}: {\n`,
    list(
      'users',
      users.map(({ sub }) => `{ nkey: ${sub} }`),
    ),
    list(
      'exports',
      exports.map((entry) => exportLine(account, entry, all)),
    ),
    list(
      'imports',
      imports.map((entry) => importLine(entry, all)),
    ),
    '  }\n',
  ].join('')
}

function list(name: string, lines: readonly string[]): string {
  if (lines.length === 0) return ''
  return `    ${name}: [\n${lines.map((line) => `      ${line}\n`).join('')}    ]\n`
}

function exportLine(exporter: AccountClaims, entry: Export, all: readonly Member[]): string {
  const allowed = entry.token_req ? `, accounts: [${importersOf(exporter, entry, all).join(',')}]` : ''
  return `{ ${entry.type}: ${entry.subject}${allowed} }`
}

/** Names of the accounts here that hold an activation of the private export. */
function importersOf(exporter: AccountClaims, entry: Export, all: readonly Member[]): string[] {
  return all.flatMap(({ account }) =>
    (account.nats.imports ?? []).flatMap((used) =>
      used?.token &&
      used.account === exporter.sub &&
      used.type === entry.type &&
      isSubsetMatch(used.subject ?? '', entry.subject ?? '')
        ? [nameOf(decodeActivation(used.token).sub, all)]
        : [],
    ),
  )
}

function importLine(entry: Import, all: readonly Member[]): string {
  const { subject, local_subject: local, to } = entry
  const source = `{ account: ${nameOf(entry.account ?? '', all)}, subject: ${subject} }`
  const prefix = entry.type === 'stream' && !local && to ? `, prefix: ${to}` : ''
  const target = prefix === '' && (local || to) ? `, to: ${local || to}` : prefix
  return `{ ${entry.type}: ${source}${target}}`
}

function nameOf(publicKey: string, all: readonly Member[]): string {
  const found = all.find(({ account }) => account.sub === publicKey)
  if (!found?.account.name)
    throw failure(`unable to resolve account ${quote(publicKey)} in import under current operator`)
  return found.account.name
}
