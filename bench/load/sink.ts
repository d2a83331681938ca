// A stand-in for a server that does next to nothing: it counts the bytes publishers send and writes as many prepared
// frames to each subscriber. What the load generator reaches against it is the generator's own ceiling.
import { writeSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { deliveryFrame, repeatFrame } from './frames.ts'

const INFO = `INFO ${JSON.stringify({ server_id: 'SINK', version: '0.0.0', max_payload: 1 << 20, headers: true })}\r\n`
const PING = Buffer.from('PING\r\n')
const subscribers = new Set<Socket>()
let out: Buffer = Buffer.alloc(0)
let outFrame = 0
/** Each message goes to one subscriber only. */
let shared = false
let sid = 1
let turn = 0

/** Short blocks go straight to the descriptor, which costs less than the stream's machinery. */
function deliver(socket: Socket, bytes: Buffer): void {
  // _handle is what the stream itself writes to; it has no public name.
  const fd = (socket as unknown as { _handle?: { fd?: number } })._handle?.fd ?? -1
  if (bytes.length < 4096 && fd >= 0 && socket.writableLength === 0) {
    try {
      const written = writeSync(fd, bytes)
      if (written < bytes.length) socket.write(bytes.subarray(written))
      return
    } catch {
      // Full for now: let the stream wait for it.
    }
  }
  socket.write(bytes)
}

/** Requests are answered by the sink itself: the reply subject stands at the same place in every frame. */
class Echo {
  readonly #socket: Socket
  readonly #frame: number
  readonly #replyAt: number
  readonly #reply: number
  readonly #answer: Buffer
  #rest: Buffer = Buffer.alloc(0)

  constructor(socket: Socket, line: string) {
    const [verb, subject, reply, size] = line.trimEnd().split(' ')
    this.#socket = socket
    this.#frame = line.length + Number(size) + 2
    this.#replyAt = `${verb} ${subject} `.length
    this.#reply = reply!.length
    this.#answer = deliveryFrame(reply!, 1, Number(size))
  }

  take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const count = Math.floor(bytes.length / this.#frame)
    const out = repeatFrame(this.#answer, count * this.#answer.length)
    for (let i = 0; i < count; i++) {
      const from = i * this.#frame + this.#replyAt
      bytes.copy(out, i * this.#answer.length + 4, from, from + this.#reply)
    }
    this.#rest = Buffer.from(bytes.subarray(count * this.#frame))
    if (count > 0) deliver(this.#socket, out)
  }
}

const server = createServer({ noDelay: true }, (socket) => {
  let text: string | null = ''
  /** Bytes of one PUB frame; 0 until the first is seen. */
  let inFrame = 0
  let bytes = 0
  let echo: Echo | null = null
  socket.write(INFO)
  socket.on('error', () => {})
  socket.on('close', () => subscribers.delete(socket))
  socket.on('data', (chunk: Buffer) => {
    if (text !== null) {
      text += chunk.toString('latin1')
      if (!text.endsWith('PING\r\n')) return
      const sub = /\r\nSUB (\S+) (?:(\S+) )?1\r\n/.exec(text)
      if (sub !== null && !sub[1]!.startsWith('_INBOX')) subscribers.add(socket)
      if (sub?.[2] !== undefined) shared = true
      text = null
      socket.write('PONG\r\n')
      return
    }
    if (chunk[0] === 0x53) {
      // Subscriptions by the thousand; their ids are numbers of eight digits, and one of them takes each message.
      subscribers.add(socket)
      shared = true
      sid = 10_000_000
    }
    if (echo !== null) return echo.take(chunk)
    if (inFrame === 0 && chunk[0] === 0x50 && chunk[1] === 0x55) {
      const line = chunk.toString('latin1', 0, chunk.indexOf(0x0a) + 1)
      const words = line.trimEnd().split(' ')
      if (words.length === 4) {
        echo = new Echo(socket, line)
        return echo.take(chunk)
      }
      const [, subject, size] = words
      inFrame = line.length + Number(size) + 2
      const frame = deliveryFrame(subject!, sid, Number(size))
      outFrame = frame.length
      out = repeatFrame(frame, Math.max(1 << 20, frame.length))
    }
    // Payloads hold no P, so these bytes at the end are a PING. It comes alone at the end of a run.
    const ends = chunk.length >= 6 && chunk.compare(PING, 0, 6, chunk.length - 6) === 0
    const length = ends ? chunk.length - 6 : chunk.length
    bytes += length
    if (inFrame > 0) {
      let count = Math.floor(bytes / inFrame)
      bytes -= count * inFrame
      while (count > 0) {
        const some = Math.min(count, out.length / outFrame)
        const part = out.subarray(0, some * outFrame)
        if (shared) deliver([...subscribers][turn++ % subscribers.size]!, part)
        else for (const subscriber of subscribers) deliver(subscriber, part)
        count -= some
      }
    }
    if (ends) {
      inFrame = 0
      socket.write('PONG\r\n')
    }
  })
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as { port: number }).port))
process.on('disconnect', () => process.exit(0))
process.on('SIGINT', () => {})
