import type { Call } from '../cli/spec.ts'
import type { Report } from '../report.ts'
import { describeToken } from './describe-shared.ts'
import { nameOf } from './name-of.ts'

export function run(call: Call): Promise<Report | undefined> {
  const { session } = call
  const store = session.store()
  const account = session.requireAccount(nameOf(call))
  return describeToken(call, store.accountToken(account))
}
