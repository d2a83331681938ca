// Writing: what the descriptor takes at once, what waits, and when waiting is too much.
import assert from 'node:assert/strict'
import { type AddressInfo, connect, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { waitFor } from '@ngs/testkit'
import { BY_REFERENCE, Outbox, type OutboxOwner } from '../src/connection/outbox.ts'
import { readShared, sharedRead } from '../src/connection/shared-read.ts'
import type { Transport } from '../src/connection/transport.ts'
import { kept } from '../src/references.ts'

/** A transport that keeps what the stream is given until release(). */
class Held implements Transport {
  readonly tls = null
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
  /** Lets everything that waits leave, and what comes after it; all of it. */
  release(): string {
    let text = ''
    while (this.writes.length > 0) {
      const { bytes, done } = this.writes.shift()!
      text += bytes.toString()
      done()
    }
    return text
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

function make(options: { fd?: number; maxPending?: number; deadline?: number } = {}) {
  const events: string[] = []
  const owner: OutboxOwner = {
    onSlow: (why) => void events.push(`slow ${why}`),
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
  outbox.writeDirect = (_fd, buffer, length) => take(buffer.subarray(0, length))
  outbox.writeBoth = (_fd, head, payload) => take(Buffer.concat([head, payload]))
  return {
    outbox,
    transport,
    events,
    direct: () => direct.join(''),
    limit: (bytes: number) => (room = bytes),
  }
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
  it('makes one write of what comes while bytes wait, and counts it as waiting', () => {
    const { outbox, transport, limit, events } = make({ maxPending: 30 })
    limit(0)
    outbox.text('first')
    outbox.flush()
    for (const text of [' a', ' b', ' c']) {
      outbox.text(text)
      outbox.flush()
    }
    assert.equal(transport.writes.length, 1)
    outbox.text(' more than may wait besides that')
    outbox.flush()
    assert.deepEqual(events, ['slow pending'])
  })
  it('leaves nothing behind when it is told to write all', () => {
    const { outbox, transport, limit } = make()
    limit(0)
    outbox.text('first')
    outbox.flush()
    outbox.text(' last')
    outbox.flushAll()
    assert.deepEqual(
      transport.writes.map(({ bytes }) => bytes.toString()),
      ['first', ' last'],
    )
  })
  it('copies what waits of the buffer that is read into, once for all receivers', async () => {
    const received: Buffer[] = []
    const listener = createServer((socket) => {
      assert.ok(readShared(socket, (chunk) => received.push(chunk)))
      socket.resume()
    })
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    const sender = connect((listener.address() as AddressInfo).port, '127.0.0.1')
    sender.write('x'.repeat(BY_REFERENCE))
    await waitFor(() => received.length > 0, { what: 'bytes' })
    const chunk = received[0]!
    assert.equal(chunk.buffer, sharedRead.buffer)
    const text = chunk.toString()
    const receivers = [make(), make()]
    for (const { outbox, limit } of receivers) {
      limit(0)
      outbox.bytes(chunk, 0, chunk.length)
    }
    chunk.fill('y')
    const [first, second] = receivers.map(({ transport }) => transport.writes[0]!.bytes)
    assert.equal(first!.toString(), text)
    assert.equal(first!.buffer, second!.buffer)
    sender.destroy()
    await new Promise((resolve) => listener.close(resolve))
  })
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
    // From here on the kernel takes nothing directly, so that what it took so far came first.
    limit(0)
    assert.ok(direct() + transport.release() === expected)
  })
  it('gives up on a receiver with too much waiting, and on one that takes nothing for too long', async () => {
    const full = make({ maxPending: 10 })
    full.limit(0)
    full.outbox.text('12345678901')
    full.outbox.flush()
    assert.deepEqual(full.events, ['slow pending'])
    const stuck = make({ deadline: 1 })
    stuck.limit(0)
    stuck.outbox.text('x')
    stuck.outbox.flush()
    const alive = setInterval(() => {}, 5)
    while (stuck.events.length === 0) await new Promise((resolve) => setImmediate(resolve))
    clearInterval(alive)
    assert.deepEqual(stuck.events, ['slow deadline'])
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
