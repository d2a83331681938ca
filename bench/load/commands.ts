// What the bench and its load processes say to each other over the IPC channel. Times are nanoseconds of the
// system's monotonic clock, which all processes of a machine share.
import type { Endpoint } from './connection.ts'
import type { Subjects } from './subjects.ts'

export type Command =
  /** Subscribers of one subject that each get every message, or share them in a queue group. */
  | {
      do: 'subscribe'
      at: Endpoint
      connections: number
      subject: string
      queue?: string
      size: number
      expect: number
    }
  /** `count` subscriptions by rule, spread over connections. */
  | { do: 'spread'; at: Endpoint; connections: number; subjects: Subjects; size: number }
  | { do: 'expect'; messages: number }
  | { do: 'publish-ready'; at: Endpoint; connections: number; subjects: Subjects | string; size: number }
  /** `messages` by each connection; `rate` per second in all, as fast as it goes without. */
  | { do: 'publish'; messages: number; window: number; rate?: number }
  | { do: 'progress'; received: number }
  | { do: 'settle' }
  | { do: 'wide-ready'; at: Endpoint; connections: number; subject: string; size: number }
  | { do: 'wide'; rounds: number }
  /** A service: answers each request with the same payload. */
  | { do: 'respond'; at: Endpoint; subject: string; size: number }
  | { do: 'request-ready'; at: Endpoint; subject: string; size: number }
  /** `outstanding` at a time, or `rate` per second whatever comes back. */
  | { do: 'request'; requests: number; outstanding: number; rate?: number }
  /** Connections that stay. */
  | { do: 'connect'; at: Endpoint; connections: number; subscribe?: boolean }
  | { do: 'close' }

export type Report =
  | { is: 'ready' }
  | { is: 'progress'; received: number }
  /** All messages written and processed by the server (its PONG came). */
  | { is: 'published'; start: number; end: number; cpu: number }
  /** The last subscriber has its last message. `each` is what the connections got. */
  | { is: 'received'; end: number; messages: number; cpu: number; each: number[] }
  /** Every subscriber has all its messages and not one more. */
  | { is: 'settled' }
  /** Time from publishing until the last subscriber had it, microseconds, one per round. */
  | { is: 'wide'; start: number; end: number; latencies: number[]; cpu: number }
  /** Round trips in microseconds. `behind`: the most requests that had to wait for a free place. */
  | { is: 'requested'; start: number; end: number; latencies: number[]; cpu: number; behind: number }
  | { is: 'connected'; start: number; end: number; cpu: number }
  | { is: 'closed' }
  | { is: 'failed'; reason: string }

export function now(): number {
  return Number(process.hrtime.bigint())
}

/** Processor time of this process so far, microseconds. */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

export function report(message: Report): void {
  process.send?.(message)
}

/** Runs `handle` for each command; what it throws or rejects with is reported as a failure of the run. */
export function serve(handle: (command: Command) => void | Promise<void>): void {
  process.on('message', (command: Command) => {
    Promise.resolve()
      .then(() => handle(command))
      .catch(fail)
  })
  // The bench is gone: so is the reason to live.
  process.on('disconnect', () => process.exit(0))
  // A terminal's Ctrl-C reaches the whole group; the bench decides when the load ends.
  process.on('SIGINT', () => {})
}

export function fail(reason: unknown): void {
  report({ is: 'failed', reason: reason instanceof Error ? reason.message : String(reason) })
}
