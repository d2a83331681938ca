// Receivers that do not read: they are cut, and nobody else notices. Source: client-protocol, write_deadline and max_pending.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { RawClient, waitFor } from '@ngs/testkit'
import { onEveryEngine, QUIET } from './support.ts'

interface Closed {
  connections: { cid: number; reason: string }[]
}

const STALLED = 100
const PAYLOAD = 1_000
const BLOCK = 500
const BLOCKS = 40

onEveryEngine(
  'a hundred receivers that stopped reading',
  'http: "127.0.0.1:-1"\nmax_payload: 4kb\nmax_pending: 1mb\nping_interval: 60',
  (bench) => {
    it('are cut, while those that read get every message in order', async (t) => {
      const stalled: RawClient[] = []
      for (let i = 0; i < STALLED; i++) {
        const one = await bench.client(t, QUIET, 'SUB flood 1')
        await one.flush()
        one.pause()
        stalled.push(one)
      }
      const reader = await RawClient.connect(t, bench.server.port, { deadline: 60_000 })
      reader.say(QUIET, 'SUB flood 1', 'SUB round 2')
      await reader.flush()
      const sender = await RawClient.connect(t, bench.server.port, { deadline: 60_000 })
      sender.say(QUIET)
      let next = 0
      for (let block = 0; block < BLOCKS; block++) {
        for (let i = 0; i < BLOCK; i++) sender.pub('flood', String(next + i).padStart(PAYLOAD, '.'))
        sender.pub('round', String(block))
        // Read before the next block goes out: this receiver is never behind, whatever the others do.
        for (let i = 0; i < BLOCK; i++) {
          assert.equal((await reader.message()).payload, String(next + i).padStart(PAYLOAD, '.'))
        }
        assert.equal((await reader.message()).payload, String(block))
        next += BLOCK
      }
      const closed = (): Promise<Closed> => bench.server.monitor<Closed>('/connz?state=closed&limit=1000')
      await waitFor(async () => (await closed()).connections.length === STALLED, {
        what: `${STALLED} closed connections`,
      })
      const reasons = new Set((await closed()).connections.map(({ reason }) => reason))
      for (const reason of reasons) assert.match(reason, /^Slow Consumer \((Pending Bytes|Write Deadline)\)$/)
      const { slow_consumers } = await bench.server.monitor<{ slow_consumers: number }>('/varz')
      assert.equal(slow_consumers, STALLED)
      assert.equal(stalled.length, STALLED)
    })
  },
)

onEveryEngine(
  'a receiver that stopped reading and gets little',
  'http: "127.0.0.1:-1"\nmax_pending: 64mb\nwrite_deadline: "300ms"',
  (bench) => {
    it('is cut at the write deadline, long before max_pending', async (t) => {
      const stalled = await bench.client(t, QUIET, 'SUB flood 1')
      await stalled.flush()
      stalled.pause()
      const sender = await bench.client(t, QUIET)
      const cid = stalled.info.client_id
      const payload = 'x'.repeat(60_000)
      const reason = await waitFor(
        async () => {
          // More than the kernel takes for it, far less than max_pending.
          for (let i = 0; i < 10; i++) sender.pub('flood', payload)
          await sender.flush()
          const { connections } = await bench.server.monitor<Closed>('/connz?state=closed')
          return connections.find((item) => item.cid === cid)?.reason
        },
        { what: 'the receiver to be cut' },
      )
      assert.equal(reason, 'Slow Consumer (Write Deadline)')
    })
  },
)

onEveryEngine(
  'a receiver that is late and gets another chance',
  // Whoever takes nothing at all during a second deadline is cut: the test has that long to go on reading.
  'write_timeout: retry\nwrite_deadline: "4s"\nmax_pending: 64mb',
  (bench) => {
    it('stays, gets everything, and the log says when it was late and when no more', async (t) => {
      const late = await RawClient.connect(t, bench.server.port, { deadline: 30_000 })
      late.say(QUIET, 'SUB flood 1')
      await late.flush()
      late.pause()
      const sender = await bench.client(t, QUIET)
      const count = 30
      for (let i = 0; i < count; i++) sender.pub('flood', String(i).padStart(1_000_000, '.'))
      const name = `cid:${late.info.client_id} -( "[^"]*" -)*`
      await bench.server.waitForLog(
        new RegExp(
          `${name} Slow Consumer Detected: WriteDeadline of 4s exceeded with \\d+ chunks of \\d+ total bytes\\.\n`,
        ),
      )
      late.resume()
      for (let i = 0; i < count; i++)
        assert.equal(Number((await late.message()).payload.replaceAll('.', '')), i)
      await bench.server.waitForLog(
        new RegExp(
          `${name} Slow Consumer Recovered: Flush took [\\d.]+s with \\d+ chunks of \\d+ total bytes\\.\n`,
        ),
      )
    })
  },
)
