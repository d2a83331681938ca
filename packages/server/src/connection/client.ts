// One client connection: its life from INFO to close, and the operations it sends. Policy lives here; bytes are the parser's,
// fan-out is delivery's, and the account knows who else is there.
import { randomBytes } from 'node:crypto'
import type { Account } from '../account/account.ts'
import type { InfoCache } from '../account/request-info.ts'
import { Subscription } from '../account/subscription.ts'
import {
  type Admission,
  type Authenticator,
  type AuthResult,
  type ConnectAttempt,
  claimedUser,
  type Denial,
  NOBODY,
  type UserIdentity,
} from '../auth/authenticator.ts'
import { timerDelay } from '../deadline.ts'
import { goDuration } from '../duration.ts'
import { authTimeout } from '../options.ts'
import { type ConnectOptions, DEFAULT_CONNECT, encodeInfo, readConnect } from '../protocol/connect.ts'
import { Parser, type Sink } from '../protocol/parser.ts'
import { type CloseReason, DISCARDS, REFUSALS, type Refusal, type RefusalName } from '../protocol/refusals.ts'
import { quote } from '../quote.ts'
import type { Server } from '../server.ts'
import { Permissions, type PermissionsSpec } from '../subject/permissions.ts'
import { fromWire, isLiteral, isValidSubscription } from '../subject/subject.ts'
import { local } from '../time.ts'
import { ResponseGrants } from './grants.ts'
import { firstLabel, fullLabel, NO_USER, userName } from './log-label.ts'
import { Outbox, type OutboxOwner, type WriteAttempt } from './outbox.ts'
import { ProtocolTrace } from './protocol-trace.ts'
import { Publishing } from './publishing.ts'
import type { Transport, TransportEvents } from './transport.ts'

const FIRST_PING_MS = 2_000
const SUBS_CLOSE_DELAY_MS = 20

export class Client implements Sink, OutboxOwner, TransportEvents {
  readonly server: Server
  readonly cid: number
  readonly transport: Transport
  readonly outbox: Outbox
  readonly start = new Date()
  lastActivity = Date.now()

  account: Account
  user: UserIdentity = NOBODY
  /** Null: everything is allowed. */
  permissions: Permissions | null = null
  grants: ResponseGrants | null = null
  options: ConnectOptions = { ...DEFAULT_CONNECT }
  /** Of `options`, where delivery looks for every message. */
  echo = true
  headers = false
  closed = false
  closeReason: CloseReason | null = null
  stop: Date | null = null
  readonly subscriptions = new Map<string, Subscription>()

  inMsgs = 0
  inBytes = 0
  outMsgs = 0
  outBytes = 0
  /** How often it was held back for a receiver that is behind. */
  stalls = 0
  rttNs = 0
  /** When the user's JWT or time window ends, ms since 1970; null for never. */
  expiresAt: number | null = null

  /** Effective limits; -1 for none. */
  maxSubs = -1
  maxPayload: number
  #ownLimits = { payload: -1, subs: -1 }
  readonly #parser: Parser
  readonly nonce: string
  #connected = false
  #firstPong = false
  #pingsOut = 0
  #pingSent = 0n
  /** A PING has measured the round trip; before that CONNECT has estimated it. */
  #measured = false
  readonly #opened = performance.now()
  #activeSinceTick = false
  #pingTimer: NodeJS.Timeout | null = null
  #authTimer: NodeJS.Timeout | null = null
  #expiryTimer: NodeJS.Timeout | null = null
  readonly #publishing: Publishing
  /** What services are told about this client. */
  requestInfo: InfoCache | null = null
  #stalled = false
  /** Missed a write deadline and got another chance. */
  #slow = false
  /** Null unless protocol lines are logged. */
  #trace: ProtocolTrace | null = null
  /** How log lines name the connection. */
  label: string

