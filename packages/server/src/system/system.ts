// The system account as seen from inside: how the server speaks there and is spoken to. What it says is in events.ts, what it answers in
// requests.ts, accounts.ts and claims.ts.
import type { Account } from '../account/account.ts'
import { LatencyReports } from '../account/latency.ts'
import { isOperatorMode } from '../auth/operators.ts'
import { featureFlags } from '../feature-flags.ts'
import { entries, listed, toJson } from '../monitor/json.ts'
import { QueryError } from '../monitor/query.ts'
import { getHeader } from '../protocol/headers.ts'
import type { Server } from '../server.ts'
import { utc } from '../time.ts'
import { VERSION } from '../version.ts'
import { answerAccountRequests } from './accounts.ts'
import type { Encoding } from './encoding.ts'
import { announceEvents } from './events.ts'
import { BadRequest, RequestOptions } from './options.ts'
import { type Answer, DONE, Refusal, type Request } from './request.ts'
import { answerServerRequests } from './requests.ts'
import { sendTraces } from './trace-events.ts'

const ACCEPT_ENCODING = 'Accept-Encoding'

export async function startSystem(server: Server, account: Account): Promise<void> {
  const system = new System(server, account)
  server.accounts.setReports(new LatencyReports(server))
  sendTraces(system)
  const events = announceEvents(system)
  answerServerRequests(system, events)
  answerAccountRequests(system, events)
  if (isOperatorMode(server.options)) (await import('./claims.ts')).answerClaimsRequests(system)
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
      host: server.advertised().host,
      id: server.id,
      ver: VERSION,
      tags: listed(serverTags),
      metadata: entries(Object.entries(serverMetadata)),
      feature_flags: featureFlags(server.options),
      jetstream: false,
      flags: 0,
      seq: ++this.#sequence,
      time: utc(),
    }
  }

  /** Publishes what `make` returns, which is not asked when nobody listens. In the system account unless another one is named. */
  announce(subject: string, make: () => unknown, account = this.account): void {
    if (account.hasInterest(subject)) account.publishInternal(subject, '', toJson(make()))
  }
  send(subject: string, content: unknown): void {
    if (subject !== '') this.account.publishInternal(subject, '', toJson(content))
  }
  /** Answers in the usual envelope. */
  answer(reply: string, answer: Answer): void {
    if (reply !== '') this.send(reply, { server: this.info(), ...answer })
  }
  async #answerEncoded(reply: string, answer: Answer, headers: string): Promise<void> {
    const { acceptedEncoding, encodeBody } = await import('./encoding.ts')
    const encoding: Encoding | null = acceptedEncoding(headers)
    if (encoding === null) return this.answer(reply, answer)
    const body = encodeBody(Buffer.from(toJson({ server: this.info(), ...answer })), encoding)
    this.account.publishInternal(reply, '', body, `NATS/1.0\r\nContent-Encoding: ${encoding}\r\n\r\n`)
  }

  /** Takes messages on a subject of the system account. A handler that returns false did not take it, so that others may be asked. */
  on(subject: string, handle: (request: Request) => unknown, queue: string | null = null): void {
    this.account.subscribeInternal(
      subject,
      (name, frame, origin) => {
        const { headerSize, dataStart, dataEnd } = frame
        const bodyStart = dataStart + Math.max(headerSize, 0)
        const headers = headerSize > 0 ? frame.data.latin1Slice(dataStart, bodyStart) : ''
        const bytes = frame.data.subarray(bodyStart, dataEnd)
        const reply = frame.args.latin1Slice(frame.replyStart, frame.replyEnd)
        return handle({ subject: name, reply, headers, bytes, text: bytes.toString(), origin }) !== false
      },
      queue,
    )
  }

  /**
   * Answers with what `make` returns, for requests with options: nothing when nobody waits, the filters name other servers or `make`
   * returns undefined, code 400 for a bad body, code 500 with the text of what `make` throws. Requests that `isRead` does not take are
   * passed over.
   */
  onRequest(
    subject: string,
    make: (options: RequestOptions, request: Request) => unknown,
    isRead: (request: Request) => boolean = () => true,
  ): void {
    this.on(subject, (request) => {
      if (request.reply !== '' && isRead(request)) void this.#answer(request, make)
    })
  }

  async #answer(
    request: Request,
    make: (options: RequestOptions, request: Request) => unknown,
  ): Promise<void> {
    const { reply, headers } = request
    try {
      const options = new RequestOptions(request.text)
      if (!this.isMeant(options)) return
      const made = make(options, request)
      const data = made instanceof Promise ? await made : made
      if (data === undefined) return
      const answer: Answer = data === DONE ? {} : { data }
      if (getHeader(headers, ACCEPT_ENCODING) === undefined) this.answer(reply, answer)
      else await this.#answerEncoded(reply, answer, headers)
    } catch (error) {
      const description = (error as Error).message
      if (error instanceof BadRequest) this.answer(reply, { error: { code: 400, description } })
      else if (error instanceof Refusal) this.answer(reply, { error: { code: 500, description } })
      else {
        // Not what the request asks for but a fault of ours: the log has to know.
        if (!(error instanceof QueryError))
          this.server.log.error(`System request ${request.subject}: ${(error as Error).stack}`)
        this.answer(reply, { data: null, error: { code: 500, description } })
      }
    }
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
      fits('host', server.advertised().host) &&
      fits('cluster', '') &&
      options.text('domain') === '' &&
      options.texts('tags').every((tag) => server.options.serverTags.includes(tag.toLowerCase()))
    )
  }
}
