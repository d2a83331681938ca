// Requests about accounts and users: the operator asks about any account, a user of another account about its own.
import type { Account } from '../account/account.ts'
import type { ImportSpec } from '../account/spec.ts'
import type { Client } from '../connection/client.ts'
import { accountDetail } from '../monitor/accountz.ts'
import { accountStatz } from '../monitor/accstatz.ts'
import { connz } from '../monitor/connz.ts'
import { subsz } from '../monitor/subsz.ts'
import type { Events } from './events.ts'
import type { RequestOptions } from './options.ts'
import { connzQuery } from './requests.ts'
import type { System } from './system.ts'

/** Token of `$SYS.REQ.ACCOUNT.<account>...` and `$SYS.REQ.USER.<account>...` that names the account. */
const named = (subject: string): string => subject.split('.')[3]!
/** Stands in that place for all accounts. */
const EVERY = 'PING'

export function answerAccountRequests(system: System, events: Events): void {
  const { server } = system
  const subject = (what: string): string => `$SYS.REQ.ACCOUNT.*.${what}`
  const now = (): string => new Date().toISOString()

  system.onRequest(subject('CONNZ'), (options, { subject: name }) =>
    connz(server, { ...connzQuery(options), acc: named(name) }),
  )
  system.onRequest(subject('SUBSZ'), (options, { subject: name }) =>
    subsz(server, {
      subs: true,
      test: options.text('test'),
      acc: named(name),
      offset: options.int('offset'),
      limit: options.int('limit') || 1024,
    }),
  )
  system.onRequest(subject('INFO'), (_options, { subject: name }) => accountDetail(server, named(name)))
  system.onRequest(subject('LEAFZ'), () => ({ server_id: server.id, now: now(), leafnodes: 0, leafs: [] }))
  const statz = (accounts: string[] | null, options: RequestOptions): unknown => {
    const unused = options.flag('include_unused')
    const found = accountStatz(server, accounts, unused)
    // Many servers are asked; those that have nothing to say keep quiet.
    return found.account_statz.length > 0 || unused ? found : undefined
  }
  system.onRequest(subject('STATZ'), (options, { subject: name }) => {
    const account = named(name)
    if (account !== EVERY) return statz([account], options)
    const accounts = options.texts('accounts')
    return statz(accounts.length === 0 ? null : accounts, options)
  })
  system.on(subject('CONNS'), ({ subject: name, reply }) => {
    const account = server.accounts.get(named(name))
    if (account !== undefined && account.clients.size > 0) system.send(reply, events.connections(account))
  })
  system.onRequest('$SYS.REQ.USER.*.INFO', (_options, { origin }) =>
    origin === null ? undefined : userInfo(origin),
  )
  system.on('$SYS.DEBUG.SUBSCRIBERS', ({ text, reply, origin }) => {
    if (origin === null || reply === '') return
    const [wanted = '', queue] = text.trim().split(/\s+/)
    system.account.publishInternal(reply, '', `${countSubscribers(origin.account, wanted, queue)}`)
  })

  server.accounts.automatic = (importer) => automaticImports(system.account, importer)
  for (const account of server.accounts.all()) server.accounts.link(account)
}

/** What every account may ask about itself, and its users about themselves. */
function automaticImports(system: Account, importer: Account): ImportSpec[] {
  const { name } = importer
  const make = (to: string, subject: string, share = false): ImportSpec => ({
    kind: 'service',
    account: system.name,
    subject,
    to,
    share,
    system: true,
  })
  const user = make('$SYS.REQ.USER.INFO', `$SYS.REQ.USER.${name}.INFO`, true)
  if (importer === system) return [user]
  return [
    make('$SYS.REQ.ACCOUNT.PING.CONNZ', `$SYS.REQ.ACCOUNT.${name}.CONNZ`),
    make('$SYS.REQ.SERVER.PING.CONNZ', `$SYS.REQ.ACCOUNT.${name}.CONNZ`),
    make('$SYS.REQ.ACCOUNT.PING.STATZ', `$SYS.REQ.ACCOUNT.${name}.STATZ`),
    user,
  ]
}

/** The user as the server knows it; durations in ns. */
function userInfo(client: Client): Record<string, unknown> {
  const { account, user, permissions, expiresAt } = client
  const side = (lists: { allow: string[]; deny: string[] }) => ({
    ...(lists.allow.length > 0 ? { allow: lists.allow } : {}),
    ...(lists.deny.length > 0 ? { deny: lists.deny } : {}),
  })
  const responses = permissions?.responses ?? null
  return {
    user: user.user,
    account: account.name,
    ...(account.label === account.name ? {} : { account_name: account.label }),
    ...(user.userName === undefined ? {} : { user_name: user.userName }),
    ...(permissions === null
      ? {}
      : {
          permissions: {
            publish: side(permissions.spec.publish),
            subscribe: side(permissions.spec.subscribe),
            ...(responses === null ? {} : { responses: { max: responses.max, ttl: responses.ttl * 1e6 } }),
          },
        }),
    ...(expiresAt === null ? {} : { expires: Math.round((expiresAt - Date.now()) / 1000) * 1e9 }),
  }
}

/** Subscriptions of clients that a message on the subject would reach, of one queue group if it is named. */
function countSubscribers(account: Account, subject: string, queue: string | undefined): number {
  const { plain, groups } = account.match(subject)
  const isClient = (subscription: { client: Client | null }): boolean => subscription.client !== null
  const members = groups.flat().filter(isClient)
  return queue === undefined
    ? plain.filter(isClient).length + members.length
    : members.filter((member) => member.queue === queue).length
}
