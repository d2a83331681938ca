// WebSocket frames (RFC 6455): read in place from whatever pieces they come in, and their headers written.
//
// The payload of data frames is a stream of protocol bytes, whatever messages and fragments it comes in. It is unmasked and moved to the
// front of the chunk in one pass, so that the parser sees one piece a chunk and no bytes are copied elsewhere.

export const BINARY = 2
const CONTINUATION = 0
const TEXT = 1
export const CLOSE = 8
const PING = 9
export const PONG = 10

const FIN = 0x80
export const COMPRESSED = 0x40
const RESERVED = 0x30
const MASKED = 0x80

/** A header of a frame that a server sends takes no more. */
export const HEADER_ROOM = 10
const LARGEST_CONTROL = 125

/** What breaks the framing; the text is for the close frame and the log. */
export class FramingError extends Error {}

export interface FrameSink {
  /** Bytes of uncompressed data frames, in their order. */
  onBytes(bytes: Buffer): void
  /** A piece of a compressed message, which has to be kept and copied; `last` completes the message. */
  onCompressed(piece: Buffer, last: boolean): void
  onPing(payload: Buffer): void
  /** The peer's close frame. Nothing is read after it. */
  onCloseFrame(payload: Buffer): void
}

export class FrameReader {
  readonly #sink: FrameSink
  /** Frames have to be masked; false where the client was allowed not to. */
  readonly #masked: boolean
  readonly #compression: boolean

  // The header in the making, and how many bytes it will have as far as it is known.
  readonly #header = Buffer.alloc(14)
  #have = 0
  #need = 2
  // The frame in hand: bytes of its payload that are to come, -1 while its header is incomplete.
  #left = -1
  #opcode = 0
  #final = true
  /** Of the mask for the next byte. */
  #phase = 0
  readonly #mask = [0, 0, 0, 0]
  /** A message is open: only continuation frames may follow. */
  #open = false
  #compressedMessage = false
  readonly #control = Buffer.alloc(LARGEST_CONTROL)
  #controlSize = 0
  #stopped = false

  constructor(sink: FrameSink, masked: boolean, compression: boolean) {
    this.#sink = sink
    this.#masked = masked
    this.#compression = compression
  }

