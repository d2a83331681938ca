// One entry of an account's subject index: a client's subscription, its shadow in an exporting account, or a handler inside the server.
import type { Client } from '../connection/client.ts'
import type { Frame } from '../frame.ts'
import type { StreamImport } from './sharing.ts'

/** Takes a message inside the server. True when somebody got it, which is what no-responders asks for. */
export type InternalHandler = (subject: string, frame: Frame, origin: Client | null) => boolean

export class Subscription {
  readonly client: Client | null
  readonly handler: InternalHandler | null
  readonly subject: string
  readonly queue: string | null
  readonly sid: string
  /** After so many deliveries it ends; 0 for never. */
  max = 0
  delivered = 0
  closed = false
  /** Deliveries are tested against the deny list. */
  filter = false
  /** Of a shadow: the import that it stands for, which knows the names that messages get there; null for all others. */
  stream: StreamImport | null = null
  /** Of a client's subscription: its shadows in exporting accounts, null for none. */
  shadows:
    | { subscription: Subscription; exporter: { removeSubscription(subscription: Subscription): void } }[]
    | null = null

  constructor(
    client: Client | null,
    handler: InternalHandler | null,
    subject: string,
    queue: string | null,
    sid: string,
  ) {
    this.client = client
    this.handler = handler
    this.subject = subject
    this.queue = queue
    this.sid = sid
  }

  /** True when the client's deny list takes this message from it. Only with `filter`. */
  isDenied(subject: string): boolean {
    const { stream, queue } = this
    // Over a stream import it is the name that the message gets.
    const name = stream === null ? subject : stream.renaming.forward(subject)
    return !this.client!.permissions!.mayReceive(name, queue)
  }
}

/** What a subject matches: every plain subscription, and one member of each group. */
export interface MatchResult {
  readonly generation: number
  readonly plain: Subscription[]
  readonly groups: Subscription[][]
}
