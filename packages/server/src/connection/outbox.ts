// What waits to be written to one connection.
//
// Messages of one inbound chunk are appended to a buffer and written with one system call when the chunk is done. While the stream has
// nothing queued the write goes straight to the descriptor: the fixed cost of a stream write dominates wide fan-out. What the kernel does
// not take (EAGAIN, short write) and everything on transports without a descriptor goes through the stream, and `pending` counts it.
import { writeSync, writevSync } from 'node:fs'
import { timerDelay } from '../deadline.ts'
import { HEADER_ROOM, writeHeader } from '../protocol/websocket.ts'
import { kept } from '../references.ts'
import { giveBuffer, LARGEST, takeBuffer } from './buffers.ts'
import { lasting, sharedRead } from './shared-read.ts'
import type { Transport } from './transport.ts'

/** Payloads from here on are queued by reference instead of being copied. */
export const BY_REFERENCE = 16 * 1024

export interface OutboxOwner {
  /** More than the limit waits. */
  onOverflow(): void
  /** What waited when the deadline was set is still not gone. True: the connection is given up. */
  onDeadline(attempt: WriteAttempt): boolean
  /** After an attempt that was late: this one was not. */
  onRecovered(attempt: WriteAttempt): void
  onWriteError(error: Error): void
  /** Everything that was queued has left. */
  onDrain(): void
}

/** What has to leave before a deadline: all that waits when it is set. */
export interface WriteAttempt {
  /** ms since the process began. */
  start: number
  chunks: number
  bytes: number
  /** Bytes of it that have left. */
  written: number
}

export class Outbox {
  /** Current buffer; null while empty. Written to by delivery. */
  buffer: Buffer | null = null
  length = 0
  /** Is in the list of outboxes to flush after the chunk. */
  dirty = false
  /** The batch that wrote to it last, as BusyPoll counts them. */
  spokenTo = 0
  /** Bytes handed to the stream and not yet gone. */
  pending = 0
  /** Sees what leaves, in its order; null unless the connection is traced. */
  tap: ((bytes: Buffer) => void) | null = null
  /** Writes to the descriptor; never changes while bytes are pending. Replaced in tests. */
  writeDirect: (fd: number, buffer: Buffer, start: number, end: number) => number = writeNow

  writeBoth: (fd: number, head: Buffer, payload: Buffer) => number = (fd, head, payload) =>
    writevSync(fd, [head, payload])

  readonly #transport: Transport
  /** Where a batch begins in a buffer: after the room for the header of its WebSocket frame, if it is to be one. */
  readonly #room: number
  readonly #owner: OutboxOwner
  readonly #maxPending: number
  readonly #deadline: number
  #timer: NodeJS.Timeout | null = null
  readonly #attempt: WriteAttempt = { start: 0, chunks: 0, bytes: 0, written: 0 }
  /** Pieces handed to the stream and not yet gone. */
  #pieces = 0
  #late = false
  #closed = false

  constructor(transport: Transport, owner: OutboxOwner, maxPending: number, writeDeadline: number) {
    this.#transport = transport
    this.#room = transport.framed ? HEADER_ROOM : 0
    this.#owner = owner
    this.#maxPending = maxPending
    this.#deadline = timerDelay(writeDeadline)
  }

  /** Room for `size` more bytes at `length` of the returned buffer; what is there may be written out for it. */
  reserve(size: number): Buffer {
    const buffer = this.buffer
    if (buffer !== null && this.length + size <= buffer.length) return buffer
    return this.#grow(size)
  }

