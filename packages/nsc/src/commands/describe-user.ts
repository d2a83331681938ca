import { isPublicKey } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import type { Report } from '../report.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { describeToken } from './describe-shared.ts'
import { nameOf } from './name-of.ts'

export function run(call: Call): Promise<Report | undefined> {
  const { session, flags } = call
  const store = session.store()
  const account = session.requireAccount(flags.text('account'))
  const given = nameOf(call) || (store.onlyUser(account) ?? '')
  if (given === '') throw failure('user is required')
  const name = isPublicKey(given, 'user') ? nameOfKey(store, account, given) : given
  return describeToken(call, store.userToken(account, name), store.account(account))
}

function nameOfKey(store: OperatorStore, account: string, key: string): string {
  for (const name of store.userNames(account)) {
    try {
      if (store.user(account, name).sub === key) return name
    } catch {
      // Another user's damaged token is not what was asked for.
    }
  }
  throw failure(`no user found with public key ${key}`)
}
