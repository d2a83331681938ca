import {
  type AccountClaims,
  decodeAccount,
  didSign,
  type Import,
  isPublicKey,
  validate,
} from '@ngs/identity/node'
import { importProblem } from '../claims/sharing.ts'
import type { Call } from '../cli/spec.ts'
import { failure, textOf } from '../errors.ts'
import { Progress } from '../progress.ts'
import { isResolverUrl, postToken, serverPath } from '../remote/account-server.ts'
import { Report } from '../report.ts'
import { knownAccounts, type Session } from '../session.ts'
import { findSigner } from '../signing.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { quote } from '../text.ts'

const SCHEMES = ['http', 'https', 'nats', 'ws', 'wss']
/** Accounts on their way over NATS at once: each waits for the answers of all servers. */
const WINDOW = 64
/** How many accounts are tried one by one, to learn how many servers there are, before the others are sent anyway. */
const SCOUTS = 3

export async function run(call: Call): Promise<Report> {
  const { session, flags } = call
  const store = session.store()
  const all = flags.switch('all')
  if (all && flags.text('account') !== '') throw failure('specify only one of --account or --all-accounts')
  const current = session.selectAccount(flags.text('account'))
  const url = (
    flags.text('account-jwt-server-url') ||
    (store.operator().nats.account_server_url ?? '')
  ).trim()
  const names = store.accountNames()
  const { operator } = session.context
  if (names.length === 0) throw failure(`operator ${quote(operator)} has no accounts`)
  const [prune, diff, removed] = [flags.switch('prune'), flags.switch('diff'), flags.text('account-removal')]
  const onlyServers = prune || diff || removed !== ''
  if (!all && !onlyServers && !names.includes(current))
    throw failure(
      `account ${quote(current)} is not under operator ${quote(operator)} - nsc env to check your env`,
    )

  const targets = all ? names : onlyServers ? [] : [current]
  checkUrl(url, prune)
  if (!flags.switch('force')) for (const name of targets) checkAccount(session, store, name)
  if (removed !== '' && (prune || diff))
    throw failure('--prune/--diff and --account-removal <account> are mutually exclusive')
  const removedKey = removed === '' || isPublicKey(removed, 'account') ? removed : store.account(removed).sub
  if (prune && diff) throw failure('--prune and --diff are mutually exclusive')
  call.begin()

  const report = Report.list({ summarizes: true })
  if (!isResolverUrl(url)) {
    const warn = importWarner(session)
    const progress = new Progress(session.io, 'pushing accounts', targets.length)
    for (const name of targets) {
      report.add(await pushOverHttp(session, store, url, name, warn))
      progress.step()
    }
    progress.end()
    return report
  }
  await pushOverNats(call, store, { url, targets, names, prune, diff, removed: removedKey }, report)
  return report
}

function checkUrl(url: string, prune: boolean): void {
  if (url === '') throw failure('no account server url or nats-server url was provided by the operator jwt')
  if (!isResolverUrl(url) && prune) throw failure('prune only works for nats based account resolver')
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? ''
  // Several NATS URLs may be given; tls:// is a NATS URL as well.
  if (!SCHEMES.includes(scheme) && scheme !== 'tls')
    throw failure(`scheme ${quote(scheme)} is not supported (${SCHEMES.join(', ')})`)
}

/** Servers would refuse these; with --force they get the chance. */
function checkAccount(session: Session, store: OperatorStore, name: string): void {
  let account: AccountClaims
  try {
    account = store.account(name)
  } catch (thrown) {
    throw failure(`unable to push account ${quote(name)}: ${textOf(thrown)}`, thrown)
  }
  const issue = validate(account).find(({ level }) => level !== 'warning')
  if (issue) {
    const [problem] = problemsOfImports(account, knownByKey(session))
    const why = issue.path?.startsWith('imports') && problem ? ` - ${problem}` : ''
    throw failure(`unable to push account ${quote(name)} as it has validation issues: ${issue.text}${why}`)
  }
  if (!store.managed && !didSign(store.operator(), account))
    throw failure(
      `unable to push account ${quote(name)} as it is not signed by the operator ${quote(store.operator().name ?? '')}`,
    )
}

/** What is known to be wrong with imports, each in a sentence: servers drop such imports without a word. */
function problemsOfImports(
  account: AccountClaims,
  known: () => ReadonlyMap<string, AccountClaims>,
): string[] {
  const imports = (account.nats.imports ?? []).filter((entry): entry is Import => entry !== null)
  return imports.flatMap((entry) => {
    const problem = importProblem(account.sub, entry, known().get(entry.account ?? '') ?? null)
    return problem
      ? [`import ${quote(entry.name || (entry.subject ?? ''))} will not work: ${problem.text}`]
      : []
  })
}

/** All accounts of this machine by their key, read when first asked for and once. */
function knownByKey(session: Session): () => ReadonlyMap<string, AccountClaims> {
  let known: Map<string, AccountClaims> | null = null
  return () => {
    known ??= new Map([...knownAccounts(session.context)].map(({ account }) => [account.sub, account]))
    return known
  }
}

/** Warns in a report line about imports that servers will drop. */
function importWarner(session: Session): (account: AccountClaims, report: Report) => void {
  const known = knownByKey(session)
  return (account, report) => {
    for (const problem of problemsOfImports(account, known)) report.warn(problem)
  }
}

