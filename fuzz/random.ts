// Repeatable chance: the same seed gives the same cases on every machine.

export class Random {
  #state: number
  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 to 2^32 - 1 (mulberry32). */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return (value ^ (value >>> 14)) >>> 0
  }
  /** 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor((this.bits() / 2 ** 32) * below)
  }
  /** True in one of `n` cases. */
  oneIn(n: number): boolean {
    return this.below(n) === 0
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }
  /** Up to `most` results of `make`. */
  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make)
  }

  /** The bytes with a few of them changed, dropped, doubled or swapped for ones that tend to hurt. */
  damage(bytes: Buffer): Buffer {
    let damaged = Buffer.from(bytes)
    for (let i = 1 + this.below(4); i > 0 && damaged.length > 0; i--) {
      const at = this.below(damaged.length)
      switch (this.below(5)) {
        case 0:
          damaged[at] = this.below(256)
          break
        case 1:
          damaged = Buffer.concat([damaged.subarray(0, at), damaged.subarray(at + 1 + this.below(8))])
          break
        case 2:
          damaged = Buffer.concat([
            damaged.subarray(0, at),
            damaged.subarray(Math.max(0, at - this.below(32))),
          ])
          break
        case 3:
          damaged = damaged.subarray(0, at)
          break
        default:
          damaged = Buffer.concat([
            damaged.subarray(0, at),
            Buffer.from(
              this.pick([
                '\0',
                '\r',
                '\n',
                '\r\n',
                ' ',
                '\t',
                '.',
                '*',
                '>',
                '"',
                '{',
                '}',
                '[',
                '-1',
                '9'.repeat(20),
                '\u00e9',
                '\ud83d\ude00',
                '$',
                '\\',
              ]),
            ),
            damaged.subarray(at),
          ])
      }
    }
    return damaged
  }
}
