// What a handler of the system account gets and gives.
import type { Client } from '../connection/client.ts'

/** A message to a handler of the server. */
export interface Request {
  readonly subject: string
  /** Empty when nobody waits for an answer. */
  readonly reply: string
  /** The header block as latin1, empty for none. */
  readonly headers: string
  /** Without headers. Valid during the call only. */
  readonly bytes: Buffer
  readonly text: string
  /** The client that sent it, also through an import; null for the server itself. */
  readonly origin: Client | null
}

export interface Answer {
  data?: unknown
  error?: unknown
  statsz?: unknown
}

/** The answer of a request that has nothing to say but that it was done. */
export const DONE = Symbol('done')

/** Why something was not done; the answer has no data, where that of a question has null. */
export class Refusal extends Error {}
