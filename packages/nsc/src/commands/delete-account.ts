import { type AccountClaims, addRevocation, encode } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, textOf } from '../errors.ts'
import { storeAccount } from '../remote/account-server.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { accountSignerRoles, findSigner, signingKeys } from '../signing.ts'
import { withLock } from '../store/lock.ts'
import { quote } from '../text.ts'
import { deleteUserFiles } from './delete-user.ts'
import { nameOf } from './shared.ts'

/** How long the deleted account goes on: its token cannot be taken back, only made to expire. */
const GRACE_SECONDS = 60

export async function run(call: Call): Promise<Report> {
  const { session, flags } = call
  const store = session.store()
  const name = session.selectAccount(nameOf(call))
  store.account(name)
  if (store.managed && !flags.switch('force'))
    throw failure(
      'managed accounts may require the account JWT or nkeys to cancel a service, specify the --force to override',
    )
  return withLock(store.dir, async () => {
    const account = store.account(name)
    const signer = findSigner(session, { store, roles: accountSignerRoles(store), account })
    call.begin()
    const report = new Report('delete account', { level: 'ok', shows: 'details' })
    const options = {
      revoke: flags.switch('revoke'),
      removeKeys: flags.switch('rm-nkey'),
      removeCreds: flags.switch('rm-creds'),
    }
    const users: { user: string; line: Report }[] = []
    for (const user of store.userNames(name)) {
      let sub: string
      try {
        sub = store.user(name, user).sub
      } catch (thrown) {
        report.error(`error loading user ${user}: ${textOf(thrown)}`)
        continue
      }
      const line = new Report(`user ${user} [${sub}]`, { level: 'ok' })
      report.add(line)
      users.push({ user, line })
      if (options.revoke) revoke(account, sub, line)
    }
    account.exp = Math.floor(Date.now() / 1000) + GRACE_SECONDS
    // Before anything goes: an account that could not be made to expire would live on without its keys.
    const saved = await storeAccount(session, store, encode(account, signer))
    for (const { user, line } of users) deleteUserFiles(session, store, name, user, options, line)
    store.tryDeleteUsersFolder(name)
    report.add(saved)
    report.ok(`expired account ${quote(name)}`)
    if (options.removeKeys) removeKeys(session, account, report)
    for (const [work, done] of [
      [() => store.deleteAccountToken(name), 'deleted account'],
      [() => store.deleteAccountFolder(name), 'deleted account directory'],
    ] as const) {
      try {
        work()
        report.ok(done)
      } catch (thrown) {
        report.error(textOf(thrown))
      }
    }
    return report
  })
}

function revoke(account: AccountClaims, user: string, line: Report): void {
  if (account.nats.revocations?.[user]) line.ok('user is already revoked')
  else {
    account.nats.revocations = addRevocation(account.nats.revocations, user, Math.floor(Date.now() / 1000))
    line.ok('revoked user')
  }
}

function removeKeys(session: Session, account: AccountClaims, report: Report): void {
  // The word "privated" is the official program's; scripts may look for the line.
  const keys = [
    ...signingKeys(account).map((key) => ({ key, done: 'deleted signing key', missing: 'signing key' })),
    { key: account.sub, done: 'deleted privated key', missing: 'private key' },
  ]
  for (const { key, done, missing } of keys) {
    if (!session.keystore.has(key)) report.ok(`${missing} ${quote(key)} is not stored`)
    else {
      session.keystore.remove(key)
      report.ok(`${done} ${quote(key)}`)
    }
  }
}
