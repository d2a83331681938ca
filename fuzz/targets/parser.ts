// The protocol parser alone: it never throws, and any split of the same bytes reads the same until the first refusal.
import { Parser, type Sink } from '../../packages/server/src/protocol/parser.ts'
import type { Random } from '../random.ts'
import { Finding, type Target } from '../target.ts'

const WORDS = [
  'PUB',
  'HPUB',
  'SUB',
  'UNSUB',
  'PING',
  'PONG',
  'CONNECT',
  'INFO',
  '+OK',
  '-ERR',
  'MSG',
  'pub',
  'sUb',
] as const
const ARGUMENTS = [
  'foo',
  'foo.bar',
  '*',
  '>',
  'a'.repeat(300),
  '0',
  '1',
  '5',
  '05',
  '-1',
  '99999999999',
  '{}',
  '\0',
  '\u00e9',
] as const

/** Mostly sound lines, so that what is behind a damaged one is reached too. */
function conversation(random: Random): Buffer {
  const parts = random.list(random.oneIn(4) ? 200 : 12, () => {
    const payload = 'x'.repeat(random.below(40))
    const subject = random.pick(ARGUMENTS)
    switch (random.below(6)) {
      case 0:
      case 1:
        return `PUB ${random.oneIn(3) ? `${subject} reply` : 'foo'} ${payload.length}\r\n${payload}\r\n`
      case 2:
        return `HPUB ${subject} 12 ${12 + payload.length}\r\nNATS/1.0\r\n\r\n${payload}\r\n`
      case 3:
        return `SUB ${subject} ${random.pick(ARGUMENTS)}\r\n`
      default:
        return `${random.pick(WORDS)}${random.list(4, () => random.pick([' ', '\t', '  ']) + random.pick(ARGUMENTS)).join('')}${random.pick(['\r\n', '\n'])}`
    }
  })
  const bytes = Buffer.from(parts.join(''), 'latin1')
  return random.oneIn(2) ? random.damage(bytes) : bytes
}

function read(chunks: readonly Buffer[]): string[] {
  const calls: string[] = []
  const sink: Sink = {
    publish: (frame) => {
      const { args, data } = frame
      parser.known = Buffer.from(args.subarray(frame.subjectStart, frame.subjectEnd))
      calls.push(
        `pub ${args.toString('latin1', frame.subjectStart, frame.subjectEnd)} ${args.toString('latin1', frame.replyStart, frame.replyEnd)} ${frame.headerSize} ${data.toString('latin1', frame.dataStart, frame.dataEnd)}`,
      )
    },
    subscribe: (subject, queue, sid) => void calls.push(`sub ${subject} ${queue} ${sid}`),
    unsubscribe: (sid, max) => void calls.push(`unsub ${sid} ${max}`),
    connect: (json) => void calls.push(`connect ${json}`),
    ping: () => void calls.push('ping'),
    pong: () => void calls.push('pong'),
    refuse: () => parser.stop(),
    unauthenticated: () => true,
    announce: () => {},
    midway: () => {},
  }
  const parser = new Parser(sink)
  parser.headers = true
  parser.maxPayload = 1_000
  for (const chunk of chunks) parser.feed(chunk)
  return calls
}

export const parser: Target = {
  name: 'parser',
  about: 'the client protocol, at any split of its bytes',
  start: async () => ({
    one(random) {
      const bytes = conversation(random)
      const chunks: Buffer[] = []
      for (let at = 0; at < bytes.length; ) {
        const size = random.oneIn(3) ? 1 : 1 + random.below(60)
        chunks.push(bytes.subarray(at, at + size))
        at += size
      }
      let whole: string[]
      let split: string[]
      try {
        whole = read([bytes])
        split = read(chunks)
      } catch (error) {
        throw new Finding('the parser threw', bytes, { cause: error })
      }
      if (JSON.stringify(whole) !== JSON.stringify(split))
        throw new Finding(
          `reads ${JSON.stringify(whole)} whole and ${JSON.stringify(split)} in pieces`,
          bytes,
        )
    },
  }),
}
