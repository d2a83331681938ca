// Requests through service imports: the way there, who answers, and what the service is told about who asks.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { RawClient } from '@ngs/testkit'
import { onEveryEngine, wire } from './support.ts'

const CONFIG = `
server_name: here
accounts {
  A {
    users: [
      { user: a, password: x }
      { user: mute, password: x, permissions: { publish: [ "own" ] } }
      { user: answers, password: x, permissions: { publish: [ "own" ], allow_responses: true } }
    ]
    exports: [
      { service: "calc.*" }
      { service: "many", response_type: stream }
      { service: "fan" }
      { service: "svc.>" }
      { service: "private.*.x", account_token_position: 2 }
      { service: "all.*" }
      { stream: "calc.*" }
    ]
  }
  B {
    users: [ { user: b, password: x } ]
    imports: [
      { service: { account: A, subject: "calc.*" }, to: "sum.$1" }
      { service: { account: A, subject: "fan" }, to: "funnel.*" }
      { service: { account: A, subject: "svc.>" } }
      { service: { account: A, subject: "svc.one" } }
      { service: { account: A, subject: "private.B.x" }, to: "mine" }
      { service: { account: A, subject: "all.*" }, to: "both.$1" }
      { service: { account: C, subject: "all.*" }, to: "both.$1" }
      { service: { account: A, subject: "many" }, share: true }
    ]
    exports: [ { service: "sum.*" }, { service: "many" }, { service: "forward.*" } ]
  }
  C {
    users: [ { user: c, password: x } ]
    exports: [ { service: "all.*" } ]
    imports: [
      { service: { account: B, subject: "sum.*" }, to: "far.$1" }
      { service: { account: B, subject: "many" }, to: "shared", share: true }
      { stream: { account: A, subject: "calc.*" }, prefix: seen }
    ]
  }
  WIDE {
    users: [ { user: wide, password: x } ]
    exports: [ { service: ">" } ]
  }
  LOOP {
    users: [ { user: loop, password: x } ]
    imports: [ { service: { account: WIDE, subject: ">" } } ]
  }
}`

