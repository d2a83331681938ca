// Stream imports: which subscriptions they serve, under which names, and who shares a delivery.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { type Engine, type RawClient, waitFor } from '@ngs/testkit'
import { onEveryEngine, wire } from './support.ts'

const CONFIG = `
http: "127.0.0.1:-1"
accounts {
  A {
    users: [ { user: a, password: x } ]
    exports: [
      { stream: "e.>" }
      { stream: "r.*.*" }
      { stream: "one" }
      { stream: "two" }
      { stream: "deep.*.x.*" }
      { stream: "deny.>" }
      { stream: "over.>" }
      { stream: "same" }
    ]
  }
  B {
    users: [
      { user: b, password: x }
      { user: limited, password: x, permissions: { subscribe: { allow: [ "e.>", "loc.>" ] } } }
      { user: denied, password: x, permissions: { subscribe: { deny: [ "loc.bad", "deny.worse" ] } } }
    ]
    imports: [
      { stream: { account: A, subject: "e.>" } }
      { stream: { account: A, subject: "r.*.*" }, to: "l.$2.$1" }
      { stream: { account: A, subject: "one" }, to: "uno" }
      { stream: { account: A, subject: "two" }, prefix: "pre.fix." }
      { stream: { account: A, subject: "deep.*.x.*" }, to: "d.{{wildcard(1)}}.{{ wildcard(2) }}" }
      { stream: { account: A, subject: "deny.>" }, to: "loc.>" }
      { stream: { account: A, subject: "over.>" } }
      { stream: { account: A, subject: "over.one" } }
      { stream: { account: A, subject: "same" } }
      { stream: { account: C, subject: "same" } }
    ]
    exports: [ { stream: "e.>" }, { stream: "uno" } ]
  }
  C {
    users: [ { user: c, password: x } ]
    exports: [ { stream: "same" } ]
    imports: [ { stream: { account: B, subject: "e.>" }, prefix: "via" }, { stream: { account: B, subject: "uno" } } ]
  }
  P {
    users: [ { user: p, password: x } ]
    exports: [ { stream: "e.>" } ]
  }
  Q {
    users: [ { user: q, password: x } ]
    imports: [ { stream: { account: P, subject: "e.>" }, prefix: "p" } ]
  }
}`

/** Subscriptions in the account's index, as /subsz counts them for it. */
async function subscriptions(server: Engine, account: string, subject: string): Promise<number> {
  const page = await server.monitor<{ subscriptions_list?: { subject: string }[] }>(
    `/subsz?subs=1&acc=${account}&limit=1000`,
  )
  return page.subscriptions_list?.filter((item) => item.subject === subject).length ?? 0
}

