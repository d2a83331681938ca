// The message servers there are, as the system account shows them: who answers, who has come, who has gone.
import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/nats-core'
import type { Logger } from 'pino'
import { reasonOf } from '../errors.ts'

export interface ServerInfo {
  /** The server's key; a new one at each start. */
  readonly id: string
  readonly name: string
  readonly region: string
  readonly location: string
  readonly cluster: string
  readonly version: string
}

/** How often all servers are asked to show themselves. */
const pingEveryMs = 10_000
/** How long an answer may take. */
const answerWithinMs = 1_000
/** How long the first round waits for the servers of a cluster. */
const firstRoundMs = 250
/** Pings in a row that a server may miss before it counts as gone. */
const missedPings = 2

interface Known {
  info: ServerInfo
  missed: number
}

/**
 * Keeps the list of known servers. A server joins by answering or by its periodic statistics, and leaves when it says
 * so, when it misses pings, or when our connection is lost: after a reconnect all join anew, and whoever listens to
 * joins brings them up to date.
 */
export class Fleet {
  readonly #nc: NatsConnection
  readonly #log: Logger
  readonly #known = new Map<string, Known>()
  /** Looks of those who wait for a server to become known. */
  readonly #waiting = new Set<() => void>()
  readonly #onJoin: (server: ServerInfo) => void
  #subscriptions: Subscription[] = []
  #timer: NodeJS.Timeout | null = null
  #pinging: Promise<void> | null = null
  #connected = true

  constructor(nc: NatsConnection, log: Logger, onJoin: (server: ServerInfo) => void) {
    this.#nc = nc
    this.#log = log
    this.#onJoin = onJoin
  }

  /** Resolves when the first round of answers is in. */
  async start(): Promise<void> {
    const on = (subject: string, callback: (id: string, msg: Msg) => void): Subscription =>
      this.#nc.subscribe(subject, {
        callback: (error, msg) => {
          if (error === null) callback(msg.subject.split('.')[2] ?? '', msg)
        },
      })
    this.#subscriptions = [
      on('$SYS.SERVER.*.STATSZ', (_id, msg) => this.#see(msg)),
      on('$SYS.SERVER.*.SHUTDOWN', (id) => this.#leave(id, 'it shut down')),
    ]
    void this.#watchConnection()
    await this.ping()
    this.#schedule()
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    for (const subscription of this.#subscriptions) subscription.unsubscribe()
  }

  get servers(): ServerInfo[] {
    return [...this.#known.values()].map(({ info }) => info)
  }

  get(id: string): ServerInfo | undefined {
    return this.#known.get(id)?.info
  }

  /** The server with this id, for which a moment is waited when our connection has only just reached it. */
  whenKnown(id: string, withinMs = answerWithinMs): Promise<ServerInfo | undefined> {
    const known = this.get(id)
    if (known !== undefined) return Promise.resolve(known)
    return new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(check)
        resolve(this.get(id))
      }
      const check = (): void => {
        if (this.#known.has(id)) settle()
      }
      const timer = setTimeout(settle, withinMs)
      this.#waiting.add(check)
    })
  }

  /** Whether requests can reach a server now. */
  get connected(): boolean {
    return this.#connected && !this.#nc.isClosed()
  }

  /**
   * Publishes a request to all servers and collects answers until `enough` says so, or the time is over.
   * @param enough asked after each answer
   */
  async ask(
    subject: string,
    payload: string,
    enough: (answers: readonly Msg[]) => boolean,
    withinMs = answerWithinMs,
  ): Promise<Msg[]> {
    if (!this.connected) return []
    const answers: Msg[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const inbox = createInbox()
    const subscription = this.#nc.subscribe(inbox, {
      callback: (error, msg) => {
        // 503: nobody listens on the subject.
        if (error !== null || msg.headers?.code === 503) return resolve()
        answers.push(msg)
        if (enough(answers)) resolve()
      },
    })
    const timer = setTimeout(resolve, withinMs)
    try {
      this.#nc.publish(subject, payload, { reply: inbox })
      await promise
    } catch (error) {
      this.#log.debug({ subject, reason: reasonOf(error) }, 'request failed')
    } finally {
      clearTimeout(timer)
      if (!this.#nc.isClosed()) subscription.unsubscribe()
    }
    return answers
  }

  /** Asks every server to show itself, and drops those that have missed too many of these questions. */
  ping(): Promise<void> {
    // Those who ask at the same time share a question: a server misses it once.
    this.#pinging ??= this.#ping().finally(() => {
      this.#pinging = null
    })
    return this.#pinging
  }

  async #ping(): Promise<void> {
    const seen = new Set<string>()
    const expected = new Set(this.#known.keys())
    // At first nobody knows how many will answer, unless the server is one of no cluster: then it is the only one.
    const alone = expected.size === 0 && !this.#nc.info?.cluster
    await this.ask(
      '$SYS.REQ.SERVER.PING',
      '',
      (answers) => {
        const id = this.#see(answers.at(-1)!)
        if (id !== null) seen.add(id)
        return alone || (expected.size > 0 && [...expected].every((one) => seen.has(one)))
      },
      expected.size === 0 && !alone ? firstRoundMs : answerWithinMs,
    )
    for (const id of expected) {
      const known = this.#known.get(id)
      if (known === undefined || seen.has(id)) continue
      known.missed++
      if (known.missed >= missedPings) this.#leave(id, 'it does not answer')
    }
  }

  #schedule(): void {
    this.#timer = setTimeout(async () => {
      if (this.connected) await this.ping()
      if (!this.#nc.isClosed()) this.#schedule()
    }, pingEveryMs)
    this.#timer.unref()
  }

  async #watchConnection(): Promise<void> {
    for await (const status of this.#nc.status()) {
      if (status.type === 'disconnect') {
        this.#connected = false
        this.#known.clear()
      } else if (status.type === 'reconnect') {
        this.#connected = true
        await this.ping()
      }
    }
  }

  /** Notes the server of an answer. @returns its id, or null when the message is not a server's. */
  #see(msg: Msg): string | null {
    const info = readServer(msg)
    if (info === null || !this.#connected) return null
    const known = this.#known.get(info.id)
    this.#known.set(info.id, { info, missed: 0 })
    if (known === undefined) {
      this.#log.info({ server: info.name, id: info.id, region: info.region }, 'message server is known now')
      for (const check of [...this.#waiting]) check()
      this.#onJoin(info)
    }
    return info.id
  }

  #leave(id: string, why: string): void {
    if (this.#known.delete(id)) this.#log.info({ id, why }, 'message server is gone')
  }
}

interface ServerEnvelope {
  server?: {
    id?: unknown
    name?: unknown
    cluster?: unknown
    ver?: unknown
    tags?: unknown
    metadata?: Record<string, unknown>
  }
}

/** The JSON of an answer; null when it is not an object. */
export function readJson(msg: Msg): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(msg.string())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/** Who sent an enveloped answer. Place names come from metadata, which keeps their case, else from tags. */
export function readServer(msg: Msg): ServerInfo | null {
  const { server } = (readJson(msg) ?? {}) as ServerEnvelope
  if (typeof server?.id !== 'string' || server.id === '') return null
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const tags = Array.isArray(server.tags) ? server.tags.map(text) : []
  const place = (key: string): string =>
    text(server.metadata?.[key]) ||
    (tags.find((tag) => tag.startsWith(`${key}:`))?.slice(key.length + 1) ?? '')
  return {
    id: server.id,
    name: text(server.name) || server.id,
    region: place('region'),
    location: place('location'),
    cluster: text(server.cluster),
    version: text(server.ver),
  }
}
