import { type Authenticator, createInbox, type Msg, type NatsConnection } from '@nats-io/nats-core'
import {
  createKeyPair,
  encode,
  type KeyPair,
  newGenericClaims,
  newUserClaims,
  type OperatorClaims,
} from '@ngs/identity/node'
import { failure, textOf } from '../errors.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { operatorSigners, scopeOf, signingKeys } from '../signing.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { quote } from '../text.ts'
import { withToken } from './nats.ts'

/**
 * Accounts that the servers keep themselves: requests to the system account. Any number of servers may answer, so
 * answers are collected until the time is over.
 */

const TEMPORARY_USER_SECONDS = 120

/** Who is allowed to ask: a user of the system account. */
export interface SystemUser {
  account: string
  authenticator: Authenticator
}

/**
 * A user of the system account: the named one, else a temporary one if a key of the account is at hand, else any
 * stored user with its seed.
 */
export function systemUser(
  session: Session,
  store: OperatorStore,
  wanted: { account: string; user: string },
  permissions: { publish: string[]; subscribe: string },
): SystemUser {
  const operator = store.operator()
  const account = wanted.account || systemAccountName(store, operator)
  if (wanted.user === '') {
    const key = temporaryUserSigner(session, store, operator, account)
    if (key) return { account, authenticator: temporaryUser(key, operator, permissions) }
  }
  for (const user of wanted.user === '' ? store.userNames(account) : [wanted.user]) {
    if (!store.hasUser(account, user)) continue
    const pair = session.keystore.get(store.user(account, user).sub)
    if (pair) return { account, authenticator: withToken(store.userToken(account, user), pair.seed) }
  }
  throw failure('no system account user with corresponding nkey found')
}

function systemAccountName(store: OperatorStore, operator: OperatorClaims): string {
  const key = operator.nats.system_account ?? ''
  const name =
    key === '' ? undefined : store.accountNames().find((account) => store.account(account).sub === key)
  if (name === undefined) throw failure(`system account "${key}" not found`)
  return name
}

/** A strict operator's servers accept users of signing keys only, and a scope would narrow the permissions. */
function temporaryUserSigner(
  session: Session,
  store: OperatorStore,
  operator: OperatorClaims,
  accountName: string,
): KeyPair | null {
  if (!store.hasAccount(accountName)) return null
  const account = store.account(accountName)
  if (!operator.nats.strict_signing_key_usage) return session.keystore.get(account.sub)
  const keys = signingKeys(account)
  if (keys.length === 0)
    throw failure(
      `operator requires signing keys, system account ${quote(accountName)} doesn't have signing keys'`,
    )
  const plain = keys.find((key) => scopeOf(account, key) === null)
  if (plain === undefined)
    throw failure(`system account ${quote(accountName)} only has scoped signing keys, specify --system-user`)
  return session.keystore.get(plain)
}

function temporaryUser(
  signer: KeyPair,
  operator: OperatorClaims,
  permissions: { publish: string[]; subscribe: string },
): Authenticator {
  const pair = createKeyPair('user')
  const claims = newUserClaims(pair.publicKey, 'nsc temporary push user')
  if (operator.nats.system_account) claims.nats.issuer_account = operator.nats.system_account
  claims.exp = Math.floor(Date.now() / 1000) + TEMPORARY_USER_SECONDS
  claims.nats.pub.allow = permissions.publish
  claims.nats.sub.allow = [permissions.subscribe]
  return withToken(encode(claims, signer), pair.seed)
}

// --- requests to all servers ---------------------------------------------------------------------------------

interface Answer {
  server?: { name?: string }
  error?: { description?: string }
  data?: unknown
}

/**
 * Sends a request and hands the data of each answer to `take` until as many servers have answered as are `expected`,
 * or `seconds` are over. An answer that is an error ends it. Returns the number of servers that answered well.
 */
async function requestAll(
  connection: NatsConnection,
  ask: { subject: string; payload: string; operation: string; seconds: number; expected?: number },
  report: Report,
  take: (server: string, data: unknown) => void,
): Promise<number> {
  let count = 0
  let ended = false
  const subscription = connection.subscribe(createInbox())
  const timer = setTimeout(() => subscription.unsubscribe(), ask.seconds * 1000)
  try {
    connection.publish(ask.subject, ask.payload, { reply: subscription.getSubject() })
    for await (const message of subscription) {
      if (isNoResponders(message)) {
        report.error(`failed to get response to ${ask.operation}: nats: no responders available for request`)
        ended = true
        break
      }
      const answer = readAnswer(message, report)
      if (!answer) {
        ended = true
        break
      }
      take(answer.server, answer.data)
      if (++count === ask.expected) break
    }
    if (!ended && count === 0) report.error(`failed to get response to ${ask.operation}: nats: timeout`)
  } catch (thrown) {
    report.error(`failed to ${ask.operation}: ${textOf(thrown)}`)
  } finally {
    clearTimeout(timer)
    subscription.unsubscribe()
  }
  return count
}

function isNoResponders(message: Msg): boolean {
  return message.data.length === 0 && message.headers?.code === 503
}

function readAnswer(message: Msg, report: Report): { server: string; data: unknown } | null {
  const text = message.string()
  let answer: Answer
  try {
    answer = JSON.parse(text) as Answer
  } catch (thrown) {
    report.error(`failed to parse response: ${textOf(thrown)} data: ${text}`)
    return null
  }
  const server = answer.server?.name ?? ''
  if (server === '') report.error(`server responded without server name in info: ${text}`)
  else if (answer.error) {
    const message = answer.error.description ?? ''
    report.add(
      Report.line('error', `server ${server} responded with error: ${message}`).with({ server, message }),
    )
  } else if (answer.data === undefined || answer.data === null)
    report.error(`server ${server} responded without data: ${text}`)
  else return { server, data: answer.data }
  return null
}

