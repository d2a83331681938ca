// Lines that strangers cause as often as they like are logged now and then.

/** More kinds of lines than an honest log has at once; then those that are over are forgotten. */
const REMEMBERED = 1000

export class LogThrottle {
  /** Until when a line is not logged again, on the steady clock. */
  readonly #until = new Map<string, number>()

  /** True when the line has not been let through for so long. */
  lets(line: string, ms: number): boolean {
    const now = performance.now()
    if ((this.#until.get(line) ?? 0) > now) return false
    if (this.#until.size >= REMEMBERED) {
      for (const [other, until] of this.#until) if (until <= now) this.#until.delete(other)
    }
    if (this.#until.size < REMEMBERED) this.#until.set(line, now + ms)
    return true
  }
}
