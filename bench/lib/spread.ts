// Many subjects and many subscriptions: what a message costs when the server has to find its receivers among them.
import type { Subjects } from '../load/subjects.ts'
import { measureCpu, type RunningEngine } from './engine.ts'
import { LoadProcess } from './load-process.ts'
import type { Outcome } from './row.ts'
import { endpoint, failureOf } from './stream.ts'

export interface SpreadShape {
  subjects: Subjects
  /** Connections that hold the subscriptions. */
  connections: number
  size: number
  user?: string
}

/** Messages that may be on their way. */
const WINDOW = 200_000

/** Publishers and subscribers for one server; the subscriptions stay from run to run. */
export class SpreadLoad {
  readonly #shape: SpreadShape
  readonly #publisher = new LoadProcess('publisher')
  readonly #subscriber = new LoadProcess('subscriber')
  #ready = false
  /** The server's memory before and after the subscriptions came, bytes. */
  memory = { before: 0, after: 0 }

  constructor(shape: SpreadShape) {
    this.#shape = shape
  }

  async run(server: RunningEngine, messages: number): Promise<Outcome> {
    const { subjects, connections, size, user } = this.#shape
    const at = endpoint(server, undefined, user)
    if (!this.#ready) {
      const before = server.memory()
      await this.#subscriber.ask({ do: 'spread', at, connections, subjects, size }, 'ready')
      this.memory = { before, after: server.memory() }
      this.#ready = true
      this.#subscriber.onProgress = (received) => this.#publisher.tell({ do: 'progress', received })
    }
    await this.#publisher.ask({ do: 'publish-ready', at, connections: 1, subjects, size }, 'ready')
    this.#subscriber.tell({ do: 'expect', messages })
    const used = measureCpu(server)
    const receiving = this.#subscriber.ask(null, 'received')
    receiving.catch(() => {})
    const sent = await Promise.race([
      this.#publisher.ask({ do: 'publish', messages, window: WINDOW }, 'published'),
      failureOf(receiving),
    ])
    this.#subscriber.tell({ do: 'settle' })
    const received = await receiving
    const cpu = used()
    server.assertAlive()
    await this.#subscriber.ask(null, 'settled')
    await this.#publisher.ask({ do: 'close' }, 'closed')
    const seconds = (received.end - sent.start) / 1e9
    return {
      amount: messages,
      seconds,
      work: received.messages,
      serverCpu: cpu.server,
      machineCpu: cpu.machine,
      loadCpu: sent.cpu + received.cpu,
      values: { rate: received.messages / seconds },
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#publisher.stop(), this.#subscriber.stop()])
  }
}
