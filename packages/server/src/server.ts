// The life of a server: listens, accepts, keeps the connections and the accounts, stops. It knows no byte of the protocol.
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { createKeyPair, type KeyPair } from '@ngs/identity/node'
import type { Account } from './account/account.ts'
import { AccountRegistry } from './account/registry.ts'
import type { Authenticator } from './auth/authenticator.ts'
import { ServerCurveKey } from './auth/curve.ts'
import { BusyPoll } from './busy-poll.ts'
import { Client } from './connection/client.ts'
import { ClosedConnections } from './connection/closed.ts'
import { fdOf, TcpTransport, type Transport, type TransportEvents } from './connection/transport.ts'
import type { WebSocketListener } from './connection/websocket-listener.ts'
import { AcceptGuard } from './descriptors.ts'
import { ServerError } from './errors.ts'
import { removePortsFile, writePidFile, writePortsFile } from './files.ts'
import { IdleMemory } from './idle-memory.ts'
import { bind, hostPort, type Listener, parseAdvertised } from './listen.ts'
import { type Logger, SILENT } from './log.ts'
import { LogThrottle } from './log-throttle.ts'
import { defaultOptions, type Options } from './options.ts'
import type { Info } from './protocol/connect.ts'
import type { CloseReason } from './protocol/refusals.ts'
import type { TlsAcceptor } from './tls/acceptor.ts'
import type { SendTrace } from './trace/trace.ts'
import { VERSION } from './version.ts'

/** Who is told about the life of connections (system events). */
export interface ConnectionObserver {
  connected(client: Client): void
  closed(client: Client, reason: CloseReason): void
  /** A connection starts over: it is none of this account's any more. */
  left(account: Account): void
  /** A reload has changed what the server tells of itself. */
  stateChanged?(): void
  lameDuck?(): void
  /** A connection ends for want of authorization. */
  authError(client: Client, reason: CloseReason): void
  /** A login failed; the account may know, in these words. */
  loginFailed(client: Client, account: Account, reason: string): void
}

/** A receiver with more than this part of max_pending queued holds back those who send to it... */
const STALL_PART = 0.75
/** ...but for so long at most per batch, since it may never read again. */
const STALL_MS = 10
/** What a burst brings leaves in two parts when no more connections than this have got some of it. */
const FEW_RECEIVERS = 4

/**
 * A running server. A program that embeds one needs `Server.start`, `url` and `stop`; the rest is for the other
 * rooms of this package.
 */
export class Server {
  readonly options: Options
  readonly log: Logger
  readonly keys: KeyPair
  /** Callout services seal their answers to it; INFO names it. */
  readonly curve = new ServerCurveKey()
  readonly id: string
  readonly name: string
  readonly start = new Date()
  readonly accounts = new AccountRegistry()
  readonly clients = new Map<number, Client>()
  readonly closedClients: ClosedConnections
  /** Closed ones whose last bytes are still on their way. */
  readonly #ending = new Set<Client>()
  readonly observers: ConnectionObserver[] = []
  authenticator!: Authenticator
  /** For WebSocket clients where their block has credentials or a guest of its own. */
  websocketAuthenticator: Authenticator | null = null
  /** Handshakes of the client port; null for clear text. */
  tls: TlsAcceptor | null = null
  /** What comes before the protocol on the client port; null for nothing. */
  open: ((server: Server, client: Client, transport: TcpTransport) => Promise<void>) | null = null
  /** Tells about traced messages; null without a system account. */
  sendTrace: SendTrace | null = null
  totalConnections = 0
  slowConsumers = 0
  staleConnections = 0
  /** How often a client was held back for a receiver that is behind. */
  stalledClients = 0
  /** Traffic of connections that are gone. */
  readonly past = { inMsgs: 0, inBytes: 0, outMsgs: 0, outBytes: 0 }
  /** Requests to monitoring by path, without the base path. */
  readonly httpRequests = new Map<string, number>()
  readonly listeners: { monitoring: Listener | null; websocket: WebSocketListener | null } = {
    monitoring: null,
    websocket: null,
  }
  readonly throttle = new LogThrottle()
  configLoadTime = new Date()
  /** Reads the configuration file and the flags anew; null without a file. */
  readOptions: (() => Options) | null = null

  #net: NetServer | null = null
  #guard: AcceptGuard | null = null
  readonly #idleMemory = new IdleMemory(this)
  readonly #busyPoll = new BusyPoll()
  #address: { host: string; port: number } = { host: '', port: 0 }
  #nextCid = 1
  #stopping: Promise<void> | null = null
  readonly #closing: (() => void | Promise<void>)[] = []

