// The client protocol, read in place.
//
// A chunk is walked once. Arguments and payload of a publish stay offsets into the chunk (`args`, `data`), and the sink reads them
// during its call; nothing is allocated per message. A control line cut by the end of a chunk is held (at most the line limit), a cut
// payload is collected in a buffer of its own size, so that a message in many chunks costs one copy. Any split of the same bytes
// gives the same calls.
//
// A chunk is the caller's again when feed() returns: what is kept of it is copied.
//
// The parser knows bytes only: who may do what is the sink's business.
import { kept } from '../references.ts'
import type { RefusalName } from './refusals.ts'

export interface Sink {
  /** A whole PUB or HPUB; the frame is in the parser's fields until the call returns. */
  publish(frame: Parser): void
  /** For the pedantic: the line of a PUB or HPUB, before its payload. Twice when the payload is cut, as the official server reads it twice. */
  announce(frame: Parser): void
  subscribe(subject: string, queue: string | null, sid: string): void
  /** max 0: at once. */
  unsubscribe(sid: string, max: number): void
  /** The JSON text of CONNECT. */
  connect(json: string): void
  ping(): void
  pong(): void
  refuse(why: RefusalName): void
  /** The first byte of a connection that has to authenticate begins no CONNECT. True: go on; false after pause(): ask again then. */
  unauthenticated(): boolean
  /** Half of a burst is dealt with: what it brought may leave before the rest. */
  midway(): void
}

/**
 * Sizes of chunks that are a burst, bytes. Requesters, the server and responders otherwise pass one batch round and each waits for the
 * other two; with halves they work at the same time. Shorter chunks are not worth another write; longer ones come from publishers whose
 * receivers are busy anyway.
 */
const BURST = 3 * 1024
const LARGEST_BURST = 8 * 1024

const LF = 10
const CR = 13
const MAX_TOKENS = 5
const SKIP_NONE = 0
const SKIP_PING = 1
const SKIP_PONG = 2
const SKIP_OK = 3

const isBlank = (byte: number | undefined): boolean => byte === 32 || byte === 9

/** Operations by name, to judge the beginning of a line that is not complete yet. */
const OPERATIONS = ['CONNECT', 'PUB', 'HPUB', 'SUB', 'UNSUB', 'PING', 'PONG', '+OK', '-ERR', 'INFO', 'HMSG']

export class Parser {
  /** Bytes of arguments; -1 stands for no limit on payload. */
  maxControlLine = 4096
  maxPayload = -1
  /** HPUB is legal. */
  headers = false
  /** Publishes are announced. */
  pedantic = false
  /** Only CONNECT is legal. */
  gated = false

  // The current publish. `args` holds subject, reply and the digits of the size, `data` headers and payload.
  args: Buffer
  data: Buffer
  subjectStart = 0
  subjectEnd = 0
  replyStart = 0
  replyEnd = 0
  /** The digits of the total size, echoed as they came. */
  sizeStart = 0
  sizeEnd = 0
  /** Digits of the header size; empty for PUB. */
  headerSizeStart = 0
  headerSizeEnd = 0
  /** -1 for PUB. */
  headerSize = -1
  dataStart = 0
  dataEnd = 0
  /** The last subject's bytes, set by the sink: publishers tend to repeat it, and then it is compared instead of split again. */
  known: Buffer | null = null
  /** The current publish has the known subject. */
  isKnown = false

  /** The client, or what traces it in front of it. */
  sink: Sink
  readonly #tokens = new Int32Array(MAX_TOKENS * 2)
  #count = 0
  #argStart = 0
  #argEnd = 0
  #held: Buffer | null = null
  #body: Buffer | null = null
  #bodyLength = 0
  #bodyFilled = 0
  #skip = SKIP_NONE
  #stopped = false
  #paused = false

  constructor(sink: Sink) {
    this.sink = sink
    this.args = EMPTY
    this.data = EMPTY
  }

  /** Nothing is parsed any more, also of the chunk in hand. */
  stop(): void {
    this.#stopped = true
    this.#held = null
    this.#body = null
  }

