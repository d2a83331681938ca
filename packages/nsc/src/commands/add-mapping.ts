import type { WeightedMapping } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, textOf, usageError } from '../errors.ts'
import { Report } from '../report.ts'
import { editAccount, issuesUnder } from './shared.ts'

export async function run({ session, flags }: Call): Promise<Report> {
  const [from, to, cluster] = [flags.text('from'), flags.text('to'), flags.text('cluster')]
  const weight = Number(flags.integer('weight'))
  const report = Report.list()
  await editAccount(session, flags.text('account'), async ({ account, signer, save }) => {
    if (from === '') throw usageError('from subject is required')
    if (to === '') throw failure('to subject is required')
    const added: WeightedMapping = { subject: to }
    if (weight !== 0) added.weight = weight
    if (cluster !== '') added.cluster = cluster
    const mappings = account.nats.mappings ?? {}
    const targets = mappings[from] ?? []
    const same = targets.findIndex((entry) => entry.subject === to && (entry.cluster ?? '') === cluster)
    mappings[from] = same === -1 ? [...targets, added] : targets.with(same, added)
    account.nats.mappings = mappings
    const wrong = issuesUnder(account, 'mappings')
    if (wrong.length > 0) throw failure(`mapping validation failed: [${wrong.join(' ')}]`)
    try {
      signer()
    } catch (thrown) {
      throw failure(`mapping ${textOf(thrown)}`, thrown)
    }
    await save(report)
    if (!report.failed) report.ok(`added mapping ${from} -> ${to}, weight ${weight || 100}%`)
  })
  return report
}
