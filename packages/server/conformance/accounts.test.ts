// Accounts of the configuration file: isolation and sharing.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { RawClient } from '@ngs/testkit'
import { onEveryEngine, wire } from './support.ts'

const CONFIG = `
accounts {
  A {
    users: [ { user: a, password: x } ]
    exports: [
      { stream: "pub.>" }
      { stream: "e.*.*" }
      { stream: "one" }
      { service: "calc.*" }
      { service: "lit" }
      { service: "many", response_type: stream }
      { service: "mine", accounts: [B] }
    ]
  }
  B {
    users: [ { user: b, password: x } ]
    imports: [
      { stream: { account: A, subject: "pub.>" } , prefix: "from.a" }
      { stream: { account: A, subject: "e.*.*" }, to: "l.$2.$1" }
      { stream: { account: A, subject: "one" }, to: "uno" }
      { service: { account: A, subject: "calc.*" }, to: "sum.$1" }
      { service: { account: A, subject: "lit" }, to: "local", share: true }
      { service: { account: A, subject: "many" } }
      { service: { account: A, subject: "mine" } }
      { service: { account: C, subject: "chain" } }
    ]
    exports: [ { service: "local2" } ]
  }
  C {
    users: [ { user: c, password: x } ]
    exports: [ { service: "chain" } ]
    imports: [ { service: { account: A, subject: "calc.*" }, to: "chain2.$1" } ]
  }
}`

