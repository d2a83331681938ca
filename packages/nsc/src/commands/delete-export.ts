import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { Report } from '../report.ts'
import { quote } from '../text.ts'
import { editAccount, exportsOf } from './shared.ts'

export async function run({ session, flags }: Call): Promise<Report> {
  const report = Report.list({ summarizes: true })
  await editAccount(session, flags.text('account'), async ({ account, name, signer, save }) => {
    const exports = exportsOf(account)
    if (exports.length === 0) throw failure(`account ${quote(name)} doesn't have exports`)
    const subject = flags.text('subject') || (exports.length === 1 ? (exports[0]?.subject ?? '') : '')
    if (subject === '') throw failure('subject is required')
    const gone = exports.find((entry) => entry.subject === subject)
    if (!gone) throw failure(`no export matching ${quote(subject)} found`)
    signer()
    account.nats.exports = exports.filter((entry) => entry !== gone)
    if (account.nats.exports.length === 0) delete account.nats.exports
    report.ok(`deleted ${gone.type} export ${quote(gone.subject ?? '')}`)
    await save(report)
  })
  return report
}
