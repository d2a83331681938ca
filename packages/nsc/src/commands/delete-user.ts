import { addRevocation, encode } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, textOf } from '../errors.ts'
import { exists, remove } from '../files.ts'
import { storeAccount } from '../remote/account-server.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { accountSignerRoles, findSigner } from '../signing.ts'
import { withLock } from '../store/lock.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { quote } from '../text.ts'

export async function run({ session, flags, args }: Call): Promise<Report> {
  const store = session.store()
  const account = session.selectAccount(flags.text('account'))
  const names = [...new Set([...flags.list('name'), ...args])]
  if (names.length === 0) throw failure('please specify an user to delete')
  for (const name of names) store.user(account, name)
  return withLock(store.dir, () =>
    deleteUsers(session, store, account, names, {
      revoke: flags.switch('revoke'),
      removeKeys: flags.switch('rm-nkey'),
      removeCreds: flags.switch('rm-creds'),
    }),
  )
}

export interface DeletionOptions {
  revoke: boolean
  removeKeys: boolean
  removeCreds: boolean
}

async function deleteUsers(
  session: Session,
  store: OperatorStore,
  accountName: string,
  names: readonly string[],
  options: DeletionOptions,
): Promise<Report> {
  const account = store.account(accountName)
  const signer = options.revoke
    ? findSigner(session, { store, roles: accountSignerRoles(store), account })
    : null
  const report = new Report('delete users')
  let revoked = false
  const lines: Report[] = []
  for (const name of names) {
    const { sub } = store.user(accountName, name)
    const line = new Report(`user ${name} [${sub}]`, { level: 'ok' })
    lines.push(line)
    report.add(line)
    if (!options.revoke) continue
    if (account.nats.revocations?.[sub]) line.ok('user is already revoked')
    else {
      account.nats.revocations = addRevocation(account.nats.revocations, sub, Math.floor(Date.now() / 1000))
      line.ok('revoked user')
      revoked = true
    }
  }
  // Before anything goes: users whose revocation could not be stored would be out of reach.
  const saved = revoked && signer ? await storeAccount(session, store, encode(account, signer)) : null
  for (const [index, name] of names.entries())
    deleteUserFiles(session, store, accountName, name, options, lines[index] as Report)
  if (revoked) {
    report.add(saved)
    report.ok(`edited account ${quote(accountName)}`)
  }
  return report
}

/** Removes a user's token and, as asked, its seed and creds file. */
export function deleteUserFiles(
  session: Session,
  store: OperatorStore,
  account: string,
  user: string,
  options: DeletionOptions,
  line: Report,
): void {
  const attempt = (work: () => void, done: string, failed = '') => {
    try {
      work()
      line.ok(done)
    } catch (thrown) {
      line.error(failed + textOf(thrown))
    }
  }
  const { sub } = store.user(account, user)
  attempt(() => store.deleteUser(account, user), 'user deleted')
  if (options.removeKeys) {
    if (session.keystore.has(sub)) attempt(() => session.keystore.remove(sub), 'deleted private key')
    else line.ok('private key is not stored')
  }
  if (options.removeCreds) {
    const file = session.keystore.credsPath(store.name, account, user)
    if (exists(file)) attempt(() => remove(file), 'removed creds file', `error deleting creds file ${file}: `)
    else line.ok('creds file is not stored')
  }
}
