import {
  activationHashId,
  decorateJwt,
  type Export,
  encode,
  isSubsetMatch,
  newActivationClaims,
} from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, usageError } from '../errors.ts'
import { isResolverUrl, postToken, serverPath } from '../remote/account-server.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { findSigner } from '../signing.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { quote, titleCase } from '../text.ts'
import { formatDate, parseDate, relativeDate } from '../values.ts'
import { accountKeyOf, checkDates, checkPublicKey, exportsOf, subjectError } from './shared.ts'

export async function run({ session, flags }: Call): Promise<Report> {
  const store = session.store()
  const name = session.selectAccount(flags.text('account'))
  const target = accountKeyOf(store, flags.text('target-account'))
  session.requireAccount('')
  const account = store.account(name)
  const privateExports = privateExportsOf(exportsOf(account), name)
  const only = privateExports.length === 1 ? (privateExports[0]?.subject ?? '') : ''
  const subject = flags.text('subject') || only
  if (subject === '') throw usageError('a subject is required')
  checkDates(flags)
  checkPublicKey(target, 'account', 'target-account')
  const wrong = subjectError(subject)
  if (wrong) throw failure(wrong)
  const shared = privateExports.find((entry) => isSubsetMatch(subject, entry.subject ?? ''))
  if (!shared) throw failure(`a private export for ${quote(subject)} was not found in account ${quote(name)}`)
  const signer = findSigner(session, { store, roles: ['account'], account })

  const claims = newActivationClaims(target, subject)
  const [start, expiry] = [parseDate(flags.text('start')), parseDate(flags.text('expiry'))]
  if (start !== 0) claims.nbf = start
  if (expiry !== 0) claims.exp = expiry
  claims.nats.subject = subject
  claims.nats.kind = shared.type === 'service' ? 'service' : 'stream'
  if (signer.publicKey !== account.sub) claims.nats.issuer_account = account.sub
  const token = encode(claims, signer)

  const report = Report.list({ summarizes: true })
  report.ok(`generated ${quote(shared.name ?? '')} activation for account ${quote(target)}`)
  if (start > 0) report.ok(`token valid ${formatDate(start)} - ${titleCase(relativeDate(start))}`)
  if (expiry > 0) report.ok(`token expires ${formatDate(expiry)} - ${titleCase(relativeDate(expiry))}`)
  write(session, flags.text('output-file'), decorateJwt(token), report)
  if (flags.switch('push')) {
    // The claims as encoded: issuer and so on are part of the id.
    await push(session, store, token, activationHashId({ ...claims, iss: signer.publicKey }), report)
  }
  return report
}

function privateExportsOf(exports: readonly Export[], name: string): Export[] {
  if (exports.length === 0) throw failure(`account ${quote(name)} doesn't have exports`)
  const found = exports.filter((entry) => entry.token_req)
  if (found.length === 0)
    throw failure(`account ${quote(name)} doesn't have exports that require an activation token`)
  return found
}

function write(session: Session, output: string, text: string, report: Report): void {
  if (output === '--') session.print(text)
  else if (output !== '') {
    session.writeOutput(output, text)
    report.ok(`wrote activation token to ${session.shown(output)}`)
  }
}

async function push(
  session: Session,
  store: OperatorStore,
  token: string,
  hashId: string,
  report: Report,
): Promise<void> {
  const operator = store.operator()
  const server = operator.nats.account_server_url ?? ''
  if (server === '') throw failure(`operator ${operator.name} doesn't have an account server url configured`)
  if (isResolverUrl(server))
    throw failure(
      'activation push is only supported for http base account server not nats-resover enabled nats-server',
    )
  report.add(await postToken(session.io.env, serverPath(server, 'activations'), token))
  report.ok(`activation accessible at ${quote(serverPath(server, 'activations', hashId))}`)
}
