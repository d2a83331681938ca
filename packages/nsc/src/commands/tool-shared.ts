import type { NatsConnection } from '@nats-io/nats-core'
import type { Call } from '../cli/spec.ts'
import { failure, usageError } from '../errors.ts'
import { readText, statOf } from '../files.ts'
import { connectTo, natsError, withCreds } from '../remote/nats.ts'
import { backquote, quote } from '../text.ts'

/** Connects as a user of the current account, with its stored creds, runs `work`, and disconnects. */
export async function withConnection<T>(
  call: Call,
  name: string,
  work: (connection: NatsConnection) => Promise<T>,
): Promise<T> {
  const { session, flags } = call
  const { context } = session
  const store = session.store()
  const account = session.selectAccount(flags.text('account'))
  if (context.operator === '') throw failure('no operator set - `nsc env --operator <name>`')
  if (account === '') throw failure('no account set - `nsc env --account <name>`')
  const user = flags.text('user') || (store.onlyUser(account) ?? '')
  if (user === '') throw usageError('a user is required')
  const file = session.keystore.credsPath(store.name, account, user)
  if (statOf(file) === null) {
    const remedy = store.hasUser(account, user)
      ? `nsc generate creds --account ${quote(account)} --name ${quote(user)} --output-file ${backquote(file)} makes it`
      : `account ${quote(account)} has no user ${quote(user)}`
    throw failure(`stat ${file}: no such file or directory - ${remedy}`)
  }
  const operator = store.operator()
  const urls = flags.text('nats') ? [flags.text('nats')] : (operator.nats.operator_service_urls ?? [])
  if (urls.length === 0)
    throw failure(`operator ${quote(operator.name ?? '')} doesn't have operator_service_urls set`)
  call.begin()
  const connection = await connectTo(session, flags, { name, urls, authenticator: withCreds(readText(file)) })
  try {
    return await work(connection)
  } catch (thrown) {
    throw natsError(thrown)
  } finally {
    await connection.close()
  }
}

/** Subject and text of a tool command. */
export function subjectAndText({ args }: Call): { subject: string; text: string } {
  return { subject: args[0] ?? '', text: args[1] ?? '' }
}

/** Flags of the tools that receive. */
export function checkReceiverFlags({ flags }: Call): void {
  if (Number(flags.integer('max-messages')) === 0) throw failure('max-messages must be greater than zero')
}

/** --encrypt exists only to say that it is gone. */
export function refuseEncryption({ flags }: Call): void {
  if (flags.switch('encrypt')) throw failure('the experimental --encrypt option is no longer supported')
}
