// When file descriptors run out, accepting pauses and goes on once connections have ended. Some are kept back, so that log files, the
// store of account JWTs and monitoring still get theirs; the connections that exist notice nothing.
import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Server as NetServer } from 'node:net'
import type { Logger } from './log.ts'

/** Kept back for files and other listeners, or an eighth of very few. */
const RESERVE = 32
const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 1_000

/** Descriptors this process may have open; infinite where the system does not say. */
function descriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** POSIX hands out the lowest free descriptor: a number says how many are taken. */
function lowestFree(): number {
  const descriptor = openSync('/dev/null', 'r')
  closeSync(descriptor)
  return descriptor
}

/** Pauses a listener while there are too few descriptors. `listen` opens it again. */
export class AcceptGuard {
  readonly #net: NetServer
  readonly #log: Logger
  readonly #listen: () => Promise<unknown>
  readonly #limit = descriptorLimit()
  readonly #ceiling = this.#limit - Math.min(RESERVE, Math.ceil(this.#limit / 8))
  #timer: NodeJS.Timeout | null = null

  constructor(net: NetServer, log: Logger, listen: () => Promise<unknown>) {
    this.#net = net
    this.#log = log
    this.#listen = listen
  }

  /** To be told the descriptor of every connection that was accepted. */
  accepted(descriptor: number): void {
    if (descriptor < this.#ceiling || this.#timer !== null) return
    // Without a listener newcomers are refused at once and try elsewhere, instead of being accepted and dropped.
    this.#net.close()
    this.#pause(FIRST_PAUSE_MS)
  }

  #pause(ms: number): void {
    this.#log.error(
      `Temporary Client Accept Error(too many open files: ${this.#ceiling} of ${this.#limit} are in use, the rest is kept for the server), sleeping ${ms}ms`,
    )
    this.#timer = setTimeout(() => this.#resume(Math.min(ms * 2, LONGEST_PAUSE_MS)), ms)
  }

  async #resume(next: number): Promise<void> {
    try {
      if (lowestFree() >= this.#ceiling) {
        this.#pause(next)
        return
      }
      this.#timer = null
      await this.#listen()
    } catch (error) {
      this.#log.error((error as Error).message)
      this.#pause(LONGEST_PAUSE_MS)
    }
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