  // Clients whose outbound buffer got something in the batch in hand, and receivers that are too far behind.
  #dirty: Client[] = []
  #batches = 0
  #flushPlanned = false
  readonly #behind = new Map<Client, Set<Client>>()

  constructor(options: Options, log: Logger) {
    this.options = options
    this.log = log
    this.keys = createKeyPair('server')
    this.id = this.keys.publicKey
    this.name = options.serverName === '' ? this.id : options.serverName
    this.closedClients = new ClosedConnections(options.maxClosedClients)
  }

  /**
   * Starts a server inside this process, for tests of applications and for embedding.
   * Options are those of the configuration, with their defaults; `port` 0 or -1 is any free port. Logs nothing unless a logger is given.
   * @throws ServerError when the port is taken or the options contradict each other.
   */
  static async start(options: Partial<Options> & { log?: Logger } = {}): Promise<Server> {
    const { log = SILENT, ...given } = options
    const merged: Options = { ...defaultOptions(), host: '127.0.0.1', ...given }
    if (merged.port === 0) merged.port = -1
    const server = new Server(merged, log)
    await server.listen()
    return server
  }

  /** The address for clients, `nats://host:port`, or `tls://host:port` where TLS is required. */
  get url(): string {
    const host =
      this.#address.host === '0.0.0.0' || this.#address.host === '::' ? '127.0.0.1' : this.#address.host
    return `${this.#scheme}://${hostPort(host, this.#address.port)}`
  }
  get port(): number {
    return this.#address.port
  }
  /** Where it listens, which may be every address of the machine. */
  get listenUrl(): string {
    return `${this.#scheme}://${hostPort(this.#address.host, this.#address.port)}`
  }
  get #scheme(): string {
    return this.options.tls !== null && !this.options.allowNonTls ? 'tls' : 'nats'
  }
  get isListening(): boolean {
    return this.#net !== null && this.#stopping === null && !this.isLameDuck
  }

  /** Opens every listener. @throws ServerError. */
  async listen(): Promise<void> {
    const { options } = this
    if (options.pidFile !== '') {
      try {
        writePidFile(options.pidFile)
      } catch (error) {
        throw new ServerError('pidFile', `Could not write pidfile: ${(error as Error).message}`)
      }
    }
    try {
      if (options.clientAdvertise !== '') parseAdvertised(options.clientAdvertise, options.port)
    } catch (error) {
      throw new ServerError(
        'advertise',
        `Error setting server INFO with ClientAdvertise value of ${options.clientAdvertise}, err=${(error as Error).message}`,
      )
    }
    const { setUp } = await import('./setup.ts')
    await setUp(this)
    this.#net = createServer({ noDelay: true }, (socket) => this.#accept(socket))
    const address = await bind(this.#net, options.host, options.port)
    this.#address = { host: options.host, port: address.port }
    options.port = address.port
    this.#guard = new AcceptGuard(this.#net, this.log, () => bind(this.#net!, options.host, address.port))
    this.log.info(`Listening for client connections on ${hostPort(options.host, address.port)}`)
    if (options.proxyProtocol) this.log.info('PROXY protocol enabled for client connections')
    this.#announceTls()
    this.log.info('Server is ready')
    if (options.portsFileDir !== '') writePortsFile(this)
    this.onStop(() => {
      if (this.options.portsFileDir !== '') removePortsFile(this.options.portsFileDir)
    })
  }

  /** Leaving: no new clients, and those that are there go one by one. */
  get isLameDuck(): boolean {
    return this.#lameDuck !== null
  }
  #lameDuck: Promise<void> | null = null
  /** Aborted when the server stops. */
  readonly #stopped = new AbortController()

  /** Ends when the server has stopped by itself. Null when it is on its way already, or not listening. */
  enterLameDuck(): Promise<void> | null {
    if (!this.isListening) return null
    this.log.info('Entering lame duck mode, stop accepting new clients')
    this.#lameDuck = import('./lame-duck.ts').then(({ lameDuck }) => lameDuck(this, this.#stopped.signal))
    for (const observer of this.observers) observer.lameDuck?.()
    return this.#lameDuck
  }

  /** Closes the doors for clients; monitoring stays. */
  async stopAccepting(): Promise<void> {
    this.listeners.websocket?.stopAccepting?.()
    this.#guard?.stop()
    // Node ends the listener at once and calls back when the last connection has gone, which is not waited for.
    this.#net?.close()
  }

  #reloading: Promise<void> = Promise.resolve()

  /**
   * Reads the configuration file again and makes it so on what runs, all of it or nothing.
   * @throws ConfigError for a file that is wrong, ReloadRefused for a change that needs a restart.
   */
  reload(): Promise<void> {
    const reload = async (): Promise<void> => {
      const { ReloadRefused } = await import('./reload/rule.ts')
      if (this.#net === null) throw new ReloadRefused('the server is still starting')
      if (this.readOptions === null)
        throw new ReloadRefused('can only reload config when a file is provided using -c or --config')
      const { reloadOptions } = await import('./reload/reload.ts')
      await reloadOptions(this, this.readOptions())
    }
    const done = this.#reloading.then(reload)
    this.#reloading = done.catch(() => {})
    return done
  }

  /** Runs when the server stops, newest first. */
  onStop(task: () => void | Promise<void>): void {
    this.#closing.unshift(task)
  }

  #accept(socket: Socket): void {
    if (socket.remoteAddress === undefined) {
      socket.destroy()
      return
    }
    this.#guard?.accepted(fdOf(socket))
    const { open } = this
    this.attach(
      (events) => new TcpTransport(socket, events),
      (client, transport) => {
        if (open !== null) {
          open(this, client, transport).catch((error: Error) => {
            // Whatever it is, it is about this one connection.
            this.log.error(`${client.label} - ${error.stack}`)
            client.close('Read Error')
          })
        } else {
          client.greet()
          client.begin()
          transport.start()
        }
      },
    )
  }

  /** A new connection on whatever transport; `open` greets it and lets it begin. */
  attach<T extends Transport>(
    makeTransport: (events: TransportEvents) => T,
    open: (client: Client, transport: T) => void,
  ): void {
    let transport!: T
    const client = new Client(this, this.#nextCid++, (events) => {
      transport = makeTransport(events)
      return transport
    })
    this.totalConnections++
    const full = this.options.maxConnections <= 0 || this.clients.size >= this.options.maxConnections
    this.clients.set(client.cid, client)
    if (this.log.debugOn) this.log.debug(`${client.label} - Client connection created`)
    if (!full) {
      open(client, transport)
      return
    }
    // Whom there is no room for is told so before any handshake; INFO goes before it unless it belongs inside TLS.
    if (transport.type !== 'STANDARD' || !this.tls?.options.handshakeFirst) client.greet()
    client.refuse('maxConnections')
  }

  #announceTls(): void {
    const { tls, allowNonTls } = this.options
    if (tls === null) return
    const firstOnly = tls.handshakeFirst && tls.fallbackDelay === 0
    this.log.info(`TLS ${allowNonTls && !firstOnly ? 'available' : 'required'} for client connections`)
    if (firstOnly)
      this.log.warn('Clients that are not using "TLS Handshake First" option will fail to connect')
  }

  /** Stops listening, closes every connection, flushes logs. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.log.info('Initiating Shutdown...')
    this.#stopped.abort()
    this.#idleMemory.stop()
    this.#guard?.stop()
    for (const task of this.#closing) await task()
    const closed = new Promise<void>((resolve) =>
      this.#net === null ? resolve() : this.#net.close(() => resolve()),
    )
    for (const client of [...this.clients.values()]) client.close('Server Shutdown')
    for (const client of this.#ending) client.transport.destroy()
    await closed
    this.log.info('Server Exiting..')
  }

  // Batches --------------------------------------------------------------------------------------------------------------------

  markDirty(client: Client): void {
    client.outbox.dirty = true
    this.#dirty.push(client)
    if (this.#batches > 0 || this.#flushPlanned) return
    this.#flushPlanned = true
    queueMicrotask(() => {
      this.#flushPlanned = false
      this.#flush(null)
    })
  }

  /** What connections are sent until endBatch() goes out in one write each. */
  beginBatch(): void {
    this.#batches++
  }
  endBatch(origin: Client): void {
    this.#batches--
    if (this.#batches > 0) return
    this.#flush(origin)
    this.#busyPoll.spoke(origin.outbox, this.options.busyPoll)
  }

  /** Lets go what the batch has brought so far, unless that would cost many writes twice. */
  flushEarly(origin: Client): void {
    if (this.#batches === 1 && this.#dirty.length <= FEW_RECEIVERS) this.#flush(origin)
  }

  #flush(origin: Client | null): void {
    const dirty = this.#dirty
    if (dirty.length === 0) return
    const { maxPending, noFastProducerStall } = this.options
    const threshold = noFastProducerStall ? Number.POSITIVE_INFINITY : maxPending * STALL_PART
    // Closing a client may mark others; those are appended and flushed by the same loop.
    for (let i = 0; i < dirty.length; i++) {
      const client = dirty[i]!
      const { outbox } = client
      outbox.dirty = false
      outbox.flush()
      this.#busyPoll.spokenTo(outbox)
      if (origin !== null && outbox.pending > threshold && client !== origin && !client.closed)
        this.#hold(origin, client)
    }
    dirty.length = 0
  }

  /** Backpressure: the sender waits until the receiver has caught up, or a short while. */
  #hold(sender: Client, receiver: Client): void {
    let waiting = this.#behind.get(receiver)
    if (waiting === undefined) {
      waiting = new Set()
      this.#behind.set(receiver, waiting)
    }
    if (waiting.has(sender)) return
    waiting.add(sender)
    sender.stall()
    setTimeout(() => {
      if (waiting.delete(sender)) sender.unstall()
    }, STALL_MS).unref()
  }

  drained(client: Client): void {
    const waiting = this.#behind.get(client)
    if (waiting === undefined) return
    this.#behind.delete(client)
    for (const sender of waiting) sender.unstall()
    waiting.clear()
  }

  // Connections ----------------------------------------------------------------------------------------------------------------

  onConnected(client: Client): void {
    for (const observer of this.observers) observer.connected(client)
  }
  onLeft(account: Account): void {
    for (const observer of this.observers) observer.left(account)
  }
  onAuthError(client: Client, reason: CloseReason): void {
    for (const observer of this.observers) observer.authError(client, reason)
  }
  onLoginFailed(client: Client, account: Account, reason: string): void {
    for (const observer of this.observers) observer.loginFailed(client, account, reason)
  }
  onClosed(client: Client, reason: CloseReason): void {
    if (!this.clients.delete(client.cid)) return
    this.past.inMsgs += client.inMsgs
    this.past.inBytes += client.inBytes
    this.past.outMsgs += client.outMsgs
    this.past.outBytes += client.outBytes
    if (reason === 'Stale Connection') this.staleConnections++
    this.#ending.add(client)
    this.drained(client)
    for (const observer of this.observers) observer.closed(client, reason)
  }

  /** Its transport is closed, too. */
  onGone(client: Client): void {
    this.#ending.delete(client)
    this.#idleMemory.connectionClosed()
  }

  /** Messages and bytes from and to clients since the start. */
  traffic(): { inMsgs: number; inBytes: number; outMsgs: number; outBytes: number } {
    const sum = { ...this.past }
    for (const client of this.clients.values()) {
      sum.inMsgs += client.inMsgs
      sum.inBytes += client.inBytes
      sum.outMsgs += client.outMsgs
      sum.outBytes += client.outBytes
    }
    return sum
  }

  subscriptionCount(): number {
    let count = 0
    for (const account of this.accounts.all()) count += account.index.size
    return count
  }

  /** The address for clients as INFO and monitoring name it. */
  advertised(): { host: string; port: number } {
    const { clientAdvertise, host } = this.options
    const { port } = this.#address
    return clientAdvertise === '' ? { host, port } : parseAdvertised(clientAdvertise, port)
  }

  authenticatorOf({ type }: Transport): Authenticator {
    return (type === 'WEBSOCKET' ? this.websocketAuthenticator : null) ?? this.authenticator
  }

  /** INFO for a client: the first one, or the one that answers its first PING. */
  info(client: Client, first: boolean): Info {
    const { options, tls } = this
    const websocket = client.transport.type === 'WEBSOCKET' ? this.listeners.websocket : null
    const authenticator = this.authenticatorOf(client.transport)
    const { host, port } = websocket?.address ?? this.advertised()
    const required = first && websocket === null ? authenticator.announces : authenticator.required
    // Inside TLS that came before INFO, it is required whatever the options say.
    const tlsRequired =
      tls !== null && (!options.allowNonTls || (first && client.transport.tls?.first === true))
    const tlsAvailable = tls !== null && options.allowNonTls
    return {
      server_id: this.id,
      server_name: this.name,
      version: VERSION,
      proto: 1,
      go: `node${process.version}`,
      host,
      port,
      headers: !options.noHeaderSupport,
      auth_required: required || undefined,
      tls_required: (websocket?.secure ?? tlsRequired) || undefined,
      tls_verify: tls?.options.verify || undefined,
      tls_available: (websocket?.secure ?? tlsAvailable) || undefined,
      max_payload: client.maxPayload,
      client_id: client.cid,
      // Before a PROXY header it is the proxy's.
      client_ip:
        first && websocket === null && options.proxyProtocol ? undefined : client.transport.remoteAddress,
      nonce: first && client.nonce !== '' ? client.nonce : undefined,
      connect_info: first ? undefined : true,
      remote_account: first ? undefined : client.account.name,
      acc_is_sys: !first && client.account.isSystem ? true : undefined,
      api_lvl: 5,
      xkey: this.curve.publicKey,
    }
  }
}