async function pushOverHttp(
  session: Session,
  store: OperatorStore,
  url: string,
  name: string,
  warn: ReturnType<typeof importWarner>,
): Promise<Report> {
  const line = new Report(`push ${name} to account server`, { level: 'ok', shows: 'details-if-notable' })
  try {
    const token = store.accountToken(name)
    const account = decodeAccount(token)
    line.with({ account: name, public_key: account.sub })
    const pushed = await postToken(session.io.env, serverPath(url, 'accounts', account.sub), token)
    line.add(...pushed.details)
    warn(account, line)
  } catch (thrown) {
    line.error(`failed to push account ${quote(name)}: ${textOf(thrown)}`)
  }
  if (line.level === 'ok') line.label = `pushed ${quote(name)} to account server`
  return line
}

/** Pushes one account to all servers; resolves to how many took it. */
type PushOne = (account: string, token: string, line: Report, expected: number | null) => Promise<number>

/**
 * Pushes many accounts. How many servers will answer is not known at first, so the first push takes its full time;
 * the others are sent many at once, and each is over as soon as as many servers have answered.
 */
async function pushAccounts(
  session: Session,
  store: OperatorStore,
  names: readonly string[],
  group: Report,
  push: PushOne,
): Promise<void> {
  const progress = new Progress(session.io, 'pushing accounts', names.length)
  const warn = importWarner(session)
  const lines = names.map((name) => {
    const line = new Report(`push ${name} to nats-server with nats account resolver`, { level: 'ok' })
    group.add(line)
    return { name, line }
  })
  let servers: number | null = null
  const one = async ({ name, line }: { name: string; line: Report }): Promise<number> => {
    const token = store.accountToken(name)
    const account = decodeAccount(token)
    line.with({ account: name, public_key: account.sub })
    const count = await push(name, token, line, servers)
    warn(account, line)
    progress.step()
    return count
  }
  let at = 0
  while (servers === null && at < Math.min(SCOUTS, lines.length)) {
    const count: number = await one(lines[at++] as (typeof lines)[number])
    if (count > 0) servers = count
  }
  const worker = async () => {
    while (at < lines.length) await one(lines[at++] as (typeof lines)[number])
  }
  try {
    await Promise.all(Array.from({ length: WINDOW }, worker))
  } finally {
    progress.end()
  }
}

interface NatsTask {
  url: string
  targets: readonly string[]
  names: readonly string[]
  prune: boolean
  diff: boolean
  /** Public key of the account to remove, empty for none. */
  removed: string
}

async function pushOverNats(call: Call, store: OperatorStore, task: NatsTask, report: Report): Promise<void> {
  const { session, flags } = call
  const resolver = await import('../remote/resolver.ts')
  const { connectTo } = await import('../remote/nats.ts')
  const seconds = Math.min(60, Math.max(1, Number(flags.integer('timeout'))))
  let user: ReturnType<typeof resolver.systemUser>
  try {
    const wanted = { account: flags.text('system-account'), user: flags.text('system-user') }
    const publish = ['LIST', 'UPDATE', 'DELETE'].map((operation) => `$SYS.REQ.CLAIMS.${operation}`)
    user = resolver.systemUser(session, store, wanted, { publish, subscribe: '_INBOX.>' })
  } catch (thrown) {
    report.error(`error obtaining system account user: ${textOf(thrown)}`)
    return
  }
  let connection: Awaited<ReturnType<typeof connectTo>>
  try {
    const { authenticator } = user
    connection = await connectTo(session, flags, { name: 'nsc_push', urls: [task.url], authenticator })
  } catch (thrown) {
    report.error(`failed to connect: ${textOf(thrown)}`)
    return
  }
  try {
    if (task.targets.length > 0) {
      const group = new Report(`push to nats-server "${task.url}" using system account "${user.account}"`, {
        level: 'ok',
      })
      report.add(group)
      await pushAccounts(session, store, task.targets, group, async (account, token, line, expected) => {
        const push = { account, token, seconds, ...(expected === null ? {} : { expected }) }
        return resolver.pushToServers(connection, push, line)
      })
    }
    const signer = () =>
      resolver.operatorKeyForRemoval(session, store, () =>
        findSigner(session, { store, roles: ['operator'] }),
      )
    const accounts = () => new Map(task.names.map((name) => [store.account(name).sub, name]))
    if (task.prune) {
      const line = new Report('prune nats-server with nats account resolver', { level: 'ok' })
      report.add(line)
      const { servers, unknown } = await resolver.listOnServers(connection, accounts(), seconds, line)
      await resolver.deleteFromServers(connection, signer, unknown, servers, seconds, line)
    } else if (task.removed !== '') {
      const line = new Report('prune nats-server with nats account resolver', { level: 'ok' })
      report.add(line)
      await resolver.deleteFromServers(connection, signer, [task.removed], null, seconds, line)
    } else if (task.diff) {
      const line = new Report('diff nats-server with nats account resolver', { level: 'ok' })
      report.add(line)
      await resolver.listOnServers(connection, accounts(), seconds, line)
    }
  } finally {
    await connection.close()
  }
}
