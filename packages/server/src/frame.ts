// A message as offsets into two buffers. The parser is one; what the server itself sends, or sends on under another name, is a MessageFrame.
import { kept } from './references.ts'

export interface Frame {
  args: Buffer
  data: Buffer
  subjectStart: number
  subjectEnd: number
  replyStart: number
  replyEnd: number
  sizeStart: number
  sizeEnd: number
  headerSizeStart: number
  headerSizeEnd: number
  /** -1 without headers. */
  headerSize: number
  dataStart: number
  dataEnd: number
}

const EMPTY = Buffer.alloc(0)
/** Subjects of ordinary length, a reply and two sizes. */
const ARGS = 512
const DATA = 4096
/** A buffer that one large message made larger than this is not kept. */
const LARGEST_KEPT = 256 * 1024

export class MessageFrame implements Frame {
  args: Buffer
  data: Buffer = EMPTY
  subjectStart = 0
  subjectEnd = 0
  replyStart = 0
  replyEnd = 0
  sizeStart = 0
  sizeEnd = 0
  headerSizeStart = 0
  headerSizeEnd = 0
  headerSize = -1
  dataStart = 0
  dataEnd = 0
  /** Belongs to this frame alone and is written again for each message. */
  #scratch: Buffer = EMPTY
  /** What was kept by reference before the data in hand was written: more afterwards means that it may be part of that. */
  #references = -1

  constructor(args: Buffer) {
    this.args = args
  }

  /** Begins a message; `more` bytes of arguments are to follow the subject. */
  subject(name: Buffer, more: number): void {
    const size = name.length
    if (this.args.length < size + more + 32) this.args = Buffer.allocUnsafeSlow((size + more + 32) * 2)
    this.args.set(name, 0)
    this.subjectEnd = size
    this.replyStart = size
    this.replyEnd = size
  }

  /** The same with the name as a wire string. */
  begin(name: string, more: number): void {
    const size = name.length
    if (this.args.length < size + more + 32) this.args = Buffer.allocUnsafeSlow((size + more + 32) * 2)
    this.args.latin1Write(name, 0)
    this.subjectEnd = size
    this.replyStart = size
    this.replyEnd = size
  }

  /** The whole of another frame, under the same name. */
  copy(from: Frame): void {
    this.begin(from.args.latin1Slice(from.subjectStart, from.subjectEnd), from.replyEnd - from.replyStart)
    this.reply(from)
    this.share(from)
  }

  /** Copies a reply of a frame; nothing when it has none. */
  reply(from: Frame): void {
    let at = this.replyStart
    for (let i = from.replyStart; i < from.replyEnd; i++) this.args[at++] = from.args[i]!
    this.replyEnd = at
  }

  /** Headers and payload of another frame, as they are. */
  share(from: Frame): void {
    this.data = from.data
    this.dataStart = from.dataStart
    this.dataEnd = from.dataEnd
    this.headerSize = from.headerSize
    this.#sizes()
  }

  /** Room for `size` bytes of headers and payload, to be written from 0 on. */
  room(size: number): Buffer {
    if (this.#references >= 0 && kept.references !== this.#references) this.#scratch = EMPTY
    if (this.#scratch.length < size) this.#scratch = Buffer.allocUnsafeSlow(Math.max(DATA, size))
    const scratch = this.#scratch
    if (scratch.length > LARGEST_KEPT) this.#scratch = EMPTY
    this.#references = kept.references
    this.data = scratch
    return scratch
  }
  /** The room is filled. */
  filled(headerSize: number, size: number): void {
    this.dataStart = 0
    this.dataEnd = size
    this.headerSize = headerSize
    this.#sizes()
  }

  #sizes(): void {
    this.sizeStart = this.replyEnd
    this.sizeEnd = writeNumber(this.dataEnd - this.dataStart, this.args, this.sizeStart)
    this.headerSizeStart = this.sizeEnd
    this.headerSizeEnd =
      this.headerSize >= 0 ? writeNumber(this.headerSize, this.args, this.headerSizeStart) : this.sizeEnd
  }
}

/** Decimal digits at a position; returns the one behind. */
function writeNumber(value: number, to: Buffer, at: number): number {
  let digits = 1
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits++
  let rest = value
  for (let i = at + digits - 1; i >= at; i--) {
    to[i] = 48 + (rest % 10)
    rest = (rest / 10) | 0
  }
  return at + digits
}

/** A frame from wire strings and a payload that begins with `headerSize` bytes of headers (-1: none). */
export function textFrame(
  subject: string,
  reply: string,
  data: Buffer,
  start: number,
  end: number,
  headerSize: number,
): Frame {
  const size = `${end - start}`
  const headers = headerSize >= 0 ? `${headerSize}` : ''
  const frame = new MessageFrame(Buffer.from(subject + reply + size + headers, 'latin1'))
  frame.data = data
  frame.subjectEnd = subject.length
  frame.replyStart = subject.length
  frame.replyEnd = frame.replyStart + reply.length
  frame.sizeStart = frame.replyEnd
  frame.sizeEnd = frame.sizeStart + size.length
  frame.headerSizeStart = frame.sizeEnd
  frame.headerSizeEnd = frame.args.length
  frame.headerSize = headerSize
  frame.dataStart = start
  frame.dataEnd = end
  return frame
}

/** A frame with buffers of its own, to be kept. */
export function copyOf(frame: Frame): MessageFrame {
  const copy = new MessageFrame(Buffer.alloc(0))
  copy.copy(frame)
  copy.data = Buffer.from(frame.data.subarray(frame.dataStart, frame.dataEnd))
  copy.dataStart = 0
  copy.dataEnd = copy.data.length
  return copy
}

// A message that is sent on while it is delivered needs a frame of its own, and so does each further step of that.
const frames: MessageFrame[] = []
let inUse = 0

/** A frame until releaseFrame(), in the order of a stack. */
export function borrowFrame(): MessageFrame {
  if (inUse === frames.length) frames.push(new MessageFrame(Buffer.allocUnsafeSlow(ARGS)))
  return frames[inUse++]!
}
export function releaseFrame(): void {
  // The chunk or large payload that it has passed on is not its to keep.
  frames[--inUse]!.data = EMPTY
}
