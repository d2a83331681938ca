// Gives memory back after very many connections have gone. V8 collects when something is allocated and keeps the pages it has emptied:
// a server that has become quiet would stay as large as it was at its busiest.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Server } from './server.ts'

/** So many connections make it worth while. */
const ENOUGH = 1_000
const LOOK_EVERY_MS = 1_000
/** More messages between two looks, and the server is not quiet: a collection takes some tens of ms. */
const QUIET_MSGS = 100

type Collect = (options: { type: 'major'; flavor: 'last-resort' }) => void

export class IdleMemory {
  readonly #server: Server
  #gone = 0
  #timer: NodeJS.Timeout | null = null
  #collect: Collect | null = null
  /** What a look compares with the one before. */
  #seen = { msgs: -1, gone: -1, total: -1 }

  constructor(server: Server) {
    this.#server = server
  }

  connectionClosed(): void {
    if (++this.#gone >= ENOUGH) this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref()
  }

  #look(): void {
    const { inMsgs, outMsgs } = this.#server.traffic()
    const before = this.#seen
    const now = { msgs: inMsgs + outMsgs, gone: this.#gone, total: this.#server.totalConnections }
    this.#seen = now
    if (now.msgs - before.msgs > QUIET_MSGS || now.gone !== before.gone || now.total !== before.total) return
    this.stop()
    this.#gone = 0
    this.#collect ??= collector()
    // This flavour also hands emptied pages back to the system.
    this.#collect({ type: 'major', flavor: 'last-resort' })
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }
}

/** V8's own entry, which is there when asked for by a flag. */
function collector(): Collect {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as Collect
}
