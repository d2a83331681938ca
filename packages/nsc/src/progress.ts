import type { Io } from './io.ts'

/** Fewer steps than this are over before anybody wonders. */
const WORTH_SHOWING = 10
const INTERVAL_MS = 100

/** How far a long command has got: one line on standard error that is gone at the end. Only at a terminal. */
export class Progress {
  private readonly out: Io['stderr'] | null
  private readonly what: string
  private readonly total: number
  private done = 0
  private shown = 0

  constructor({ stderr }: Io, what: string, total: number) {
    this.out = stderr.isTTY && total >= WORTH_SHOWING ? stderr : null
    this.what = what
    this.total = total
  }

  step(): void {
    this.done++
    if (!this.out || Date.now() - this.shown < INTERVAL_MS) return
    this.shown = Date.now()
    this.out.write(`\r${this.what}: ${this.done} of ${this.total}\x1b[K`)
  }

  end(): void {
    if (this.shown > 0) this.out?.write('\r\x1b[K')
  }
}
