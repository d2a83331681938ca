import { addRevocation } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { Report } from '../report.ts'
import { quote } from '../text.ts'
import { exportOf, momentText, revocationTime } from './revocation-shared.ts'
import { accountKeyOf, checkPublicKey, editAccount } from './shared.ts'

export async function run(call: Call): Promise<Report> {
  const { session, flags } = call
  const report = Report.list({ summarizes: true })
  await editAccount(session, flags.text('account'), async ({ store, account, name, signer, save }) => {
    const target = accountKeyOf(store, flags.text('target-account'))
    const shared = exportOf(call, account, name)
    checkPublicKey(target, 'account', 'target-account', true)
    signer()
    const at = revocationTime(call)
    shared.revocations = addRevocation(shared.revocations, target, at)
    await save(report)
    if (report.failed) return
    const what = quote(shared.name ?? '')
    report.ok(
      target === '*'
        ? `revoked all activations for ${what} issued before ${momentText(at)}`
        : `revoked activation ${what} for account ${target}`,
    )
  })
  return report
}
