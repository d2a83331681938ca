// Message tracing: who may start a trace, what its event says, and how far it goes.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { RawClient } from '@ngs/testkit'
import { uncompress } from 'snappyjs'
import { onEveryEngine, toldNothing, wire } from './support.ts'
import { inEveryWorld } from './world.ts'

const CONFIG = `
accounts {
  A {
    users: [
      { user: a, password: x }
      { user: narrow, password: x, permissions: { publish: [ "foo", "traces" ], subscribe: { deny: "d.no" } } }
    ]
    mappings: { old: new }
    exports: [
      { service: "svc.open.*", allow_trace: true }
      { service: "svc.shut.*" }
      { stream: "s.>" }
    ]
  }
  B {
    users: [ { user: b, password: x } ]
    imports: [
      { service: { account: A, subject: "svc.open.*" }, to: "open.$1" }
      { service: { account: A, subject: "svc.shut.*" }, to: "shut.$1" }
      { stream: { account: A, subject: "s.open.>" }, prefix: in, allow_trace: true }
      { stream: { account: A, subject: "s.shut.>" }, prefix: in }
    ]
  }
  T { users: [ { user: t, password: x } ], msg_trace: { dest: traces, sampling: "100%" } }
}`

interface Trace {
  server: Record<string, unknown>
  request: { header: Record<string, string[]>; msgsize: number }
  hops?: number
  events: Record<string, unknown>[]
}

/** What varies from run to run is replaced by its type. */
const settled = (event: Record<string, unknown>): Record<string, unknown> => {
  assert.match(String(event['ts']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d)$/)
  const { ts: _, ...rest } = event
  return rest
}

const connectLine = (user: string, more: Record<string, unknown> = {}): string =>
  `CONNECT ${JSON.stringify({ verbose: false, headers: true, no_responders: true, user, pass: 'x', name: `${user}-app`, ...more })}`

