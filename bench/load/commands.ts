// What the bench and its load processes say to each other over the IPC channel. Times are nanoseconds of the
// system's monotonic clock, which all processes of a machine share.

export type Command =
  | { do: 'subscribe'; port: number; connections: number; subject: string; size: number; expect: number }
  | { do: 'publish-ready'; port: number; connections: number; subject: string; size: number }
  | { do: 'publish'; messages: number; window: number }
  | { do: 'progress'; received: number }
  | { do: 'settle' }
  | { do: 'wide-ready'; port: number; connections: number; subject: string; size: number }
  | { do: 'wide'; rounds: number }
  | { do: 'close' }

export type Report =
  | { is: 'ready' }
  | { is: 'progress'; received: number }
  /** All messages written and processed by the server (its PONG came). */
  | { is: 'published'; start: number; end: number; cpu: number }
  /** The last subscriber has its last message. */
  | { is: 'received'; end: number; messages: number; cpu: number }
  /** Every subscriber has all its messages and not one more. */
  | { is: 'settled' }
  /** Time from publishing until the last subscriber had it, microseconds, one per round. */
  | { is: 'wide'; start: number; end: number; latencies: number[]; cpu: number }
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
