import type { AccountClaims, Export } from '@ngs/identity/node'
import type { FlagValues } from '../cli/flags.ts'
import type { Call } from '../cli/spec.ts'
import { failure, usageError } from '../errors.ts'
import { Report } from '../report.ts'
import { quote } from '../text.ts'
import { checkResponseType, samplingRate } from './add-export.ts'
import { editAccount, issuesUnder } from './shared.ts'

const EDIT_FLAGS = [
  ...['name', 'subject', 'service', 'private', 'latency', 'sampling', 'rm-latency-sampling', 'response-type'],
  ...['response-threshold', 'description', 'info-url', 'allow-trace'],
]

export async function run({ session, flags }: Call): Promise<Report> {
  if (!flags.hasAny(...EDIT_FLAGS) && !session.interactive) throw failure('please specify some options')
  const report = Report.list()
  await editAccount(session, flags.text('account'), async ({ account, name, signer, save }) => {
    const target = findExport(account, name, flags.text('subject'))
    const isService = flags.has('service') ? flags.switch('service') : target.type === 'service'
    if (isService && flags.has('response-type')) checkResponseType(flags.text('response-type'))
    if (!isService && Number(flags.integer('response-threshold')) !== 0)
      throw usageError('response threshold is only applicable to services')
    if (!isService && flags.switch('allow-trace'))
      throw usageError('allow trace is only applicable to services')
    signer()
    const before = issuesUnder(account, 'exports')
    for (const issue of before) report.error(issue)
    if (before.length > 0) return
    applyEdits(target, isService, flags, report)
    const after = issuesUnder(account, 'exports')
    for (const issue of after) report.error(issue)
    if (after.length > 0) return
    await save(report)
    if (!report.failed) report.ok(`edited ${target.type} export ${quote(target.name ?? '')}`)
  })
  return report
}

/** The export of that subject; with no subject, the only one. */
export function findExport(account: AccountClaims, accountName: string, given: string): Export {
  const exports = (account.nats.exports ?? []).filter((entry) => entry !== null)
  if (exports.length === 0) throw failure(`account ${quote(accountName)} doesn't have exports`)
  const subject = given === '' && exports.length === 1 ? (exports[0]?.subject ?? '') : given
  if (subject === '') throw usageError('a subject is required')
  const found = exports.find((entry) => entry.subject === subject)
  if (!found) throw usageError(`no export with subject ${quote(subject)} found`)
  return found
}

/**
 * Changes the export in place: what no flag speaks of (revocations of importers above all) stays as it is. The
 * official program starts from an empty export here and loses it.
 */
function applyEdits(target: Export, isService: boolean, flags: FlagValues, report: Report): void {
  if (flags.has('name') && flags.text('name') !== (target.name ?? '')) {
    target.name = flags.text('name')
    report.ok(`changed export name to ${target.name}`)
  }
  if (flags.has('private') && flags.switch('private') !== (target.token_req ?? false)) {
    if (flags.switch('private')) target.token_req = true
    else delete target.token_req
    report.warn('changed export to be private - this will break importers')
  }
  const type = isService ? 'service' : 'stream'
  if (target.type !== type) {
    target.type = type
    report.warn(`changed export type to ${quote(type)} - this will break importers`)
  }
  if (isService) applyServiceEdits(target, flags, report)
  else {
    delete target.response_type
    delete target.response_threshold
    delete target.service_latency
  }
  for (const [flag, key, label] of [
    ['description', 'description', 'description'],
    ['info-url', 'info_url', 'info url'],
  ] as const) {
    if (!flags.has(flag) || flags.text(flag) === (target[key] ?? '')) continue
    if (flags.text(flag) === '') delete target[key]
    else target[key] = flags.text(flag)
    report.ok(`changed ${label} to ${quote(flags.text(flag))}`)
  }
  if (flags.has('allow-trace') && flags.switch('allow-trace') !== (target.allow_trace ?? false)) {
    if (flags.switch('allow-trace')) target.allow_trace = true
    else delete target.allow_trace
    report.ok(`changed allowed trace to ${flags.switch('allow-trace')}`)
  }
}

function applyServiceEdits(target: Export, flags: FlagValues, report: Report): void {
  if (flags.switch('rm-latency-sampling')) {
    report.ok(
      target.service_latency
        ? 'removed latency tracking'
        : 'no need to remove latency tracking as it was not set',
    )
    delete target.service_latency
  } else if (flags.hasAny('latency', 'sampling')) applyLatency(target, flags, report)
  if (flags.has('response-threshold')) {
    const threshold = flags.integer('response-threshold')
    if (Number(threshold) === 0) delete target.response_threshold
    else target.response_threshold = threshold
  }
  const type = flags.text('response-type')
  if (flags.has('response-type') && type !== (target.response_type || 'Singleton')) {
    target.response_type = type
    report.ok(`changed response type to ${type}`)
  }
}

function applyLatency(target: Export, flags: FlagValues, report: Report): void {
  const before = target.service_latency
  const results = flags.has('latency') ? flags.text('latency') : (before?.results ?? '')
  if (results === '') return
  const sampling = flags.has('sampling') ? samplingRate(flags.text('sampling')) : (before?.sampling ?? 0)
  target.service_latency = { results, sampling }
  if (sampling !== (before?.sampling ?? 0)) report.ok(`changed service latency to ${sampling}%`)
  if (before?.results && before.results !== results) {
    report.ok(`changed service latency subject to ${results}`)
    report.warn('changed latency subject will break consumers of the report')
  }
}
