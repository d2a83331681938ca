import { type AccountClaims, decodeAccount, type OperatorClaims } from '@ngs/identity/node'
import { failure, fileError, textOf } from '../errors.ts'
import { readText, statOf } from '../files.ts'
import type { Io } from '../io.ts'
import { RemoteText, Report } from '../report.ts'
import type { Session } from '../session.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { quote } from '../text.ts'
import type { HttpAnswer } from './http.ts'

/**
 * The operator's account server over HTTP: accounts are posted to it self-signed, and what it made of them is read
 * back. The statuses decide: 200 done, 201 and 202 accepted but not signed yet, anything else refused.
 */

/** Loaded when there is something to fetch: most commands talk to nobody. */
const http = () => import('./http.ts')

const REASONS: Record<number, string> = {
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  207: 'Multi-Status',
  208: 'Already Reported',
  226: 'IM Used',
}

/** nats, tls, ws or wss: the accounts live in the servers themselves and are reached over NATS. */
export function isResolverUrl(url: string): boolean {
  return /^(nats|tls|ws|wss):\/\//i.test(url)
}

export function isHttpUrl(url: string): boolean {
  return /^https?:\/\//i.test(url)
}

/** The URL of a thing below the account server URL, whose query is kept. */
export function serverPath(accountServerUrl: string, ...parts: string[]): string {
  const url = new URL(accountServerUrl)
  url.pathname = [url.pathname.replace(/\/+$/, ''), ...parts].join('/')
  return url.href
}

/** POSTs a token and tells in a report line what became of it. */
export async function postToken(env: Io['env'], url: string, token: string): Promise<Report> {
  const { request } = await http()
  const answer = await request(env, {
    method: 'POST',
    url,
    body: token,
    headers: { 'Content-Type': 'application/jwt' },
  })
  const report = new Report('push jwt to account server', { shows: 'details-if-notable' })
  if (answer.status === 200) report.ok('pushed account jwt to the account server')
  else if (answer.status === 201 || answer.status === 202)
    report.warn('pushed account jwt was accepted by the account server')
  else report.error('failed to push account to remote server')
  if (answer.body !== '') report.add(new RemoteText(answer.body))
  return report
}

/** What a GET of a token brought: the report line, and the body when the server had one. */
export interface PulledToken {
  report: Report
  body: string
}

/** GETs a token. Statuses above 299 and failed connections throw `error pulling "url": ...`. */
export async function getToken(env: Io['env'], url: string): Promise<PulledToken> {
  let answer: HttpAnswer
  try {
    answer = await (await http()).get(env, url)
  } catch (thrown) {
    throw failure(`error pulling ${quote(url)}: ${textOf(thrown)}`, thrown)
  }
  if (answer.status > 299) throw failure(`error pulling ${quote(url)}: ${answer.status}`)
  const report = new Report('pull jwt from account server', { shows: 'details-if-notable' })
  if (answer.status === 200) report.ok('pulled jwt from the account server')
  else {
    const text = `failed to pull jwt from the account server: : [${answer.status} - ${REASONS[answer.status] ?? ''}]`
    report.add(Report.line(answer.status === 201 || answer.status === 202 ? 'warning' : 'error', text))
  }
  return { report, body: answer.body }
}

/** A body that must come with status 200, from a URL. */
export async function loadUrl(env: Io['env'], url: string): Promise<string> {
  let answer: HttpAnswer
  try {
    answer = await (await http()).get(env, url)
  } catch (thrown) {
    throw failure(`error loading ${quote(url)}: ${textOf(thrown)}`, thrown)
  }
  if (answer.status !== 200)
    throw failure(`error reading response from ${quote(url)}: ${answer.status} ${answer.reason}`.trimEnd())
  return answer.body
}

/** The content of a file, or of a http(s) URL. */
export async function loadFileOrUrl(session: Session, source: string): Promise<string> {
  if (isHttpUrl(source)) return loadUrl(session.io.env, source)
  const file = session.expand(source)
  if (statOf(file) === null) throw fileError('stat', file, { code: 'ENOENT' })
  return readText(file)
}

const TRY_AGAIN = 'perform push/pull again or exchange self-signed JWT manually'

/**
 * Stores a new version of an account. A local store just writes it. In a managed store the operator's server is
 * asked to sign it first; whatever happens there, something is stored: the server's version when it came back, else
 * the self-signed one, so that nothing the owner did is lost.
 *
 * Returns the report of the exchange, null when there was none.
 */
export async function storeAccount(
  session: Session,
  store: OperatorStore,
  token: string,
): Promise<Report | null> {
  if (!store.managed) {
    store.write(token)
    return null
  }
  const account = decodeAccount(token)
  const operator = store.operator()
  const server = operator.nats.account_server_url ?? ''
  const report = new Report('synchronized account jwt with account server', { shows: 'details' })
  if (server === '' || isResolverUrl(server)) {
    report.warn(
      `unable to push to ${quote(operator.name ?? '')} - operator doesn't set an account server url or manual exchange necessary`,
    )
    return keepSelfSigned(store, token, report)
  }
  const url = serverPath(server, 'accounts', account.sub)
  const signed = await exchangeAccount(session.io.env, url, account, token, report)
  if (signed === null) return keepSelfSigned(store, token, report)
  try {
    store.write(checkAnswer(signed, account))
  } catch (thrown) {
    report.error(`failed to store jwt: ${textOf(thrown)}`)
    report.error(textOf(thrown))
  }
  return report
}

/** POST, then GET; the token of the server, or null when it has none (yet). */
async function exchangeAccount(
  env: Io['env'],
  url: string,
  account: AccountClaims,
  token: string,
  report: Report,
): Promise<string | null> {
  const name = quote(account.name ?? '')
  try {
    const pushed = await postToken(env, url, token)
    report.add(pushed)
    if (pushed.level !== 'ok') return null
  } catch (thrown) {
    report.error(`error pushing account ${name}: ${textOf(thrown)}`)
    return null
  }
  try {
    const pulled = await getToken(env, url)
    report.add(pulled.report)
    return pulled.report.level === 'ok' ? pulled.body : null
  } catch (thrown) {
    report.error(`error pulling account ${name}: ${textOf(thrown)}`)
    return null
  }
}

function keepSelfSigned(store: OperatorStore, token: string, report: Report): Report {
  store.write(token)
  report.warn(TRY_AGAIN)
  return report
}

/** The answer must be the account that was sent: a server must not be able to replace another account's token. */
function checkAnswer(body: string, sent: AccountClaims): string {
  const token = body.trim()
  let answered: AccountClaims
  try {
    answered = decodeAccount(token)
  } catch (thrown) {
    throw failure(`invalid jwt: ${textOf(thrown)}`, thrown)
  }
  if (answered.sub !== sent.sub)
    throw failure(`the account server answered with the jwt of another account: ${answered.sub}`)
  return token
}

/** Whether accounts of this operator are exchanged over HTTP. */
export function usesHttpServer(operator: OperatorClaims): boolean {
  return isHttpUrl(operator.nats.account_server_url ?? '')
}
