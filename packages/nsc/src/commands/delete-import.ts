import type { Import } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { Report } from '../report.ts'
import { quote } from '../text.ts'
import { accountKeyOf, editAccount } from './shared.ts'

export async function run({ session, flags }: Call): Promise<Report> {
  const report = Report.list({ summarizes: true })
  await editAccount(session, flags.text('account'), async ({ store, account, name, signer, save }) => {
    const imports = (account.nats.imports ?? []).filter((entry) => entry !== null)
    if (imports.length === 0) throw failure(`account ${quote(name)} doesn't have imports`)
    const subject = flags.text('subject') || (imports.length === 1 ? (imports[0]?.subject ?? '') : '')
    if (subject === '') throw failure('subject is required')
    const source = flags.text('src-account') === '' ? '' : accountKeyOf(store, flags.text('src-account'))
    const gone = pick(imports, subject, source)
    signer()
    account.nats.imports = imports.filter((entry) => entry !== gone)
    if (account.nats.imports.length === 0) delete account.nats.imports
    report.ok(`deleted ${gone.type} import ${quote(gone.subject ?? '')}`)
    await save(report)
  })
  return report
}

/** The account is needed only where the subject alone is ambiguous; named, it must be the right one. */
function pick(imports: readonly Import[], subject: string, source: string): Import {
  const matching = imports.filter(
    (entry) => entry.subject === subject && (source === '' || entry.account === source),
  )
  if (matching.length > 1 && source === '') {
    const accounts = matching.map((entry) => entry.account).join(', ')
    throw failure(
      `more than one import ${quote(subject)} found - specify --src-account with one of ${accounts}`,
    )
  }
  const found = matching[0]
  if (!found) {
    const from = source === '' ? '' : ` from account ${source}`
    throw failure(`no import matching ${quote(subject)} found${from}`)
  }
  return found
}