/** The message of an answer, whatever its form. */
function messageOf(data: unknown): string {
  if (typeof data === 'object' && data !== null && 'message' in data) return String(data.message)
  return String(data)
}

/**
 * Pushes one account's token to all servers. Returns how many took it.
 *
 * @param expected servers that are known to answer: the time need not be waited out then
 */
export async function pushToServers(
  connection: NatsConnection,
  push: { account: string; token: string; seconds: number; expected?: number },
  report: Report,
): Promise<number> {
  const { account, token, seconds, expected } = push
  const ask = {
    subject: '$SYS.REQ.CLAIMS.UPDATE',
    payload: token,
    operation: 'push account',
    seconds,
    ...(expected === undefined ? {} : { expected }),
  }
  const count = await requestAll(connection, ask, report, (server, data) => {
    const message = messageOf(data)
    report.add(
      Report.line('ok', `pushed ${quote(account)} to nats-server ${server}: ${message}`).with({
        server,
        message,
      }),
    )
  })
  report.ok(`pushed to a total of ${count} nats-server`)
  return count
}

/**
 * Lists the accounts of each server. Returns how many answered and which accounts only they have.
 *
 * @param names account names by public key
 */
export async function listOnServers(
  connection: NatsConnection,
  names: ReadonlyMap<string, string>,
  seconds: number,
  report: Report,
): Promise<{ servers: number; unknown: string[] }> {
  const unknown: string[] = []
  const ask = { subject: '$SYS.REQ.CLAIMS.LIST', payload: '', operation: 'list accounts', seconds }
  const servers = await requestAll(connection, ask, report, (server, data) => {
    const accounts = Array.isArray(data) ? data.map(String) : []
    const line = new Report(`list ${accounts.length} accounts from nats-server ${server}`, { level: 'ok' })
    report.add(line)
    for (const account of accounts) {
      const name = names.get(account)
      if (name !== undefined) line.ok(`account ${account} named ${name} exists`)
      else {
        line.ok(`account ${account} only exists in server`)
        unknown.push(account)
      }
    }
  })
  report.ok(`listed accounts from a total of ${servers} nats-server`)
  return { servers, unknown }
}

/**
 * Removes accounts from all servers, with a request signed by the operator.
 *
 * @param expected servers that answered before, null when none were asked
 */
export async function deleteFromServers(
  connection: NatsConnection,
  signer: () => KeyPair,
  accounts: readonly string[],
  expected: number | null,
  seconds: number,
  report: Report,
): Promise<void> {
  if (accounts.length === 0) {
    report.ok('nothing to prune')
    return
  }
  let payload: string
  try {
    const key = signer()
    const claims = newGenericClaims(key.publicKey)
    claims.nats['accounts'] = [...accounts]
    payload = encode(claims, key)
  } catch (thrown) {
    report.error(`Could not obtain Operator key to sign the delete request (err:${textOf(thrown)})`)
    return
  }
  const ask = { subject: '$SYS.REQ.CLAIMS.DELETE', payload, operation: 'prune', seconds }
  const count = await requestAll(connection, ask, report, (server, data) =>
    report.ok(`pruned nats-server ${server}: ${messageOf(data)}`),
  )
  if (expected === null || expected === 0) return
  if (count < expected)
    report.error(
      `Fewer server responded to 'prune' (${count}) than to 'list' (${expected}). Accounts may not be completely pruned.`,
    )
  else if (count > expected)
    report.error(
      `More servers responded to 'prune' (${count}) than to 'list' (${expected}). Not every Account may have been included for pruning.`,
    )
}

/** The operator's key for removal requests: one at hand, else the one -K gives. */
export function operatorKeyForRemoval(
  session: Session,
  store: OperatorStore,
  fallback: () => KeyPair,
): KeyPair {
  for (const key of operatorSigners(store.operator())) {
    const pair = session.keystore.get(key)
    if (pair) return pair
  }
  if (session.signer !== null) return fallback()
  throw failure('operator keys needed to prune: no operator keys were not found in the keystore')
}

/** Fetches all account tokens that the servers have; the reply may be spread over many messages. */
export async function packFromServers(
  connection: NatsConnection,
  inbox: string,
  report: Report,
  take: (token: string) => void,
): Promise<void> {
  const subscription = connection.subscribe(inbox)
  const quiet = 1_000
  let timer = setTimeout(() => subscription.unsubscribe(), quiet)
  let complete = false
  try {
    connection.publish('$SYS.REQ.CLAIMS.PACK', '', { reply: inbox })
    for await (const message of subscription) {
      clearTimeout(timer)
      timer = setTimeout(() => subscription.unsubscribe(), quiet)
      if (isNoResponders(message)) {
        report.error('failed to get response to pull: nats: no responders available for request')
        return
      }
      const text = message.string()
      if (text === '') {
        complete = true
        break
      }
      const [, token, more] = text.split('|')
      if (token === undefined || more !== undefined) {
        report.error('pull response bad')
        return
      }
      take(token)
    }
    if (!complete) report.error('failed to get response to pull: nats: timeout')
  } finally {
    clearTimeout(timer)
    subscription.unsubscribe()
  }
}
