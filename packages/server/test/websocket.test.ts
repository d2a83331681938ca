// WebSocket frames: whatever the pieces, the same bytes come out; what is written is read back.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeFrame } from '@ngs/testkit'
import fc from 'fast-check'
import { Outbox } from '../src/connection/outbox.ts'
import type { Transport } from '../src/connection/transport.ts'
import {
  BINARY,
  CLOSE,
  closeFrame,
  FrameReader,
  FramingError,
  frame,
  HEADER_ROOM,
  PONG,
  writeHeader,
} from '../src/protocol/websocket.ts'

const PING = 9

interface Heard {
  bytes: string
  compressed: string[]
  pings: string[]
  close: string | null
  error: string | null
}

function read(chunks: Buffer[], masked = true, compression = true): Heard {
  const heard: Heard = { bytes: '', compressed: [], pings: [], close: null, error: null }
  let message = ''
  const reader = new FrameReader(
    {
      onBytes: (bytes) => {
        heard.bytes += bytes.toString('latin1')
      },
      onCompressed: (piece, last) => {
        message += piece.toString('latin1')
        if (!last) return
        heard.compressed.push(message)
        message = ''
      },
      onPing: (payload) => heard.pings.push(payload.toString('latin1')),
      onCloseFrame: (payload) => {
        heard.close = payload.toString('latin1')
      },
    },
    masked,
    compression,
  )
  try {
    for (const chunk of chunks) reader.feed(Buffer.from(chunk))
  } catch (error) {
    assert.ok(error instanceof FramingError)
    heard.error = error.message
  }
  return heard
}

/** The bytes cut at these places. */
function cut(bytes: Buffer, places: number[]): Buffer[] {
  const at = [
    0,
    ...[...new Set(places)].filter((place) => place < bytes.length).sort((a, b) => a - b),
    bytes.length,
  ]
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end))
}

const content = fc
  .tuple(fc.constantFrom(0, 1, 3, 4, 5, 125, 126, 127, 300, 65_535, 65_536), fc.nat(255))
  .map(([size, seed]) => Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + seed) & 0xff)))
/** A message in fragments, with control frames between them. */
const message = fc.record({
  compressed: fc.boolean(),
  parts: fc.array(content, { minLength: 1, maxLength: 4 }),
  pings: fc.array(
    fc.string({ maxLength: 20 }).map((text) => Buffer.from(text).subarray(0, 125)),
    { maxLength: 2 },
  ),
})

describe('WebSocket frames', () => {
  it('read the same in whatever pieces they come', () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(3_000), { maxLength: 40 }),
        fc.boolean(),
        (messages, places, masked) => {
          const options = { mask: masked }
          const frames: Buffer[] = []
          const wanted: Heard = { bytes: '', compressed: [], pings: [], close: '\x03\xe8', error: null }
          for (const { compressed, parts, pings } of messages) {
            parts.forEach((part, i) => {
              const rsv = i === 0 && compressed ? 0x40 : 0
              const fin = i === parts.length - 1
              frames.push(encodeFrame(i === 0 ? BINARY : 0, part, { ...options, fin, rsv }))
              for (const ping of pings) frames.push(encodeFrame(PING, ping, options))
              wanted.pings.push(...pings.map((ping) => ping.toString('latin1')))
            })
            const whole = Buffer.concat(parts).toString('latin1')
            if (compressed) wanted.compressed.push(whole)
            else wanted.bytes += whole
          }
          frames.push(
            encodeFrame(CLOSE, '\x03\xe8', options),
            encodeFrame(BINARY, 'not read any more', options),
          )
          const bytes = Buffer.concat(frames)
          assert.deepEqual(read(cut(bytes, places), masked), wanted)
        },
      ),
      { numRuns: 200 },
    )
  })
  it('read the same when every byte comes alone', () => {
    const bytes = Buffer.concat([
      encodeFrame(BINARY, 'PUB a 5\r\nhel', { fin: false }),
      encodeFrame(PING, 'ping'),
      encodeFrame(0, 'lo\r\n'),
      encodeFrame(BINARY, 'x'.repeat(70_000)),
    ])
    const wanted = read([bytes])
    assert.equal(wanted.bytes, `PUB a 5\r\nhello\r\n${'x'.repeat(70_000)}`)
    assert.deepEqual(read([...bytes].map((byte) => Buffer.from([byte]))), wanted)
    for (let at = 1; at < 60; at++) assert.deepEqual(read(cut(bytes, [at])), wanted)
  })
  it('take any bytes without another error than their own', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }),
        fc.boolean(),
        (chunks, masked) => {
          read(
            chunks.map((chunk) => Buffer.from(chunk)),
            masked,
            false,
          )
        },
      ),
      { numRuns: 500 },
    )
  })
  it('are written as they are read', () => {
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 100_000]) {
      const payload = Buffer.alloc(size, 'a')
      assert.equal(read([frame(BINARY, payload)], false).bytes, payload.toString())
      const room = Buffer.alloc(HEADER_ROOM + size, 'a')
      const start = writeHeader(room, HEADER_ROOM, size)
      assert.deepEqual(room.subarray(start), frame(BINARY, payload))
    }
    assert.deepEqual(read([closeFrame(1008, 'no')], false).close, '\x03\xf0no')
    const long = read([closeFrame(1008, 'n'.repeat(200))], false).close!
    assert.equal(long.length, 125)
    assert.ok(long.endsWith('n...'))
  })
})