  /** Takes the next bytes of the connection; the chunk is overwritten. @throws FramingError; nothing more can be read then. */
  feed(chunk: Buffer): void {
    const end = chunk.length
    let at = 0
    /** Payload bytes that were moved to the front. */
    let moved = 0
    while (at < end && !this.#stopped) {
      if (this.#left < 0) {
        this.#header[this.#have++] = chunk[at++]!
        if (this.#have < this.#need) continue
        if (!this.#readHeader()) continue
      }
      const size = Math.min(this.#left, end - at)
      const whole = size === this.#left
      this.#left = whole ? -1 : this.#left - size
      if (this.#opcode >= CLOSE) {
        this.#unmask(chunk, at, at + size, this.#control, this.#controlSize)
        this.#controlSize += size
        if (whole) {
          if (moved > 0) this.#sink.onBytes(chunk.subarray(0, moved))
          moved = 0
          this.#endControl()
        }
      } else if (this.#compressedMessage) {
        if (moved > 0) this.#sink.onBytes(chunk.subarray(0, moved))
        moved = 0
        this.#unmask(chunk, at, at + size, chunk, at)
        this.#sink.onCompressed(chunk.subarray(at, at + size), whole && this.#final)
      } else {
        this.#unmask(chunk, at, at + size, chunk, moved)
        moved += size
      }
      at += size
    }
    if (moved > 0) this.#sink.onBytes(chunk.subarray(0, moved))
  }

  /** Looks at the header as far as it is there. True when it is whole. @throws FramingError. */
  #readHeader(): boolean {
    const header = this.#header
    const length = header[1]! & 0x7f
    if (this.#have === 2) {
      this.#judge(header[0]!, header[1]!)
      this.#need = 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (this.#masked ? 4 : 0)
      if (this.#need > 2) return false
    }
    let at = 2
    this.#left = length
    if (length === 126) {
      this.#left = header.readUInt16BE(2)
      at = 4
    } else if (length === 127) {
      if (header[2]! & 0x80) throw new FramingError('invalid 64-bit payload length')
      this.#left = header.readUInt32BE(2) * 2 ** 32 + header.readUInt32BE(6)
      at = 10
    }
    if (this.#masked) for (let i = 0; i < 4; i++) this.#mask[i] = header[at + i]!
    this.#phase = 0
    this.#have = 0
    this.#need = 2
    return true
  }

  #judge(first: number, second: number): void {
    const refuse = (text: string): never => {
      throw new FramingError(text)
    }
    const opcode = first & 0x0f
    const final = (first & FIN) !== 0
    const compressed = (first & COMPRESSED) !== 0
    if ((first & RESERVED) !== 0) refuse('RSV2 and RSV3 must be clear')
    if (compressed && !this.#compression)
      refuse('compressed frame received without negotiated permessage-deflate')
    if (this.#masked && (second & MASKED) === 0) refuse('mask bit missing')
    switch (opcode) {
      case CLOSE:
      case PING:
      case PONG:
        if ((second & 0x7f) > LARGEST_CONTROL)
          refuse(`control frame length bigger than maximum allowed of ${LARGEST_CONTROL} bytes`)
        if (!final) refuse('control frame does not have final bit set')
        if (compressed) refuse('control frame must not be compressed')
        this.#controlSize = 0
        break
      case TEXT:
      case BINARY:
        if (this.#open) refuse('new message started before final frame for previous message was received')
        this.#open = !final
        this.#compressedMessage = compressed
        this.#final = final
        break
      case CONTINUATION:
        if (!this.#open || compressed) refuse('invalid continuation frame')
        this.#open = !final
        this.#final = final
        break
      default:
        refuse(`unknown opcode ${opcode}`)
    }
    this.#opcode = opcode
  }

  #endControl(): void {
    const payload = Buffer.from(this.#control.subarray(0, this.#controlSize))
    if (this.#opcode === PING) this.#sink.onPing(payload)
    else if (this.#opcode === CLOSE) {
      this.#stopped = true
      this.#sink.onCloseFrame(payload)
    }
  }

  /** Copies with the mask taken off; `to` may be the same buffer, at or before `start`. */
  #unmask(from: Buffer, start: number, end: number, to: Buffer, at: number): void {
    if (!this.#masked) {
      if (from !== to || start !== at) from.copy(to, at, start, end)
      return
    }
    const mask = this.#mask
    const phase = this.#phase
    this.#phase = (phase + end - start) & 3
    const a = mask[phase]!
    const b = mask[(phase + 1) & 3]!
    const c = mask[(phase + 2) & 3]!
    const d = mask[(phase + 3) & 3]!
    let i = start
    for (const last = end - 3; i < last; i += 4, at += 4) {
      to[at] = from[i]! ^ a
      to[at + 1] = from[i + 1]! ^ b
      to[at + 2] = from[i + 2]! ^ c
      to[at + 3] = from[i + 3]! ^ d
    }
    if (i < end) to[at++] = from[i++]! ^ a
    if (i < end) to[at++] = from[i++]! ^ b
    if (i < end) to[at] = from[i]! ^ c
  }
}

/**
 * Writes the header of a frame with `size` bytes of payload so that it ends at `end`, and returns where it begins: right before its
 * payload, whose size is known last. There have to be HEADER_ROOM bytes before `end`. `bits`: opcode and COMPRESSED.
 */
export function writeHeader(buffer: Buffer, end: number, size: number, bits = BINARY, final = true): number {
  let start: number
  if (size <= 125) {
    start = end - 2
    buffer[start + 1] = size
  } else if (size < 65_536) {
    start = end - 4
    buffer[start + 1] = 126
    buffer.writeUInt16BE(size, start + 2)
  } else {
    start = end - 10
    buffer[start + 1] = 127
    buffer.writeUInt32BE(Math.floor(size / 2 ** 32), start + 2)
    buffer.writeUInt32BE(size % 2 ** 32, start + 6)
  }
  buffer[start] = final ? bits | FIN : bits
  return start
}

/** A whole frame; for control frames, and where a copy does not matter. */
export function frame(bits: number, payload: Buffer, final = true): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_ROOM + payload.length)
  payload.copy(bytes, HEADER_ROOM)
  return bytes.subarray(writeHeader(bytes, HEADER_ROOM, payload.length, bits, final))
}

/** The close frame with this code; the text is cut to what a control frame holds. */
export function closeFrame(code: number, text: string): Buffer {
  const room = LARGEST_CONTROL - 2
  const bytes = Buffer.from(text)
  const shown = bytes.length > room ? Buffer.concat([bytes.subarray(0, room - 3), Buffer.from('...')]) : bytes
  const payload = Buffer.alloc(2 + shown.length)
  payload.writeUInt16BE(code)
  shown.copy(payload, 2)
  return frame(CLOSE, payload)
}

/** Whether a peer may close with the code. */
export function isCloseCode(code: number): boolean {
  if (code < 1000 || code >= 5000 || (code >= 1016 && code <= 2999)) return false
  return ![1004, 1005, 1006, 1015].includes(code)
}
