import { encode, isUnrestricted } from '@ngs/identity/node'
import { applyUserLimits, checkUserLimitFlags, USER_LIMIT_FLAG_NAMES } from '../claims/user-limits.ts'
import type { Call } from '../cli/spec.ts'
import { failure, textOf, usageError } from '../errors.ts'
import { Report } from '../report.ts'
import { findSigner, scopeOf } from '../signing.ts'
import { withLock } from '../store/lock.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { quote } from '../text.ts'
import { refuseScoped } from './add-user.ts'
import { applyDates, applyTags, checkDates, nameOf, storeUserCreds } from './shared.ts'

const EDIT_FLAGS = [...USER_LIMIT_FLAG_NAMES, 'start', 'expiry', 'tag', 'rm-tag']

export async function run(call: Call): Promise<Report> {
  const { session, flags } = call
  const given = nameOf(call)
  session.selectAccount(flags.text('account'))
  // Whoever was asked and left all as it is gets the same content signed anew.
  if (!flags.hasAny(...EDIT_FLAGS) && !session.interactive) throw usageError('specify an edit option')
  const account = session.requireAccount('')
  const store = session.store()
  const name = given || (store.onlyUser(account) ?? '')
  if (name === '') throw usageError('user name is required')
  if (!store.hasUser(account, name)) throw failure(`user ${quote(name)} not found`)
  return withLock(store.dir, () => editUser(call, store, account, name))
}

function editUser({ session, flags }: Call, store: OperatorStore, accountName: string, name: string): Report {
  const claims = store.user(accountName, name)
  const account = store.account(accountName)
  checkUserLimitFlags(flags)
  checkDates(flags)
  const signer = findSigner(session, { store, roles: ['account'], account, previous: claims.iss })
  if (account.nats.limits.disallow_bearer && flags.switch('bearer'))
    throw failure('account disallows bearer token')

  const report = Report.list()
  applyDates(claims, flags, report)
  applyTags(claims.nats, flags.list('tag'), flags.list('rm-tag'), report)
  applyUserLimits(claims.nats, flags, report)
  if (signer.publicKey !== account.sub) claims.nats.issuer_account = account.sub
  if (scopeOf(account, signer.publicKey) && !isUnrestricted(claims)) return refuseScoped(report)
  try {
    // The store refuses a user that no key of an account here has signed.
    store.write(encode(claims, signer))
  } catch (thrown) {
    report.error(textOf(thrown))
    return report
  }
  storeUserCreds(session, store, accountName, claims, report)
  if (!report.failed) report.ok(`edited user ${quote(name)}`)
  return report
}