onEveryEngine('message tracing', CONFIG, ({ client }) => {
  const as = async (t: TestContext, user: string, ...lines: string[]): Promise<RawClient> => {
    const one = await client(t, connectLine(user), ...lines)
    await one.flush()
    return one
  }
  const listen = (t: TestContext, user = 'a'): Promise<RawClient> => as(t, user, 'SUB traces 1')
  const read = async (listener: RawClient): Promise<Trace> =>
    JSON.parse(Buffer.from((await listener.message()).payload, 'latin1').toString()) as Trace
  const events = async (listener: RawClient): Promise<Record<string, unknown>[]> =>
    (await read(listener)).events.map(settled)
  /** No message came, when whoever sends them was flushed. */
  const silent = async (receiver: RawClient): Promise<void> => assert.equal(await receiver.flush(), '')
  const ingress = (one: RawClient, user: string, subj: string, more = {}) => ({
    type: 'in',
    kind: 0,
    cid: one.info.client_id,
    name: `${user}-app`,
    acc: user === 'b' ? 'B' : user === 't' ? 'T' : 'A',
    subj,
    ...more,
  })
  const egress = (one: RawClient, user: string, sub: string, more = {}) => ({
    type: 'eg',
    kind: 0,
    cid: one.info.client_id,
    name: `${user}-app`,
    sub,
    ...more,
  })
  const DEST = ['Nats-Trace-Dest: traces']
  const ONLY = [...DEST, 'Nats-Trace-Only: true']

  it('tells who got a message', async (t) => {
    const listener = await listen(t)
    const plain = await as(t, 'a', 'SUB foo 1')
    const member = await as(t, 'a', 'SUB foo q 1')
    const one = await as(t, 'a')
    one.hpub('foo', [...DEST, 'x-Own: 1', 'x-Own: 2'], 'hello')
    await one.flush()
    const trace = await read(listener)
    assert.deepEqual(trace.events.map(settled), [
      ingress(one, 'a', 'foo'),
      egress(plain, 'a', 'foo'),
      egress(member, 'a', 'foo', { queue: 'q' }),
    ])
    assert.deepEqual(trace.request, {
      header: { 'Nats-Trace-Dest': ['traces'], 'x-Own': ['1', '2'] },
      msgsize: 62,
    })
    assert.equal(trace.hops, undefined)
    assert.deepEqual(Object.keys(trace), ['server', 'request', 'events'])
    for (const key of ['name', 'host', 'id', 'ver', 'jetstream', 'flags', 'seq', 'time'])
      assert.ok(key in trace.server, key)
    for (const receiver of [plain, member])
      assert.match(
        await receiver.flush(),
        /^HMSG foo 1 57 62\r\n[\s\S]*Nats-Trace-Dest: traces[\s\S]*hello\r\n$/,
      )
  })

  it('only, on request: nobody gets the message', async (t) => {
    const listener = await listen(t)
    const receiver = await as(t, 'a', 'SUB foo 1')
    const one = await as(t, 'a')
    for (const word of ['1', 'true', 'ON']) {
      one.hpub('foo', [...DEST, `Nats-Trace-Only: ${word}`])
      await one.flush()
      assert.deepEqual(await events(listener), [ingress(one, 'a', 'foo'), egress(receiver, 'a', 'foo')], word)
      await silent(receiver)
    }
    one.hpub('foo', ['Nats-Trace-Only: true'])
    await one.flush()
    assert.match(await receiver.flush(), /^HMSG foo/, 'without a destination it says nothing')
    await toldNothing(listener)
  })

  it('counts as delivered when it is only traced', async (t) => {
    const listener = await listen(t)
    await as(t, 'a', 'SUB foo 1')
    const one = await as(t, 'a', 'SUB back 9')
    one.hpub('foo', ONLY, '', 'back')
    await silent(one)
    await events(listener)
    one.hpub('nobody', ONLY, '', 'back')
    assert.match(await one.flush(), /^HMSG back 9 .*\r\nNATS\/1.0 503/)
    assert.deepEqual(await events(listener), [ingress(one, 'a', 'nobody')])
  })

  it('names the mapped subject', async (t) => {
    const listener = await listen(t)
    const receiver = await as(t, 'a', 'SUB new 1')
    const one = await as(t, 'a')
    one.hpub('old', DEST)
    await one.flush()
    assert.deepEqual(await events(listener), [
      ingress(one, 'a', 'old'),
      { type: 'sm', to: 'new' },
      egress(receiver, 'a', 'new'),
    ])
  })

  it('tells why a message was refused', async (t) => {
    const listener = await listen(t)
    const one = await as(t, 'narrow')
    const error = 'Permissions Violation for Publish to "bar"'
    one.hpub('bar', DEST)
    assert.equal(await one.flush(), wire(`-ERR '${error}'`))
    assert.deepEqual(await events(listener), [ingress(one, 'narrow', 'bar', { error })])
    one.hpub('foo', DEST, '', '_R_.x')
    const reply = 'Permissions Violation for Publish with Reply of "_R_.x"'
    assert.equal(await one.flush(), wire(`-ERR '${reply}'`))
    assert.deepEqual(await events(listener), [ingress(one, 'narrow', 'foo', { error: reply })])
  })

  it('tells about a message that is too large, as far as it has come', async (t) => {
    const listener = await listen(t)
    const one = await as(t, 'a')
    const block = 'NATS/1.0\r\nNats-Trace-Dest: traces\r\n\r\n'
    one.send(`HPUB foo ${block.length} 2000000\r\n${block}`)
    assert.equal(await one.closed(), wire("-ERR 'Maximum Payload Violation'"))
    assert.deepEqual(await events(listener), [
      ingress(one, 'a', 'foo', { error: 'maximum payload exceeded' }),
    ])
  })

  it('tells why subscribers were left out', async (t) => {
    const listener = await listen(t)
    const denied = await as(t, 'narrow', 'SUB d.* 1')
    const one = await client(t, connectLine('a', { echo: false }), 'SUB d.no 1')
    await one.flush()
    one.hpub('d.no', DEST)
    await one.flush()
    const found = await events(listener)
    const why = (text: string): string => `Not delivered because ${text}`
    assert.deepEqual(
      found.sort((a, b) => Number(a['cid']) - Number(b['cid'])),
      [
        ingress(one, 'a', 'd.no'),
        egress(one, 'a', 'd.no', { error: why('of no echo') }),
        egress(denied, 'narrow', 'd.*', { error: why('subscription denies this subject') }),
      ].sort((a, b) => Number(a.cid) - Number(b.cid)),
    )
  })

  it('needs the permission to publish to its destination, or the message is dropped', async (t) => {
    const listener = await as(t, 'a', 'SUB elsewhere 1', 'SUB foo 2')
    const one = await as(t, 'narrow')
    one.hpub('foo', ['Nats-Trace-Dest: elsewhere'])
    assert.equal(await one.flush(), wire(`-ERR 'Permissions Violation for Publish to "elsewhere"'`))
    await toldNothing(listener)
  })

  it('without a usable destination the message goes on untraced', async (t) => {
    const listener = await as(t, 'a', 'SUB > 1')
    const receiver = await as(t, 'a', 'SUB foo 1')
    const one = await as(t, 'a')
    const untraced = async (what: string): Promise<void> => {
      const { op, subject } = await listener.message()
      assert.equal(`${op} ${subject}`, 'HMSG foo', what)
      await toldNothing(listener)
    }
    for (const destination of ['traces.*', 'a..b', 'trace disabled']) {
      one.hpub('foo', [`Nats-Trace-Dest: ${destination}`])
      await one.flush()
      assert.match(await receiver.flush(), /^HMSG foo/, destination)
      await untraced(destination)
    }
    one.hpub('foo', ['Nats-Trace-Dest: a..b', 'Nats-Trace-Only: 1'])
    await one.flush()
    await silent(receiver)
    await toldNothing(listener)
    one.hpub('foo', ['nats-trace-dest: traces'])
    await one.flush()
    assert.match(await receiver.flush(), /^HMSG foo/)
    await untraced('the name is meant by the letter')
  })

  it('is off for messages of servers that are older', async (t) => {
    const listener = await listen(t)
    const receiver = await as(t, 'a', 'SUB foo 1')
    const one = await as(t, 'a')
    one.hpub('foo', [...DEST, 'Nats-Trace-Origin-Account: X'])
    await one.flush()
    assert.match(await receiver.flush(), /^HMSG foo 1 [\s\S]*Nats-Trace-Dest: trace disabled\r\n/)
    one.hpub('foo', [...ONLY, 'Nats-Trace-Origin-Account: X'])
    await one.flush()
    await silent(receiver)
    await toldNothing(listener)
  })

  it('is compressed as the message asks', async (t) => {
    const listener = await listen(t)
    const one = await as(t, 'a')
    for (const [accepted, said] of [
      ['gzip', 'gzip'],
      ['snappy', 'snappy'],
      ['s2', 'snappy'],
      ['br', 'identity'],
    ] as const) {
      one.hpub('foo', [...DEST, `Accept-Encoding: ${accepted}`])
      await one.flush()
      const { headers, payload } = await listener.message()
      assert.match(headers, new RegExp(`^NATS/1.0\\r\\nContent-Encoding: ?${said}\\r\\n\\r\\n$`))
      const bytes = Buffer.from(payload, 'latin1')
      const text = said === 'gzip' ? gunzipSync(bytes) : said === 'snappy' ? unframed(bytes) : bytes
      assert.equal((JSON.parse(text.toString()) as Trace).events.length, 1)
    }
  })

  it('goes through a service whose export lets it, and ends at others', async (t) => {
    const listener = await listen(t, 'b')
    const responder = await as(t, 'a', 'SUB svc.> 1')
    const one = await as(t, 'b')
    const crossing = (from: string, to: string) => ({ type: 'si', acc: 'A', from, to })
    one.hpub('open.x', DEST)
    await one.flush()
    assert.deepEqual(await events(listener), [
      ingress(one, 'b', 'open.x'),
      crossing('open.x', 'svc.open.x'),
      egress(responder, 'a', 'svc.>', { acc: 'A' }),
    ])
    assert.match(await responder.flush(), /Nats-Trace-Dest: _R_\.\w{6}\.\w{6}\r\n/)
    one.hpub('open.x', ONLY)
    await one.flush()
    assert.equal((await events(listener)).length, 3)
    await silent(responder)
    one.hpub('shut.x', DEST)
    await one.flush()
    assert.deepEqual(await events(listener), [ingress(one, 'b', 'shut.x'), crossing('shut.x', 'svc.shut.x')])
    assert.match(await responder.flush(), /Nats-Trace-Dest: trace disabled\r\n/)
    one.hpub('shut.x', ONLY)
    await one.flush()
    assert.equal((await events(listener)).length, 2)
    await silent(responder)
  })

  it('goes through a stream whose import lets it, and ends at others', async (t) => {
    const listener = await listen(t)
    const receiver = await as(t, 'b', 'SUB in.> 1')
    const one = await as(t, 'a')
    one.hpub('s.open.x', DEST)
    await one.flush()
    assert.deepEqual(await events(listener), [
      ingress(one, 'a', 's.open.x'),
      { type: 'se', acc: 'B', to: 'in.s.open.x' },
      egress(receiver, 'b', 's.open.>', { acc: 'B' }),
    ])
    assert.match(await receiver.flush(), /^HMSG in\.s\.open\.x 1/)
    one.hpub('s.shut.x', DEST)
    await one.flush()
    assert.deepEqual(await events(listener), [
      ingress(one, 'a', 's.shut.x'),
      { type: 'se', acc: 'B', to: 'in.s.shut.x' },
    ])
    assert.match(await receiver.flush(), /^HMSG in\.s\.shut\.x 1/)
    for (const subject of ['s.open.x', 's.shut.x']) {
      one.hpub(subject, ONLY)
      await one.flush()
      await events(listener)
      await silent(receiver)
    }
  })

  const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7'
  it('begins with a sampled traceparent where the account has a destination', async (t) => {
    const listener = await listen(t, 't')
    const one = await as(t, 't')
    for (const [name, flags, traced] of [
      ['traceparent', '01', true],
      ['TraceParent', '25', true],
      ['traceparent', '00', false],
      ['traceparent', '81', false],
      ['traceparent', '1', false],
      ['tracestate', '01', false],
    ] as const) {
      one.hpub('foo', [`${name}: ${PARENT}-${flags}`, 'Nats-Trace-Only: true'])
      await one.flush()
      if (traced) {
        const { request } = await read(listener)
        assert.deepEqual(request.header[name], [`${PARENT}-${flags}`])
      } else await toldNothing(listener)
    }
    const receiver = await as(t, 't', 'SUB foo 1')
    one.hpub('foo', [`traceparent: ${PARENT}-01`, 'Nats-Trace-Only: true'])
    await one.flush()
    assert.match(await receiver.flush(), /^HMSG foo/, 'it is never only traced')
    await read(listener)
    const elsewhere = await as(t, 'a', 'SUB > 1')
    const other = await as(t, 'a')
    other.hpub('foo', [`traceparent: ${PARENT}-01`])
    await other.flush()
    assert.equal((await elsewhere.message()).subject, 'foo')
    await toldNothing(elsewhere)
  })
})