  /** Stops after the current operation; what follows is kept until resume(). */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    const held = this.#held
    this.#held = null
    if (held !== null) this.feed(held)
  }

  feed(chunk: Buffer): void {
    if (this.#stopped) return
    if (this.#paused) {
      this.#held = this.#held === null ? Buffer.from(chunk) : Buffer.concat([this.#held, chunk])
      return
    }
    let position = 0
    if (this.#body !== null) {
      position = this.#fill(chunk, 0)
      if (this.#body !== null || this.#stopped) return
    } else if (this.#skip !== SKIP_NONE) {
      position = this.#skipLine(chunk, 0)
      if (this.#skip !== SKIP_NONE || this.#stopped) return
    } else if (this.#held !== null) {
      position = this.#completeLine(chunk)
      if (position < 0 || this.#stopped) return
    }
    const { length } = chunk
    if (length >= BURST && length <= LARGEST_BURST) {
      position = this.#run(chunk, position, length >> 1)
      this.sink.midway()
    }
    this.#run(chunk, position, length)
  }

  /** Joins a held line with the part of the chunk up to its end. Returns the position behind it, -1 when it is still not complete. */
  #completeLine(chunk: Buffer): number {
    const newline = chunk.indexOf(LF)
    const held = this.#held!
    this.#held = null
    if (newline < 0) {
      this.#hold(Buffer.concat([held, chunk]), 0)
      return -1
    }
    const line = Buffer.concat([held, chunk.subarray(0, newline + 1)])
    // A publish takes its payload from the chunk, behind the line.
    this.#operation(line, 0, chunk, newline + 1)
    return this.#stopped ? -1 : this.#after
  }

  /** Where the operation just handled ended in the chunk that holds its payload. */
  #after = 0

  /** Deals with the operations that begin in `buffer[start..stop)`. Returns the position behind them, or the end when nothing is left to do. */
  #run(buffer: Buffer, start: number, stop: number): number {
    let position = start
    const end = buffer.length
    while (position < stop) {
      if (this.#stopped) return end
      if (this.#paused) {
        this.#held = Buffer.from(buffer.subarray(position))
        return end
      }
      // The common case without any call: PUB with its whole line and payload in the chunk.
      if (
        end - position > 4 &&
        (buffer[position]! | 32) === 112 &&
        (buffer[position + 1]! | 32) === 117 &&
        (buffer[position + 2]! | 32) === 98 &&
        (buffer[position + 3] === 32 || buffer[position + 3] === 9) &&
        !this.gated
      ) {
        const next = this.#repeated(buffer, position + 4, end)
        if (next > 0) {
          position = next
          continue
        }
        const newline = this.#split(buffer, position + 4, end)
        if (newline >= 0) {
          this.#publish(buffer, buffer, newline + 1, false)
          position = this.#after
          continue
        }
        this.#hold(buffer, position)
        return end
      }
      const newline = buffer.indexOf(LF, position)
      if (newline < 0) {
        this.#hold(buffer, position)
        return end
      }
      this.#operation(buffer, position, buffer, newline + 1)
      position = this.#after
    }
    return position
  }

  /**
   * `<known subject> <size>CRLF<payload>CRLF`, whole in the buffer and without reply: published at once. Returns the position behind
   * it, 0 when the bytes are anything else, which is then for the general path to judge.
   */
  #repeated(buffer: Buffer, start: number, end: number): number {
    const known = this.known
    if (known === null) return 0
    const length = known.length
    const subjectEnd = start + length
    if (subjectEnd + 4 > end || buffer[subjectEnd] !== 32) return 0
    for (let i = 0; i < length; i++) if (buffer[start + i] !== known[i]) return 0
    let position = subjectEnd + 1
    let size = 0
    let digit = buffer[position]! - 48
    while (digit >= 0 && digit <= 9) {
      size = size * 10 + digit
      digit = buffer[++position]! - 48
    }
    const width = position - subjectEnd - 1
    if (width < 1 || width > 9 || digit !== CR - 48) return 0
    const dataEnd = position + 2 + size
    if (
      dataEnd + 2 > end ||
      buffer[position + 1] !== LF ||
      buffer[dataEnd] !== CR ||
      buffer[dataEnd + 1] !== LF
    )
      return 0
    if ((size > this.maxPayload && this.maxPayload >= 0) || position - start > this.maxControlLine) return 0
    if (this.pedantic) return 0
    this.args = buffer
    this.data = buffer
    this.subjectStart = start
    this.subjectEnd = subjectEnd
    this.replyStart = 0
    this.replyEnd = 0
    this.sizeStart = subjectEnd + 1
    this.sizeEnd = position
    this.headerSize = -1
    this.dataStart = position + 2
    this.dataEnd = dataEnd
    this.isKnown = true
    this.sink.publish(this)
    this.isKnown = false
    return dataEnd + 2
  }

  /** Keeps an incomplete line, after judging what can be judged of it. */
  #hold(buffer: Buffer, position: number): void {
    if (this.gated && (buffer[position]! | 32) !== 99 && !this.sink.unauthenticated()) {
      if (this.#paused) this.#held = Buffer.from(buffer.subarray(position))
      return
    }
    // INFO is the one server line that clients may repeat; the other ones fail on their first byte.
    let length = 0
    const available = buffer.length - position
    for (const name of OPERATIONS) {
      let i = 0
      while (i < name.length && i < available && sameLetter(buffer[position + i]!, name.charCodeAt(i))) i++
      if (i === available || i === name.length) {
        length = name.length
        if (available > i) {
          if (name === 'PING' || name === 'PONG' || name === '+OK') {
            this.#skip = name === 'PING' ? SKIP_PING : name === 'PONG' ? SKIP_PONG : SKIP_OK
            return
          }
          if (name !== 'CONNECT' && name !== 'INFO' && !isBlank(buffer[position + i])) continue
        }
        break
      }
      length = 0
    }
    if (length === 0) {
      this.sink.refuse('unknownOperation')
      return
    }
    let start = position + length
    while (start < buffer.length && isBlank(buffer[start])) start++
    if (buffer.length - start > this.maxControlLine) {
      this.sink.refuse('controlLine')
      return
    }
    this.#held = Buffer.from(buffer.subarray(position))
  }

  #skipLine(chunk: Buffer, position: number): number {
    const newline = chunk.indexOf(LF, position)
    if (newline < 0) return chunk.length
    const kind = this.#skip
    this.#skip = SKIP_NONE
    if (kind === SKIP_PING) this.sink.ping()
    else if (kind === SKIP_PONG) this.sink.pong()
    return newline + 1
  }

  /**
   * Splits arguments at blanks from `position` up to the end of the line. Returns the position of the LF, -1 without one before `end`.
   */
  #split(buffer: Buffer, position: number, end: number): number {
    const tokens = this.#tokens
    let count = 0
    let start = -1
    let first = -1
    let last = position
    for (let i = position; i < end; i++) {
      const byte = buffer[i]!
      if (byte > 32) {
        if (start < 0) {
          start = i
          if (first < 0) first = i
        }
        continue
      }
      if (byte === 32 || byte === 9 || byte === 10 || byte === 13) {
        if (start >= 0) {
          if (count < MAX_TOKENS) {
            tokens[count * 2] = start
            tokens[count * 2 + 1] = i
          }
          count++
          last = i
          start = -1
        }
        if (byte === 10) {
          this.#count = count
          this.#argStart = first < 0 ? i : first
          // Trailing blanks belong to the line, the one CR before the LF does not.
          this.#argEnd = i > position && buffer[i - 1] === 13 ? i - 1 : i
          if (this.#argEnd < last) this.#argEnd = last
          return i
        }
        continue
      }
      if (start < 0) {
        start = i
        if (first < 0) first = i
      }
    }
    return -1
  }

  /** One operation whose line is `buffer[position..LF]`; its payload, if any, begins at `rest` of `following`. */
  #operation(buffer: Buffer, position: number, following: Buffer, rest: number): void {
    this.#after = rest
    if (this.gated && (buffer[position]! | 32) !== 99 && !this.sink.unauthenticated()) {
      // Read again when it is known who is there. Only the first operation of a chunk comes to this.
      if (this.#paused) this.#after = position
      return
    }
    switch (buffer[position]! | 32) {
      case 112: {
        // PUB, PING, PONG
        const second = buffer[position + 1]! | 32
        const third = buffer[position + 2]! | 32
        if (second === 117 && third === 98 && isBlank(buffer[position + 3])) {
          this.#split(buffer, position + 4, buffer.length)
          this.#publish(buffer, following, rest, false)
          return
        }
        const fourth = buffer[position + 3]! | 32
        if (second === 105 && third === 110 && fourth === 103) {
          this.sink.ping()
          return
        }
        if (second === 111 && third === 110 && fourth === 103) {
          this.sink.pong()
          return
        }
        break
      }
      case 104: // HPUB; HMSG is tokenised by the official server too, but no client may send it
        if (this.#named(buffer, position, 'HPUB') && isBlank(buffer[position + 4])) {
          this.#split(buffer, position + 5, buffer.length)
          this.#publish(buffer, following, rest, true)
          return
        }
        break
      case 115:
        if (this.#named(buffer, position, 'SUB') && isBlank(buffer[position + 3])) {
          this.#split(buffer, position + 4, buffer.length)
          if (this.#tooLong()) return
          this.args = buffer
          if (this.#count === 2) {
            this.sink.subscribe(this.#text(buffer, 0), null, this.#text(buffer, 1))
            return
          }
          if (this.#count === 3) {
            this.sink.subscribe(this.#text(buffer, 0), this.#text(buffer, 1), this.#text(buffer, 2))
            return
          }
          this.sink.refuse('badArguments')
          return
        }
        break
      case 117:
        if (this.#named(buffer, position, 'UNSUB') && isBlank(buffer[position + 5])) {
          this.#split(buffer, position + 6, buffer.length)
          if (this.#tooLong()) return
          this.args = buffer
          if (this.#count === 1) {
            this.sink.unsubscribe(this.#text(buffer, 0), 0)
            return
          }
          if (this.#count === 2) {
            const max = digits(buffer, this.#tokens[2]!, this.#tokens[3]!)
            this.sink.unsubscribe(this.#text(buffer, 0), Math.max(max, 0))
            return
          }
          this.sink.refuse('badArguments')
          return
        }
        break
      case 99:
        if (this.#named(buffer, position, 'CONNECT')) {
          const json = this.#line(buffer, position + 7, rest, following)
          if (json !== null) this.sink.connect(json)
          return
        }
        break
      case 105:
        if (this.#named(buffer, position, 'INFO')) {
          const json = this.#line(buffer, position + 4, rest, following)
          if (json === null) return
          try {
            JSON.parse(json)
          } catch {
            this.sink.refuse('badArguments')
          }
          return
        }
        break
      case 43 | 32:
        if (this.#named(buffer, position, '+OK')) return
        break
      case 45 | 32:
        if (this.#named(buffer, position, '-ERR') && isBlank(buffer[position + 4])) {
          this.#split(buffer, position + 5, buffer.length)
          if (this.#tooLong()) return
          this.args = buffer
          this.sink.refuse('clientError')
          return
        }
        break
    }
    this.sink.refuse('unknownOperation')
  }

  /** The rest of a line without blanks before it and CR behind it, or null when it was refused. */
  #line(buffer: Buffer, from: number, rest: number, following: Buffer): string | null {
    let start = from
    let end = buffer === following ? rest - 1 : buffer.length - 1
    while (start < end && isBlank(buffer[start])) start++
    if (end > start && buffer[end - 1] === CR) end--
    if (end - start > this.maxControlLine) {
      this.sink.refuse('controlLine')
      return null
    }
    return buffer.toString('utf8', start, end)
  }

  /** During a call of the sink: the arguments of SUB, UNSUB or -ERR as they came. */
  line(): string {
    return this.args.latin1Slice(this.#argStart, this.#argEnd)
  }

  /** Of the current publish, also when it is refused for its size. */
  declaredSize(): number {
    return digits(this.args, this.sizeStart, this.sizeEnd)
  }

  #named(buffer: Buffer, position: number, name: string): boolean {
    for (let i = 0; i < name.length; i++)
      if (!sameLetter(buffer[position + i]!, name.charCodeAt(i))) return false
    return true
  }

  #text(buffer: Buffer, index: number): string {
    return buffer.latin1Slice(this.#tokens[index * 2], this.#tokens[index * 2 + 1])
  }

  #tooLong(): boolean {
    if (this.#argEnd - this.#argStart <= this.maxControlLine) return false
    this.sink.refuse('controlLine')
    return true
  }

  /** A publish whose arguments #split has found in `args`; the payload begins at `start` of `data`. */
  #publish(args: Buffer, data: Buffer, start: number, withHeaders: boolean): void {
    const tokens = this.#tokens
    const count = this.#count
    if (this.#argEnd - this.#argStart > this.maxControlLine) {
      this.sink.refuse('controlLine')
      return
    }
    const sizes = withHeaders ? 2 : 1
    const replied = count === sizes + 2
    if (count !== sizes + 1 && !replied) {
      this.sink.refuse('badArguments')
      return
    }
    this.subjectStart = tokens[0]!
    this.subjectEnd = tokens[1]!
    if (replied) {
      this.replyStart = tokens[2]!
      this.replyEnd = tokens[3]!
    } else {
      this.replyStart = 0
      this.replyEnd = 0
    }
    const last = (count - 1) * 2
    this.sizeStart = tokens[last]!
    this.sizeEnd = tokens[last + 1]!
    const size = digits(args, this.sizeStart, this.sizeEnd)
    // The one CR that belongs to the end of the line is that before the LF; another one would be a part of the number.
    if (size < 0 || (args[this.sizeEnd] === CR && args[this.sizeEnd + 1] !== LF)) {
      this.sink.refuse('badArguments')
      return
    }
    if (withHeaders) {
      this.headerSizeStart = tokens[last - 2]!
      this.headerSizeEnd = tokens[last - 1]!
      this.headerSize = digits(args, this.headerSizeStart, this.headerSizeEnd)
      if (!this.headers || this.headerSize < 0 || this.headerSize > size) {
        this.sink.refuse('badArguments')
        return
      }
    } else this.headerSize = -1
    if (size > this.maxPayload && this.maxPayload >= 0) {
      // As much as has come: the sink may want to know what was in it.
      this.args = args
      this.data = data
      this.dataStart = start
      this.dataEnd = Math.min(start + size, data.length)
      this.sink.refuse('maxPayload')
      return
    }
    this.args = args
    if (this.pedantic) this.sink.announce(this)
    const end = start + size
    if (end + 2 <= data.length) {
      if (data[end] !== CR || data[end + 1] !== LF) {
        this.sink.refuse('unknownOperation')
        return
      }
      this.#after = end + 2
      this.data = data
      this.dataStart = start
      this.dataEnd = end
      this.sink.publish(this)
      return
    }
    // The payload is cut: from here on it is collected in a buffer of its own.
    const lineStart = this.subjectStart
    this.args = Buffer.from(args.subarray(lineStart, this.sizeEnd))
    this.subjectStart -= lineStart
    this.subjectEnd -= lineStart
    if (replied) {
      this.replyStart -= lineStart
      this.replyEnd -= lineStart
    }
    this.sizeStart -= lineStart
    this.sizeEnd -= lineStart
    this.headerSizeStart -= lineStart
    this.headerSizeEnd -= lineStart
    if (this.pedantic) this.sink.announce(this)
    this.#body = takeBody(size + 2)
    this.#bodyLength = size + 2
    this.#bodyFilled = 0
    this.#after = this.#fill(data, start)
  }

  /** Moves bytes into the body; publishes when it is whole. Returns the position behind what was taken. */
  #fill(chunk: Buffer, position: number): number {
    const body = this.#body!
    const length = this.#bodyLength
    const taken = Math.min(length - this.#bodyFilled, chunk.length - position)
    chunk.copy(body, this.#bodyFilled, position, position + taken)
    this.#bodyFilled += taken
    const size = length - 2
    if (
      (this.#bodyFilled > size && body[size] !== CR) ||
      (this.#bodyFilled > size + 1 && body[size + 1] !== LF)
    ) {
      this.sink.refuse('unknownOperation')
      return chunk.length
    }
    if (this.#bodyFilled === length) {
      this.#body = null
      this.data = body
      this.dataStart = 0
      this.dataEnd = size
      const { references } = kept
      this.sink.publish(this)
      this.data = EMPTY
      if (kept.references === references) giveBody(body)
    }
    return position + taken
  }
}

/** Buffers of cut payloads that nobody keeps a part of, the last one given back on top. */
const bodies: Buffer[] = []
const BODIES = 16
/** Larger ones are not kept. */
const LARGEST_BODY = 1024 * 1024 + 4096

function takeBody(size: number): Buffer {
  const body = bodies.pop()
  return body !== undefined && body.length >= size
    ? body
    : Buffer.allocUnsafeSlow(Math.ceil(size / 4096) * 4096)
}
function giveBody(body: Buffer): void {
  if (bodies.length < BODIES && body.length <= LARGEST_BODY) bodies.push(body)
}

const EMPTY = Buffer.alloc(0)

function sameLetter(byte: number, upper: number): boolean {
  return byte === upper || (upper >= 65 && upper <= 90 && byte === upper + 32)
}

/** 1 to 9 decimal digits, else -1. */
function digits(buffer: Buffer, start: number, end: number): number {
  if (end - start < 1 || end - start > 9) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = buffer[i]! - 48
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}
