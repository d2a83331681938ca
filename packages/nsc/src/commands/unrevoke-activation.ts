import type { Call } from '../cli/spec.ts'
import { Report } from '../report.ts'
import { exportOf, kindOf } from './revocation-shared.ts'
import { accountKeyOf, checkPublicKey, editAccount } from './shared.ts'

export async function run(call: Call): Promise<Report> {
  const { session, flags } = call
  const report = Report.list({ summarizes: true })
  await editAccount(session, flags.text('account'), async ({ store, account, name, signer, save }) => {
    const target = accountKeyOf(store, flags.text('target-account'))
    const shared = exportOf(call, account, name)
    checkPublicKey(target, 'account', 'target-account', true)
    signer()
    if (shared.revocations) {
      delete shared.revocations[target]
      if (Object.keys(shared.revocations).length === 0) delete shared.revocations
    }
    await save(report)
    if (report.failed) return
    const whom = target === '*' ? 'all accounts' : `account ${target}`
    report.ok(`deleted ${kindOf(call)} ${shared.name ?? ''} revocation for ${whom}`)
  })
  return report
}
