import {
  type AccountClaims,
  type ActivationClaims,
  decodeAccount,
  decodeActivation,
  findExport,
  type Import,
  isSubsetMatch,
  verifyActivation,
} from '@ngs/identity/node'
import { isHttpUrl, serverPath } from '../remote/account-server.ts'
import { request } from '../remote/http.ts'
import { knownAccounts, type Session } from '../session.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { quote } from '../text.ts'
import { formatDate } from '../values.ts'

/**
 * Sharing takes two sides: an export, and an import that fits it. A server drops an import that does not without
 * telling anyone, so what can be known beforehand is said here, in words.
 */

/** An exporting account as far as it can be found: in the stores of this machine, or at the operator's server. */
export async function findExporter(
  session: Session,
  store: OperatorStore,
  publicKey: string,
): Promise<AccountClaims | null> {
  for (const known of knownAccounts(session.context))
    if (known.account.sub === publicKey) return known.account
  const server = store.managed ? (store.operator().nats.account_server_url ?? '') : ''
  if (!isHttpUrl(server)) return null
  try {
    const url = serverPath(server, 'accounts', publicKey)
    const answer = await request(session.io.env, { method: 'GET', url, timeout: 2_000 })
    return answer.status === 200 ? decodeAccount(answer.body.trim()) : null
  } catch {
    // Only a courtesy: without an answer nothing is said.
    return null
  }
}

/** Why servers will not honour an import. `fatal`: only another import, with a good token, can work. */
export interface ImportProblem {
  text: string
  fatal: boolean
}

/**
 * Why servers will not honour an import, in words for its owner; null when nothing is wrong as far as is known.
 *
 * @param exporter the exporting account, null when unknown: then only the token itself can be judged
 */
export function importProblem(
  importer: string,
  wanted: Import,
  exporter: AccountClaims | null,
): ImportProblem | null {
  const fatal = (text: string) => ({ text, fatal: true })
  const token = wanted.token ? readActivation(wanted.token) : null
  if (typeof token === 'string') return fatal(token)
  if (token) {
    const wrong = tokenProblem(token, importer, wanted)
    if (wrong) return fatal(wrong)
  }
  if (!exporter) return null
  const who = exporter.name ? `account ${quote(exporter.name)}` : `account ${exporter.sub}`
  const what = `${wanted.type} ${quote(wanted.subject ?? '')}`
  const shared = findExport(exporter, wanted.type === 'service' ? 'service' : 'stream', wanted.subject ?? '')
  if (!shared) return { text: `${who} does not export the ${what}`, fatal: false }
  const position = Number(shared.account_token_position ?? 0)
  if (position > 0) {
    const wrong = positionProblem(wanted.subject ?? '', position, importer, who)
    return wrong === null ? null : { text: wrong, fatal: false }
  }
  if (!shared.token_req) return null
  if (!token || !wanted.token) return fatal(privateExport(who, what, importer, wanted))
  const verdict = verifyActivation({
    token,
    importer,
    exporter,
    kind: wanted.type === 'service' ? 'service' : 'stream',
    subject: wanted.subject ?? '',
  })
  if (verdict.ok) return null
  if (verdict.code === 'revoked')
    return fatal(`${who} has revoked the activation token for the ${what} - ask its owner for a new one`)
  return fatal(
    `the activation token for the ${what} is not good: ${verdict.reason} - ask the owner of ${who} for a new one`,
  )
}

function privateExport(who: string, what: string, importer: string, wanted: Import): string {
  return (
    `the ${what} of ${who} is private: importing it takes an activation token - ` +
    `ask its owner to run: nsc generate activation --subject ${quote(wanted.subject ?? '')} ` +
    `--target-account ${importer} --output-file activation.jwt; then: nsc add import --token activation.jwt`
  )
}

function readActivation(token: string): ActivationClaims | string {
  try {
    return decodeActivation(token)
  } catch (thrown) {
    return `the activation token cannot be read: ${(thrown as Error).message} - ask the owner of the export for a new one`
  }
}

function tokenProblem(token: ActivationClaims, importer: string, wanted: Import): string | null {
  if (token.sub !== importer)
    return `the activation token is for account ${token.sub}, not for this one (${importer}) - ask the owner of the export for one`
  const expires = Number(token.exp ?? 0)
  if (expires > 0 && expires <= Date.now() / 1000)
    return `the activation token expired on ${formatDate(expires)} - ask the owner of the export for a new one`
  if (token.nats.kind !== wanted.type)
    return `the activation token is for a ${token.nats.kind}, the import is a ${wanted.type}`
  if (!isSubsetMatch(wanted.subject ?? '', token.nats.subject ?? ''))
    return `the activation token is for ${quote(token.nats.subject ?? '')}, which does not contain ${quote(wanted.subject ?? '')}`
  return null
}

function positionProblem(subject: string, position: number, importer: string, who: string): string | null {
  const tokens = subject.split('.')
  if (tokens[position - 1] === importer) return null
  tokens[position - 1] = importer
  return (
    `${who} shares this with each importer separately: token ${position} of the subject must be the key of this ` +
    `account (such as ${quote(tokens.join('.'))})`
  )
}
