import { type AccountClaims, decodeActivation, type Import, undecorateJwt } from '@ngs/identity/node'
import { findExporter, importProblem } from '../claims/sharing.ts'
import type { Call } from '../cli/spec.ts'
import { failure, textOf, usageError } from '../errors.ts'
import { loadFileOrUrl } from '../remote/account-server.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { backquote, quote } from '../text.ts'
import { accountKeyOf, checkPublicKey, editAccount, issuesUnder, subjectError } from './shared.ts'

export async function run({ session, flags }: Call): Promise<Report> {
  checkCall({
    token: flags.has('token'),
    source: flags.has('src-account'),
    remote: flags.has('remote-subject'),
  })
  const accountName = session.requireAccount(flags.text('account'))
  const store = session.store()
  const report = Report.list()
  const token = flags.text('token') === '' ? null : await loadToken(session, flags.text('token'))
  await editAccount(session, accountName, async ({ account, signer, save }) => {
    const added: Import = {}
    const name = flags.text('name')
    if (token !== null) fillFromToken(added, token, account)
    else {
      added.subject = flags.text('remote-subject')
      added.account = accountKeyOf(store, flags.text('src-account'))
      added.type = flags.switch('service') ? 'service' : 'stream'
    }
    added.name = name || added.name || added.subject || ''
    const local = flags.text('local-subject')
    if (local !== '') added.local_subject = local
    // A token's service is reached under its remote subject unless said otherwise.
    else if (token !== null && added.type === 'service' && added.subject) added.local_subject = added.subject
    checkImport(account, added, flags.switch('share'))
    signer()
    if (added.type === 'service' && flags.switch('share')) added.share = true
    if (added.type === 'stream' && flags.switch('allow-trace')) added.allow_trace = true

    const exporter = await findExporter(session, store, added.account ?? '')
    const problem = importProblem(account.sub, added, exporter)
    // A missing export may still be added by its owner; a missing or bad token makes the import useless for good.
    if (problem?.fatal) throw failure(problem.text)
    account.nats.imports = [...(account.nats.imports ?? []), added]
    const wrong = issuesUnder(account, 'imports')
    if (wrong[0] !== undefined) throw failure(wrong[0] + limitHint(account, store.managed))
    if (problem) report.warn(`${problem.text}: the import does nothing until that changes`)
    await save(report)
    if (!report.failed) report.ok(`added ${added.type} import ${quote(added.subject ?? '')}`)
  })
  return report
}

/** What to do about a full account: the limits here may be older than those of the operator. */
function limitHint(account: AccountClaims, managed: boolean): string {
  const limit = Number(account.nats.limits.imports)
  if (!managed || limit < 0 || (account.nats.imports?.length ?? 0) <= limit) return ''
  return ` (${limit}) - if the operator allows more by now, fetch the account first: nsc pull --account ${quote(account.name ?? '')}`
}

/** Either a token, which says everything, or account and subject of a public export. */
function checkCall(given: { token: boolean; source: boolean; remote: boolean }): void {
  if (given.token && (given.source || given.remote))
    throw usageError('private imports require src-account, remote-subject and service to be unset')
  if (!given.token && !(given.source && given.remote))
    throw usageError('public imports require src-account, remote-subject')
}

async function loadToken(session: Session, source: string): Promise<string> {
  // The dialog hands over the token itself.
  if (source.startsWith('eyJ') && source.split('.').length === 3) return source
  try {
    return undecorateJwt(await loadFileOrUrl(session, source)).trim()
  } catch (thrown) {
    throw failure(`error loading ${backquote(source)}: ${textOf(thrown)}`, thrown)
  }
}

function fillFromToken(added: Import, token: string, importer: AccountClaims): void {
  const activation = decodeActivation(token)
  added.token = token
  added.subject = activation.nats.subject ?? ''
  added.type = activation.nats.kind === 'service' ? 'service' : 'stream'
  added.account = activation.nats.issuer_account || activation.iss
  if (activation.name) added.name = activation.name
  if (activation.sub !== 'public' && activation.sub !== importer.sub)
    throw failure(`activation is not intended for this account - it is for ${quote(activation.sub)}`)
}

function checkImport(account: AccountClaims, added: Import, share: boolean): void {
  if (account.sub === added.account) throw failure('export issuer is this account')
  checkPublicKey(added.account ?? '', 'account', 'src-account')
  const wrong = added.local_subject ? subjectError(added.local_subject) : null
  if (wrong) throw failure(wrong)
  if (share && added.type !== 'service') throw failure('only services can set the share property')
  for (const other of account.nats.imports ?? [])
    if (other?.type === added.type && other?.account === added.account && other?.subject === added.subject)
      throw failure(
        `account already imports ${added.type} ${quote(added.subject ?? '')} from ${added.account}`,
      )
}
