// Latency of services: which requests are measured, and what the events say.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { enginesUnderTest, type RawClient, run, tempDir, waitFor } from '@ngs/testkit'
import { onEveryEngine, toldNothing } from './support.ts'
import { inEveryWorld } from './world.ts'

const CONFIG = `
accounts {
  A {
    users: [ { user: a, password: x } ]
    exports: [
      { service: "all", latency: lat.all }
      { service: "shared", latency: { sampling: 100, subject: lat.shared } }
      { service: "head", latency: { sampling: headers, subject: lat.head } }
      { service: "brief", latency: { sampling: "100%", subject: lat.brief }, threshold: "100ms" }
    ]
  }
  B {
    users: [ { user: b, password: x } ]
    imports: [
      { service: { account: A, subject: "all" }, to: "call.all" }
      { service: { account: A, subject: "shared" }, to: "call.shared", share: true }
      { service: { account: A, subject: "head" }, to: "call.head" }
      { service: { account: A, subject: "brief" }, to: "call.brief" }
    ]
  }
}`

interface Latency {
  type: string
  id: string
  timestamp: string
  status: number
  description?: string
  requestor?: Record<string, unknown>
  responder?: Record<string, unknown>
  header?: Record<string, string[]>
  start: string
  service: number
  system: number
  total: number
}

const connectLine = (user: string): string =>
  `CONNECT ${JSON.stringify({ verbose: false, headers: true, no_responders: true, user, pass: 'x', name: `${user}-app`, lang: 'raw', version: '1' })}`

