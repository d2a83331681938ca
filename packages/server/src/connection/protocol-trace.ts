// Trace mode: the protocol lines of a connection in the log, with secrets blotted out. A connection that is not traced has none of this:
// the parser's sink is the client itself, and its outbox has no tap.
import type { Options } from '../options.ts'
import type { Parser, Sink } from '../protocol/parser.ts'
import type { RefusalName } from '../protocol/refusals.ts'
import { quote } from '../quote.ts'
import { fromWire } from '../subject/subject.ts'
import type { Client } from './client.ts'
import { withoutSecrets } from './secrets.ts'

/** How logs show a message that begins with `headerSize` bytes of headers (-1 for none); null for not at all. */
export function payloadText(
  { traceHeaders, maxTracedMsgLen }: Options,
  data: Buffer,
  headerSize: number,
): string | null {
  let shown = data
  if (traceHeaders) {
    if (headerSize <= 0) return null
    // Without the empty line that ends headers.
    shown = data.subarray(0, Math.max(0, headerSize - 4))
  }
  if (shown.length === 0) return null
  if (maxTracedMsgLen <= 0 || shown.length <= maxTracedMsgLen) return quote(shown.latin1Slice())
  return `"${quote(shown.latin1Slice(0, maxTracedMsgLen)).slice(1, -1)}..."`
}

const LF = 10

export class ProtocolTrace implements Sink {
  readonly #client: Client
  readonly #parser: Parser
  /** The end of what was sent that is no whole operation yet. */
  #rest: Buffer = Buffer.alloc(0)
  /** The line of the publish that comes is in the log already. */
  #isAnnounced = false

  constructor(client: Client, parser: Parser) {
    this.#client = client
    this.#parser = parser
  }

  #log(text: string): void {
    this.#client.server.log.trace(`${this.#client.label} - ${text}`)
  }
  #received(operation: string, args = ''): void {
    this.#log(`<<- [${operation}${args === '' ? '' : ` ${fromWire(args)}`}]`)
  }

  #payload(direction: '<<-' | '->>', data: Buffer, headerSize: number): void {
    const text = payloadText(this.#client.server.options, data, headerSize)
    if (text !== null) this.#log(`${direction} MSG_PAYLOAD: [${text}]`)
  }

  #publishLine({ args, subjectStart, sizeEnd, headerSize }: Parser): void {
    this.#received(headerSize < 0 ? 'PUB' : 'HPUB', args.latin1Slice(subjectStart, sizeEnd))
  }

  // What came: the sink of the parser, in front of the client.

  publish(frame: Parser): void {
    if (!this.#isAnnounced) this.#publishLine(frame)
    this.#isAnnounced = false
    this.#payload('<<-', frame.data.subarray(frame.dataStart, frame.dataEnd), frame.headerSize)
    this.#client.publish(frame)
    this.#settle()
  }
  announce(frame: Parser): void {
    if (!this.#isAnnounced) this.#publishLine(frame)
    this.#isAnnounced = true
    this.#client.announce(frame)
    this.#settle()
  }
  subscribe(subject: string, queue: string | null, sid: string): void {
    this.#received('SUB', this.#parser.line())
    this.#client.subscribe(subject, queue, sid)
    this.#settle()
  }
  unsubscribe(sid: string, max: number): void {
    this.#received('UNSUB', this.#parser.line())
    this.#client.unsubscribe(sid, max)
    this.#settle()
  }
  connect(json: string): void {
    // The JSON is text already, not bytes of the wire.
    this.#log(`<<- [CONNECT ${withoutSecrets(json)}]`)
    this.#client.connect(json)
    this.#settle()
  }
  ping(): void {
    this.#received('PING')
    this.#client.ping()
    this.#settle()
  }
  pong(): void {
    this.#received('PONG')
    this.#client.pong()
    this.#settle()
  }
  refuse(why: RefusalName): void {
    if (why === 'maxPayload') this.#publishLine(this.#parser)
    this.#client.refuse(why)
  }
  midway(): void {
    this.#client.midway()
  }

  unauthenticated(): boolean {
    return this.#client.unauthenticated()
  }

  /** Writes out at once what the operation has caused, so that the log has causes and effects in turn. */
  #settle(): void {
    const { server } = this.#client
    server.endBatch(this.#client)
    server.beginBatch()
  }

  // What goes.

  /** The subscription has ended, by itself or with its connection. */
  removed(sid: string): void {
    this.#client.outbox.flush()
    this.#log(`<-> [DELSUB ${fromWire(sid)}]`)
  }

  /** Bytes on their way to the peer, in their order; operations may be cut anywhere. */
  readonly sent = (bytes: Buffer): void => {
    // The bytes are a pooled buffer's: what is kept is copied.
    let buffer = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    for (let size = this.#operation(buffer); size > 0; size = this.#operation(buffer))
      buffer = buffer.subarray(size)
    this.#rest = buffer.length === 0 ? buffer : Buffer.from(buffer)
  }

  /** Logs the first operation. Returns its bytes; 0 when it is not whole. */
  #operation(buffer: Buffer): number {
    const newline = buffer.indexOf(LF)
    if (newline < 0) return 0
    const line = buffer.latin1Slice(0, newline - 1)
    const end = newline + 1
    if (line.startsWith('MSG ') || line.startsWith('HMSG ')) {
      const words = line.split(' ')
      const size = Number(words.at(-1))
      if (buffer.length < end + size + 2) return 0
      this.#log(`->> [${fromWire(line)}]`)
      const headerSize = line.startsWith('H') ? Number(words.at(-2)) : -1
      this.#payload('->>', buffer.subarray(end, end + size), headerSize)
      return end + size + 2
    }
    if (line === '+OK') this.#log('->> [OK]')
    else if (line.startsWith('-ERR')) this.#log(`->> [-ERR ${fromWire(line.slice(6, -1))}]`)
    else if (!line.startsWith('INFO')) this.#log(`->> [${line}]`)
    return end
  }
}
