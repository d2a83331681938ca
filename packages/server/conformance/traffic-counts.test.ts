// Messages and bytes: what is counted for the server, for an account and for a connection.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { type RawClient, waitFor } from '@ngs/testkit'
import { onEveryEngine } from './support.ts'

const CONFIG = `
http: "127.0.0.1:-1"
accounts {
  OUT {
    users: [ { user: out, password: out }, { user: tight, password: tight, permissions: { publish: "ok" } } ]
    exports: [ { stream: "str.>" }, { service: "svc" } ]
    mappings: { "old": "new" }
  }
  IN {
    users: [ { user: in, password: in } ]
    imports: [ { stream: { account: OUT, subject: "str.>" }, prefix: got }, { service: { account: OUT, subject: "svc" } } ]
  }
}
`
const HEADERS = 'NATS/1.0\r\nA: b\r\n\r\n'

interface Traffic {
  msgs: number
  bytes: number
}
interface Counts {
  accounts: Record<string, { conns: number; sent: [number, number]; received: [number, number] }>
  server: { in: [number, number]; out: [number, number] }
}

onEveryEngine('traffic', CONFIG, (bench) => {
  const login = async (t: TestContext, user: string, ...lines: string[]): Promise<RawClient> => {
    const client = await bench.client(t)
    client.connect({ verbose: false, headers: true, user, pass: user })
    // The official server counts what comes in one piece with CONNECT for the account before it.
    await client.flush()
    client.say(...lines)
    await client.flush()
    return client
  }
  const counts = async (): Promise<Counts> => {
    const { account_statz } = await bench.server.monitor<{
      account_statz: { acc: string; conns: number; sent: Traffic; received: Traffic }[]
    }>('/accstatz?unused=1')
    const varz = await bench.server.monitor<Record<string, number>>('/varz')
    return {
      accounts: Object.fromEntries(
        account_statz.map(({ acc, conns, sent, received }) => [
          acc,
          { conns, sent: [sent.msgs, sent.bytes], received: [received.msgs, received.bytes] },
        ]),
      ),
      server: {
        in: [varz['in_msgs']!, varz['in_bytes']!],
        out: [varz['out_msgs']!, varz['out_bytes']!],
      },
    }
  }
  const connection = async (client: RawClient): Promise<[number, number, number, number]> => {
    const cid = client.info.client_id
    const { connections } = await bench.server.monitor<{
      connections: { in_msgs: number; in_bytes: number; out_msgs: number; out_bytes: number }[]
    }>(`/connz?cid=${cid}`)
    const { in_msgs, in_bytes, out_msgs, out_bytes } = connections[0]!
    return [in_msgs, in_bytes, out_msgs, out_bytes]
  }
  /** What the doing adds, for the accounts OUT and IN and the server; in and out of an account is what it received and sent. */
  const added = async (act: () => Promise<unknown>): Promise<Record<string, number[]>> => {
    const before = await counts()
    await act()
    const after = await counts()
    const difference = (a: number[], b: number[]): number[] => b.map((value, i) => value - a[i]!)
    const of = (name: string): number[] => [
      ...difference(before.accounts[name]!.received, after.accounts[name]!.received),
      ...difference(before.accounts[name]!.sent, after.accounts[name]!.sent),
    ]
    return {
      OUT: of('OUT'),
      IN: of('IN'),
      server: [
        ...difference(before.server.in, after.server.in),
        ...difference(before.server.out, after.server.out),
      ],
    }
  }

  it('over a stream import counts for the account that publishes', async (t) => {
    const sender = await login(t, 'out')
    const importer = await login(t, 'in', 'SUB got.str.* 1')
    const delta = await added(async () => {
      sender.say('PUB str.x 4', 'abcd')
      await importer.message()
    })
    assert.deepEqual(delta, { OUT: [1, 4, 1, 4], IN: [0, 0, 0, 0], server: [1, 4, 1, 4] })
    assert.deepEqual(await connection(importer), [0, 0, 1, 4])
  })

  it('over a service counts for the account in which it arrives', async (t) => {
    const responder = await login(t, 'out', 'SUB svc 1')
    const asker = await login(t, 'in', 'SUB back 1')
    const delta = await added(async () => {
      asker.say('PUB svc back 2', 'hi')
      responder.pub((await responder.message()).reply, 'fine')
      await asker.message()
    })
    // The request got a header that says whose it is.
    const [msgs, bytes, requests, requestBytes] = delta['OUT']!
    assert.deepEqual([msgs, bytes, requests, requestBytes! > 2], [1, 4, 1, true])
    assert.deepEqual(delta['IN'], [1, 2, 1, 4])
    assert.deepEqual(delta['server'], [2, 6, 2, 4 + requestBytes!])
  })

  it('has the headers that were taken off for the account and the server, not for the connection', async (t) => {
    const sender = await login(t, 'out')
    const plain = await bench.client(t)
    plain.connect({ verbose: false, user: 'out', pass: 'out' })
    plain.say('SUB foo 1')
    const importer = await bench.client(t)
    importer.connect({ verbose: false, user: 'in', pass: 'in' })
    importer.say('SUB got.str.* 1')
    for (const client of [plain, importer]) await client.flush()
    const whole = HEADERS.length + 2
    const delta = await added(async () => {
      for (const subject of ['foo', 'str.x'])
        sender.send(`HPUB ${subject} ${HEADERS.length} ${whole}\r\n${HEADERS}hi\r\n`)
      for (const client of [plain, importer]) await client.message()
    })
    const both = 2 * whole
    assert.deepEqual(delta, { OUT: [2, both, 2, both], IN: [0, 0, 0, 0], server: [2, both, 2, both] })
    for (const client of [plain, importer]) assert.deepEqual(await connection(client), [0, 0, 1, 2])
  })

  it('has what was refused or reached nobody as received, and a 503 nowhere', async (t) => {
    const client = await bench.client(t)
    client.connect({ verbose: false, headers: true, no_responders: true, user: 'tight', pass: 'tight' })
    client.say('SUB back 1')
    await client.flush()
    const delta = await added(async () => {
      client.say('PUB denied 3', 'abc', 'PUB ok 1', 'x', 'PUB ok back 0', '')
      await client.flush()
    })
    assert.deepEqual(delta, { OUT: [3, 4, 0, 0], IN: [0, 0, 0, 0], server: [3, 4, 0, 0] })
    assert.deepEqual(await connection(client), [3, 4, 0, 0])
  })

  it('stays with the account in which it was, when a client logs in as another user', async (t) => {
    const client = await login(t, 'out', 'SUB foo 1')
    const { sent } = (await counts()).accounts['IN']!
    const delta = await added(async () => {
      client.say('PUB foo 3', 'abc')
      await client.message()
      client.connect({ verbose: false, user: 'in', pass: 'in' })
      await client.flush()
      client.say('PUB bar 2', 'xy')
      await client.flush()
    })
    assert.deepEqual(delta, { OUT: [1, 3, 1, 3], IN: [1, 2, 0, 0], server: [2, 5, 1, 3] })
    assert.deepEqual(await connection(client), [2, 5, 1, 3])
    client.end()
    // Still so when it has gone.
    await waitFor(async () => (await counts()).accounts['IN']!.conns === 0, { what: 'the client to go' })
    assert.deepEqual((await counts()).accounts['IN']!.sent, sent)
  })

  it('has a client in the global account until it is known whose it is', async (t) => {
    const silent = await bench.client(t)
    const guests = async (): Promise<number> => (await counts()).accounts['$G']!.conns
    await waitFor(async () => (await guests()) === 1, { what: 'the client in the global account' })
    silent.connect({ verbose: false, user: 'out', pass: 'out' })
    await silent.flush()
    assert.equal(await guests(), 0)
    const { connections } = await bench.server.monitor<{ connections: { cid: number }[] }>('/connz?acc=OUT')
    assert.ok(connections.some(({ cid }) => cid === silent.info.client_id))
  })
})
