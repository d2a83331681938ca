// Writing: what the descriptor takes at once, what waits, and when waiting is too much.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BY_REFERENCE, Outbox, type OutboxOwner } from '../src/connection/outbox.ts'
import type { Transport } from '../src/connection/transport.ts'
import { kept } from '../src/references.ts'

/** A transport that keeps what the stream is given until release(). */
class Held implements Transport {
  readonly tls = null
  readonly framed = false
  readonly forwardedFor = ''
  readonly type = 'STANDARD'
  readonly remoteAddress = ''
  readonly remotePort = 0
  readonly credentials = null
  readonly fd: number
  readonly writes: { bytes: Buffer; done: (error?: Error | null) => void }[] = []
  constructor(fd: number) {
    this.fd = fd
  }
  write(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.writes.push({ bytes, done })
  }
  release(): string {
    const text = this.writes.map(({ bytes }) => bytes.toString()).join('')
    for (const { done } of this.writes.splice(0)) done()
    return text
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

function make(options: { fd?: number; maxPending?: number; deadline?: number; giveUp?: boolean } = {}) {
  const events: string[] = []
  const owner: OutboxOwner = {
    onOverflow: () => void events.push('overflow'),
    onDeadline: ({ chunks, bytes, written }) => {
      events.push(`late ${written} of ${bytes} in ${chunks}`)
      return options.giveUp ?? true
    },
    onRecovered: ({ bytes }) => void events.push(`recovered ${bytes}`),
    onWriteError: (error) => void events.push(`error ${error.message}`),
    onDrain: () => void events.push('drain'),
  }
  const transport = new Held(options.fd ?? 1)
  const outbox = new Outbox(transport, owner, options.maxPending ?? 1 << 20, options.deadline ?? 60_000)
  const direct: string[] = []
  let room = Number.POSITIVE_INFINITY
  const take = (bytes: Buffer): number => {
    if (room === 0) throw Object.assign(new Error('again'), { code: 'EAGAIN' })
    const count = Math.min(room, bytes.length)
    room -= count
    direct.push(bytes.toString('latin1', 0, count))
    return count
  }
  outbox.writeDirect = (_fd, buffer, start, end) => take(buffer.subarray(start, end))
  outbox.writeBoth = (_fd, head, payload) => take(Buffer.concat([head, payload]))
  return {
    outbox,
    transport,
    events,
    direct: () => direct.join(''),
    limit: (bytes: number) => (room = bytes),
  }
}

/** Waits until there is an event. */
async function something(events: string[]): Promise<void> {
  const alive = setInterval(() => {}, 5)
  while (events.length === 0) await new Promise((resolve) => setImmediate(resolve))
  clearInterval(alive)
}

describe('the outbox', () => {
  it('writes to the descriptor while nothing is queued', () => {
    const { outbox, transport, direct } = make()
    outbox.text('hello ')
    outbox.text('world')
    outbox.flush()
    assert.equal(direct(), 'hello world')
    assert.equal(transport.writes.length, 0)
    assert.equal(outbox.pending, 0)
  })
  for (const [what, room] of [
    ['nothing', 0],
    ['a part', 4],
  ] as const) {
    it(`queues the rest when the kernel takes ${what}`, () => {
      const { outbox, transport, direct, limit, events } = make()
      limit(room)
      outbox.text('hello')
      outbox.flush()
      assert.equal(outbox.pending, 5 - room)
      outbox.text(' world')
      outbox.flush()
      assert.equal(direct() + transport.release(), 'hello world')
      assert.deepEqual(events, ['drain'])
      assert.equal(outbox.pending, 0)
    })
  }
  it('uses the stream alone where there is no descriptor', () => {
    const { outbox, transport, direct } = make({ fd: -1 })
    outbox.text('hello')
    outbox.flush()
    assert.equal(direct(), '')
    assert.equal(transport.release(), 'hello')
  })
  it('sends a large payload with its line, by reference when it has to wait', () => {
    const payload = Buffer.alloc(BY_REFERENCE + 5, 'x')
    const free = make()
    const before = kept.references
    free.outbox.text('MSG\r\n')
    free.outbox.bytes(payload, 0, payload.length)
    assert.equal(free.direct(), `MSG\r\n${payload}`)
    assert.equal(kept.references, before, 'nobody holds the payload')
    for (const room of [0, 3, 5, 9]) {
      const busy = make()
      busy.limit(room)
      busy.outbox.text('MSG\r\n')
      busy.outbox.bytes(payload, 0, payload.length)
      busy.outbox.text('\r\n')
      busy.outbox.flush()
      assert.equal(busy.direct() + busy.transport.release(), `MSG\r\n${payload}\r\n`, `room ${room}`)
    }
    assert.equal(kept.references, before + 4)
  })
  it('keeps the order of any mixture of sizes', () => {
    const { outbox, transport, direct, limit } = make({ maxPending: 1 << 30 })
    let expected = ''
    for (let i = 0; i < 200; i++) {
      const size = [3, 900, 5_000, BY_REFERENCE + i, 70_000][i % 5]!
      const text = String.fromCharCode(97 + (i % 26)).repeat(size)
      expected += text
      if (i % 7 === 0) limit(i % 3 === 0 ? 10 : Number.POSITIVE_INFINITY)
      if (size >= BY_REFERENCE) outbox.bytes(Buffer.from(text), 0, size)
      else outbox.text(text)
      if (i % 3 === 0) outbox.flush()
    }
    outbox.flush()
    // Direct writes stop for good once the kernel is full here, so they all come first.
    assert.ok(direct() + transport.release() + transport.release() === expected)
  })
  it('gives up on a receiver with too much waiting, and on one that takes nothing for too long', async () => {
    const full = make({ maxPending: 10 })
    full.limit(0)
    full.outbox.text('12345678901')
    full.outbox.flush()
    assert.deepEqual(full.events, ['overflow'])
    const stuck = make({ deadline: 1 })
    stuck.limit(0)
    stuck.outbox.text('x')
    stuck.outbox.flush()
    await something(stuck.events)
    assert.deepEqual(stuck.events, ['late 0 of 1 in 1'])
  })
  it('gives up on a receiver that does not take in time what waited, even when it takes some of it', async () => {
    const { outbox, transport, events, limit } = make({ deadline: 20, fd: -1 })
    limit(0)
    for (const text of ['abc', 'de', 'f']) {
      outbox.text(text)
      outbox.flush()
    }
    transport.writes.shift()!.done()
    // A new deadline, for what waits now.
    transport.writes.shift()!.done()
    await something(events)
    assert.deepEqual(events, ['late 2 of 3 in 2'])
  })
  it('lets a late receiver go on when its owner says so, and tells when it is in time again', async () => {
    const { outbox, transport, events } = make({ deadline: 5, fd: -1, giveUp: false })
    outbox.text('abc')
    outbox.flush()
    await something(events)
    assert.equal(events[0], 'late 0 of 3 in 1')
    transport.release()
    assert.deepEqual(events.slice(-2), ['recovered 3', 'drain'])
  })
  it('reports an error of the descriptor', () => {
    const { outbox, events } = make()
    outbox.writeDirect = () => {
      throw Object.assign(new Error('broken'), { code: 'EPIPE' })
    }
    outbox.text('x')
    outbox.flush()
    assert.deepEqual(events, ['error broken'])
  })
})
