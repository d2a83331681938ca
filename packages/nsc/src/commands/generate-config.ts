import path from 'node:path'
import { isPublicKey } from '@ngs/identity/node'
import type { FlagValues } from '../cli/flags.ts'
import type { Call } from '../cli/spec.ts'
import { failure, usageError } from '../errors.ts'
import { exists, makeFolder, statOf, writeAtomically } from '../files.ts'
import type { Session } from '../session.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { backquote, compareBytes, quote } from '../text.ts'
import { nkeyConfig } from './nkey-config.ts'

const KINDS = ['nkey', 'mem-resolver', 'nats-resolver', 'nats-resolver-cache'] as const

/** What a configuration is made of. */
interface Parts {
  operatorName: string
  operatorToken: string
  /** Public key of the system account, empty for none. */
  systemAccount: string
  accounts: { publicKey: string; name: string; token: string }[]
}

export function run({ session, flags }: Call): undefined {
  const store = session.store()
  const dir = flags.text('dir')
  const file = flags.text('config-file')
  if (!flags.hasAny(...KINDS, 'dir')) throw usageError('specify a config type option')
  if (dir !== '' && flags.switch('nkey')) throw usageError('--dir is not valid with nkey configuration')
  if (dir !== '' && (flags.switch('nats-resolver') || flags.switch('nats-resolver-cache')))
    throw usageError('--dir is not valid with nats-resolver configuration')
  if (dir !== '' && file !== '--') throw usageError('--dir is exclusive of --config-file')
  const kinds = KINDS.filter((kind) => flags.switch(kind))
  if (kinds.length > 1) throw failure('can only generate one config at a time')
  const kind = kinds[0]
  if (kind === undefined) throw failure('--dir is only valid with --mem-resolver')
  const target = file === '--' ? null : freeFile(session, file, flags.switch('force'))
  const folder = dir === '' ? null : freeFolder(session, dir, flags.switch('force'))
  const text = kind === 'nkey' ? keyConfig(store, flags) : tokenConfig(session, store, kind, flags, folder)
  if (folder !== null) {
    writeAtomically(path.join(folder, 'resolver.conf'), text, 0o644)
    session.print('')
    session.note(`Success!! - generated  ${session.shown(path.join(folder, 'resolver.conf'))}`)
  } else if (target === null) session.print(text)
  else {
    writeAtomically(target, text)
    session.print(`[ OK ] wrote server configuration to ${session.shown(target)}`)
    session.note(`Success!! - generated ${session.shown(target)}`)
  }
}

function keyConfig(store: OperatorStore, flags: FlagValues): string {
  if (flags.text('sys-account') !== '') throw failure("nkey configurations don't support system account")
  return nkeyConfig(store)
}

function tokenConfig(
  session: Session,
  store: OperatorStore,
  kind: Exclude<(typeof KINDS)[number], 'nkey'>,
  flags: FlagValues,
  folder: string | null,
): string {
  const parts = collect(session, store, flags.text('sys-account'))
  if (folder !== null) makeFolder(folder)
  return kind === 'mem-resolver'
    ? memoryConfig(parts, folder)
    : natsConfig(parts, kind === 'nats-resolver-cache')
}

function freeFile(session: Session, given: string, force: boolean): string {
  const file = session.expand(given)
  if (exists(file) && !force) throw failure(`${backquote(file)} already exists`)
  return file
}

function freeFolder(session: Session, given: string, force: boolean): string {
  const folder = session.expand(given)
  const stat = statOf(folder)
  if (stat && !force) throw failure(`${backquote(given)} already exists`)
  if (stat && !stat.isDirectory()) throw failure(`${backquote(given)} already exists and is not a directory`)
  return folder
}

function collect({ context }: Session, store: OperatorStore, systemFlag: string): Parts {
  const operator = store.operator()
  const names = store.accountNames()
  if (names.length === 0) throw failure(`operator ${quote(context.operator)} has no accounts`)
  let systemAccount = systemFlag || (operator.nats.system_account ?? '')
  if (systemAccount !== '' && !isPublicKey(systemAccount, 'account')) {
    if (!store.hasAccount(systemAccount))
      throw failure(
        `error reading account ${quote(systemAccount)}: account ${systemAccount} does not exist in the current operator`,
      )
    systemAccount = store.account(systemAccount).sub
  }
  const accounts = names.map((name) => {
    const claims = store.account(name)
    return { publicKey: claims.sub, name: claims.name ?? '', token: store.accountToken(name) }
  })
  accounts.sort((a, b) => compareBytes(a.publicKey, b.publicKey))
  return { operatorName: operator.name ?? '', operatorToken: store.operatorToken(), systemAccount, accounts }
}

/** Operator and accounts in the configuration; with a folder, in files next to it. */
function memoryConfig(parts: Parts, folder: string | null): string {
  const put = (name: string, token: string): string => {
    if (folder === null) return token
    const file = `${name.trim()}.jwt`
    writeAtomically(path.join(folder, file), token, 0o644)
    return quote(file)
  }
  let text = `// Operator ${quote(parts.operatorName)}\noperator: ${put(parts.operatorName, parts.operatorToken)}\n\n`
  if (parts.systemAccount !== '') text += `system_account: ${parts.systemAccount}\n\n`
  text += 'resolver: MEMORY\n\nresolver_preload: {\n'
  for (const { publicKey, name, token } of parts.accounts)
    text += `  // Account ${quote(name)}\n  ${publicKey}: ${put(name, token)}\n\n`
  return `${text}}\n`
}

/** Accounts are pushed to the servers (or looked up, for a cache); only the system account is in the file. */
function natsConfig(parts: Parts, cache: boolean): string {
  const system = parts.accounts.find(({ publicKey }) => publicKey === parts.systemAccount)
  if (!system) throw failure('system account is not set')
  const resolver = cache
    ? `    type: cache
    # Folder for the account tokens that were looked up
    dir: './jwt'
    # A token is looked up again after this time
    ttl: "1h"
`
    : `    type: full
    # Folder for the account tokens
    dir: './jwt'
    # Whether accounts may be deleted, as nsc push --prune does; deleted tokens are renamed to *.delete
    allow_delete: false
    # How often servers compare their accounts with each other
    interval: "2m"
`
  return `# Operator named ${parts.operatorName}
operator: ${parts.operatorToken}
# System Account named ${system.name}
system_account: ${system.publicKey}

# Accounts are kept by the servers themselves and reached over NATS
resolver {
${resolver}    # How long to wait for an account that is not here
    timeout: "1.9s"
}


# The system account, so that the first push can be made. All other accounts come with:
#   nsc edit operator --account-jwt-server-url nats://<host>:4222
#   nsc push --all
resolver_preload: {
	${system.publicKey}: ${system.token},
}

`
}