  constructor(server: Server, cid: number, makeTransport: (events: TransportEvents) => Transport) {
    this.server = server
    this.cid = cid
    this.account = server.accounts.global
    this.transport = makeTransport(this)
    const authenticator = server.authenticatorOf(this.transport)
    this.nonce = authenticator.usesNonce ? randomBytes(11).toString('base64url') : ''
    const { options } = server
    this.outbox = new Outbox(this.transport, this, options.maxPending, options.writeDeadline)
    this.maxPayload = options.maxPayload
    this.#parser = new Parser(this)
    this.#publishing = new Publishing(this, this.#parser)
    this.#parser.maxControlLine = options.maxControlLine
    this.#parser.maxPayload = options.maxPayload
    this.#parser.gated = authenticator.required
    this.#parser.pedantic = this.options.pedantic
    this.label = firstLabel(this)
    this.traceProtocol()
    this.maxSubs = options.maxSubscriptions > 0 ? options.maxSubscriptions : -1
  }

  /** Sends the first INFO, now: what follows on the connection may be a handshake. */
  greet(): void {
    this.write(encodeInfo(this.server.info(this, true)))
    this.outbox.flush()
  }

  get #authenticator(): Authenticator {
    return this.server.authenticatorOf(this.transport)
  }
  get #pingInterval(): number {
    const { websocket, pingInterval } = this.server.options
    return timerDelay((this.transport.type === 'WEBSOCKET' && websocket.pingIntervalMs) || pingInterval)
  }

  /** The client may speak: starts the timers. */
  begin(): void {
    const { server } = this
    const { options } = server
    if (this.#authenticator.required) {
      const own = this.transport.type === 'WEBSOCKET' ? options.websocket.authTimeoutMs : 0
      const timeout = timerDelay(own || authTimeout(options))
      this.#authTimer = setTimeout(() => this.refuse('authTimeout'), timeout).unref()
    } else this.#pingTimer = setTimeout(() => this.#tick(), this.#pingInterval).unref()
    // Until it is known whose it is, it counts here.
    this.account.admit(this)
  }

  /** Starts or ends the tracing of its protocol lines, as the log wants it. */
  traceProtocol(): void {
    const wanted = this.server.log.traceOn
    if (wanted === (this.#trace !== null)) return
    this.#trace = wanted ? new ProtocolTrace(this, this.#parser) : null
    this.#parser.sink = this.#trace ?? this
    this.outbox.tap = this.#trace?.sent ?? null
  }

  // Transport ------------------------------------------------------------------------------------------------------------------

  onData(chunk: Buffer): void {
    if (this.closed) return
    this.lastActivity = Date.now()
    const { server } = this
    server.beginBatch()
    this.#parser.feed(chunk)
    server.endBatch(this)
  }

  onControl(bytes: Buffer): void {
    if (!this.closed) this.outbox.control(bytes)
  }

  onEnded(error: Error | null): void {
    if (this.closed) return
    if (error !== null) this.server.log.error(`${this.label} - read error: ${error.message}`)
    this.close(error === null ? 'Client Closed' : 'Read Error')
  }
  onClose(error: Error | null): void {
    this.close(error === null ? 'Client Closed' : 'Read Error')
    this.server.onGone(this)
  }
  onOverflow(): void {
    this.#countSlow(`Detected: MaxPending of ${this.server.options.maxPending} Exceeded`)
    this.close('Slow Consumer (Pending Bytes)')
  }
  onDeadline({ chunks, bytes, written }: WriteAttempt): boolean {
    const { writeDeadline, writeTimeout } = this.server.options
    // One that never said who it is counts for nothing.
    if (this.#connected || !this.server.authenticator.required) {
      const deadline = goDuration(writeDeadline * 1e6)
      this.#countSlow(
        `${this.#slow ? 'State' : 'Detected'}: WriteDeadline of ${deadline} exceeded with ${chunks} chunks of ${bytes} total bytes.`,
      )
    }
    this.#slow = true
    if (writeTimeout === 'retry' && written > 0) return false
    this.close('Slow Consumer (Write Deadline)')
    return true
  }
  onRecovered({ start, chunks, bytes }: WriteAttempt): void {
    this.#slow = false
    const seconds = ((performance.now() - start) / 1000).toFixed(3)
    this.server.log.info(
      `${this.label} - Slow Consumer Recovered: Flush took ${seconds}s with ${chunks} chunks of ${bytes} total bytes.`,
    )
  }
  #countSlow(state: string): void {
    this.server.slowConsumers++
    this.account.past.slowConsumers++
    this.server.log.info(`${this.label} - Slow Consumer ${state}`)
  }
  onWriteError(_error: Error): void {
    this.close('Write Error')
  }
  onDrain(): void {
    this.server.drained(this)
  }

  /** Holds back what this client sends, because a receiver of it has too much queued. */
  stall(): void {
    if (this.#stalled || this.closed) return
    this.#stalled = true
    this.stalls++
    this.server.stalledClients++
    this.transport.pause()
  }
  unstall(): void {
    if (!this.#stalled) return
    this.#stalled = false
    if (!this.closed) this.transport.resume()
  }

  /** Appends a line to what goes out. */
  write(line: string): void {
    if (this.closed) return
    this.outbox.text(line)
    if (!this.outbox.dirty) this.server.markDirty(this)
  }

  /** Refuses what was sent: the -ERR of the table, its line in the log, and the close it asks for. */
  refuse(why: RefusalName): void {
    if (why === 'authorization') {
      this.#violate(REFUSALS.authorization.closes)
      return
    }
    const { text, closes }: Refusal = REFUSALS[why]
    const { log } = this.server
    if (why === 'maxPayload') {
      log.error(
        `${this.label} - maximum payload exceeded: ${this.#parser.declaredSize()} vs ${this.maxPayload}`,
      )
      if (this.#parser.headerSize > 0) this.#publishing.tooLarge(this.#parser)
    } else if (why === 'clientError') {
      log.error(`${this.label} - Client Error ${fromWire(this.#parser.line())}`)
    } else this.#report(REFUSALS[why])
    if (text !== null) this.error(text)
    if (closes === null) return
    // Frames that hold no protocol count as broken frames.
    const broken = closes === 'Protocol Violation' && this.transport.type === 'WEBSOCKET'
    this.close(closes, broken ? 'Read Error' : closes)
  }

  #report({ text, logs, says = text ?? '', everyMs = 0 }: Refusal): void {
    const { log, throttle } = this.server
    if (logs === undefined || (everyMs > 0 && !throttle.lets(`${this.account.name} ${says}`, everyMs))) return
    log[logs](`${this.label} - ${says}`)
  }

  /** The user becomes whom CONNECT says it is, for events and monitoring. */
  #claim(): void {
    const user = claimedUser(this.options, this.user.kind === 'jwt' ? this.user.user : '')
    if (this.user.user !== user) this.user = { ...this.user, user }
  }

  /** Came through a proxy that is not trusted any more. */
  distrustProxy(): void {
    this.#violate('Proxy Not Trusted')
  }

  /** Whatever the reason, the client is told the same. */
  #violate(reason: CloseReason): void {
    this.#claim()
    const user = userName(this)
    const who = user === NO_USER ? '' : ` - ${user}`
    this.server.log.error(`${this.label} - authentication error${who}`)
    this.error(REFUSALS.authorization.text)
    this.server.onAuthError(this, reason)
    this.close(reason)
  }
  error(text: string): void {
    this.write(`-ERR '${text}'\r\n`)
  }
  /** Says and logs what the client was not allowed to do. */
  violation(text: string, logged: string): void {
    this.server.log.error(`${this.label} - ${logged}`)
    this.error(text)
  }
  #ok(): void {
    if (this.options.verbose) this.write('+OK\r\n')
  }

  /** `shown` is what monitoring and events have for the reason. */
  close(reason: CloseReason, shown = reason): void {
    if (this.closed) return
    this.#parser.stop()
    if (!DISCARDS.has(reason)) this.outbox.flush()
    this.closed = true
    this.closeReason = shown
    this.stop = new Date()
    const { log } = this.server
    if (log.debugOn) log.debug(`${this.label} - Client connection closed: ${shown}`)
    for (const timer of [this.#pingTimer, this.#authTimer, this.#expiryTimer])
      if (timer !== null) clearTimeout(timer)
    this.server.closedClients.add(this)
    this.#dropSubscriptions()
    this.account.release(this)
    this.outbox.close()
    this.forgetSubjects()
    if (DISCARDS.has(reason)) this.transport.destroy()
    else this.transport.end(reason)
    this.server.onClosed(this, shown)
  }

  // CONNECT --------------------------------------------------------------------------------------------------------------------

  #attempt(connect: ConnectOptions): ConnectAttempt {
    return {
      connect,
      nonce: this.nonce,
      ip: this.transport.remoteAddress,
      connectionType: this.transport.type,
      tls: this.transport.tls,
      cid: this.cid,
    }
  }

  connect(json: string): void {
    const options = readConnect(json, this.options)
    if (options === null) {
      this.refuse('badArguments')
      return
    }
    this.rttNs = Math.round((performance.now() - this.#opened) * 1e6)
    if (this.#connected) {
      // A second CONNECT starts over: subscriptions go, authentication runs again.
      this.#dropSubscriptions()
      const before = this.account
      before.release(this)
      this.account = this.server.accounts.global
      this.account.admit(this)
      this.server.onLeft(before)
    }
    const credentials = this.transport.credentials
    if (credentials !== null) {
      options.jwt ||= credentials.jwt ?? ''
      options.user ||= credentials.user ?? ''
      options.pass ||= credentials.pass ?? ''
      options.auth_token ||= credentials.token ?? ''
    }
    this.options = options
    this.echo = options.echo
    this.#parser.pedantic = options.pedantic
    if (this.#authTimer !== null) clearTimeout(this.#authTimer)
    this.#authTimer = null
    const result = this.#authenticator.authenticate(this.#attempt(options))
    if (result instanceof Promise) this.#await(result, (outcome) => this.#finish(outcome))
    else this.#finish(result)
  }

  /** Nothing is parsed until the outcome is there. */
  #await(result: Promise<AuthResult>, finish: (outcome: AuthResult) => void): void {
    this.#parser.pause()
    // What a stranger sends meanwhile stays in the kernel.
    this.transport.pause()
    const resume = (outcome: AuthResult): void => {
      if (this.closed) return
      if (!this.#stalled) this.transport.resume()
      this.server.beginBatch()
      finish(outcome)
      if (!this.closed) this.#parser.resume()
      this.server.endBatch(this)
    }
    result.then(resume, (error: Error) =>
      resume({ ok: false, reason: 'Authentication Failure', log: error.message }),
    )
  }

  #finish(result: AuthResult): void {
    const { options } = this
    if (!result.ok) {
      this.#denied(result)
      return
    }
    if (!this.bind(result)) return
    this.server.onConnected(this)
    if (options.account !== '' || options.new_account) {
      this.refuse('authorization')
      return
    }
    if (options.protocol !== 0 && options.protocol !== 1) {
      this.refuse('clientProtocol')
      return
    }
    this.headers = options.headers && !this.server.options.noHeaderSupport
    this.#parser.headers = this.headers
    if (options.no_responders && !this.headers) {
      this.refuse('noRespondersNeedHeaders')
      return
    }
    this.#ok()
    if (!this.#connected) {
      this.#connected = true
      this.label = fullLabel(this)
      if (this.#pingTimer !== null) clearTimeout(this.#pingTimer)
      const first = Math.min(this.#pingInterval, FIRST_PING_MS)
      this.#pingTimer = setTimeout(() => this.#tick(), first + Math.random() * first * 0.2).unref()
    }
  }

  #denied({ log, level, hint, reason, told, proxyKey }: Denial): void {
    const { server } = this
    this.#claim()
    if (proxyKey !== undefined) this.user = { ...this.user, proxyKey }
    if (hint !== undefined) server.log.debug(`${this.label} - ${hint}`)
    if (log !== '') server.log[level ?? 'debug'](`${this.label} - ${log}`)
    if (told !== null) server.onLoginFailed(this, told?.account ?? this.account, told?.reason ?? reason)
    this.#violate(reason)
  }

  /** Takes the identity of an authenticated user. False when the account refused one more connection. */
  bind(result: Admission): boolean {
    if (result.log !== undefined) this.server.log.debug(`${this.label} - ${result.log}`)
    const stays = result.account === this.account && this.account.clients.has(this)
    this.user = result.user
    this.#parser.gated = false
    if (!stays) {
      this.account.release(this)
      this.account = result.account
      if (!result.account.admit(this)) {
        this.refuse('maxAccountConnections')
        return false
      }
    }
    this.setPermissions(result.permissions)
    this.#ownLimits = result.limits
    this.forgetSubjects()
    this.applyLimits()
    this.expiresAt = result.expiresAt
    this.#expireAt(result.expiresAt)
    return !this.closed
  }

  /** The smallest of user, account and server for each limit. */
  applyLimits(): void {
    const { limits } = this.account.spec
    const { options } = this.server
    this.maxPayload = smallest(this.#ownLimits.payload, limits.payload, options.maxPayload)
    if (this.maxPayload < smallest(this.#ownLimits.payload, limits.payload)) {
      this.server.log.debug(
        `${this.label} - Max Payload set to ${options.maxPayload} from server overrides account or user config`,
      )
    }
    this.maxSubs = smallest(
      this.#ownLimits.subs,
      limits.subs,
      options.maxSubscriptions > 0 ? options.maxSubscriptions : -1,
    )
    this.#parser.maxPayload = this.maxPayload
    if (this.maxSubs >= 0 && this.subscriptions.size >= this.maxSubs) {
      this.refuse('maxSubscriptions')
      setTimeout(() => this.close('Maximum Subscriptions Exceeded'), SUBS_CLOSE_DELAY_MS).unref()
    }
  }

  /** After a reload of the server's limits. */
  reloadLimits(): void {
    this.#parser.maxControlLine = this.server.options.maxControlLine
    this.applyLimits()
  }

  /** After a reload of users and accounts: who it is by the new rules, and what it may do now. Closed when it may not stay. */
  async reauthorize(): Promise<void> {
    if (this.closed) return
    const authenticator = this.#authenticator
    if (!this.#connected && !authenticator.required) return
    const result = await authenticator.authenticate(this.#attempt(this.options))
    if (this.closed) return
    if (!result.ok) this.#denied(result)
    else if (this.bind(result)) this.server.onConnected(this)
  }

  setPermissions(spec: PermissionsSpec | null): void {
    this.permissions = spec === null ? null : new Permissions(spec)
    const responses = this.permissions?.responses ?? null
    const permissions = this.permissions
    this.grants =
      responses === null
        ? null
        : new ResponseGrants(responses.max, responses.ttl, (subject) => permissions!.mayPublish(subject))
    this.forgetSubjects()
    for (const subscription of this.subscriptions.values()) {
      if (permissions !== null && !permissions.maySubscribe(subscription.subject, subscription.queue)) {
        this.removeSubscription(subscription)
        const queue = subscription.queue === null ? '' : ` using queue ${quote(subscription.queue)}`
        const which = `${quote(subscription.subject)}${queue} (sid ${quote(subscription.sid)})`
        this.error(`Permissions Violation for Subscription to ${which}`)
        this.server.log.info(`Removed sub ${which} for ${userName(this)} - not authorized`)
        continue
      }
      subscription.filter = permissions?.needsFilter(subscription.subject, subscription.queue) ?? false
      for (const shadow of subscription.shadows ?? []) shadow.subscription.filter = subscription.filter
    }
  }

  /** ms since 1970; beyond what a timer can hold it is set again when that has passed. */
  #expireAt(when: number | null): void {
    if (this.#expiryTimer !== null) clearTimeout(this.#expiryTimer)
    this.#expiryTimer = null
    if (when === null) return
    const left = when - Date.now()
    this.#expiryTimer = setTimeout(
      () => (when <= Date.now() ? this.refuse('userExpired') : this.#expireAt(when)),
      Math.max(0, Math.min(left, 2 ** 31 - 1)),
    ).unref()
  }

  midway(): void {
    this.server.flushEarly(this)
  }

  unauthenticated(): boolean {
    const guest = this.#authenticator.guest(this.#attempt(this.options))
    if (guest === null) {
      this.refuse('authorization')
      return false
    }
    if (this.#authTimer !== null) clearTimeout(this.#authTimer)
    if (!(guest instanceof Promise)) return this.#enterAsGuest(guest)
    this.#await(guest, (outcome) => this.#enterAsGuest(outcome))
    return false
  }

  #enterAsGuest(guest: AuthResult): boolean {
    if (!guest.ok) {
      this.#denied(guest)
      return false
    }
    this.#connected = true
    if (!this.bind(guest)) return false
    this.#pingTimer = setTimeout(() => this.#tick(), this.#pingInterval).unref()
    this.server.onConnected(this)
    return true
  }

  /** Tells the client that the server will stop. False when it would not understand. */
  announceLameDuck(): boolean {
    if (this.options.protocol < 1 || !this.#firstPong) return false
    this.write(encodeInfo({ ...this.server.info(this, true), nonce: undefined, ldm: true }))
    return true
  }

  // PING, PONG -----------------------------------------------------------------------------------------------------------------

  ping(): void {
    this.#activeSinceTick = true
    this.write('PONG\r\n')
    if (this.#connected && !this.#firstPong) {
      this.#firstPong = true
      if (this.options.protocol >= 1) this.write(encodeInfo(this.server.info(this, false)))
    }
  }

  pong(): void {
    this.#pingsOut = 0
    if (this.#pingSent !== 0n) {
      this.rttNs = Number(process.hrtime.bigint() - this.#pingSent)
      this.#measured = true
      this.#pingSent = 0n
    }
  }

  #tick(): void {
    const { options } = this.server
    this.#pingTimer = setTimeout(() => this.#tick(), this.#pingInterval).unref()
    const { log } = this.server
    if (log.debugOn) log.debug(`${this.label} - Client Ping Timer`)
    const active = this.#activeSinceTick
    this.#activeSinceTick = false
    // An active client is not tested, but for the first measure of its round trip.
    if (active && this.#measured) return
    if (this.#pingsOut >= options.pingMax) {
      this.refuse('stale')
      return
    }
    this.#ping()
  }

  #ping(): void {
    this.#pingsOut++
    this.#pingSent = process.hrtime.bigint()
    this.write('PING\r\n')
  }

  /** Asks for a measure of the round trip where there is none, of anybody who can answer: for the times of services. */
  measureForLatency(): void {
    if (this.rttNs !== 0 || this.#pingSent !== 0n || this.closed) return
    if (this.#firstPong || Date.now() - this.start.getTime() > FIRST_PING_MS) this.#ping()
  }

  // SUB, UNSUB -----------------------------------------------------------------------------------------------------------------

  subscribe(subject: string, queue: string | null, sid: string): void {
    this.#activeSinceTick = true
    const { permissions } = this
    if (queue === '_sys_' || (permissions !== null && !permissions.maySubscribe(subject, queue))) {
      const using = queue === null ? '' : ` using queue ${quote(queue)}`
      const logged = queue === null ? '' : `, Queue: ${quote(queue)}`
      this.violation(
        `Permissions Violation for Subscription to ${quote(subject)}${using}`,
        `Subscription Violation - Subject ${quote(subject)}${logged}, SID ${sid}`,
      )
      return
    }
    const { maxSubTokens } = this.server.options
    if (maxSubTokens > 0 && subject.split('.').length > maxSubTokens) {
      this.violation(
        `Permissions Violation for Subscription to ${quote(subject)}, too many tokens`,
        `Subscription Violation Too Many Tokens - Subject ${quote(subject)}, SID ${sid}`,
      )
      return
    }
    if (this.maxSubs >= 0 && this.subscriptions.size >= this.maxSubs) {
      this.refuse('maxSubscriptions')
      return
    }
    if (!this.subscriptions.has(sid)) {
      if (!isValidSubscription(subject)) {
        this.refuse('invalidSubject')
        return
      }
      const subscription = new Subscription(this, null, subject, queue, sid)
      subscription.filter = permissions?.needsFilter(subject, queue) ?? false
      this.subscriptions.set(sid, subscription)
      this.account.addSubscription(subscription)
    }
    this.#ok()
  }

  unsubscribe(sid: string, max: number): void {
    this.#activeSinceTick = true
    const subscription = this.subscriptions.get(sid)
    if (subscription !== undefined) {
      if (max > subscription.delivered) subscription.max = max
      else this.removeSubscription(subscription)
    }
    this.#ok()
  }

  removeSubscription(subscription: Subscription): void {
    // A shadow runs out with the subscription it stands for.
    const own = this.subscriptions.get(subscription.sid)
    if (own === undefined) return
    this.subscriptions.delete(subscription.sid)
    this.account.removeSubscription(own)
    this.#trace?.removed(own.sid)
  }

  /** A subscription is about to get its last message. */
  limitReached({ max, sid }: Subscription): void {
    const { log } = this.server
    if (log.debugOn)
      log.debug(`${this.label} - Auto-unsubscribe limit of ${max} reached for sid '${fromWire(sid)}'`)
  }

  #dropSubscriptions(): void {
    for (const subscription of this.subscriptions.values()) {
      this.account.removeSubscription(subscription)
      this.#trace?.removed(subscription.sid)
    }
    this.subscriptions.clear()
  }

  // PUB, HPUB ------------------------------------------------------------------------------------------------------------------

  publish(frame: Parser): void {
    this.#activeSinceTick = true
    this.inMsgs++
    this.inBytes += frame.dataEnd - frame.dataStart
    this.#publishing.publish(frame)
  }

  announce({ args, subjectStart, subjectEnd }: Parser): void {
    if (!isLiteral(args.latin1Slice(subjectStart, subjectEnd))) this.refuse('invalidPublishSubject')
  }

  /** What was kept about subjects is void. */
  forgetSubjects(): void {
    this.#publishing.forget()
    this.requestInfo = null
  }

  /** Whether traces of what the client publishes may go there; says so when not. */
  mayPublishTrace(destination: string): boolean {
    return this.#publishing.mayTraceTo(destination)
  }

  // For others -----------------------------------------------------------------------------------------------------------------

  get subscriptionCount(): number {
    return this.subscriptions.size
  }
  /** Bytes that wait for the peer to take them. */
  get pendingBytes(): number {
    return this.outbox.pending
  }
  get clientType(): string {
    return this.transport.type === 'WEBSOCKET' ? 'websocket' : 'nats'
  }

  /** Client info as events and, with the server's name, Nats-Request-Info carry it. `stop`: when the connection ended. */
  describe(account = this.account.name, server = '', stop: Date | null = null): Record<string, unknown> {
    const { options, user } = this
    const jwt = user.jwt ?? options.jwt
    // Events name the account here, what services are told names the user.
    const tag = server === '' ? this.account.label : user.userName
    const nameTag = tag === undefined || tag === '' ? {} : { name_tag: tag }
    return {
      start: local(this.start),
      host: this.transport.remoteAddress,
      id: this.cid,
      acc: account,
      ...(user.user === '' ? {} : { user: user.user }),
      ...(options.name === '' ? {} : { name: options.name }),
      ...(options.lang === '' ? {} : { lang: options.lang }),
      ...(options.version === '' ? {} : { ver: options.version }),
      ...(this.rttNs > 0 ? { rtt: this.rttNs } : {}),
      ...(server === '' ? {} : { server }),
      ...(stop === null ? {} : { stop: local(stop) }),
      ...(jwt === '' ? {} : { jwt }),
      ...(user.issuerKey === undefined ? {} : { issuer_key: user.issuerKey }),
      ...nameTag,
      ...(user.tags === undefined || user.tags.length === 0 ? {} : { tags: user.tags }),
      kind: 'Client',
      client_type: this.clientType,
    }
  }
}

/** The smallest limit that is one; -1 when none is. */
function smallest(...limits: number[]): number {
  let result = -1
  for (const limit of limits) if (limit >= 0 && (result < 0 || limit < result)) result = limit
  return result
}
