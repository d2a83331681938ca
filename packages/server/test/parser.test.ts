// The parser alone: any split of the same bytes gives the same calls.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Parser, type Sink } from '../src/protocol/parser.ts'

/** Writes down every call; remembers the last subject as a client does. */
function recorder(midway = (): void => {}): { parser: Parser; calls: string[] } {
  const calls: string[] = []
  const sink: Sink = {
    publish: (frame) => {
      const of = (start: number, end: number): string => frame.args.toString('latin1', start, end)
      parser.known = Buffer.from(frame.args.subarray(frame.subjectStart, frame.subjectEnd))
      const body = frame.data.toString('latin1', frame.dataStart, frame.dataEnd)
      calls.push(
        `pub ${of(frame.subjectStart, frame.subjectEnd)} ${of(frame.replyStart, frame.replyEnd)} ${frame.headerSize} ${of(frame.sizeStart, frame.sizeEnd)} ${JSON.stringify(body)}`,
      )
    },
    subscribe: (subject, queue, sid) => void calls.push(`sub ${subject} ${queue} ${sid}`),
    unsubscribe: (sid, max) => void calls.push(`unsub ${sid} ${max}`),
    connect: (json) => void calls.push(`connect ${json}`),
    ping: () => void calls.push('ping'),
    pong: () => void calls.push('pong'),
    refuse: (why) => {
      calls.push(`refuse ${why}`)
      parser.stop()
    },
    unauthenticated: () => true,
    // Depends on the split.
    announce: () => {},
    midway,
  }
  const parser = new Parser(sink)
  parser.headers = true
  parser.maxPayload = 10_000
  return { parser, calls }
}

function feed(chunks: Buffer[]): string[] {
  const { parser, calls } = recorder()
  for (const chunk of chunks) parser.feed(chunk)
  return calls
}

const TALK = Buffer.from(
  'CONNECT {"a":1}\r\nSUB foo.* 1\r\nSUB foo q 2\r\nPUB foo 5\r\nhello\r\nPUB foo 5\r\nworld\r\npub\tfoo re  0\r\n\r\nHPUB h 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHPUB h r 0 2\r\nxx\r\nPING tail\r\nPONG\r\n+OK\r\nINFO {}\r\nUNSUB 1\nUNSUB 2 7\r\nPUB foo 3\r\n\r\n\x00\r\n',
  'latin1',
)

describe('the parser', () => {
  const whole = feed([TALK])
  it('reads a conversation', () => {
    assert.deepEqual(whole, [
      'connect {"a":1}',
      'sub foo.* null 1',
      'sub foo q 2',
      'pub foo  -1 5 "hello"',
      'pub foo  -1 5 "world"',
      'pub foo re -1 0 ""',
      'pub h  12 14 "NATS/1.0\\r\\n\\r\\nhi"',
      'pub h r 0 2 "xx"',
      'ping',
      'pong',
      'unsub 1 0',
      'unsub 2 7',
      'pub foo  -1 3 "\\r\\n\\u0000"',
    ])
  })
  it('reads the same however it is cut in two, and byte by byte', () => {
    for (let cut = 1; cut < TALK.length; cut++)
      assert.deepEqual(feed([TALK.subarray(0, cut), TALK.subarray(cut)]), whole, `cut at ${cut}`)
    assert.deepEqual(feed([...TALK].map((byte) => Buffer.of(byte))), whole)
  })
  it('reads the same in any pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(TALK.length), { maxLength: 8 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), TALK.length]
        assert.deepEqual(feed(at.slice(1).map((end, i) => TALK.subarray(at[i], end))), whole)
      }),
    )
  })
  it('gives the same answer to garbage however it is cut, and never throws', () => {
    const word = fc.constantFrom(
      'PUB',
      'HPUB',
      'SUB',
      'UNSUB',
      'PING',
      'CONNECT',
      '+OK',
      '-ERR',
      ' ',
      '\r',
      '\n',
      '\r\n',
      'foo',
      '5',
      '0',
      '-1',
      '99999999999',
      '{}',
      '\0',
      'é',
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), fc.nat(60), (words, cut) => {
        const bytes = Buffer.from(words.join(''), 'latin1')
        const last = (calls: string[]): string[] => calls.filter((call) => !call.startsWith('refuse'))
        const split = feed([bytes.subarray(0, cut), bytes.subarray(cut)])
        // Why it is refused may be known earlier with fewer bytes; what was read before is the same.
        assert.deepEqual(last(split), last(feed([bytes])))
      }),
      { seed: 11, numRuns: 2000 },
    )
  })
  it('waits while paused and goes on where it was', () => {
    const { parser, calls } = recorder()
    parser.pause()
    parser.feed(Buffer.from('PING\r\nPI'))
    parser.feed(Buffer.from('NG\r\n'))
    assert.deepEqual(calls, [])
    parser.resume()
    assert.deepEqual(calls, ['ping', 'ping'])
  })
  it('stops over once in the middle of a burst, between two operations', () => {
    const places = (chunk: string): number[] => {
      const seen: number[] = []
      const { parser, calls } = recorder(() => void seen.push(calls.length))
      parser.feed(Buffer.from(chunk))
      assert.equal(calls.length, chunk.split('PUB').length - 1)
      return seen
    }
    const message = 'PUB foo 5\r\nhello\r\n'
    assert.deepEqual(places(message.repeat(200)), [100])
    assert.deepEqual(places(message.repeat(100)), [], 'too little')
    assert.deepEqual(places(message.repeat(500)), [], 'a stream, not a burst')
    assert.deepEqual(places(`PUB foo 4000\r\n${'x'.repeat(4000)}\r\n${message}`), [1])
    const whole = feed([Buffer.from(message.repeat(200))])
    assert.deepEqual(feed([Buffer.from(`${message.repeat(200)}PUB fo`)]), whole)
  })
  it('reads nothing more when it is stopped in the middle of a burst', () => {
    const { parser, calls } = recorder(() => parser.stop())
    parser.feed(Buffer.from('PING\r\n'.repeat(1000)))
    assert.equal(calls.length, 500)
  })
  for (const [name, text, why] of [
    ['a size over the limit', 'PUB foo 10001\r\n', 'maxPayload'],
    ['a long line', `SUB ${'a'.repeat(5000)} 1\r\n`, 'controlLine'],
    ['an endless line', `SUB ${'a'.repeat(5000)}`, 'controlLine'],
    ['an endless word', 'a'.repeat(10), 'unknownOperation'],
    ['a payload without its end', 'PUB foo 1\r\nab', 'unknownOperation'],
    ['headers longer than the whole', 'HPUB foo 3 2\r\n', 'badArguments'],
  ] as const) {
    it(`refuses ${name}`, () => assert.deepEqual(feed([Buffer.from(text)]), [`refuse ${why}`]))
  }
})
