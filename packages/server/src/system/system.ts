// The system account: what the server tells there, and what it answers. Source: operations of nats-server, ADR-less.
import type { Account } from '../account/account.ts'
import { randomToken } from '../account/random.ts'
import type { ImportSpec } from '../account/spec.ts'
import { OperatorMode } from '../auth/jwt.ts'
import type { Client } from '../connection/client.ts'
import type { Frame } from '../delivery.ts'
import { accountStatz } from '../monitor/accstatz.ts'
import { type ConnzQuery, connz } from '../monitor/connz.ts'
import { subsz } from '../monitor/subsz.ts'
import { varz } from '../monitor/varz.ts'
import type { CloseReason } from '../protocol/refusals.ts'
import type { Server } from '../server.ts'
import { VERSION } from '../version.ts'
import { ClaimsRequests } from './claims.ts'

const HEARTBEAT_MS = 10_000
const CONNS_MS = 30_000

export function startSystem(server: Server, account: Account): void {
  new System(server, account)
}

/** Options of any request: which servers should answer. */
interface Filter {
  server_name?: string
  host?: string
  cluster?: string
  tags?: string[]
  exact_match?: boolean
}

export class System {
  readonly server: Server
  readonly account: Account
  #sequence = 0

  constructor(server: Server, account: Account) {
    this.server = server
    this.account = account
    this.#requests()
    if (server.authenticator instanceof OperatorMode) new ClaimsRequests(this, server.authenticator)
    server.accounts.automatic = (importer) => this.#automaticImports(importer)
    for (const other of server.accounts.all()) server.accounts.link(other)
    server.observers.push({
      connected: (client) => this.#connected(client),
      closed: (client, reason) => this.#closed(client, reason),
      authError: (client, text) => this.#authError(client, text),
    })
    const heartbeat = setInterval(() => this.#heartbeat(), HEARTBEAT_MS).unref()
    const conns = setInterval(() => {
      for (const other of server.accounts.all()) if (other.clients.size > 0) this.#announceConnections(other)
    }, CONNS_MS).unref()
    server.onStop(() => {
      clearInterval(heartbeat)
      clearInterval(conns)
      this.publish(`$SYS.SERVER.${server.id}.SHUTDOWN`, this.info())
    })
  }

  /** Who speaks; `seq` rises with every event of this server. */
  info(): Record<string, unknown> {
    const { server } = this
    const { serverTags, serverMetadata } = server.options
    return {
      name: server.name,
      host: server.options.host,
      id: server.id,
      ver: VERSION,
      ...(serverTags.length > 0 ? { tags: serverTags } : {}),
      ...(Object.keys(serverMetadata).length > 0 ? { metadata: serverMetadata } : {}),
      jetstream: false,
      flags: 0,
      seq: ++this.#sequence,
      time: new Date().toISOString(),
    }
  }

  publish(subject: string, content: unknown): void {
    if (this.account.hasInterest(subject)) this.account.publishInternal(subject, '', JSON.stringify(content))
  }

  /** Answers a request in the usual envelope; an error is `{code, description}`. */
  answer(reply: string, content: { data: unknown } | { error: unknown } | { statsz: unknown }): void {
    if (reply !== '')
      this.account.publishInternal(reply, '', JSON.stringify({ server: this.info(), ...content }))
  }

  /** A handler for requests on a subject of the system account. */
  on(
    subject: string,
    handle: (subject: string, body: string, reply: string, origin: Client | null, frame: Frame) => unknown,
  ): void {
    this.account.subscribeInternal(subject, (name, frame, origin) => {
      const reply = frame.args.latin1Slice(frame.replyStart, frame.replyEnd)
      const body = frame.data.toString('utf8', frame.dataStart + Math.max(frame.headerSize, 0), frame.dataEnd)
      return handle(name, body, reply, origin, frame) !== false
    })
  }

  #requests(): void {
    const { server } = this
    const request = (
      name: string,
      make: (options: Record<string, unknown>, account: string) => unknown,
    ): void => {
      for (const who of ['PING', server.id]) {
        this.on(`$SYS.REQ.SERVER.${who}.${name}`, (_subject, body, reply) =>
          this.#reply(reply, body, (options) => make(options, String(options['account'] ?? ''))),
        )
      }
    }
    for (const subject of [
      '$SYS.REQ.SERVER.PING',
      '$SYS.REQ.SERVER.PING.STATSZ',
      `$SYS.REQ.SERVER.${server.id}.STATSZ`,
    ]) {
      this.on(subject, (_subject, body, reply) => {
        const options = parse(body)
        if (options !== null && !this.#isAsked(options)) return
        this.answer(reply, { statsz: this.#statsz() })
      })
    }
    for (const who of ['PING', server.id]) {
      this.on(`$SYS.REQ.SERVER.${who}.IDZ`, (_subject, _body, reply) => {
        if (reply !== '')
          this.account.publishInternal(
            reply,
            '',
            JSON.stringify({ name: server.name, host: server.options.host, id: server.id }),
          )
      })
    }
    request('VARZ', () => varz(server))
    request('HEALTHZ', () => ({ status: 'ok', status_code: 200 }))
    request('CONNZ', (options) => connz(server, connzQuery(options)))
    request('SUBSZ', (options, account) =>
      subsz(server, {
        subs: options['subscriptions'] === true,
        test: String(options['test'] ?? ''),
        acc: account,
        offset: 0,
        limit: 1024,
      }),
    )
    request('ACCSTATZ', () => accountStatz(server, null, true))
    request('JSZ', () => ({
      server_id: server.id,
      now: new Date().toISOString(),
      disabled: true,
      config: { max_memory: 0, max_storage: 0 },
    }))
    for (const name of ['CONNZ', 'STATZ', 'INFO', 'SUBSZ', 'CONNS']) {
      this.on(`$SYS.REQ.ACCOUNT.*.${name}`, (subject, body, reply) => {
        const account = subject.split('.')[3]!
        if (account === 'PING') return false
        this.#accountRequest(name, account, body, reply)
      })
    }
    this.on('$SYS.REQ.ACCOUNT.PING.STATZ', (_subject, body, reply) => {
      this.#reply(reply, body, (options) =>
        accountStatz(
          server,
          (options['accounts'] as string[] | undefined) ?? null,
          options['include_unused'] === true,
        ),
      )
    })
    this.on('$SYS.REQ.USER.*.INFO', (subject, _body, reply, origin) => {
      if (origin === null) return false
      this.answer(reply, { data: userInfo(origin, subject.split('.')[3]!) })
    })
    this.on(`$SYS.REQ.SERVER.${server.id}.KICK`, (_subject, body, reply) => {
      const cid = Number(parse(body)?.['cid'] ?? 0)
      const client = server.clients.get(cid)
      if (client === undefined)
        this.answer(reply, { error: { code: 500, description: 'no such client or leafnode id' } })
      else {
        client.refuse('kicked')
        this.answer(reply, { data: null })
      }
    })
  }

  #accountRequest(name: string, account: string, body: string, reply: string): void {
    const { server } = this
    if (name === 'CONNS') {
      const found = server.accounts.get(account)
      if (found !== undefined && found.clients.size > 0 && reply !== '')
        this.account.publishInternal(reply, '', JSON.stringify(this.#connections(found)))
      return
    }
    this.#reply(reply, body, (options) => {
      if (name === 'CONNZ') return connz(server, { ...connzQuery(options), acc: account })
      if (name === 'SUBSZ')
        return subsz(server, {
          subs: options['subscriptions'] === true,
          test: '',
          acc: account,
          offset: 0,
          limit: 1024,
        })
      if (name === 'STATZ') {
        const found = accountStatz(server, [account], options['include_unused'] === true)
        return found.account_statz.length === 0 ? undefined : found
      }
      const found = server.accounts.get(account)
      if (found === undefined) throw new Error(`Account ${account} does not exist`)
      return {
        account_name: found.name,
        update_time: found.updatedAt.toISOString(),
        expired: found.expired,
        complete: true,
        jetstream_enabled: false,
        leafnode_connections: 0,
        client_connections: found.clients.size,
        subscriptions: found.index.size,
        ...(found.token === '' ? {} : { jwt: found.token }),
      }
    })
  }

  /** Filters, runs, answers; bad JSON is 400, a failure 500, undefined is silence. */
  #reply(reply: string, body: string, make: (options: Record<string, unknown>) => unknown): void {
    const options = parse(body)
    if (options === null) {
      this.answer(reply, { error: { code: 400, description: 'invalid request body: not a JSON object' } })
      return
    }
    if (!this.#isAsked(options)) return
    try {
      const data = make(options)
      if (data !== undefined) this.answer(reply, { data })
    } catch (error) {
      this.answer(reply, { error: { code: 500, description: (error as Error).message } })
    }
  }

  #isAsked(options: Filter): boolean {
    const { server } = this
    const fits = (wanted: string | undefined, value: string): boolean =>
      !wanted || (options.exact_match ? value === wanted : value.includes(wanted))
    if (
      !fits(options.server_name, server.name) ||
      !fits(options.host, server.options.host) ||
      options.cluster
    )
      return false
    return (options.tags ?? []).every((tag) => server.options.serverTags.includes(tag.toLowerCase()))
  }