/** The framing format: chunks of type, length, checksum, content. */
function unframed(data: Buffer): Buffer {
  const parts: Uint8Array[] = []
  for (let at = 0; at < data.length; ) {
    const type = data[at]!
    const size = data.readUIntLE(at + 1, 3)
    const body = data.subarray(at + 8, at + 4 + size)
    if (type === 0) parts.push(uncompress(new Uint8Array(body)))
    else if (type === 1) parts.push(body)
    at += 4 + size
  }
  return Buffer.concat(parts)
}

inEveryWorld('message tracing of a JWT account', {}, (world) => {
  it('has the destination of the newest claims', async (t) => {
    const account = await world.account((claims) => (claims.nats.trace = { dest: 'one', sampling: 100n }))
    const options = { connect: { headers: true } }
    const one = await world.client(t, account.key, undefined, options)
    one.say('SUB one 1', 'SUB two 2', 'SUB marker 3')
    /** Where the event of a message goes; the event of the next message comes behind it. */
    const where = async (): Promise<string[]> => {
      one.hpub('foo', ['traceparent: 00-a-b-01'])
      one.hpub('foo', ['Nats-Trace-Dest: marker'])
      const destinations: string[] = []
      for (;;) {
        const { subject } = await one.message()
        if (subject === 'marker') return destinations
        destinations.push(subject)
      }
    }
    assert.deepEqual(await where(), ['one'])
    account.claims.nats.trace = { dest: 'two', sampling: 100n }
    await world.push(account.claims)
    assert.deepEqual(await where(), ['two'])
    delete account.claims.nats.trace
    await world.push(account.claims)
    assert.deepEqual(await where(), [])
  })
})
