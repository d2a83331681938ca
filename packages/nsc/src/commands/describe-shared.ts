import {
  type AccountClaims,
  type ActivationClaims,
  activationHashId,
  type Claims,
  decode,
  decorateJwt,
  isAccount,
  isActivation,
  isOperator,
  isUser,
  undecorateJwt,
} from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { describeAccount, describeActivation } from '../describe/account.ts'
import { describeOperator } from '../describe/operator.ts'
import { bodyAsJson, fieldOf } from '../describe/raw.ts'
import { describeUser } from '../describe/user.ts'
import { failure } from '../errors.ts'
import { writeAtomically } from '../files.ts'
import { loadUrl } from '../remote/account-server.ts'
import { Report } from '../report.ts'
import { knownAccounts, type Session } from '../session.ts'
import { scopeOf } from '../signing.ts'
import { operatorNames } from '../store/operator-store.ts'

/** Prints a token in the form the flags ask for; into a file, the line about it is the report. */
export async function describeToken(
  { session, flags }: Call,
  content: string,
  userAccount: AccountClaims | null = null,
): Promise<Report | undefined> {
  const token = undecorateJwt(content).trim()
  const claims = decode(token)
  const output = flags.text('output-file')
  const toFile = output !== '--'
  let text: string
  if (flags.switch('raw')) text = toFile ? decorateJwt(token) : token
  else if (flags.text('field') !== '') text = fieldOf(token, flags.text('field'))
  else if (flags.switch('json')) text = bodyAsJson(token)
  else text = await describe(session, claims, flags.switch('long-ids'), userAccount)
  if (!toFile) {
    session.print(text)
    return undefined
  }
  const file = session.expand(output)
  writeAtomically(file, text)
  const kind = flags.switch('raw') ? 'jwt' : 'description'
  return Report.line('ok', `wrote ${claims.nats.type} ${kind} to ${session.shown(output)}`)
}

async function describe(
  session: Session,
  claims: Claims,
  longIds: boolean,
  userAccount: AccountClaims | null,
): Promise<string> {
  if (isOperator(claims)) return describeOperator(claims, friendlyNames(session, claims.name ?? ''))
  if (isUser(claims)) return describeUser(claims, userAccount ? scopeOf(userAccount, claims.iss) : null)
  if (isActivation(claims)) return describeActivation(claims, activationHashId(claims as ActivationClaims))
  if (!isAccount(claims)) throw failure(`describer for "${claims.nats.type}" is not implemented`)
  return describeAccount(claims, {
    nameOf: longIds ? (key) => key : friendlyNames(session, session.context.operator),
    fetchToken: (url) => loadUrl(session.io.env, url),
  })
}

/** Names of account keys, with the operator's name where it is another one than `current`. */
export function friendlyNames(session: Session, current: string): (key: string) => string {
  const names = new Map<string, string>()
  const several = session.context.storeRoot !== '' && operatorNames(session.context.storeRoot).length > 1
  for (const { operator, account } of knownAccounts(session.context)) {
    const own = account.name ?? ''
    const shown = several && operator.name !== current ? `${operator.name}/${own}` : own
    names.set(account.sub, shown)
    for (const entry of account.nats.signing_keys ?? [])
      names.set(typeof entry === 'string' ? entry : entry.key, shown)
  }
  return (key) => names.get(key) || key
}