  /** What every other account may ask, about itself. */
  #automaticImports(importer: Account): ImportSpec[] {
    if (importer === this.account) return []
    const name = importer.name
    const make = (to: string, subject: string, share = false): ImportSpec => ({
      kind: 'service',
      account: this.account.name,
      subject,
      to,
      share,
      system: true,
    })
    return [
      make('$SYS.REQ.ACCOUNT.PING.CONNZ', `$SYS.REQ.ACCOUNT.${name}.CONNZ`),
      make('$SYS.REQ.SERVER.PING.CONNZ', `$SYS.REQ.ACCOUNT.${name}.CONNZ`),
      make('$SYS.REQ.ACCOUNT.PING.STATZ', `$SYS.REQ.ACCOUNT.${name}.STATZ`),
      make('$SYS.REQ.USER.INFO', `$SYS.REQ.USER.${name}.INFO`, true),
    ]
  }

  // Events ---------------------------------------------------------------------------------------------------------------------

  #statsz(): Record<string, unknown> {
    const { server } = this
    const { inMsgs, inBytes, outMsgs, outBytes } = server.traffic()
    let active = 0
    for (const account of server.accounts.all()) if (account.clients.size > 0) active++
    return {
      start: server.start.toISOString(),
      mem: process.memoryUsage.rss(),
      cores: 1,
      cpu: 0,
      connections: server.clients.size,
      total_connections: server.totalConnections,
      active_accounts: active,
      subscriptions: server.subscriptionCount(),
      sent: { msgs: outMsgs, bytes: outBytes },
      received: { msgs: inMsgs, bytes: inBytes },
      slow_consumers: server.slowConsumers,
      active_servers: 1,
    }
  }

  #heartbeat(): void {
    this.publish(`$SYS.SERVER.${this.server.id}.STATSZ`, { server: this.info(), statsz: this.#statsz() })
  }

  #event(type: string): Record<string, unknown> {
    return {
      type: `io.nats.server.advisory.v1.${type}`,
      id: randomToken(22),
      timestamp: new Date().toISOString(),
      server: this.info(),
    }
  }

  #connected(client: Client): void {
    const subject = `$SYS.ACCOUNT.${client.account.name}.CONNECT`
    if (this.account.hasInterest(subject))
      this.publish(subject, { ...this.#event('client_connect'), client: client.describe() })
    this.#announceConnections(client.account)
  }

  #closed(client: Client, reason: CloseReason): void {
    const subject = `$SYS.ACCOUNT.${client.account.name}.DISCONNECT`
    if (this.account.hasInterest(subject)) this.publish(subject, this.#disconnect(client, reason))
    this.#announceConnections(client.account)
  }

  #disconnect(client: Client, reason: string): Record<string, unknown> {
    return {
      ...this.#event('client_disconnect'),
      client: { ...client.describe(), stop: (client.stop ?? new Date()).toISOString() },
      sent: { msgs: client.inMsgs, bytes: client.inBytes },
      received: { msgs: client.outMsgs, bytes: client.outBytes },
      reason,
    }
  }

  #authError(client: Client, _text: string): void {
    const subject = `$SYS.SERVER.${this.server.id}.CLIENT.AUTH.ERR`
    if (this.account.hasInterest(subject))
      this.publish(subject, this.#disconnect(client, 'Authentication Failure'))
  }

  #connections(account: Account): Record<string, unknown> {
    const [statz] = accountStatz(this.server, [account.name], true).account_statz
    return { ...this.#event('account_connections'), ...statz }
  }

  #announceConnections(account: Account): void {
    if (account === this.server.accounts.global) return
    for (const subject of [
      `$SYS.SERVER.ACCOUNT.${account.name}.CONNS`,
      `$SYS.ACCOUNT.${account.name}.SERVER.CONNS`,
    ]) {
      if (this.account.hasInterest(subject)) this.publish(subject, this.#connections(account))
    }
  }
}