onEveryEngine('latency of services', CONFIG, ({ client }) => {
  const as = async (t: TestContext, user: string, ...lines: string[]): Promise<RawClient> => {
    const one = await client(t, connectLine(user), ...lines)
    await one.flush()
    return one
  }
  const listen = (t: TestContext): Promise<RawClient> => as(t, 'a', 'SUB lat.> 1')
  const read = async (listener: RawClient): Promise<Latency> =>
    JSON.parse((await listener.message()).payload) as Latency
  const ask = async (one: RawClient, subject: string, headers: string[] | null = null): Promise<void> => {
    if (headers === null) one.pub(subject, '', 'in.1')
    else one.hpub(subject, headers, '', 'in.1')
    await one.flush()
  }
  const answer = async (responder: RawClient): Promise<string> => {
    const { reply } = await responder.message()
    responder.pub(reply, 'yes')
    await responder.flush()
    return reply
  }

  it('is told for every answered request, with as much of the requestor as it shares', async (t) => {
    const listener = await listen(t)
    const responder = await as(t, 'a', 'SUB all 1', 'SUB shared 2')
    const asker = await as(t, 'b', 'SUB in.* 1')
    const earliest = Date.now()
    await ask(asker, 'call.all')
    const reply = await answer(responder)
    assert.match(reply, /^_R_\.\w{6}\.\w{6}\.\w{8}\.T$/)
    assert.match(await asker.flush(), /^MSG in\.1 1 3\r\nyes/)
    const event = await read(listener)
    assert.deepEqual(
      Object.keys(event).filter((key) => key !== 'responder'),
      ['type', 'id', 'timestamp', 'status', 'requestor', 'start', 'service', 'system', 'total'],
    )
    assert.equal(event.type, 'io.nats.server.metric.v1.service_latency')
    assert.match(event.id, /^\w{22}$/)
    assert.equal(event.status, 200)
    assert.deepEqual(
      Object.keys(event.requestor!).filter((key) => key !== 'rtt'),
      ['acc'],
    )
    assert.equal(event.requestor!['acc'], 'B')
    assert.equal(event.responder!['acc'], 'A')
    assert.equal(event.responder!['user'], 'a')
    assert.equal(event.responder!['name'], 'a-app')
    assert.ok(event.total > 0 && event.service <= event.total, JSON.stringify(event))
    // The server takes half of the round trip from it.
    const start = Date.parse(event.start)
    assert.ok(start > earliest - 10_000 && start <= Date.now(), event.start)
    await ask(asker, 'call.shared')
    await answer(responder)
    const shared = await read(listener)
    for (const [key, value] of Object.entries({
      acc: 'B',
      user: 'b',
      name: 'b-app',
      lang: 'raw',
      kind: 'Client',
    }))
      assert.equal(shared.requestor![key], value, key)
    await toldNothing(listener)
  })

  it('is told once per request', async (t) => {
    const listener = await listen(t)
    const responder = await as(t, 'a', 'SUB all 1')
    const asker = await as(t, 'b', 'SUB in.* 1')
    await ask(asker, 'call.all')
    const reply = await answer(responder)
    assert.equal((await read(listener)).status, 200)
    responder.pub(reply, 'again')
    await responder.flush()
    await toldNothing(listener)
  })

  it('has status 400 for a request without reply', async (t) => {
    const listener = await listen(t)
    await as(t, 'a', 'SUB all 1')
    const asker = await as(t, 'b')
    asker.pub('call.all')
    const event = await read(listener)
    assert.deepEqual([event.status, event.description], [400, 'Bad Request'])
    assert.deepEqual([event.service, event.system, event.total], [0, 0, 0])
    assert.equal(event.responder, undefined)
  })

  it('has status 503 when nobody took the request', async (t) => {
    const listener = await listen(t)
    const asker = await as(t, 'b', 'SUB in.* 1')
    asker.pub('call.all', '', 'in.1')
    assert.match(await asker.flush(), /^HMSG in\.1 1 [\s\S]*NATS\/1.0 503/)
    const event = await read(listener)
    assert.deepEqual([event.status, event.description], [503, 'Service Unavailable'])
  })

  it('has status 408 when the requestor has stopped waiting', async (t) => {
    const listener = await listen(t)
    await as(t, 'a', 'SUB all 1')
    for (const leave of [(one: RawClient) => one.unsub(1), (one: RawClient) => one.destroy()]) {
      const asker = await as(t, 'b', 'SUB in.* 1')
      await ask(asker, 'call.all')
      leave(asker)
      const event = await read(listener)
      assert.deepEqual([event.status, event.description], [408, 'Request Timeout'])
      assert.equal(event.requestor!['acc'], 'B')
    }
  })

  it('has status 504 when the threshold has passed', async (t) => {
    const listener = await listen(t)
    const responder = await as(t, 'a', 'SUB brief 1')
    const asker = await as(t, 'b', 'SUB in.* 1')
    await ask(asker, 'call.brief')
    const event = await read(listener)
    assert.deepEqual([event.status, event.description], [504, 'Service Timeout'])
    await answer(responder)
    assert.equal(await asker.flush(), '', 'it is too late')
  })

  const B3 = { 'X-B3-TraceId': 'a', 'X-B3-ParentSpanId': 'b', 'X-B3-SpanId': 'c' }
  const lines = (headers: Record<string, string>): string[] =>
    Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7'
  const triggers: [string, Record<string, string>, Record<string, string[]> | null][] = [
    ['no header', {}, null],
    ['another header', { 'X-Other': '1' }, null],
    [
      'Uber-Trace-Id that samples',
      { 'uber-trace-id': 'a:b:c:1', 'Uberctx-X': 'y', Other: 'z' },
      { 'Uber-Trace-Id': ['a:b:c:1'], 'Uberctx-X': ['y'] },
    ],
    ['Uber-Trace-Id that does not', { 'Uber-Trace-Id': 'a:b:c:0', B3: '1' }, null],
    ['Uber-Trace-Id of three parts', { 'Uber-Trace-Id': 'a:b:1' }, null],
    [
      'X-B3-Sampled 1',
      { 'X-B3-Sampled': '1', ...B3 },
      { 'X-B3-Sampled': ['1'], 'X-B3-Traceid': ['a'], 'X-B3-Parentspanid': ['b'], 'X-B3-Spanid': ['c'] },
    ],
    ['X-B3-Sampled 0', { 'X-B3-Sampled': '0', ...B3 }, null],
    ['X-B3-TraceId alone', { 'X-B3-TraceId': 'a' }, { 'X-B3-Traceid': ['a'] }],
    ['B3', { B3: 'a-b-1-c' }, { B3: ['a-b-1-c'] }],
    ['B3 that leaves it open', { b3: 'a-b' }, { B3: ['a-b'] }],
    ['B3 that does not sample', { B3: 'a-b-0' }, null],
    ['B3 0', { B3: '0' }, null],
    [
      'Traceparent that samples',
      { traceparent: `${PARENT}-01`, tracestate: 's' },
      { Traceparent: [`${PARENT}-01`], Tracestate: ['s'] },
    ],
    ['Traceparent that does not', { traceparent: `${PARENT}-00` }, null],
    ['Traceparent beyond 7f', { traceparent: `${PARENT}-81` }, null],
  ]
  for (const [what, headers, expected] of triggers) {
    it(`by header is ${expected === null ? 'not ' : ''}told for ${what}`, async (t) => {
      const listener = await listen(t)
      const responder = await as(t, 'a', 'SUB head 1')
      const asker = await as(t, 'b', 'SUB in.* 1')
      await ask(asker, 'call.head', Object.keys(headers).length === 0 ? null : lines(headers))
      const reply = await answer(responder)
      assert.equal(reply.length, expected === null ? 17 : 28)
      if (expected === null) return toldNothing(listener)
      assert.deepEqual((await read(listener)).header, expected)
    })
  }
})

