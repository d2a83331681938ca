// Requests about accounts and users: the operator asks about any account, a user of another account about its own.
import { isSubsetMatch } from '@ngs/identity/node'
import type { Account } from '../account/account.ts'
import {
  DEFAULT_RESPONSE_THRESHOLD,
  type ExportSpec,
  type ImportSpec,
  type ResponseType,
} from '../account/spec.ts'
import type { Subscription } from '../account/subscription.ts'
import type { Client } from '../connection/client.ts'
import { leafz } from '../monitor/absent.ts'
import { accountDetail } from '../monitor/accountz.ts'
import { accountStatz } from '../monitor/accstatz.ts'
import { connz } from '../monitor/connz.ts'
import { QueryError } from '../monitor/query.ts'
import { subsz } from '../monitor/subsz.ts'
import { hasWildcard, toWire } from '../subject/subject.ts'
import type { Events } from './events.ts'
import { RequestOptions } from './options.ts'
import { connzOptions, subszOptions } from './requests.ts'
import type { System } from './system.ts'

/** Token of `$SYS.REQ.ACCOUNT.<account>...` and `$SYS.REQ.USER.<account>...` that names the account. */
const named = (subject: string): string => subject.split('.')[3]!
/** Stands in that place for all accounts. */
const EVERY = 'PING'

export function answerAccountRequests(system: System, events: Events): void {
  const { server } = system
  const subject = (what: string): string => `$SYS.REQ.ACCOUNT.*.${what}`

  system.onRequest(subject('CONNZ'), (options, { subject: name }) =>
    connz(server, { ...connzOptions(options), account: named(name) }),
  )
  system.onRequest(subject('SUBSZ'), (options, { subject: name }) =>
    subsz(server, { ...subszOptions(options), subscriptions: true, account: named(name) }),
  )
  system.onRequest(subject('INFO'), (_options, { subject: name }) => accountDetail(server, named(name)))
  system.onRequest(subject('LEAFZ'), () => leafz(server))
  system.onRequest(subject('JSZ'), () => {
    throw new QueryError('jetstream not enabled')
  })
  const statz = (accounts: string[], options: RequestOptions): unknown => {
    const unused = options.flag('include_unused')
    const found = accountStatz(server, accounts, unused)
    // Many servers are asked; those that have nothing to say keep quiet.
    return found.account_statz.length > 0 || unused ? found : undefined
  }
  system.onRequest(subject('STATZ'), (options, { subject: name }) => {
    const account = named(name)
    return statz(account === EVERY ? options.texts('accounts') : [account], options)
  })
  system.on(subject('CONNS'), ({ subject: name, reply, text }) => {
    const account = server.accounts.get(named(name))
    if (account === undefined || account.clients.size === 0) return
    if (text !== '' && !isAbout(text, account.name)) return
    system.send(reply, events.connections(account))
  })
  system.on('$SYS.REQ.ACCOUNT.NSUBS', ({ text, reply }) => {
    const { acc = '', subject: wanted = '', queue } = parsed(text)
    const account = server.accounts.get(acc)
    if (account === undefined || account.clients.size === 0) return
    const group = queue === undefined ? undefined : Buffer.from(queue, 'base64').toString()
    system.account.publishInternal(reply, '', `${countSubscribers(account, wanted, group)}`)
  })
  // Whoever asks is told at once: a body is not read, and no filter asked.
  system.on('$SYS.REQ.USER.*.INFO', ({ subject: name, reply, origin }) => {
    if (origin === null) return
    // Only who came over the import of his own account is known here.
    const isKnown = named(name) === origin.account.name
    system.answer(reply, { data: isKnown ? userInfo(origin) : { user: '', account: '' } })
  })
  system.on('$SYS.DEBUG.SUBSCRIBERS', ({ text, reply, origin }) => {
    if (origin === null || reply === '') return
    const [wanted = '', queue] = text.trim().split(' ')
    system.account.publishInternal(reply, '', `${countSubscribers(origin.account, wanted, queue)}`)
  })

  server.accounts.systemExports = SYSTEM_EXPORTS
  server.accounts.apply(system.account, system.account.spec)
  server.accounts.automatic = (importer) => automaticImports(system.account, importer)
  for (const account of server.accounts.all()) server.accounts.link(account)
}

/** What another server asks, where it is understood. */
function parsed(text: string): { acc?: string; subject?: string; queue?: string } {
  try {
    const value: unknown = JSON.parse(text)
    const { acc, subject, queue } = value as Record<string, unknown>
    return {
      ...(typeof acc === 'string' ? { acc } : {}),
      ...(typeof subject === 'string' ? { subject } : {}),
      ...(typeof queue === 'string' ? { queue } : {}),
    }
  } catch {
    return {}
  }
}

/** A body may name the account again, but no other one. */
function isAbout(text: string, account: string): boolean {
  try {
    const wanted = new RequestOptions(text).text('acc')
    return wanted === '' || wanted === account
  } catch {
    return false
  }
}

const exported = (subject: string, responseType: ResponseType, accountTokenPosition = 0): ExportSpec => ({
  kind: 'service',
  subject,
  accounts: null,
  authorize: null,
  responseType,
  responseThreshold: DEFAULT_RESPONSE_THRESHOLD,
  accountTokenPosition,
  latency: null,
  allowTrace: false,
})
/** What other accounts may import; where the account is named, only their own. */
const SYSTEM_EXPORTS: ExportSpec[] = [
  exported('$SYS.REQ.ACCOUNT.*.CONNZ', 'Stream', 4),
  exported('$SYS.REQ.ACCOUNT.*.STATZ', 'Stream', 4),
  exported('$SYS.DEBUG.SUBSCRIBERS', 'Singleton'),
  exported('$SYS.REQ.USER.*.INFO', 'Singleton'),
]

/** What every account may ask about itself, and its users about themselves. */
function automaticImports(system: Account, importer: Account): ImportSpec[] {
  const { name } = importer
  const make = (to: string, subject: string, share = false): ImportSpec => ({
    kind: 'service',
    account: system.name,
    subject,
    to,
    share,
    allowTrace: false,
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
    account_name: account.label,
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

/**
 * Subscriptions of clients that a message on a literal subject would reach, or that lie within a wildcard; of one queue group if it is
 * named.
 */
function countSubscribers(account: Account, subject: string, queue: string | undefined): number {
  const wire = toWire(subject)
  const isCounted = (subscription: Subscription): boolean =>
    subscription.client !== null && (queue === undefined || subscription.queue === toWire(queue))
  if (!hasWildcard(wire)) {
    const { plain, groups } = account.match(wire)
    return [...plain, ...groups.flat()].filter(isCounted).length
  }
  let count = 0
  for (const subscription of account.index.all())
    if (isCounted(subscription) && isSubsetMatch(subscription.subject, wire)) count++
  return count
}
