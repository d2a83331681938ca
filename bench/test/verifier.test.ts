import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { deliveryFrame, publishFrame, repeatFrame } from '../load/frames.ts'
import { patternOf, StreamVerifier } from '../load/verifier.ts'

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