onEveryEngine('accounts', CONFIG, ({ client }) => {
  const as = async (t: TestContext, user: string, ...lines: string[]): Promise<RawClient> => {
    const options = {
      verbose: false,
      pedantic: false,
      headers: true,
      no_responders: true,
      user,
      pass: 'x',
      name: `${user}-app`,
    }
    const one = await client(t, `CONNECT ${JSON.stringify(options)}`, ...lines)
    await one.flush()
    return one
  }
  const plain = async (t: TestContext, user: string, ...lines: string[]): Promise<RawClient> => {
    const one = await client(
      t,
      `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, user, pass: 'x' })}`,
      ...lines,
    )
    await one.flush()
    return one
  }

  it('see nothing of each other', async (t) => {
    const a = await as(t, 'a')
    const b = await as(t, 'b', 'SUB > 1')
    a.say('PUB foo 1', 'x', 'PUB $SYS.x 1', 'x')
    assert.equal(await a.flush(), '')
    assert.equal(await b.flush(), '')
  })

  const shadows: [string, string, string][] = [
    ['l.*.*', 'e.x.y', 'l.y.x'],
    ['l.>', 'e.x.y', 'l.y.x'],
    ['l.a.b', 'e.b.a', 'l.a.b'],
    ['l.a.*', 'e.b.a', 'l.a.b'],
    ['*.a.b', 'e.b.a', 'l.a.b'],
    ['uno', 'one', 'uno'],
    ['*', 'one', 'uno'],
    ['from.a.pub.>', 'pub.x.y', 'from.a.pub.x.y'],
    ['from.*.pub.x', 'pub.x', 'from.a.pub.x'],
  ]
  for (const [subscribed, published, delivered] of shadows) {
    it(`deliver ${published} of a stream import to SUB ${subscribed} as ${delivered}`, async (t) => {
      const a = await as(t, 'a')
      const b = await as(t, 'b', `SUB ${subscribed} 7`)
      a.say(`PUB ${published} 2`, 'hi')
      await a.flush()
      assert.equal(await b.flush(), wire(`MSG ${delivered} 7 2`, 'hi'))
      b.say('UNSUB 7')
      await b.flush()
      a.say(`PUB ${published} 2`, 'hi')
      await a.flush()
      assert.equal(await b.flush(), '')
    })
  }
  for (const subscribed of ['x.>', 'one', 'l.a', 'e.*.*']) {
    it(`deliver nothing of stream imports to SUB ${subscribed}`, async (t) => {
      const a = await as(t, 'a')
      const b = await as(t, 'b', `SUB ${subscribed} 7`)
      a.say('PUB one 0', '', 'PUB e.q.r 0', '')
      await a.flush()
      assert.equal(await b.flush(), '')
    })
  }

  it('share one delivery in a queue group that spans exporter and importer', async (t) => {
    const a = await as(t, 'a', 'SUB one workers 1')
    const b = await as(t, 'b', 'SUB uno workers 2')
    const sender = await as(t, 'a')
    for (let i = 0; i < 20; i++) sender.say('PUB one 0', '')
    await sender.flush()
    const count = (text: string): number => text.match(/MSG/g)?.length ?? 0
    assert.equal(count(await a.flush()) + count(await b.flush()), 20)
  })

  it('answer requests through a service import, several at a time', async (t) => {
    const responder = await plain(t, 'a', 'SUB calc.* 1')
    const askers = await Promise.all([
      as(t, 'b', 'SUB in.0 1'),
      as(t, 'b', 'SUB in.1 1'),
      as(t, 'c', 'SUB in.2 1'),
    ])
    askers[0]!.say('PUB sum.x in.0 1', '0')
    askers[1]!.say('PUB sum.y in.1 1', '1')
    askers[2]!.say('PUB chain2.z in.2 1', '2')
    for (const asker of askers) await asker.flush()
    const requests = await responder.flush()
    const found = [
      ...requests.matchAll(/MSG calc\.([xyz]) 1 (_R_\.[0-9A-Za-z]{6}\.[0-9A-Za-z]{6}) 1\r\n(\d)\r\n/g),
    ]
    assert.equal(found.length, 3, requests)
    for (const [, name, reply, body] of found) responder.say(`PUB ${reply} 2`, `${name}${body}`)
    await responder.flush()
    const replies = await Promise.all(askers.map((asker) => asker.flush()))
    assert.equal(replies[0]! + replies[1]!, wire('MSG in.0 1 2', 'x0') + wire('MSG in.1 1 2', 'y1'))
    assert.equal(replies[2], wire('MSG in.2 1 2', 'z2'))
    // A singleton has answered: what comes later vanishes.
    responder.say(`PUB ${found[0]![2]} 4`, 'late')
    await responder.flush()
    for (const asker of askers) assert.equal(await asker.flush(), '')
  })

  it('let a stream of responses end with an empty one', async (t) => {
    const responder = await plain(t, 'a', 'SUB many 1')
    const asker = await as(t, 'b', 'SUB in 1')
    asker.say('PUB many in 0', '')
    await asker.flush()
    const reply = /_R_\.\w+\.\w+/.exec(await responder.flush())![0]
    for (const body of ['1', '2', '', '3']) responder.say(`PUB ${reply} ${body.length}`, body)
    await responder.flush()
    assert.equal(await asker.flush(), wire('MSG in 1 1', '1', 'MSG in 1 1', '2', 'MSG in 1 0', ''))
  })

  it('tell the exporter who asks as far as the import shares it', async (t) => {
    const responder = await as(t, 'a', 'SUB calc.* 1', 'SUB lit 2')
    const asker = await as(t, 'b', 'SUB in 1')
    const info = async (): Promise<Record<string, unknown>> => {
      await asker.flush()
      const text = await responder.flush()
      return JSON.parse(/Nats-Request-Info: ?(\{.*\})/.exec(text)![1]!) as Record<string, unknown>
    }
    const forged = 'NATS/1.0\r\nNats-Request-Info: {"acc":"root"}\r\nX: y\r\n\r\n'
    asker.say(`HPUB sum.q in ${forged.length} ${forged.length + 1}`, `${forged}x`)
    const minimal = await info()
    assert.equal(minimal['acc'], 'B')
    assert.equal(minimal['user'], undefined)
    asker.say('PUB local in 0', '')
    const shared = await info()
    assert.equal(shared['acc'], 'B')
    assert.equal(shared['user'], 'b')
    assert.equal(shared['name'], 'b-app')
    assert.equal(shared['kind'], 'Client')
    assert.equal(shared['client_type'], 'nats')
    assert.equal(shared['host'], '127.0.0.1')
  })

  it('report that nobody responds across accounts, with the local subject', async (t) => {
    const asker = await as(t, 'b', 'SUB in 1')
    asker.say('PUB sum.none in 0', '')
    const size = 32 + 'sum.none'.length
    assert.equal(
      await asker.flush(),
      `HMSG in 1 ${size} ${size}\r\nNATS/1.0 503\r\nNats-Subject: sum.none\r\n\r\n\r\n`,
    )
  })

  it('forget a request whose asker has left', async (t) => {
    const responder = await plain(t, 'a', 'SUB calc.* 1')
    const asker = await as(t, 'b', 'SUB in.9 1')
    asker.say('PUB sum.x in.9 0', '')
    await asker.flush()
    const reply = /_R_\.\w+\.\w+/.exec(await responder.flush())![0]
    asker.destroy()
    const next = await as(t, 'b')
    await next.flush()
    responder.say(`PUB ${reply} 1`, 'x')
    assert.equal(await responder.flush(), '')
  })
})