onEveryEngine('service imports', CONFIG, ({ client }) => {
  const as = async (t: TestContext, user: string, ...lines: string[]): Promise<RawClient> => {
    const options = {
      verbose: false,
      headers: true,
      no_responders: true,
      user,
      pass: 'x',
      name: `${user}-app`,
      lang: 'raw',
      version: '1.2',
    }
    const one = await client(t, `CONNECT ${JSON.stringify(options)}`, ...lines)
    await one.flush()
    return one
  }
  const ask = async (one: RawClient, subject: string, reply = 'in.1', body = ''): Promise<string> => {
    one.pub(subject, body, reply)
    return one.flush()
  }
  /** The measured round trip varies. */
  const timeless = (headers: string): string => {
    assert.match(headers, /"rtt":[1-9]\d+[,}]/)
    return headers.replace(/,"rtt":\d+/, '')
  }
  const info = (headers: string): Record<string, unknown> =>
    JSON.parse(/Nats-Request-Info: ?(\{.*\})\r\n/.exec(headers)![1]!) as Record<string, unknown>
  const unanswered = (subject: string): string => {
    const size = 32 + subject.length
    return wire(`HMSG in.1 1 ${size} ${size}`, 'NATS/1.0 503', `Nats-Subject: ${subject}`, '', '')
  }

  it('tell the service the account that asks, in a header of their own', async (t) => {
    const responder = await as(t, 'a', 'SUB calc.* 1')
    const asker = await as(t, 'b', 'SUB in.1 1')
    assert.equal(await ask(asker, 'sum.x', 'in.1', 'hello'), '')
    const plain = await responder.message()
    assert.deepEqual(
      [plain.op, plain.subject, timeless(plain.headers), plain.payload],
      ['HMSG', 'calc.x', 'NATS/1.0\r\nNats-Request-Info: {"acc":"B"}\r\n\r\n', 'hello'],
    )
    assert.match(plain.reply, /^_R_\.[0-9A-Za-z]{6}\.[0-9A-Za-z]{6}$/)
    asker.hpub('sum.y', ['A: 1', 'B: 2'], 'body', 'in.1')
    await asker.flush()
    const headed = await responder.message()
    assert.deepEqual(
      [timeless(headed.headers), headed.payload],
      ['NATS/1.0\r\nA: 1\r\nB: 2\r\nNats-Request-Info: {"acc":"B"}\r\n\r\n', 'body'],
    )
    asker.hpub('sum.z', ['Nats-Request-Info: {"acc":"root"}', 'A: 1'], '', 'in.1')
    await asker.flush()
    assert.equal(
      timeless((await responder.message()).headers),
      'NATS/1.0\r\nA: 1\r\nNats-Request-Info: {"acc":"B"}\r\n\r\n',
      'whoever makes one up does not get it through',
    )
  })

  it('add their header to whatever a client calls headers', async (t) => {
    const responder = await as(t, 'a', 'SUB calc.* 1')
    const asker = await as(t, 'b')
    const line = 'Nats-Request-Info: {"acc":"B"}\r\n\r\n'
    for (const [block, headers, payload] of [
      ['', `NATS/1.0\r\n${line}`, 'body'],
      ['x', `NATS/1.0\r\n${line}`, 'xbody'],
      ['\r\n', `NATS/1.0\r\n${line}`, '\r\nbody'],
      ['xyz', `x${line}`, 'body'],
      ['\r\n\r\n', `\r\n${line}`, 'body'],
      ['NATS/1.0', `NATS/1${line}`, 'body'],
      ['NATS/1.0\r\n', `NATS/1.0${line}`, 'body'],
      ['NATS/1.0\r\n\r\n', `NATS/1.0\r\n${line}`, 'body'],
      ['NATS/1.0 503 No\r\n\r\n', `NATS/1.0 503 No\r\n${line}`, 'body'],
      ['NATS/1.0\r\nNats-Request-Info: x\r\n\r\n', `NATS/1.0\r\n${line}`, 'body'],
    ] as const) {
      asker.send(`HPUB sum.x ${block.length} ${block.length + 4}\r\n${block}body\r\n`)
      await asker.flush()
      const message = await responder.message()
      assert.deepEqual(
        [timeless(message.headers), message.payload],
        [headers, payload],
        JSON.stringify(block),
      )
    }
  })

  it('tell nothing to those who read no headers', async (t) => {
    const responder = await client(t, 'CONNECT {"verbose":false,"user":"a","pass":"x"}', 'SUB calc.* 1')
    await responder.flush()
    const asker = await as(t, 'b', 'SUB in.1 1')
    await ask(asker, 'sum.x', 'in.1', 'hello')
    assert.match(await responder.flush(), /^MSG calc\.x 1 _R_\.\w{6}\.\w{6} 5\r\nhello\r\n$/)
  })

  it('tell the service who asks where the import shares it', async (t) => {
    const responder = await as(t, 'a', 'SUB many 1')
    const asker = await as(t, 'b', 'SUB in.1 1')
    await ask(asker, 'many')
    const shared = info((await responder.message()).headers)
    const { start, rtt, ...rest } = shared
    assert.ok(Number(rtt) > 0)
    assert.match(String(start), /^\d{4}-\d\d-\d\dT/)
    assert.deepEqual(Object.keys(shared), [
      ...[
        'start',
        'host',
        'id',
        'acc',
        'user',
        'name',
        'lang',
        'ver',
        'rtt',
        'server',
        'kind',
        'client_type',
      ],
    ])
    assert.deepEqual(rest, {
      host: '127.0.0.1',
      id: asker.info.client_id,
      acc: 'B',
      user: 'b',
      name: 'b-app',
      lang: 'raw',
      ver: '1.2',
      server: 'here',
      kind: 'Client',
      client_type: 'nats',
    })
  })

  it('keep the first account over several, and name the one that forwards', async (t) => {
    const responder = await as(t, 'a', 'SUB calc.* 1', 'SUB many 2')
    const asker = await as(t, 'c', 'SUB in.1 1')
    assert.equal(await ask(asker, 'far.x'), '')
    const far = await responder.message()
    assert.equal(far.subject, 'calc.x')
    assert.equal(JSON.stringify(info(timeless(far.headers))), '{"acc":"C","svc":"B"}')
    responder.pub(far.reply, 'yes')
    await responder.flush()
    assert.equal(await asker.flush(), wire('MSG in.1 1 3', 'yes'))
    await ask(asker, 'shared')
    const shared = info((await responder.message()).headers)
    assert.deepEqual(
      [shared['acc'], shared['svc'], shared['user'], shared['server']],
      ['C', 'B', 'c', 'here'],
    )
    assert.deepEqual(Object.keys(shared).slice(0, 6), ['start', 'host', 'id', 'acc', 'svc', 'user'])
  })

  it('keep large requests whole for a responder that reads late', async (t) => {
    const late = await as(t, 'a', 'SUB calc.* 1')
    late.pause()
    const asker = await as(t, 'b')
    const payload = (i: number): string => String.fromCharCode(97 + (i % 26)).repeat(40_000 + i)
    for (let i = 0; i < 200; i++) asker.pub('sum.x', payload(i))
    await asker.flush()
    late.resume()
    for (let i = 0; i < 200; i++) assert.ok((await late.message()).payload === payload(i), `message ${i}`)
  })

  it('say at once that nobody responds, with the name the asker used', async (t) => {
    const b = await as(t, 'b', 'SUB in.1 1')
    assert.equal(await ask(b, 'sum.none'), unanswered('sum.none'))
    assert.equal(await ask(b, 'both.none'), unanswered('both.none'))
    const c = await as(t, 'c', 'SUB in.1 1')
    assert.equal(await ask(c, 'far.none'), unanswered('far.none'))
  })

  it('pass on requests without reply', async (t) => {
    const responder = await as(t, 'a', 'SUB calc.* 1')
    const asker = await as(t, 'b')
    asker.pub('sum.x', 'hi')
    await asker.flush()
    const message = await responder.message()
    assert.deepEqual([message.reply, message.payload], ['', 'hi'])
  })

  it('ask every exporter of a subject, and every responder may answer', async (t) => {
    const [first, second] = [await as(t, 'a', 'SUB all.* 1'), await as(t, 'c', 'SUB all.* 1')]
    const asker = await as(t, 'b', 'SUB in.1 1')
    assert.equal(await ask(asker, 'both.x'), '')
    for (const one of [first, second]) {
      one.pub((await one.message()).reply, 'yes')
      await one.flush()
    }
    assert.equal(await asker.flush(), wire('MSG in.1 1 3', 'yes', 'MSG in.1 1 3', 'yes'))
    first.destroy()
    await second.flush()
    assert.equal(await ask(asker, 'both.x'), '', 'one of them is enough')
  })

  it('ask twice where two imports of one account overlap', async (t) => {
    const responder = await as(t, 'a', 'SUB svc.> 1')
    const asker = await as(t, 'b', 'SUB in.1 1')
    await ask(asker, 'svc.one')
    assert.equal((await responder.flush()).match(/HMSG svc\.one/g)?.length, 2)
    await ask(asker, 'svc.two')
    assert.equal((await responder.flush()).match(/HMSG svc\.two/g)?.length, 1)
  })

  it('bring many local names to one literal service', async (t) => {
    const responder = await as(t, 'a', 'SUB fan 1')
    const asker = await as(t, 'b', 'SUB back 1')
    for (const name of ['funnel.1', 'funnel.2']) await ask(asker, name, 'back')
    assert.equal((await responder.flush()).match(/HMSG fan 1 _R_/g)?.length, 2)
  })

  it('leave the request to local subscribers as it was, who may answer as well', async (t) => {
    const responder = await as(t, 'a', 'SUB calc.* 1')
    const local = await as(t, 'b', 'SUB sum.* 1')
    const asker = await as(t, 'b', 'SUB in.1 1')
    await ask(asker, 'sum.x', 'in.1', 'hi')
    assert.equal(await local.flush(), wire('MSG sum.x 1 in.1 2', 'hi'))
    local.pub('in.1', 'near')
    await local.flush()
    responder.pub((await responder.message()).reply, 'far')
    await responder.flush()
    assert.equal(await asker.flush(), wire('MSG in.1 1 4', 'near', 'MSG in.1 1 3', 'far'))
  })

  it('choose one of a queue group', async (t) => {
    const members = await Promise.all([as(t, 'a', 'SUB calc.* q 1'), as(t, 'a', 'SUB calc.* q 1')])
    const asker = await as(t, 'b', 'SUB in.1 1')
    for (let i = 0; i < 20; i++) await ask(asker, 'sum.x')
    const counts = await Promise.all(
      members.map(async (one) => (await one.flush()).match(/HMSG/g)?.length ?? 0),
    )
    assert.equal(counts[0]! + counts[1]!, 20)
    assert.ok(
      counts.every((count) => count > 0),
      `${counts}`,
    )
  })

  it('by token position are for the account that the subject names', async (t) => {
    const responder = await as(t, 'a', 'SUB private.*.x 1')
    const asker = await as(t, 'b', 'SUB in.1 1')
    await ask(asker, 'mine')
    assert.equal((await responder.message()).subject, 'private.B.x')
  })

  it('need the responder to have the permission to answer', async (t) => {
    const asker = await as(t, 'b', 'SUB in.1 1')
    const mute = await as(t, 'mute', 'SUB calc.mute 1')
    await ask(asker, 'sum.mute')
    const { reply } = await mute.message()
    mute.pub(reply, 'yes')
    assert.equal(await mute.flush(), wire(`-ERR 'Permissions Violation for Publish to "${reply}"'`))
    assert.equal(await asker.flush(), '')
    const answers = await as(t, 'answers', 'SUB calc.answers 1')
    await ask(asker, 'sum.answers')
    const granted = (await answers.message()).reply
    answers.pub(granted, 'yes')
    assert.equal(await answers.flush(), '')
    assert.equal(await asker.flush(), wire('MSG in.1 1 3', 'yes'))
    answers.pub(granted, 'no')
    assert.equal(
      await answers.flush(),
      wire(`-ERR 'Permissions Violation for Publish to "${granted}"'`),
      'one answer is granted',
    )
  })

  it('let anybody answer who knows the reply, and those who listen to everything see it', async (t) => {
    const responder = await as(t, 'a', 'SUB calc.* 1')
    const observer = await as(t, 'a', 'SUB > 1')
    const asker = await as(t, 'b', 'SUB in.1 1')
    await ask(asker, 'sum.x')
    const { reply } = await responder.message()
    const other = await as(t, 'a')
    other.pub(reply, 'from me')
    await other.flush()
    assert.equal(await asker.flush(), wire('MSG in.1 1 7', 'from me'))
    const seen = await observer.flush()
    assert.match(seen, /^HMSG calc\.x 1 _R_/)
    assert.ok(seen.endsWith(wire(`MSG ${reply} 1 7`, 'from me')), seen)
  })

  it('let a response ask for an answer in its turn', async (t) => {
    const responder = await as(t, 'a', 'SUB calc.* 1', 'SUB more 2')
    const asker = await as(t, 'b', 'SUB in.1 1')
    await ask(asker, 'sum.x')
    responder.pub((await responder.message()).reply, 'what?', 'more')
    await responder.flush()
    const back = await asker.message()
    assert.deepEqual([back.subject, back.payload], ['in.1', 'what?'])
    assert.match(back.reply, /^_R_\./)
    asker.pub(back.reply, 'that')
    await asker.flush()
    assert.equal(await responder.flush(), wire('MSG more 2 4', 'that'))
  })

  it('do not feed stream imports of the exporter', async (t) => {
    await as(t, 'a', 'SUB calc.* 1')
    const watcher = await as(t, 'c', 'SUB seen.calc.* 1')
    const asker = await as(t, 'b', 'SUB in.1 1')
    await ask(asker, 'sum.x')
    assert.equal(await watcher.flush(), '')
    const publisher = await as(t, 'a')
    publisher.pub('calc.x')
    await publisher.flush()
    assert.equal(await watcher.flush(), wire('MSG seen.calc.x 1 0', ''))
  })

  it('of everything do not carry their own responses round', async (t) => {
    const responder = await as(t, 'wide', 'SUB svc 1')
    const asker = await as(t, 'loop', 'SUB back.1 1')
    await ask(asker, 'svc', 'back.1')
    responder.pub((await responder.message()).reply, 'yes')
    await responder.flush()
    assert.equal(await asker.flush(), wire('MSG back.1 1 3', 'yes'))
    assert.equal(await responder.flush(), '')
  })
})
