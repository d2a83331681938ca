import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { Report } from '../report.ts'
import { editAccount } from './shared.ts'

export async function run({ session, flags }: Call): Promise<Report> {
  const [from, to, cluster] = [flags.text('from'), flags.text('to'), flags.text('cluster')]
  const report = Report.list({ summarizes: true })
  await editAccount(session, flags.text('account'), async ({ account, signer, save }) => {
    if (from === '') throw failure('from subject is required')
    signer()
    const targets = account.nats.mappings?.[from] ?? []
    // Without --to the whole subject goes, of one cluster if --cluster names it.
    const kept = targets.filter((entry) => {
      const ofCluster = (entry.cluster ?? '') === cluster
      return to === '' ? cluster !== '' && !ofCluster : entry.subject !== to || !ofCluster
    })
    const where = cluster === '' ? '' : ` in cluster ${cluster}`
    if (to !== '' && kept.length === targets.length)
      throw failure(`no mapping ${from} -> ${to}${where} found`)
    if (kept.length > 0) account.nats.mappings = { ...account.nats.mappings, [from]: kept }
    else delete account.nats.mappings?.[from]
    if (Object.keys(account.nats.mappings ?? {}).length === 0) delete account.nats.mappings
    if (to === '') report.ok(`deleted all mapping${where} for ${from}`)
    else report.ok(`deleted mapping ${from} -> ${to}${where}`)
    await save(report)
  })
  return report
}
