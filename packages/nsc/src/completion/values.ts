import { Environment } from '../environment.ts'
import { exists } from '../files.ts'
import type { Io } from '../io.ts'
import { Session } from '../session.ts'
import { operatorNames } from '../store/operator-store.ts'
import { wellKnownOperators } from '../store/well-known.ts'
import type { Candidate, Completion } from './complete.ts'

/** Where on the command line a value is wanted. */
export interface WordContext {
  path: string
  /** Flag whose value it is; null for an argument. */
  flag: string | null
  /** Arguments before it. */
  operands: number
  given: ReadonlyMap<string, string>
}

type Source = (session: Session) => Candidate[]

const FIXED: Record<string, readonly string[]> = {
  'response-type': ['Singleton', 'Stream', 'Chunked'],
  'conn-type': ['STANDARD', 'WEBSOCKET', 'LEAFNODE', 'LEAFNODE_WS', 'MQTT', 'MQTT_WS', 'IN_PROCESS'],
  'rm-conn-type': ['STANDARD', 'WEBSOCKET', 'LEAFNODE', 'LEAFNODE_WS', 'MQTT', 'MQTT_WS', 'IN_PROCESS'],
  'tls-curves': ['p256', 'p384', 'p521', 'x25519'],
  sampling: ['header'],
}

/** Flags whose value is a file or folder. */
const FILES = new Set([
  ...['output-file', 'config-file', 'file', 'token', 'dir', 'store', 'in', 'out', 'operator-dir', 'output'],
  ...[
    'config-dir',
    'data-dir',
    'keystore-dir',
    'all-dirs',
    'ca-cert',
    'client-cert',
    'client-key',
    'public-key',
  ],
])

const ACCOUNTS = new Set([
  'account',
  'src-account',
  'target-account',
  'system-account',
  'sys-account',
  'account-removal',
])

/** What can stand there. A store that cannot be read has no names to offer: completion never fails. */
export function valuesOf(context: WordContext, io: Io): Completion {
  const { flag } = context
  if (flag !== null && FIXED[flag])
    return { candidates: FIXED[flag].map((value) => ({ value, text: '' })), files: false }
  const source = sourceOf(context)
  if (!source) return { candidates: [], files: flag !== null && FILES.has(flag) }
  try {
    const session = sessionFor(context, io)
    return { candidates: session ? source(session) : [], files: flag !== null && FILES.has(flag) }
  } catch {
    return { candidates: [], files: false }
  }
}

/** A session that leaves no trace: without a configuration there is nothing to look at, and none is made. */
function sessionFor({ given }: WordContext, io: Io): Session | null {
  const flags = {
    configDir: given.get('config-dir'),
    dataDir: given.get('data-dir'),
    keystoreDir: given.get('keystore-dir'),
    allDirs: given.get('all-dirs'),
  }
  const { configDir } = new Environment(io, flags)
  return exists(`${configDir}/nsc.json`) ? new Session(io, flags) : null
}

function sourceOf({ path, flag, operands, given }: WordContext): Source | null {
  const account = (session: Session) => session.selectAccount(given.get('account') ?? '')
  const users: Source = (session) => names(session.store().userNames(account(session)))
  switch (flag) {
    case 'user':
    case 'user-public-key':
      return users
    case 'system-user':
      return (session) => {
        const store = session.store()
        const system = store.operator().nats.system_account
        const name = store.accountNames().find((each) => store.account(each).sub === system)
        return name === undefined ? [] : names(store.userNames(name))
      }
    case 'operator':
      return operators
    case 'remote-operator':
      return (session) =>
        wellKnownOperators(session.io.env).map(({ name, url }) => ({ value: name, text: url }))
    case 'private-key':
    case 'role':
      return roles(account)
    case 'sk':
    case 'rm-sk':
      return path === 'edit operator' ? null : signingKeysOf(account, flag === 'sk')
    case 'subject':
      if (path === 'delete import') return subjects(account, 'imports')
      return path === 'add export' ? null : subjects(account, 'exports')
  }
  if (flag !== null && ACCOUNTS.has(flag)) return accounts
  if (flag !== null && flag !== 'name') return null
  if (flag === null && operands > 0 && path !== 'delete user') return null
  return nameSource(path, users, flag === null)
}

/** What a name or a first argument names, for commands on things that exist. */
function nameSource(path: string, users: Source, isArgument: boolean): Source | null {
  const [verb = '', noun = ''] = path.split(' ')
  if (['edit', 'delete', 'describe', 'select', 'rename'].includes(verb)) {
    if (noun === 'account') return accounts
    if (noun === 'user') return users
    if (noun === 'operator') return operators
    return null
  }
  const takesUser = ['generate creds', 'revocations add-user', 'revocations delete-user'].includes(path)
  return takesUser && !isArgument ? users : null
}

function names(list: readonly string[], text = ''): Candidate[] {
  return list.map((value) => ({ value, text }))
}

const accounts: Source = (session) => names(session.store().accountNames(), 'account')
const operators: Source = (session) => names(operatorNames(session.context.storeRoot), 'operator')

function roles(account: (session: Session) => string): Source {
  return (session) =>
    (session.store().account(account(session)).nats.signing_keys ?? []).flatMap((entry) =>
      typeof entry === 'string' || entry.role === ''
        ? []
        : [{ value: entry.role, text: entry.description || 'role' }],
    )
}

function signingKeysOf(account: (session: Session) => string, adding: boolean): Source {
  return (session) => [
    ...(adding ? [{ value: 'generate', text: 'a new key' }] : []),
    ...(session.store().account(account(session)).nats.signing_keys ?? []).map((entry) =>
      typeof entry === 'string' ? { value: entry, text: '' } : { value: entry.key, text: entry.role },
    ),
  ]
}

function subjects(account: (session: Session) => string, list: 'exports' | 'imports'): Source {
  return (session) =>
    (session.store().account(account(session)).nats[list] ?? []).flatMap((entry) =>
      entry?.subject
        ? [{ value: entry.subject, text: `${entry.type ?? ''} ${entry.name ?? ''}`.trim() }]
        : [],
    )
}
