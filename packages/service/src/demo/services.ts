// The demonstration services: ngs.echo, ngs.usage and ngs.active, on a connection of the demonstration account.
import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { isPublicKey } from '@ngs/identity/node'
import type { Logger } from 'pino'
import type { AccountStatus } from '../accounts/status.ts'
import { statusText } from '../accounts/status.ts'
import { reasonOf } from '../errors.ts'
import type { Fleet } from '../operator/fleet.ts'
import { activeSubject, echoSubject, usageSubject } from './account.ts'

/** Instances of the service share the requests. */
const queue = 'ngs'

/** One message on ngs.active, as JSON. */
export interface ActiveMessage {
  server: string
  region: string
  location: string
  cluster: string
  version: string
}

type Answer = (msg: Msg) => string | Uint8Array | Promise<string | Uint8Array>

export class DemoServices {
  readonly #nc: NatsConnection
  readonly #fleet: Fleet
  readonly #log: Logger
  readonly #status: (account: string) => Promise<AccountStatus | null>
  readonly #intervalMs: number
  #timer: NodeJS.Timeout | null = null

  /** @param parts.status how an account stands; null when there is no such account */
  constructor(parts: {
    nc: NatsConnection
    fleet: Fleet
    log: Logger
    status: (account: string) => Promise<AccountStatus | null>
    intervalMs: number
  }) {
    this.#nc = parts.nc
    this.#fleet = parts.fleet
    this.#log = parts.log
    this.#status = parts.status
    this.#intervalMs = parts.intervalMs
  }

  /** Resolves when requests are answered. */
  async start(): Promise<void> {
    this.#answer(echoSubject, async (msg) => echo(await this.#place(), msg.data))
    this.#answer(`${usageSubject}.*`, (msg) => this.#usage(msg))
    this.#timer = setInterval(() => this.#announce(), this.#intervalMs)
    this.#timer.unref()
    await this.#nc.flush()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  #answer(subject: string, work: Answer): void {
    this.#nc.subscribe(subject, {
      queue,
      callback: (error, msg) => {
        if (error === null && msg.reply) void this.#respond(msg, work)
      },
    })
  }

  async #respond(msg: Msg, work: Answer): Promise<void> {
    try {
      const answer = await work(msg)
      if (!this.#nc.isClosed()) msg.respond(answer)
    } catch (failure) {
      this.#log.warn(
        { subject: msg.subject, reason: reasonOf(failure) },
        'a demonstration service could not answer',
      )
    }
  }

  /** The region of the server that this service is connected to; its name when it has none. */
  async #place(): Promise<string> {
    const { server_id: id = '', server_name: name } = this.#nc.info ?? {}
    const server = await this.#fleet.whenKnown(id)
    return server?.region || server?.name || name || 'ngs'
  }

  async #usage(msg: Msg): Promise<string> {
    // The servers put the caller's key there: the export has an account token position.
    const account = msg.subject.split('.')[2] ?? ''
    const status = isPublicKey(account, 'account') ? await this.#status(account) : null
    if (status === null) return 'this account is not known to the service'
    return wantsJson(msg) ? JSON.stringify(status) : statusText(status)
  }

  #announce(): void {
    if (this.#nc.isClosed()) return
    for (const server of this.#fleet.servers) {
      const message: ActiveMessage = {
        server: server.name,
        region: server.region,
        location: server.location,
        cluster: server.cluster,
        version: server.version,
      }
      this.#nc.publish(activeSubject, JSON.stringify(message))
    }
  }
}

/** Bytes in, bytes out: what was sent need not be text. */
function echo(place: string, data: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`[${place}]: "`), data, Buffer.from('"')])
}

/** The header `Accept: application/json`, or the body `json`, asks for JSON. */
function wantsJson(msg: Msg): boolean {
  const accept = msg.headers?.keys().find((key) => key.toLowerCase() === 'accept')
  if (accept !== undefined && msg.headers?.get(accept).toLowerCase().includes('application/json')) return true
  return msg.data.length < 16 && msg.string().trim().toLowerCase() === 'json'
}