onEveryEngine('stream imports', CONFIG, (bench) => {
  const as = async (t: TestContext, user: string, ...lines: string[]): Promise<RawClient> => {
    const options = { verbose: false, headers: true, no_responders: true, user, pass: 'x' }
    const one = await bench.client(t, `CONNECT ${JSON.stringify(options)}`, ...lines)
    await one.flush()
    return one
  }

  const served: [user: string, subscribed: string, published: string, delivered: string][] = [
    ['b', 'e.>', 'e.x', 'e.x'],
    ['b', '>', 'e.x', 'e.x'],
    ['b', '*.x', 'e.x', 'e.x'],
    ['b', 'e.*', 'e.x', 'e.x'],
    ['b', 'l.*.*', 'r.a.b', 'l.b.a'],
    ['b', 'l.>', 'r.a.b', 'l.b.a'],
    ['b', 'l.b.a', 'r.a.b', 'l.b.a'],
    ['b', 'l.b.*', 'r.a.b', 'l.b.a'],
    ['b', '*.b.a', 'r.a.b', 'l.b.a'],
    ['b', '*.*.a', 'r.a.b', 'l.b.a'],
    ['b', 'uno', 'one', 'uno'],
    ['b', '*', 'one', 'uno'],
    ['b', 'pre.fix.two', 'two', 'pre.fix.two'],
    ['b', 'pre.>', 'two', 'pre.fix.two'],
    ['b', 'd.a.b', 'deep.a.x.b', 'd.a.b'],
    ['b', 'd.>', 'deep.a.x.b', 'd.a.b'],
    ['q', 'p.e.1', 'e.1', 'p.e.1'],
    ['q', '*.e.1', 'e.1', 'p.e.1'],
    ['q', 'p.*.x.*', 'e.x.y', 'p.e.x.y'],
  ]
  for (const [user, subscribed, published, delivered] of served) {
    it(`serve ${subscribed} of ${user} with ${published} as ${delivered}`, async (t) => {
      const receiver = await as(t, user, `SUB ${subscribed} 1`)
      const publisher = await as(t, user === 'q' ? 'p' : 'a')
      publisher.hpub(published, ['A: b'], 'hi', 'reply.to')
      await publisher.flush()
      const block = 'NATS/1.0\r\nA: b\r\n\r\n'
      assert.equal(await receiver.flush(), wire(`HMSG ${delivered} 1 reply.to 18 20`, `${block}hi`))
    })
  }
  const unserved: [user: string, subscribed: string, published: string][] = [
    ['b', 'one', 'one'],
    ['b', 'two', 'two'],
    ['b', 'r.*.*', 'r.a.b'],
    ['b', 'l.*', 'r.a.b'],
    ['b', 'l.a.b', 'r.a.b'],
    ['b', 'x.>', 'e.x'],
    ['q', 'e.x', 'e.x'],
    ['q', 'p.x', 'e.x'],
  ]
  for (const [user, subscribed, published] of unserved) {
    it(`do not serve ${subscribed} of ${user} with ${published}`, async (t) => {
      const receiver = await as(t, user, `SUB ${subscribed} 1`)
      const publisher = await as(t, user === 'q' ? 'p' : 'a')
      publisher.pub(published)
      await publisher.flush()
      assert.equal(await receiver.flush(), '')
    })
  }

  it('end with the subscription, and with the connection', async (t) => {
    const receiver = await as(t, 'b', 'SUB e.gone 1', 'SUB e.gone q 2')
    assert.equal(await subscriptions(bench.server, 'A', 'e.gone'), 2)
    receiver.unsub(1)
    await receiver.flush()
    assert.equal(await subscriptions(bench.server, 'A', 'e.gone'), 1)
    receiver.destroy()
    await waitFor(async () => (await subscriptions(bench.server, 'A', 'e.gone')) === 0, {
      what: 'the subscription to go',
    })
  })

  it('share one delivery among queue groups of one name here, there and everywhere', async (t) => {
    const members = [
      await as(t, 'a', 'SUB e.q w 1'),
      await as(t, 'b', 'SUB e.q w 1'),
      await as(t, 'b', 'SUB e.> w 2'),
    ]
    const publisher = await as(t, 'a')
    for (let i = 0; i < 60; i++) publisher.pub('e.q')
    await publisher.flush()
    const counts = await Promise.all(
      members.map(async (one) => (await one.flush()).match(/MSG e\.q/g)?.length ?? 0),
    )
    // Groups are of one subject, so those of `e.q` share and the one of `e.>` is another.
    assert.equal(counts[0]! + counts[1]! + counts[2]!, 60, `${counts}`)
    assert.ok(
      counts.every((count) => count > 0),
      `${counts}`,
    )
  })

  it('check permissions against the local name', async (t) => {
    const limited = await as(t, 'limited')
    limited.say('SUB uno 1')
    assert.equal(await limited.flush(), wire(`-ERR 'Permissions Violation for Subscription to "uno"'`))
    limited.say('SUB loc.x 2')
    await limited.flush()
    const publisher = await as(t, 'a')
    publisher.pub('deny.x')
    await publisher.flush()
    assert.equal(await limited.flush(), wire('MSG loc.x 2 0', ''))
  })

  it('filter what is denied by the local name', async (t) => {
    const plain = await as(t, 'denied', 'SUB loc.* 1')
    const publisher = await as(t, 'a')
    const heard = async (one: RawClient): Promise<string[]> => {
      for (const name of ['good', 'bad', 'worse']) publisher.pub(`deny.${name}`)
      await publisher.flush()
      return [...(await one.flush()).matchAll(/MSG (\S+)/g)].map((match) => match[1]!)
    }
    assert.deepEqual(await heard(plain), ['loc.good', 'loc.worse'])
    plain.destroy()
    const member = await as(t, 'denied', 'SUB loc.* q 1')
    assert.deepEqual(await heard(member), ['loc.good', 'loc.worse'])
  })

  it('deliver twice where two of them overlap', async (t) => {
    const receiver = await as(t, 'b', 'SUB over.> 1')
    const publisher = await as(t, 'a')
    publisher.pub('over.one')
    publisher.pub('over.two')
    await publisher.flush()
    assert.equal(
      await receiver.flush(),
      wire('MSG over.one 1 0', '', 'MSG over.one 1 0', '', 'MSG over.two 1 0', ''),
    )
  })

  it('bring one name from two accounts', async (t) => {
    const receiver = await as(t, 'b', 'SUB same 1')
    for (const user of ['a', 'c', 'b']) {
      const publisher = await as(t, user)
      publisher.pub('same', user)
      await publisher.flush()
    }
    assert.equal(await receiver.flush(), wire('MSG same 1 1', 'a', 'MSG same 1 1', 'c', 'MSG same 1 1', 'b'))
  })

  it('are not passed on', async (t) => {
    const third = await as(t, 'c', 'SUB via.> 1', 'SUB uno 2')
    const publisher = await as(t, 'a')
    publisher.pub('e.x')
    publisher.pub('one')
    await publisher.flush()
    assert.equal(await third.flush(), '')
    const second = await as(t, 'b')
    second.pub('e.x')
    await second.flush()
    assert.equal(await third.flush(), wire('MSG via.e.x 1 0', ''))
  })

  it('count their deliveries apart from the maximum of UNSUB', async (t) => {
    const receiver = await as(t, 'b', 'SUB e.max 1', 'UNSUB 1 2')
    const publisher = await as(t, 'a')
    for (let i = 0; i < 4; i++) publisher.pub('e.max', `${i}`)
    await publisher.flush()
    assert.equal(await receiver.flush(), wire(...[0, 1, 2, 3].flatMap((i) => ['MSG e.max 1 1', `${i}`])))
  })

  it('cost nothing of the limit on subscriptions, and of a publish nobody listens to a reply says so', async (t) => {
    const asker = await as(t, 'a', 'SUB in 1')
    asker.pub('e.nobody', '', 'in')
    assert.match(await asker.flush(), /^HMSG in 1 .*\r\nNATS\/1\.0 503/)
    await as(t, 'b', 'SUB e.nobody 1')
    asker.pub('e.nobody', '', 'in')
    assert.equal(await asker.flush(), '', 'an importer listens')
  })
})
