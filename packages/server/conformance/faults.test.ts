// Peers that break off, stay silent or talk something else: each ends with the reason the protocol gives it, and the rest is served.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { it } from 'node:test'
import { RawClient, waitFor } from '@ngs/testkit'
import { type Bench, onEveryEngine, QUIET } from './support.ts'

interface Connz {
  num_connections: number
  total: number
  connections: { cid: number; reason?: string; subscriptions: number }[]
}

const open = (bench: Bench): Promise<Connz> => bench.server.monitor<Connz>('/connz?limit=2000')
const closed = (bench: Bench): Promise<Connz> => bench.server.monitor<Connz>('/connz?state=closed&limit=5000')

/** A connection nobody looks after: what comes is read and thrown away. */
function stranger(bench: Bench, said: string | Buffer): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: bench.server.port, host: '127.0.0.1', allowHalfOpen: true })
    socket.on('error', reject)
    socket.once('data', () => {
      socket.off('error', reject).on('error', () => {})
      socket.write(said, () => resolve(socket))
    })
    socket.resume()
  })
}

onEveryEngine('peers that break off', 'http: "127.0.0.1:-1"\nmax_payload: 1mb', (bench) => {
  const cases: [string, string][] = [
    ['before any word', ''],
    ['inside CONNECT', 'CONNECT {"verbose":fal'],
    ['inside a line', `${QUIET}\r\nSUB fo`],
    ['inside a payload', `${QUIET}\r\nSUB foo 1\r\nPUB foo 1000\r\nhalf of it`],
    ['before the end of a payload', `${QUIET}\r\nPUB foo 5\r\nhello`],
  ]
  for (const [when, said] of cases) {
    it(`end as closed by the client when they close ${when}`, async (t) => {
      const socket = await stranger(bench, said)
      t.after(() => socket.destroy())
      const port = socket.localPort
      socket.end()
      const reason = await waitFor(
        async () =>
          ((await closed(bench)).connections as { port?: number; reason?: string }[]).find(
            (item) => item.port === port,
          )?.reason,
        { what: `the connection from port ${port} among the closed ones` },
      )
      assert.equal(reason, 'Client Closed')
    })
  }

  it('leave no subscription and no connection behind, a hundred at once and by reset', async (t) => {
    const witness = await bench.client(t, QUIET, 'SUB foo 1')
    await witness.flush()
    const subscriptions = async (): Promise<number> =>
      (await bench.server.monitor<{ num_subscriptions: number }>('/subsz?acc=$G')).num_subscriptions
    const before = await subscriptions()
    const sockets = await Promise.all(
      Array.from({ length: 100 }, () => stranger(bench, `${QUIET}\r\nSUB foo 1\r\nPUB foo 9\r\nhalf`)),
    )
    await waitFor(async () => (await open(bench)).num_connections === 101, { what: '101 connections' })
    for (const socket of sockets) socket.resetAndDestroy()
    await waitFor(async () => (await open(bench)).num_connections === 1, { what: 'the witness alone' })
    await waitFor(async () => (await subscriptions()) === before, { what: 'their subscriptions to go' })
    witness.say('PUB foo 2', 'ok')
    assert.equal((await witness.message()).payload, 'ok')
  })

  for (const [what, said] of [
    ['HTTP', 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'],
    ['a TLS hello', Buffer.from('16030100a5010000a10303', 'hex')],
    ['zeros', Buffer.alloc(100)],
    ['bytes without an end', Buffer.alloc(100_000, 0xff)],
  ] as const) {
    it(`are refused as unknown when they talk ${what}`, async (t) => {
      const one = await bench.client(t)
      one.send(said)
      assert.match(await one.closed(), /^-ERR 'Unknown Protocol Operation'\r\n/)
    })
  }
})

onEveryEngine(
  'peers that never authenticate',
  'http: "127.0.0.1:-1"\nauthorization { token: secret, timeout: 1 }',
  (bench) => {
    it('are told so and closed when their time is over, two hundred at once', async (t) => {
      const silent = await Promise.all(
        Array.from({ length: 200 }, (_, i) =>
          RawClient.connect(t, bench.server.port).then((client) => {
            // Half of a CONNECT does not count as one.
            if (i % 2 === 0) client.send('CONNECT {"auth_tok')
            return client
          }),
        ),
      )
      for (const one of silent) assert.equal(await one.closed(), "-ERR 'Authentication Timeout'\r\n")
      await waitFor(async () => (await open(bench)).num_connections === 0, { what: 'all to be gone' })
      const reasons = new Set((await closed(bench)).connections.map(({ reason }) => reason))
      assert.deepEqual([...reasons], ['Authentication Timeout'])
      const good = await bench.client(t, 'CONNECT {"verbose":false,"auth_token":"secret"}')
      assert.equal(await good.flush(), '')
    })
  },
)
