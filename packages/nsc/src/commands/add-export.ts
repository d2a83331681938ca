import type { Export } from '@ngs/identity/node'
import type { FlagValues } from '../cli/flags.ts'
import type { Call } from '../cli/spec.ts'
import { failure, usageError } from '../errors.ts'
import { Report } from '../report.ts'
import { quote } from '../text.ts'
import { editAccount, issuesUnder } from './shared.ts'

export const RESPONSE_TYPES = ['Singleton', 'Stream', 'Chunked']

export async function run({ session, flags }: Call): Promise<Report> {
  const account = session.requireAccount(flags.text('account'))
  const subject = flags.text('subject')
  const isService = flags.switch('service')
  if (subject === '') throw usageError('a subject is required')
  if (flags.switch('private') && Number(flags.integer('account-token-position')) !== 0)
    throw failure('account token position is only valid for public exports')
  const report = Report.list()
  await editAccount(session, account, async ({ account, signer, save }) => {
    const before = issuesUnder(account, 'exports')
    if (before[0] !== undefined) throw failure(before[0])
    const added = newExport(flags, subject)
    account.nats.exports = [...(account.nats.exports ?? []), added]
    const wrong = issuesUnder(account, 'exports')
    if (wrong[0] !== undefined) throw failure(wrong[0])
    if (isService) checkResponseType(flags.text('response-type'))
    else if (flags.has('response-type'))
      throw failure('response type can only be specified in conjunction with service')
    signer()
    await save(report)
    const visibility = added.token_req ? 'private' : 'public'
    if (!report.failed) report.ok(`added ${visibility} ${added.type} export ${quote(added.name ?? '')}`)
  })
  return report
}

function newExport(flags: FlagValues, subject: string): Export {
  const isService = flags.switch('service')
  const added: Export = {
    name: flags.text('name') || subject,
    subject,
    type: isService ? 'service' : 'stream',
  }
  if (flags.switch('private')) added.token_req = true
  if (flags.switch('advertise')) added.advertise = true
  if (flags.switch('allow-trace')) added.allow_trace = true
  const position = flags.integer('account-token-position')
  if (Number(position) !== 0) added.account_token_position = position
  if (flags.text('latency') !== '')
    added.service_latency = { results: flags.text('latency'), sampling: samplingRate(flags.text('sampling')) }
  if (isService) {
    added.response_type = flags.text('response-type')
    const threshold = flags.integer('response-threshold')
    if (Number(threshold) !== 0) added.response_threshold = threshold
  }
  return added
}

export function checkResponseType(type: string): void {
  if (!RESPONSE_TYPES.includes(type)) throw failure(`unknown response type ${quote(type)}`)
}

/** 1-100, or 0 for `header`: then requests ask for it themselves. Whether it fits is for the validation to say. */
export function samplingRate(text: string): number {
  return text.toLowerCase() === 'header' ? 0 : Math.trunc(Number(text)) || 0
}
