// What is fuzzed. Each target is one file in targets/ and one entry of targets/index.ts.
import type { Random } from './random.ts'

export interface Target {
  readonly name: string
  readonly about: string
  start(): Promise<Session>
}

export interface Session {
  /** One case. @throws Finding when the thing under test did what it must not. */
  one(random: Random): void | Promise<void>
  /** What has to hold after some hundred cases: it is alive, and has not grown. @throws Finding. */
  check?(): Promise<void>
  stop?(): Promise<void>
}

/** The input is shown with the seed, so that it can become a test. */
export class Finding extends Error {
  readonly input: string
  constructor(what: string, input: string | Buffer, options?: ErrorOptions) {
    super(what, options)
    this.input = typeof input === 'string' ? input : input.toString('latin1')
  }
}
