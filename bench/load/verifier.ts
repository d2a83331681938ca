// Checks that a received stream is nothing but the expected frame over and over. Whole chunks are compared with a
// prepared repetition of the frame (one memcmp, some ten gigabytes a second), so even this full proof of arrival costs
// a small part of what the server spends. Control lines between frames (PING, PONG, INFO, -ERR) take the slow way.

const I = 0x49
const M = 0x4d
const P = 0x50
const MINUS = 0x2d
const PLUS = 0x2b
const LF = 0x0a

/** The frame repeated often enough for chunks of up to `longest` bytes to be compared at once. */
export function patternOf(frame: Buffer, longest: number): Buffer {
  return Buffer.alloc((Math.ceil(longest / frame.length) + 1) * frame.length, frame)
}

export class StreamVerifier {
  /** Whole frames seen. */
  frames = 0
  /** PONG lines seen. */
  pongs = 0
  /** Called for each PING of the server, which wants a PONG. */
  onPing: () => void = () => {}
  readonly #frame: Buffer
  readonly #pattern: Buffer
  /** Bytes of the current frame already seen. */
  #phase = 0
  /** A control line that has begun, as text, or null. */
  #line: string | null = null

  /** @param pattern the frame repeated, see {@link patternOf}; verifiers of the same frame share one */
  constructor(frame: Buffer, pattern: Buffer) {
    this.#frame = frame
    this.#pattern = pattern
  }

  /** Takes `chunk[0..length)`. Throws when a byte differs from what has to come. */
  feed(chunk: Buffer, length: number): void {
    const size = this.#frame.length
    let at = 0
    if (this.#line !== null) at = this.#control(chunk, 0, length)
    while (at < length) {
      const rest = length - at
      const phase = this.#phase
      const end = phase + rest
      if (end <= this.#pattern.length && this.#pattern.compare(chunk, at, length, phase, end) === 0) {
        const whole = Math.floor(end / size)
        this.frames += whole
        this.#phase = end - whole * size
        return
      }
      // Not frames alone: take the frames before the control line one by one.
      at = this.#step(chunk, at, length)
    }
  }

  #step(chunk: Buffer, from: number, length: number): number {
    const frame = this.#frame
    let at = from
    while (at < length) {
      if (this.#phase === 0) {
        const first = chunk[at]
        if (first === P || first === I || first === MINUS || first === PLUS) {
          this.#line = ''
          return this.#control(chunk, at, length)
        }
      }
      const take = Math.min(frame.length - this.#phase, length - at)
      if (frame.compare(chunk, at, at + take, this.#phase, this.#phase + take) !== 0) {
        const seen = chunk.toString('latin1', at, Math.min(length, at + 80))
        throw new Error(`after ${this.frames} messages came unexpected bytes: ${JSON.stringify(seen)}`)
      }
      at += take
      this.#phase += take
      if (this.#phase === frame.length) {
        this.#phase = 0
        this.frames++
      }
    }
    return at
  }

  #control(chunk: Buffer, from: number, length: number): number {
    const end = chunk.subarray(0, length).indexOf(LF, from)
    const stop = end < 0 ? length : end + 1
    this.#line += chunk.toString('latin1', from, stop)
    if (end < 0) return stop
    const line = this.#line!.trimEnd()
    this.#line = null
    if (line === 'PING') this.onPing()
    else if (line === 'PONG') this.pongs++
    else if (line.startsWith('INFO ')) return stop
    else throw new Error(`the server sent ${JSON.stringify(line)} after ${this.frames} messages`)
    return stop
  }
}

/** Counts frames of one length whose content may differ, by their first byte and their length. */
export class FrameCounter {
  frames = 0
  pongs = 0
  onPing: () => void = () => {}
  readonly #length: number
  /** Bytes of the current frame still to come. */
  #left = 0
  #line: string | null = null

  constructor(length: number) {
    this.#length = length
  }

  /** Takes `chunk[0..length)`. Throws when a frame does not begin where it has to. */
  feed(chunk: Buffer, length: number): void {
    let at = 0
    while (at < length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, length - at)
        at += taken
        this.#left -= taken
        if (this.#left > 0) return
        if (chunk[at - 1] !== LF) throw new Error(`after ${this.frames} messages came one of another length`)
        this.frames++
      } else if (this.#line === null && chunk[at] === M) this.#left = this.#length
      else {
        const end = chunk.subarray(0, length).indexOf(LF, at)
        const stop = end < 0 ? length : end + 1
        this.#line = (this.#line ?? '') + chunk.toString('latin1', at, stop)
        at = stop
        if (end < 0) return
        const line = this.#line.trimEnd()
        this.#line = null
        if (line === 'PING') this.onPing()
        else if (line === 'PONG') this.pongs++
        else if (!line.startsWith('INFO '))
          throw new Error(`the server sent ${JSON.stringify(line)} after ${this.frames} messages`)
      }
    }
  }
}
