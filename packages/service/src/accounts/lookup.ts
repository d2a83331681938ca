// Answers servers that ask the others for an account: with the store behind it, an account is known to every server from
// the moment it was acknowledged, delivered or not.
import type { NatsConnection, Subscription } from '@nats-io/nats-core'
import { isPublicKey } from '@ngs/identity/node'
import type { Logger } from 'pino'
import { reasonOf } from '../errors.ts'
import type { Accounts } from './accounts.ts'

/**
 * Subscribes to the lookup requests. An unknown account is met with silence: an empty answer would be counted as that of
 * a server, and could be taken for the last one.
 */
export function answerLookups(nc: NatsConnection, accounts: Accounts, log: Logger): Subscription {
  return nc.subscribe('$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP', {
    callback: (error, msg) => {
      const account = msg.subject.split('.')[3] ?? ''
      if (error !== null || !msg.reply || !isPublicKey(account, 'account')) return
      accounts.liveToken(account).then(
        (token) => {
          if (token !== null && !nc.isClosed()) msg.respond(token)
        },
        (failure: unknown) => log.error({ account, reason: reasonOf(failure) }, 'a lookup failed'),
      )
    },
  })
}
