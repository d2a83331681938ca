import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { readShared, sharedRead } from '../src/connection/shared-read.ts'

/** The two ends of a connection; the accepted one is read by nobody yet. */
async function pair(t: { after(task: () => void): void }): Promise<{ near: Socket; far: Socket }> {
  const server: Server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const far = connect((server.address() as { port: number }).port, '127.0.0.1')
  const [near] = (await once(server, 'connection')) as [Socket]
  t.after(() => {
    far.destroy()
    near.destroy()
    server.close()
  })
  return { near, far }
}

describe('the shared read buffer', () => {
  it('is where chunks of every connection arrive, until its end', async (t) => {
    const ends = await Promise.all([pair(t), pair(t)])
    const texts = ['', '']
    const done = ends.map(async ({ near }, i) => {
      assert.ok(
        readShared(near, (chunk) => {
          assert.equal(chunk.buffer, sharedRead.buffer)
          texts[i] += chunk.toString()
        }),
        'this Node has the fields',
      )
      near.resume()
      await once(near, 'end')
    })
    for (const [i, { far }] of ends.entries()) {
      far.write(`first of ${i};`)
      far.end(`last of ${i}`)
    }
    await Promise.all(done)
    assert.deepEqual(texts, ['first of 0;last of 0', 'first of 1;last of 1'])
  })

  it('obeys pause and resume', async (t) => {
    const { near, far } = await pair(t)
    let got = ''
    let more: () => void = () => {}
    const arrives = (): Promise<void> =>
      new Promise((resolve) => {
        more = resolve
      })
    readShared(near, (chunk) => {
      got += chunk.toString()
      more()
    })
    let next = arrives()
    near.resume()
    far.write('a')
    await next
    near.pause()
    next = arrives()
    far.write('b')
    // Sent and taken by the kernel, so it would be there if anybody read.
    await new Promise<void>((resolve) => far.write('c', () => resolve()))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(got, 'a')
    near.resume()
    await next
    while (got.length < 3) await arrives()
    assert.equal(got, 'abc')
  })

  it('is left alone when bytes wait in the stream, or the socket is of another kind', async (t) => {
    const { near } = await pair(t)
    near.unshift(Buffer.from('head'))
    assert.equal(
      readShared(near, () => {}),
      false,
    )
    const other = { _handle: {}, readableLength: 0 } as unknown as Socket
    assert.equal(
      readShared(other, () => {}),
      false,
    )
  })
})