  #grow(size: number): Buffer {
    const before = this.buffer
    const room = this.#room
    if (before === null) {
      this.length = room
      const whole = size + room
      this.buffer = takeBuffer(whole)
      return this.buffer
    }
    if (this.length + size <= LARGEST) {
      const larger = takeBuffer(this.length + size)
      before.copy(larger, 0, 0, this.length)
      giveBuffer(before)
      this.buffer = larger
      return larger
    }
    this.flush()
    const now = this.buffer as Buffer | null
    const whole = size + room
    if (now !== null && whole <= now.length) return now
    if (now !== null) giveBuffer(now)
    this.length = room
    this.buffer = takeBuffer(whole)
    return this.buffer
  }

  /** Appends text of one byte per character. */
  text(line: string): void {
    const buffer = this.reserve(line.length)
    this.length += buffer.latin1Write(line, this.length)
  }

  /** Appends bytes that nobody changes any more; large ones are not copied. */
  bytes(source: Buffer, start: number, end: number): void {
    const size = end - start
    if (size < BY_REFERENCE) {
      const buffer = this.reserve(size)
      source.copy(buffer, this.length, start, end)
      this.length += size
      return
    }
    // A frame's header has to go somewhere, even where nothing comes before the payload.
    const head = this.#room > 0 ? this.reserve(0) : this.buffer
    if (head !== null && this.length > 0 && !this.#closed) {
      this.#together(head, source.subarray(start, end))
      return
    }
    this.flush()
    this.#send(source.subarray(start, end))
  }

  /** What was appended so far and a large payload, with one system call where that is possible. */
  #together(head: Buffer, payload: Buffer): void {
    const room = this.#room
    const start = room === 0 ? 0 : writeHeader(head, room, this.length - room + payload.length)
    const size = this.length - start
    if (this.tap !== null) {
      this.tap(head.subarray(room, this.length))
      this.tap(payload)
    }
    let written = 0
    if (this.pending === 0 && this.#transport.fd >= 0) {
      try {
        written = this.writeBoth(this.#transport.fd, head.subarray(start, this.length), payload)
      } catch (error) {
        if (!wouldBlock(error)) {
          this.length = room
          this.#owner.onWriteError(error as Error)
          return
        }
      }
    }
    if (written === size + payload.length) {
      this.length = room
      return
    }
    if (written < size) {
      this.#queue(head.subarray(start + written, this.length), written, head)
      this.buffer = null
      this.#keep(payload)
    } else this.#keep(payload.subarray(written - size), written)
    this.length = room
  }

  /** Sends bytes that are no part of the stream, such as a WebSocket's control frame, after what was appended. */
  control(bytes: Buffer): void {
    this.flush()
    if (this.#closed) return
    const left = this.#direct(bytes)
    if (left !== null) this.#queue(left, bytes.length - left.length)
  }

  /** Queues bytes of somebody else's buffer, which from now on must not change; the one all connections read into will. */
  #keep(bytes: Buffer, written = 0): void {
    if (bytes.buffer === sharedRead.buffer) {
      this.#queue(lasting(bytes), written)
      return
    }
    kept.references++
    this.#queue(bytes, written)
  }

  /** Writes out what was appended. */
  flush(): void {
    const length = this.length
    const buffer = this.buffer
    const room = this.#room
    if (length === room || buffer === null) return
    if (this.#closed) {
      this.length = room
      return
    }
    if (this.tap !== null) this.tap(buffer.subarray(room, length))
    const start = room === 0 ? 0 : writeHeader(buffer, room, length - room)
    if (this.pending === 0 && this.#transport.fd >= 0) {
      const written = this.#write(buffer, start, length)
      if (written === length - start) {
        this.length = room
        giveBuffer(buffer)
        this.buffer = null
        return
      }
      if (written < 0) return
      this.#queue(buffer.subarray(start + written, length), written, buffer)
    } else this.#queue(buffer.subarray(start, length), 0, buffer)
    // The stream has the bytes now, and the pool gets the buffer when they are gone.
    this.buffer = null
    this.length = room
  }

  #send(bytes: Buffer): void {
    if (this.#closed) return
    if (this.tap !== null) this.tap(bytes)
    const left = this.#direct(bytes)
    if (left !== null) this.#keep(left, bytes.length - left.length)
  }

  /** Writes to the descriptor what it takes. What is left, or null when nothing is, or nothing can be sent any more. */
  #direct(bytes: Buffer): Buffer | null {
    if (this.pending > 0 || this.#transport.fd < 0) return bytes
    const written = this.#write(bytes, 0, bytes.length)
    return written === bytes.length || written < 0 ? null : bytes.subarray(written)
  }

  /** Bytes the kernel took; -1 after an error, which closes the connection. */
  #write(buffer: Buffer, start: number, end: number): number {
    try {
      return this.writeDirect(this.#transport.fd, buffer, start, end)
    } catch (error) {
      if (wouldBlock(error)) return 0
      this.length = this.#room
      this.#owner.onWriteError(error as Error)
      return -1
    }
  }

  /**
   * Hands bytes to the stream; `written` of those before them went to the descriptor just now, and `own` is the outbound buffer that
   * they lie in.
   */
  #queue(bytes: Buffer, written = 0, own: Buffer | null = null): void {
    this.pending += bytes.length
    if (this.pending > this.#maxPending) {
      this.#owner.onOverflow()
      return
    }
    this.#pieces++
    if (this.#timer === null) this.#beginAttempt(written)
    this.#transport.write(bytes, (error) => {
      this.pending -= bytes.length
      this.#pieces--
      if (error) return
      if (own !== null) giveBuffer(own)
      if (this.#closed) return
      const attempt = this.#attempt
      attempt.written += bytes.length
      if (attempt.written < attempt.bytes) return
      if (this.#late) {
        this.#late = false
        this.#owner.onRecovered(attempt)
      }
      if (this.pending > 0) {
        this.#beginAttempt()
        return
      }
      if (this.#timer !== null) clearTimeout(this.#timer)
      this.#timer = null
      this.flush()
      this.#owner.onDrain()
    })
  }

  #beginAttempt(written = 0): void {
    const attempt = this.#attempt
    attempt.start = performance.now()
    attempt.chunks = this.#pieces
    attempt.bytes = this.pending + written
    attempt.written = written
    if (this.#timer === null) this.#timer = setTimeout(this.#onTimeout, this.#deadline).unref()
    else this.#timer.refresh()
  }

  readonly #onTimeout = (): void => {
    this.#late = true
    if (!this.#owner.onDeadline(this.#attempt)) this.#beginAttempt()
  }

  close(): void {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.buffer !== null) giveBuffer(this.buffer)
    this.buffer = null
    this.length = 0
  }
}

function writeNow(fd: number, buffer: Buffer, start: number, end: number): number {
  return writeSync(fd, buffer, start, end - start)
}

function wouldBlock(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EAGAIN' || code === 'EWOULDBLOCK'
}
