// A server under fire: a process of its own, a well-behaved pair of clients that must not notice, and a bound on its memory.
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { connect as connectNats, type NatsConnection } from '@nats-io/transport-node'
import { DEADLINE_MS, Engine } from '@ngs/testkit'
import { Finding } from './target.ts'

/** Growth of the server's memory above which something is kept that should not be. */
const GROWTH_MB = 250

export class ServerUnderFire {
  readonly engine: Engine
  /** The client that must not notice. */
  readonly good: NatsConnection
  readonly #before: number
  #count = 0

  private constructor(engine: Engine, good: NatsConnection) {
    this.engine = engine
    this.good = good
    this.#before = this.#memory()
  }

  static async start(
    config: string,
    connection: Parameters<typeof connectNats>[0] = {},
  ): Promise<ServerUnderFire> {
    const engine = await Engine.start(null, { config })
    return new ServerUnderFire(
      engine,
      await connectNats({ servers: engine.url, reconnect: false, ...connection }),
    )
  }

  #memory(): number {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.engine.pid}/status`, 'utf8'))
    return Number(kilobytes?.[1] ?? 0) / 1024
  }

  /**
   * Sends the bytes in pieces on a new connection, half-closes it, and waits until the server has ended it. What it said. Pieces of
   * `later` go out after the server's first answer.
   */
  async send(
    port: number,
    pieces: readonly (Buffer | string)[],
    later: readonly (Buffer | string)[] | null = null,
  ): Promise<string> {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    let said = ''
    socket.setEncoding('latin1').on('data', (text: string) => {
      said += text
    })
    const input = [...pieces, ...(later ?? [])]
      .map((piece) => (typeof piece === 'string' ? piece : piece.toString('latin1')))
      .join('')
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Finding(`the connection did not end in ${DEADLINE_MS} ms`, input)),
        DEADLINE_MS,
      )
      const done = (): void => {
        clearTimeout(timer)
        resolve()
      }
      // A reset is an end too.
      socket.on('close', done).on('end', done).on('error', done)
      const rest = (): void => {
        for (const piece of later ?? []) socket.write(piece)
        socket.end()
      }
      for (const piece of pieces) socket.write(piece)
      if (later === null) rest()
      else socket.once('data', rest)
    }).finally(() => socket.destroy())
    return said
  }

  /** The good clients are served as if nothing had happened, and memory stays in bounds. */
  async check(): Promise<void> {
    const subject = `well.${this.#count++}`
    const subscription = this.good.subscribe(subject, { max: 1 })
    this.good.publish(subject, 'alive')
    const arrived = (async () => {
      for await (const message of subscription) return message.string()
      return 'the connection ended'
    })()
    const late = new Promise<string>((resolve) => setTimeout(resolve, DEADLINE_MS, 'nothing').unref())
    const got = await Promise.race([arrived, late])
    if (got !== 'alive')
      throw new Finding(`a well-behaved client got ${got}`, this.engine.log().slice(-2_000))
    const growth = this.#memory() - this.#before
    if (growth > GROWTH_MB) throw new Finding(`the server grew by ${Math.round(growth)} MB`, '')
  }

  async stop(): Promise<void> {
    await this.good.close().catch(() => {})
    await this.engine.stop()
  }
}
