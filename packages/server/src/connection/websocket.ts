// The WebSocket transport: the same protocol bytes in binary messages. Several operations may share a message and one may span several.
import { isUtf8 } from 'node:buffer'
import type { Socket } from 'node:net'
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import type { CloseReason } from '../protocol/refusals.ts'
import {
  BINARY,
  CLOSE,
  COMPRESSED,
  closeFrame,
  FrameReader,
  type FrameSink,
  FramingError,
  frame,
  isCloseCode,
  PONG,
} from '../protocol/websocket.ts'
import { readShared } from './shared-read.ts'
import {
  fdOf,
  LINGER_MS,
  plainAddress,
  type TlsSession,
  type Transport,
  type TransportEvents,
} from './transport.ts'
import type { Upgrade } from './upgrade.ts'

/** Browsers get messages of no more. */
const BROWSER_MESSAGE = 4096
/** What is shorter is not worth compressing. */
const COMPRESSED_FROM = 65
/** A message may be so many times as long as a payload before it is inflated... */
const DEFLATED_PART = 8
const DEFLATED_LIMIT = 64 * 1024 * 1024
/** ...and as long as a payload after it; so long where payloads have no limit. */
const DEFAULT_INFLATED = 1024 * 1024
/** How a deflated block ends that is no stream's last; messages go without it. */
const TAIL = Buffer.from([0, 0, 0xff, 0xff])
const NOTHING = Buffer.alloc(0)

const CODES: Readonly<Partial<Record<CloseReason, number>>> = {
  'Client Closed': 1000,
  'Server Shutdown': 1001,
  'Stale Connection': 1001,
  'Parse Error': 1002,
  'Protocol Violation': 1002,
  'Bad Client Protocol Version': 1002,
  'Authentication Timeout': 1008,
  'Authentication Failure': 1008,
  'Authentication Expired': 1008,
  'Credentials Revoked': 1008,
  'Missing Account': 1008,
  'Maximum Connections Exceeded': 1008,
  'Maximum Account Connections Exceeded': 1008,
  'Maximum Control Line Exceeded': 1008,
  'Maximum Subscriptions Exceeded': 1008,
  'Maximum Message Payload Exceeded': 1009,
}
const OTHER_CODE = 1011

export class WebSocketTransport implements Transport, FrameSink {
  readonly type = 'WEBSOCKET'
  readonly remoteAddress: string
  readonly remotePort: number
  readonly tls: TlsSession | null
  readonly fd: number
  readonly framed: boolean
  readonly credentials: Upgrade['credentials']
  readonly forwardedFor: string
  readonly #socket: Socket
  readonly #events: TransportEvents
  readonly #upgrade: Upgrade
  readonly #reader: FrameReader
  /** The compressed message in hand: a buffer that grows, since pieces may be many and small, and how much of it is used. */
  #deflated: Buffer = NOTHING
  #deflatedSize = 0
  /** The close frame to send, when it is not that of the close reason: the echo of the peer's, or what it did wrong. */
  #close: Buffer | null = null
  #gone = false

