import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { deliveryFrame, publishFrame, repeatFrame } from '../load/frames.ts'
import { FrameCounter, patternOf, StreamVerifier } from '../load/verifier.ts'
import { WebSocketReader, wrapBinary } from '../load/websocket.ts'

const frame = deliveryFrame('a.b', 1, 16)

function feedInPieces(
  bytes: Buffer,
  cuts: readonly number[],
): { frames: number; pongs: number; pings: number } {
  const verifier = new StreamVerifier(frame, patternOf(frame, 100))
  let pings = 0
  verifier.onPing = () => {
    pings++
  }
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  let from = 0
  for (const end of [...ends, bytes.length]) {
    // As the connection does it: the chunk lies at the front of a larger buffer with old bytes behind.
    const chunk = Buffer.concat([bytes.subarray(from, end), Buffer.from('old bytes')])
    if (end > from) verifier.feed(chunk, end - from)
    from = end
  }
  return { frames: verifier.frames, pongs: verifier.pongs, pings }
}

describe('the stream verifier', () => {
  it('counts frames and control lines however the bytes are cut', () => {
    const piece = fc.constantFrom<'frame' | 'ping' | 'pong' | 'info'>(
      'frame',
      'frame',
      'frame',
      'ping',
      'pong',
      'info',
    )
    const bytesOf = {
      frame,
      ping: Buffer.from('PING\r\n'),
      pong: Buffer.from('PONG\r\n'),
      info: Buffer.from('INFO {}\r\n'),
    }
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.array(fc.nat(2000)), (pieces, cuts) => {
        const counted = feedInPieces(Buffer.concat(pieces.map((name) => bytesOf[name])), cuts)
        const count = (name: string) => pieces.filter((one) => one === name).length
        assert.deepEqual(counted, { frames: count('frame'), pongs: count('pong'), pings: count('ping') })
      }),
    )
  })

  it('notices any single damaged byte', () => {
    const whole = repeatFrame(frame, 10 * frame.length)
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.array(fc.nat(2000)), (at, cuts) => {
        const damaged = Buffer.from(whole)
        damaged[at] = damaged[at]! ^ 1
        let frames = 0
        assert.throws(() => {
          frames = feedInPieces(Buffer.concat([damaged, frame]), cuts).frames
        }, /unexpected bytes|the server sent/)
        assert.equal(frames, 0)
      }),
    )
  })

  it('fails on an error line', () => {
    assert.throws(() => feedInPieces(Buffer.from("-ERR 'Slow Consumer'\r\n"), []), /Slow Consumer/)
  })
})

describe('frames', () => {
  it('are the protocol lines', () => {
    assert.equal(publishFrame('a', 3).toString(), 'PUB a 3\r\nxxx\r\n')
    assert.equal(deliveryFrame('a', 7, 3).toString(), 'MSG a 7 3\r\nxxx\r\n')
    assert.equal(repeatFrame(frame, 1).length, frame.length)
  })
})

describe('the frame counter', () => {
  it('counts frames of one length and control lines however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('frame', 'PING', 'PONG'), { maxLength: 30 }),
        fc.nat(40),
        (pieces, cut) => {
          const text = pieces.map((piece) => (piece === 'frame' ? frame.toString() : `${piece}\r\n`)).join('')
          const bytes = Buffer.from(text)
          const counter = new FrameCounter(frame.length)
          let pings = 0
          counter.onPing = () => {
            pings++
          }
          for (let at = 0; at < bytes.length; at += cut + 1) {
            const part = bytes.subarray(at, at + cut + 1)
            counter.feed(part, part.length)
          }
          const count = (what: string): number => pieces.filter((piece) => piece === what).length
          assert.deepEqual(
            [counter.frames, pings, counter.pongs],
            [count('frame'), count('PING'), count('PONG')],
          )
        },
      ),
    )
  })

  it('fails on a frame of another length and on an error line', () => {
    const longer = deliveryFrame('a.b', 1, 17)
    assert.throws(() => new FrameCounter(frame.length).feed(longer, longer.length), /another length/)
    const error = Buffer.from("-ERR 'Slow Consumer'\r\n")
    assert.throws(() => new FrameCounter(frame.length).feed(error, error.length), /Slow Consumer/)
  })
})

describe('the WebSocket frames', () => {
  it('come out as they went in, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 4 }),
        fc.nat(5000),
        (sizes, cut) => {
          let got = 0
          const reader = new WebSocketReader((_chunk, from, to) => {
            got += to - from
          })
          const head = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n')
          // A server's frames carry no mask.
          const unmasked = sizes.map((size) => {
            const masked = wrapBinary(Buffer.alloc(size, 1))
            const header = masked.length - size - 4
            masked[1] = masked[1]! & 0x7f
            return Buffer.concat([masked.subarray(0, header), masked.subarray(header + 4)])
          })
          const bytes = Buffer.concat([head, ...unmasked])
          for (let at = 0; at < bytes.length; at += cut + 1) {
            const part = bytes.subarray(at, at + cut + 1)
            reader.feed(part, part.length)
          }
          assert.equal(
            got,
            sizes.reduce((sum, size) => sum + size, 0),
          )
        },
      ),
    )
  })
})
