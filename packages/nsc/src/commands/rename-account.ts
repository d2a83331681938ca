import fs from 'node:fs'
import path from 'node:path'
import { type AccountClaims, encode, type KeyPair } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, fileError, textOf } from '../errors.ts'
import { exists } from '../files.ts'
import { checkName } from '../names.ts'
import { storeAccount } from '../remote/account-server.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { accountSignerRoles, findSigner } from '../signing.ts'
import { withLock } from '../store/lock.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { quote } from '../text.ts'
import { accountDifferences } from './account-differences.ts'

export async function run({ session, flags, args }: Call): Promise<Report> {
  if (!flags.switch('OK')) {
    warn(session)
    throw failure('required flag "OK" not set')
  }
  const [from = '', to = ''] = args
  const store = session.store()
  checkName(to)
  return withLock(store.dir, async () => {
    const account = store.account(from)
    if (store.hasAccount(to)) throw failure(`account ${quote(to)} already exists`)
    const creds = session.keystore.credsFolder(store.name, to)
    if (exists(creds)) throw failure(`creds dir ${quote(creds)} already exists`)
    const signer = findSigner(session, { store, roles: accountSignerRoles(store), account })
    const wasCurrent = session.context.account === from
    const report = await rename(session, store, { from, to, account, signer })
    if (wasCurrent && store.hasAccount(to)) session.context.setAccount(to)
    return report
  })
}

function warn(session: Session): void {
  const { environment, context, keystore } = session
  session.note(`Renaming an account changes files and keys for good. Its token is issued again with the new name and the
same key; its users and their creds files move to the new name. First back up these folders:

  ${environment.abbreviate(context.storeRoot)}
  ${environment.abbreviate(keystore.dir)}

then run the command again with --OK.`)
}

interface Renaming {
  from: string
  to: string
  account: AccountClaims
  signer: KeyPair
}

/** The new account is complete before anything of the old one goes. */
async function rename(session: Session, store: OperatorStore, renaming: Renaming): Promise<Report> {
  const { from, to } = renaming
  const report = new Report(`rename account ${quote(from)} to ${quote(to)}`)
  const copied = new Report(`copy account ${quote(from)} to ${quote(to)}`)
  report.add(copied)
  await copyAccount(session, store, renaming, copied)
  if (copied.failed && !store.hasAccount(to)) return report
  const users = new Report('move users')
  report.add(users)
  const names = store.userNames(from)
  try {
    store.copyUsers(from, to)
  } catch (thrown) {
    users.error(`unable to write users: ${textOf(thrown)}`)
    return report
  }
  for (const name of names) {
    const line = new Report(`move user ${quote(name)}`)
    users.add(line)
    line.ok('copied user')
    attempt(line, 'removed user from the old account', 'error deleting user ', () =>
      store.deleteUser(from, name),
    )
  }
  const creds = new Report('move creds directory', { level: 'ok' })
  report.add(creds)
  moveCreds(session, store, renaming, creds)
  if (creds.failed) return report
  const cleanup = new Report('cleanup')
  report.add(cleanup)
  const usersFolder = session.environment.abbreviate(path.join(store.accountDir(from), 'users'))
  attempt(cleanup, 'deleted old users directory', `error deleting directory ${usersFolder}: `, () =>
    store.deleteUsersFolder(from),
  )
  attempt(cleanup, 'deleted old account jwt', 'error deleting jwt: ', () => store.deleteAccountToken(from))
  attempt(cleanup, 'deleted old account directory', `error deleting old account ${quote(from)} dir: `, () =>
    store.deleteAccountFolder(from),
  )
  return report
}

async function copyAccount(
  session: Session,
  store: OperatorStore,
  { to, account, signer }: Renaming,
  report: Report,
): Promise<void> {
  account.name = to
  try {
    report.add(await storeAccount(session, store, encode(account, signer)))
    if (!store.managed) return
    report.add(accountDifferences(account, store.account(to)))
  } catch (thrown) {
    report.error(textOf(thrown))
  }
}

function moveCreds(session: Session, store: OperatorStore, { from, to }: Renaming, report: Report): void {
  const [before, after] = [from, to].map((name) => session.keystore.credsFolder(store.name, name)) as [
    string,
    string,
  ]
  if (!exists(before)) return report.ok('skipping... no creds directory found')
  try {
    fs.renameSync(before, after)
  } catch (thrown) {
    report.error(`error renaming dir ${quote(after)}: ${textOf(fileError('rename', before, thrown))}`)
  }
}

/** What is left of the old account does no harm: a failure is a warning. */
function attempt(report: Report, done: string, failed: string, work: () => void): void {
  try {
    work()
    report.ok(done)
  } catch (thrown) {
    report.warn(failed + textOf(thrown))
  }
}
