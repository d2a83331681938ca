// Throughput rows: publishers in one process, subscribers in another, a steady stream of equal messages between them.
import type { Endpoint } from '../load/connection.ts'
import { measureCpu, type RunningEngine } from './engine.ts'
import { LoadProcess } from './load-process.ts'
import { cpuMetric, type Metric, memoryMetric, type Outcome, type Row, type Session } from './row.ts'

export interface StreamShape {
  publishers: number
  /** 0: nobody listens, the rate is what the server takes in. */
  subscribers: number
  /** Payload, bytes. */
  size: number
  /** They share the messages as one queue group. */
  queue?: boolean
  transport?: 'tls' | 'websocket'
  /** Users, and so accounts, of the two sides. */
  users?: { publisher: string; subscriber: string }
  /** A file of users with JWTs, of which both sides are the first. */
  jwtUsers?: string
}

/**
 * Bytes a subscriber may be behind. Without a bound the fastest server would only prove that it can be told faster
 * than a receiver on the same machine can listen, and cut that receiver off as a slow consumer.
 */
const WINDOW = 24 * 1024 * 1024
const SUBJECT = 'bench.stream'

/** A row whose rate is messages per second: taken in when nobody listens, else delivered. */
export function streamRow(
  name: string,
  title: string,
  shape: StreamShape,
  targets: { rate?: number; cpu?: number },
  more: Pick<Row, 'config' | 'ceiling'> = {},
): Row {
  const rate: Metric = {
    key: 'rate',
    label: 'msgs/s',
    better: 'higher',
    ...(targets.rate === undefined ? {} : { target: targets.rate }),
  }
  return {
    name,
    title,
    metrics: [rate, cpuMetric(targets.cpu), ...(shape.queue === true ? [UNEVEN] : []), memoryMetric],
    workUnit: shape.subscribers > 1 && shape.queue !== true ? 'delivery' : 'msg',
    warmUp: Math.max(200, Math.min(200_000, Math.floor(50_000_000 / (shape.size + 50)))),
    ...more,
    prepare: () => openStream(shape),
  }
}

/** How far the member with most or least messages is from its share, percent. */
const UNEVEN: Metric = { key: 'uneven', label: 'uneven %', better: 'lower', limit: 5 }

export function endpoint(server: RunningEngine, transport?: 'tls' | 'websocket', user?: string): Endpoint {
  return {
    port: transport === 'websocket' ? server.websocketPort : server.port,
    ...(transport === undefined ? {} : { transport }),
    ...(user === undefined ? {} : { user }),
  }
}

export function openStream(shape: StreamShape): Session {
  const publisher = new LoadProcess('publisher')
  const subscriber = shape.subscribers > 0 ? new LoadProcess('subscriber') : null
  const { size } = shape
  const jwt = shape.jwtUsers === undefined ? {} : { users: shape.jwtUsers }
  return {
    async run(server, amount): Promise<Outcome> {
      const each = Math.max(1, Math.round(amount / shape.publishers))
      const published = each * shape.publishers
      const window = subscriber === null ? Number.MAX_SAFE_INTEGER : Math.ceil(WINDOW / (size + 50))
      if (subscriber !== null) {
        subscriber.onProgress = (received) => publisher.tell({ do: 'progress', received })
        await subscriber.ask(
          {
            do: 'subscribe',
            at: { ...endpoint(server, shape.transport, shape.users?.subscriber), ...jwt },
            connections: shape.subscribers,
            subject: SUBJECT,
            ...(shape.queue === true ? { queue: 'workers' } : {}),
            size,
            expect: published,
          },
          'ready',
        )
      }
      await publisher.ask(
        {
          do: 'publish-ready',
          at: { ...endpoint(server, shape.transport, shape.users?.publisher), ...jwt },
          connections: shape.publishers,
          subjects: SUBJECT,
          size,
        },
        'ready',
      )
      const used = measureCpu(server)
      const receiving = subscriber?.ask(null, 'received')
      // Handled below; it must not count as unhandled while the publisher is still awaited.
      receiving?.catch(() => {})
      const sent = await Promise.race([
        publisher.ask({ do: 'publish', messages: each, window }, 'published'),
        failureOf(receiving),
      ])
      subscriber?.tell({ do: 'settle' })
      const received = await receiving
      const cpu = used()
      server.assertAlive()
      await subscriber?.ask(null, 'settled')
      await Promise.all([
        publisher.ask({ do: 'close' }, 'closed'),
        subscriber?.ask({ do: 'close' }, 'closed'),
      ])
      const deliveries = received?.messages ?? published
      if (deliveries !== published * (shape.queue === true ? 1 : Math.max(1, shape.subscribers))) {
        throw new Error(
          `${deliveries} deliveries of ${published} messages to ${shape.subscribers} subscribers`,
        )
      }
      const seconds = ((received?.end ?? sent.end) - sent.start) / 1e9
      return {
        amount: published,
        seconds,
        work: deliveries,
        serverCpu: cpu.server,
        machineCpu: cpu.machine,
        loadCpu: sent.cpu + (received?.cpu ?? 0),
        values: {
          rate: deliveries / seconds,
          ...(received !== undefined && shape.queue === true ? { uneven: unevenness(received.each) } : {}),
        },
      }
    },
    async close() {
      await Promise.all([publisher.stop(), subscriber?.stop()])
    },
  }
}

function unevenness(each: readonly number[]): number {
  const share = each.reduce((sum, count) => sum + count, 0) / each.length
  return Math.max(...each.map((count) => (Math.abs(count - share) / share) * 100))
}

/** Settles only when `work` fails, and then like it. */
export function failureOf(work: Promise<unknown> | undefined): Promise<never> {
  return new Promise((_, reject) => work?.catch(reject))
}
