// The system account as seen from inside: how the server speaks there and is spoken to. What it says is in events.ts, what it answers in
// requests.ts, accounts.ts and claims.ts.
import type { Account } from '../account/account.ts'
import { OperatorMode } from '../auth/jwt.ts'
import type { Client } from '../connection/client.ts'
import type { Server } from '../server.ts'
import { VERSION } from '../version.ts'
import { answerAccountRequests } from './accounts.ts'
import { ClaimsRequests } from './claims.ts'
import { announceEvents } from './events.ts'
import { BadRequest, RequestOptions } from './options.ts'
import { answerServerRequests } from './requests.ts'

/** A message to a handler of the server. */
export interface Request {
  readonly subject: string
  /** Empty when nobody waits for an answer. */
  readonly reply: string
  /** Without headers. Valid during the call only. */
  readonly bytes: Buffer
  readonly text: string
  /** The client that sent it, also through an import; null for the server itself. */
  readonly origin: Client | null
}

export type Answer =
  | { data: unknown }
  | { error: unknown }
  | { data: null; error: unknown }
  | { statsz: unknown }
  | Record<string, never>

export function startSystem(server: Server, account: Account): void {
  const system = new System(server, account)
  const events = announceEvents(system)
  answerServerRequests(system, events)
  answerAccountRequests(system, events)
  if (server.authenticator instanceof OperatorMode) new ClaimsRequests(system, server.authenticator.accounts)
}

export class System {
  readonly server: Server
  readonly account: Account
  #sequence = 0

  constructor(server: Server, account: Account) {
    this.server = server
    this.account = account
  }

  /** Who speaks; `seq` rises with every message of this server. */
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

  /** Publishes what `make` returns, which is not asked when nobody listens. */
  announce(subject: string, make: () => unknown): void {
    if (this.account.hasInterest(subject)) this.send(subject, make())
  }
  send(subject: string, content: unknown): void {
    if (subject !== '') this.account.publishInternal(subject, '', JSON.stringify(content))
  }
  /** Answers in the usual envelope. */
  answer(reply: string, answer: Answer): void {
    if (reply !== '') this.send(reply, { server: this.info(), ...answer })
  }

  /** Takes messages on a subject of the system account. A handler that returns false did not take it, so that others may be asked. */
  on(subject: string, handle: (request: Request) => unknown, queue: string | null = null): void {
    this.account.subscribeInternal(
      subject,
      (name, frame, origin) => {
        const bytes = frame.data.subarray(frame.dataStart + Math.max(frame.headerSize, 0), frame.dataEnd)
        const reply = frame.args.latin1Slice(frame.replyStart, frame.replyEnd)
        return handle({ subject: name, reply, bytes, text: bytes.toString(), origin }) !== false
      },
      queue,
    )
  }

  /**
   * Answers with what `make` returns, for requests with options: nothing when the filters name other servers or `make` returns
   * undefined, code 400 for a bad body, code 500 with the text of what `make` throws. A promise is answered when it has ended.
   */
  onRequest(subject: string, make: (options: RequestOptions, request: Request) => unknown): void {
    this.on(subject, (request) => {
      const { reply } = request
      try {
        const options = new RequestOptions(request.text)
        if (!this.isMeant(options)) return
        const data = make(options, request)
        if (data instanceof Promise) {
          data.then(
            (content) => this.answer(reply, content === undefined ? {} : { data: content }),
            (error: Error) => this.answer(reply, { error: { code: 500, description: error.message } }),
          )
        } else if (data !== undefined) this.answer(reply, { data })
      } catch (error) {
        const description = (error as Error).message
        if (error instanceof BadRequest) this.answer(reply, { error: { code: 400, description } })
        else this.answer(reply, { data: null, error: { code: 500, description } })
      }
    })
  }

  /** The filters of a request: which servers should answer. @throws BadRequest. */
  isMeant(options: RequestOptions): boolean {
    const { server } = this
    const exact = options.flag('exact_match')
    const fits = (key: string, value: string): boolean => {
      const wanted = options.text(key)
      return wanted === '' || (exact ? value === wanted : value.includes(wanted))
    }
    return (
      fits('server_name', server.name) &&
      fits('host', server.options.host) &&
      fits('cluster', '') &&
      options.text('domain') === '' &&
      options.texts('tags').every((tag) => server.options.serverTags.includes(tag.toLowerCase()))
    )
  }
}
