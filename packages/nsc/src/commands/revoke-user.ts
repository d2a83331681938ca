import { addRevocation } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { Report } from '../report.ts'
import { quote } from '../text.ts'
import { checkUserFlags, momentText, revocationTime, userKeyOf } from './revocation-shared.ts'
import { editAccount } from './shared.ts'

export async function run(call: Call): Promise<Report> {
  checkUserFlags(call)
  const report = Report.list({ summarizes: true })
  await editAccount(
    call.session,
    call.flags.text('account'),
    async ({ store, account, name, signer, save }) => {
      const key = userKeyOf(call, store, name)
      signer()
      const at = revocationTime(call)
      account.nats.revocations = addRevocation(account.nats.revocations, key, at)
      await save(report)
      if (report.failed) return
      report.ok(
        key === '*' ? `revoked all users issued before ${momentText(at)}` : `revoked user ${quote(key)}`,
      )
    },
  )
  return report
}