  constructor(socket: Socket, tls: TlsSession | null, upgrade: Upgrade, events: TransportEvents) {
    this.#socket = socket
    this.#events = events
    this.#upgrade = upgrade
    this.tls = tls
    this.credentials = upgrade.credentials
    this.forwardedFor = upgrade.forwardedFor
    this.remoteAddress = plainAddress(socket.remoteAddress)
    this.remotePort = socket.remotePort ?? 0
    // The usual client takes a batch as one message: the outbox makes the frame in place and may write past the stream.
    this.framed = !upgrade.browser && !upgrade.compression
    this.fd = this.framed && tls === null ? fdOf(socket) : -1
    this.#reader = new FrameReader(this, !upgrade.unmasked, upgrade.compression)
    let problem: Error | null = null
    socket.on('error', (error) => {
      problem = error
    })
    socket.on('end', () => {
      if (!this.#gone) socket.write(closeFrame(1000, 'Client Closed'))
      socket.end()
    })
    socket.on('close', () => events.onClose(problem))
  }

  /** Delivers what comes in, from now on. */
  start(): void {
    const take = (chunk: Buffer): void => this.#read(chunk)
    if (!readShared(this.#socket, take)) this.#socket.on('data', take)
    this.#socket.resume()
  }

  #read(chunk: Buffer): void {
    if (this.#gone) return
    try {
      this.#reader.feed(chunk)
    } catch (error) {
      if (!(error instanceof FramingError)) throw error
      this.#fail(error.message)
    }
  }

  /** Ends the connection for what the peer sent. */
  #fail(text: string): void {
    this.#close ??= closeFrame(1002, text)
    this.#over(new FramingError(text))
  }
  /** The peer has ended the conversation, if not the connection. */
  #over(error: Error | null): void {
    if (this.#gone) return
    this.#gone = true
    this.#events.onEnded(error)
  }

  // What the frames hold -------------------------------------------------------------------------------------------------------

  onBytes(bytes: Buffer): void {
    this.#events.onData(bytes)
  }

  onCompressed(piece: Buffer, last: boolean): void {
    const { maxPayload } = this.#events
    const limit = maxPayload > 0 ? maxPayload : DEFAULT_INFLATED
    const size = this.#deflatedSize + piece.length
    if (size > Math.min(DEFLATED_PART * limit, DEFLATED_LIMIT)) {
      this.#fail('maximum payload exceeded')
      return
    }
    if (size + TAIL.length > this.#deflated.length) {
      const larger = Buffer.allocUnsafeSlow(2 * size + TAIL.length)
      this.#deflated.copy(larger, 0, 0, this.#deflatedSize)
      this.#deflated = larger
    }
    piece.copy(this.#deflated, this.#deflatedSize)
    this.#deflatedSize = size
    if (!last) return
    TAIL.copy(this.#deflated, size)
    const message = this.#deflated.subarray(0, size + TAIL.length)
    this.#deflated = NOTHING
    this.#deflatedSize = 0
    let bytes: Buffer
    try {
      bytes = inflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: limit })
    } catch (error) {
      const large = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      this.#fail(large ? 'maximum payload exceeded' : (error as Error).message)
      return
    }
    if (bytes.length > 0) this.#events.onData(bytes)
  }

  onPing(payload: Buffer): void {
    const pong = frame(PONG, payload)
    if (this.framed) this.#events.onControl(pong)
    // To a peer that is behind with reading, only its last PING has to be answered.
    else if (!this.#socket.writableNeedDrain) this.#socket.write(pong)
  }

  onCloseFrame(payload: Buffer): void {
    if (payload.length === 1) return this.#fail('close frame payload cannot be 1 byte')
    if (payload.length === 0) this.#close = frame(CLOSE, payload)
    else {
      const code = payload.readUInt16BE()
      if (!isCloseCode(code)) return this.#fail(`invalid close status code ${code}`)
      const text = payload.subarray(2)
      this.#close = isUtf8(text)
        ? frame(CLOSE, payload)
        : closeFrame(1007, 'invalid utf8 body in close frame')
    }
    this.#over(null)
  }

  // Sending --------------------------------------------------------------------------------------------------------------------

  write(bytes: Buffer, done: (error?: Error | null) => void): void {
    if (this.framed) this.#socket.write(bytes, done)
    else this.#socket.write(this.#frames(bytes), done)
  }

  /** Messages for a browser, or compressed ones. */
  #frames(bytes: Buffer): Buffer {
    const { browser, compression, wholeCompressed } = this.#upgrade
    if (compression && bytes.length >= COMPRESSED_FROM) {
      const deflated = deflateRawSync(bytes, {
        level: constants.Z_BEST_SPEED,
        finishFlush: constants.Z_SYNC_FLUSH,
      })
      const message = deflated.subarray(0, -TAIL.length)
      if (!browser || wholeCompressed) return frame(BINARY | COMPRESSED, message)
      // Pieces of one message: the first says that it is compressed.
      return Buffer.concat(
        slices(message).map((piece, i, all) =>
          frame(i === 0 ? BINARY | COMPRESSED : 0, piece, i === all.length - 1),
        ),
      )
    }
    return browser ? Buffer.concat(slices(bytes).map((piece) => frame(BINARY, piece))) : frame(BINARY, bytes)
  }

  pause(): void {
    this.#socket.pause()
  }
  resume(): void {
    this.#socket.resume()
  }
  end(reason: CloseReason): void {
    this.#gone = true
    const socket = this.#socket
    socket.resume()
    socket.end(this.#close ?? closeFrame(CODES[reason] ?? OTHER_CODE, reason))
    setTimeout(() => socket.destroy(), LINGER_MS).unref()
  }
  destroy(): void {
    // What the peer did wrong is said even where nothing else is.
    if (this.#close !== null && !this.#socket.destroyed) this.end('Protocol Violation')
    else this.#socket.destroy()
  }
}

function slices(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += BROWSER_MESSAGE)
    parts.push(bytes.subarray(at, at + BROWSER_MESSAGE))
  return parts
}
