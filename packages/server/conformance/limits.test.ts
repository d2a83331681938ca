// Limits and timers, and how closed connections are remembered.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { RawClient, waitFor } from '@ngs/testkit'
import { answers, type Bench, ends, onEveryEngine, QUIET, wire } from './support.ts'

interface Connz {
  connections: { cid: number; reason: string }[]
}

const CONFIG = `
http: "127.0.0.1:-1"
max_subscriptions: 2
max_sub_tokens: 3
max_payload: 100
max_control_line: 64
max_pending: 20000
`

const reasonOf = (bench: Bench, cid: unknown): Promise<string> =>
  waitFor(
    async () =>
      (await bench.server.monitor<Connz>('/connz?state=closed&limit=1000')).connections.find(
        (item) => item.cid === cid,
      )?.reason,
    { what: `connection ${cid} among the closed ones` },
  )

onEveryEngine('limits', CONFIG, (bench) => {
  const { client } = bench
  it('refuses the subscription too many and takes one again after UNSUB', async (t) => {
    const one = await client(t, QUIET, 'SUB a 1', 'SUB b 2')
    await answers(one, ['SUB c 3'], wire("-ERR 'maximum subscriptions exceeded'"))
    await answers(one, ['UNSUB 1', 'SUB c 3', 'PUB c 0', ''], wire('MSG c 3 0', ''))
  })

  it('refuses subjects with too many tokens', async (t) => {
    await answers(
      await client(t, QUIET),
      ['SUB a.b.c.d 1'],
      wire(`-ERR 'Permissions Violation for Subscription to "a.b.c.d", too many tokens'`),
    )
  })

  it('remembers why connections ended', async (t) => {
    const cases: [string[], string, string][] = [
      [['PUB foo 101'], wire("-ERR 'Maximum Payload Violation'"), 'Maximum Message Payload Exceeded'],
      [
        [`SUB ${'a'.repeat(70)} 1`],
        wire("-ERR 'maximum control line exceeded'"),
        'Maximum Control Line Exceeded',
      ],
      [['XYZ'], wire("-ERR 'Unknown Protocol Operation'"), 'Protocol Violation'],
      [['PUB foo'], '', 'Protocol Violation'],
      [["-ERR 'x'"], '', 'Parse Error'],
      [
        [`-ERR '${'x'.repeat(70)}'`],
        wire("-ERR 'maximum control line exceeded'"),
        'Maximum Control Line Exceeded',
      ],
    ]
    for (const [lines, expected, reason] of cases) {
      const one = await client(t, QUIET)
      await ends(one, lines, expected)
      assert.equal(await reasonOf(bench, one.info['client_id']), reason)
    }
    const leaving = await client(t, QUIET)
    await leaving.flush()
    leaving.destroy()
    assert.equal(await reasonOf(bench, leaving.info['client_id']), 'Client Closed')
  })
})

onEveryEngine('the ping timer', 'http: "127.0.0.1:-1"\nping_interval: "100ms"\nping_max: 2', (bench) => {
  it('closes a connection that answers no PING as stale', async (t) => {
    const one = await RawClient.connect(t, bench.server.port, { pings: true })
    one.say(QUIET)
    assert.match(await one.closed(), /^(PING\r\n){2}-ERR 'Stale Connection'\r\n$/)
    assert.equal(await reasonOf(bench, one.info['client_id']), 'Stale Connection')
  })
})

onEveryEngine('a slow consumer', 'http: "127.0.0.1:-1"\nmax_payload: 1000\nmax_pending: 20000', (bench) => {
  const { client } = bench
  it('cuts a slow consumer without a word, and nobody else', async (t) => {
    const slow = await client(t, QUIET, 'SUB flood 1')
    await slow.flush()
    slow.pause()
    const witness = await RawClient.connect(t, bench.server.port)
    witness.say(QUIET, 'SUB done 1')
    const sender = await client(t, QUIET)
    const block = `PUB flood 100\r\n${'x'.repeat(100)}\r\n`.repeat(500)
    const cid = slow.info['client_id']
    await waitFor(
      async () => {
        sender.send(block)
        sender.send('PONG\r\n')
        const { connections } = await bench.server.monitor<Connz>('/connz?state=closed&limit=1000')
        return connections.some((item) => item.cid === cid)
      },
      { what: 'the slow consumer to be cut' },
    )
    assert.match(await reasonOf(bench, cid), /^Slow Consumer \((Pending Bytes|Write Deadline)\)$/)
    const last = await client(t, QUIET)
    last.say('PUB done 2', 'ok')
    await waitFor(async () => (await witness.line()) === 'MSG done 1 2', {
      what: 'the message to the witness',
    })
  })
})

onEveryEngine('the connection limit', 'max_connections: 1', ({ client }) => {
  it('greets and then refuses the connection too many', async (t) => {
    const first = await client(t, QUIET)
    await first.flush()
    const second = await client(t)
    assert.equal(await second.closed(), wire("-ERR 'maximum connections exceeded'"))
    assert.equal(await first.flush(), '')
  })
})