inEveryWorld('latency of a JWT service', {}, (world) => {
  it('is told on the subject of the newest claims', async (t) => {
    const exporter = await world.account((claims) => {
      claims.nats.exports = [
        { name: 'q', subject: 'q', type: 'service', service_latency: { sampling: 100, results: 'lat.one' } },
      ]
    })
    const importer = await world.account((claims) => {
      claims.nats.imports = [{ name: 'q', subject: 'q', type: 'service', account: exporter.key.publicKey }]
    })
    const connect = { headers: true, no_responders: true }
    const listener = await world.client(t, exporter.key, undefined, { connect })
    listener.say('SUB lat.> 1')
    await listener.flush()
    const asker = await world.client(t, importer.key, undefined, { connect })
    asker.say('SUB in 1')
    asker.pub('q', '', 'in')
    await asker.flush()
    assert.equal((await listener.message()).subject, 'lat.one')
    exporter.claims.nats.exports![0]!.service_latency = { sampling: 100, results: 'lat.two' }
    await world.push(exporter.claims)
    await waitFor(
      async () => {
        asker.pub('q', '', 'in')
        await asker.flush()
        return (await listener.message()).subject === 'lat.two'
      },
      { what: 'the event on its new subject' },
    )
  })
})

inEveryWorld('latency of a JWT service that cannot be told', {}, (world) => {
  it('leaves the service as it is', async (t) => {
    const exporter = await world.account((claims) => {
      claims.nats.exports = [
        { name: 'q', subject: 'q', type: 'service', service_latency: { sampling: 100, results: 'own' } },
        { name: 'own', subject: 'own', type: 'service' },
      ]
    })
    const importer = await world.account((claims) => {
      claims.nats.imports = [{ name: 'q', subject: 'q', type: 'service', account: exporter.key.publicKey }]
    })
    const connect = { headers: true, no_responders: true }
    const responder = await world.client(t, exporter.key, undefined, { connect })
    responder.say('SUB q 1', 'SUB own 2')
    await responder.flush()
    const asker = await world.client(t, importer.key, undefined, { connect })
    asker.say('SUB in 1')
    asker.pub('q', '', 'in')
    await asker.flush()
    const { subject, reply } = await responder.message()
    assert.deepEqual([subject, reply.length], ['q', 17])
    responder.pub(reply, 'yes')
    await toldNothing(responder)
    assert.match(await asker.flush(), /yes/)
  })
})

const REFUSED: [string, string][] = [
  [
    'latency: lat, response: stream',
    'Error adding service latency sampling for "s" on subject "lat": bad service response type',
  ],
  [
    'latency: "lat.*"',
    'Error adding service latency sampling for "s" on subject "lat.*": invalid publish subject',
  ],
  ['latency: s', 'Error adding service latency sampling for "s" on subject "s": invalid publish subject'],
  ['latency: { sampling: 101, subject: lat }', 'bad sampling percentage, should be 1-100'],
  ['latency: { sampling: 0, subject: lat }', 'bad sampling percentage, should be 1-100'],
  ['latency: { sampling: "x%", subject: lat }', 'Failed to parse latency sample'],
  ['latency: { sampling: 50 }', 'Latency subject required, but missing'],
  ['latency: 5', 'Expected latency entry to be a map/struct or string'],
]
for (const engine of enginesUnderTest()) {
  describe(`latency that cannot be told [${engine.name}]`, () => {
    const refused = async (t: TestContext, config: string, error: string, tries = 1): Promise<void> => {
      const file = join(tempDir(t), 'latency.conf')
      writeFileSync(file, config)
      let { code, stdout, stderr } = await run(engine.path, ['-t', '-c', file])
      for (let i = 1; i < tries && code === 0; i++)
        ({ code, stdout, stderr } = await run(engine.path, ['-t', '-c', file]))
      assert.equal(code, 1)
      assert.ok((stdout + stderr).includes(error), stdout + stderr)
    }
    for (const [entry, error] of REFUSED)
      it(`${entry}: ${error}`, (t) =>
        refused(t, `accounts { A { exports: [ { service: "s", ${entry} } ] } }`, error))
    it('without a system account', (t) =>
      refused(
        t,
        'no_system_account: true\naccounts { A { exports: [ { service: "s", latency: lat } ] } }',
        'Error adding service latency sampling for "s": system account not setup',
        // The official server walks its accounts in an order of chance, and in some orders does not notice.
        30,
      ))
  })
}
