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
import { failure } from '../errors.ts'
import type { Report } from '../report.ts'
import { knownAccounts, type Session } from '../session.ts'
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
  else if (flags.text('field') !== '')
    text = (await import('../describe/raw.ts')).fieldOf(token, flags.text('field'))
  else if (flags.switch('json')) text = (await import('../describe/raw.ts')).bodyAsJson(token)
  else text = await describe(session, claims, flags.switch('long-ids'), userAccount)
  if (!toFile) {
    session.print(text)
    return undefined
  }
  session.writeOutput(output, text)
  const kind = flags.switch('raw') ? 'jwt' : 'description'
  const { Report } = await import('../report.ts')
  return Report.line('ok', `wrote ${claims.nats.type} ${kind} to ${session.shown(output)}`)
}

async function describe(
  session: Session,
  claims: Claims,
  longIds: boolean,
  userAccount: AccountClaims | null,
): Promise<string> {
  // Each kind of token has code of its own, and only that is loaded.
  if (isOperator(claims)) {
    const { describeOperator } = await import('../describe/operator.ts')
    return describeOperator(claims, friendlyNames(session, claims.name ?? ''))
  }
  if (isUser(claims)) {
    const { describeUser } = await import('../describe/user.ts')
    const { scopeOf } = await import('../signing.ts')
    return describeUser(claims, userAccount ? scopeOf(userAccount, claims.iss) : null)
  }
  const { describeAccount, describeActivation } = await import('../describe/account.ts')
  if (isActivation(claims)) return describeActivation(claims, activationHashId(claims as ActivationClaims))
  if (!isAccount(claims)) throw failure(`describer for "${claims.nats.type}" is not implemented`)
  return describeAccount(claims, {
    nameOf: longIds ? (key) => key : friendlyNames(session, session.context.operator),
    fetchToken: async (url) => (await import('../remote/account-server.ts')).loadUrl(session.io.env, url),
  })
}

/** Names of account keys, with the operator's name where it is another one than `current`. */
function friendlyNames(session: Session, current: string): (key: string) => string {
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