describe('an outbox that frames', () => {
  /** A transport whose descriptor takes `budget` bytes, and whose stream takes the rest. */
  function framing(fd: number, budget = Number.POSITIVE_INFINITY): { outbox: Outbox; sent: () => Heard } {
    const out: Buffer[] = []
    const queued: (() => void)[] = []
    const transport = {
      type: 'WEBSOCKET',
      framed: true,
      fd,
      write: (bytes: Buffer, done: () => void) => {
        out.push(Buffer.from(bytes))
        queued.push(done)
      },
    } as unknown as Transport
    const never = (): never => assert.fail('nothing is slow here')
    const owner = {
      onOverflow: never,
      onDeadline: never,
      onWriteError: never,
      onRecovered: () => {},
      onDrain: () => {},
    }
    const outbox = new Outbox(transport, owner, 1e9, 10_000)
    let left = budget
    const take = (...pieces: Buffer[]): number => {
      const bytes = Buffer.concat(pieces)
      const count = Math.min(left, bytes.length)
      left -= count
      if (count === 0 && bytes.length > 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' })
      out.push(Buffer.from(bytes.subarray(0, count)))
      return count
    }
    outbox.writeDirect = (_fd, buffer, start, end) => take(buffer.subarray(start, end))
    outbox.writeBoth = (_fd, head, payload) => take(head, payload)
    return {
      outbox,
      sent: () => {
        for (let done = queued.shift(); done !== undefined; done = queued.shift()) done()
        return read([Buffer.concat(out)], false)
      },
    }
  }

  for (const [name, fd, budgets] of [
    ['a descriptor', 7, [Number.POSITIVE_INFINITY]],
    ['a descriptor that is soon full', 7, [0, 1, 5, 11, 40, 20_000, 70_000, 200_000]],
    ['a stream', -1, [0]],
  ] as const) {
    it(`sends whole frames over ${name}`, () => {
      for (const budget of budgets) {
        const { outbox, sent } = framing(fd, budget)
        let wanted = ''
        const text = (line: string): void => {
          outbox.text(line)
          wanted += line
        }
        const bytes = (size: number): void => {
          const payload = Buffer.alloc(size, 'p')
          outbox.bytes(payload, 0, size)
          wanted += payload.toString()
        }
        text('INFO {}\r\n')
        outbox.flush()
        for (const size of [1_000, 70_000, 16_384, 17_000, 5, 200_000]) {
          text('MSG a 1\r\n')
          bytes(size)
          text('\r\n')
          if (size === 16_384) outbox.control(frame(PONG, Buffer.from('pong')))
          if (size !== 17_000) outbox.flush()
        }
        bytes(30_000)
        outbox.flush()
        assert.deepEqual(
          sent(),
          { bytes: wanted, compressed: [], pings: [], close: null, error: null },
          `${budget}`,
        )
      }
    })
  }
})