/** The JSON object of a request; {} for an empty body, null for anything else. */
function parse(body: string): Record<string, unknown> | null {
  if (body.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}

function connzQuery(options: Record<string, unknown>): ConnzQuery {
  const states = ['open', 'closed', 'all'] as const
  return {
    sort: String(options['sort'] || 'cid'),
    auth: options['auth'] === true,
    subs: options['subscriptions_detail'] === true ? 'detail' : options['subscriptions'] === true,
    offset: Number(options['offset'] ?? 0),
    limit: Number(options['limit'] ?? 0),
    cid: Number(options['cid'] ?? 0),
    state: states[Number(options['state'] ?? 0)] ?? 'open',
    user: String(options['user'] ?? ''),
    acc: String(options['acc'] ?? ''),
  }
}

function userInfo(client: Client, account: string): Record<string, unknown> {
  const spec = client.permissions?.spec
  const side = (lists: { allow: string[]; deny: string[] }) => ({
    ...(lists.allow.length > 0 ? { allow: lists.allow } : {}),
    ...(lists.deny.length > 0 ? { deny: lists.deny } : {}),
  })
  return {
    user: client.user.user,
    account,
    ...(client.account.label === account ? {} : { account_name: client.account.label }),
    ...(client.user.nameTag === undefined ? {} : { user_name: client.user.nameTag }),
    ...(spec === undefined
      ? {}
      : { permissions: { publish: side(spec.publish), subscribe: side(spec.subscribe) } }),
  }
}
