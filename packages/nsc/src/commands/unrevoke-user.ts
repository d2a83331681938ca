import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { Report } from '../report.ts'
import { quote } from '../text.ts'
import { checkUserFlags, userKeyOf } from './revocation-shared.ts'
import { editAccount } from './shared.ts'

export async function run(call: Call): Promise<Report> {
  checkUserFlags(call)
  const report = Report.list({ summarizes: true })
  await editAccount(
    call.session,
    call.flags.text('account'),
    async ({ store, account, name, signer, save }) => {
      const key = userKeyOf(call, store, name)
      const revocations = account.nats.revocations ?? {}
      if (Object.keys(revocations).length === 0) throw failure(`no user revocations set in account ${name}`)
      signer()
      if (!Object.hasOwn(revocations, key)) throw failure(`user with public key ${key} is not revoked`)
      delete revocations[key]
      if (Object.keys(revocations).length === 0) delete account.nats.revocations
      await save(report)
      if (report.failed) return
      report.ok(key === '*' ? 'deleted all user revocation' : `deleted user revocation for ${quote(key)}`)
    },
  )
  return report
}
