// Responses to other accounts: how many of them, for how long, and that nothing of them stays.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { type Engine, type RawClient, waitFor } from '@ngs/testkit'
import { closeReason, onEveryEngine, wire } from './support.ts'

const CONFIG = `
http: "127.0.0.1:-1"
accounts {
  A {
    users: [ { user: a, password: x } ]
    exports: [
      { service: "one.*" }
      { service: "many.*", response_type: stream }
      { service: "parts.*", response_type: chunked }
      { service: "brief.*", response_type: stream, threshold: "2s" }
    ]
  }
  B {
    users: [ { user: b, password: x } ]
    imports: [
      { service: { account: A, subject: "one.*" } }
      { service: { account: A, subject: "many.*" } }
      { service: { account: A, subject: "parts.*" } }
      { service: { account: A, subject: "brief.*" } }
    ]
  }
}`

/** Responses that the account owes, as its page tells them. */
async function owed(server: Engine, account = 'A'): Promise<number> {
  const page = await server.monitor<{ account_detail: { responses?: Record<string, unknown> } }>(
    `/accountz?acc=${account}`,
  )
  return Object.keys(page.account_detail.responses ?? {}).length
}

onEveryEngine('responses to other accounts', CONFIG, (bench) => {
  const as = async (t: TestContext, user: string, ...lines: string[]): Promise<RawClient> => {
    const options = { verbose: false, headers: true, no_responders: true, user, pass: 'x' }
    const one = await bench.client(t, `CONNECT ${JSON.stringify(options)}`, ...lines)
    await one.flush()
    return one
  }
  const none = (): Promise<unknown> =>
    waitFor(async () => (await owed(bench.server)) === 0, { what: 'nothing to be owed' })
  /** A request on its way; the reply subject that the responder got. */
  const request = async (
    asker: RawClient,
    responder: RawClient,
    subject: string,
    reply = 'in.1',
  ): Promise<string> => {
    asker.pub(subject, '', reply)
    assert.equal(await asker.flush(), '')
    return (await responder.message()).reply
  }

  it('of a singleton end with the first one', async (t) => {
    const responder = await as(t, 'a', 'SUB one.x 1')
    const asker = await as(t, 'b', 'SUB in.> 1')
    const reply = await request(asker, responder, 'one.x')
    assert.equal(await owed(bench.server), 1)
    for (const body of ['first', 'second']) responder.pub(reply, body)
    assert.equal(await responder.flush(), '', 'the responder is not told')
    assert.equal(await asker.flush(), wire('MSG in.1 1 5', 'first'))
    await none()
  })

  for (const service of ['many', 'parts']) {
    it(`of ${service} go on until an empty one`, async (t) => {
      const responder = await as(t, 'a', `SUB ${service}.x 1`)
      const asker = await as(t, 'b', 'SUB in.> 1')
      const reply = await request(asker, responder, `${service}.x`)
      responder.pub(reply, '1')
      responder.hpub(reply, ['A: b'])
      responder.pub(reply, '2')
      responder.pub(reply)
      responder.pub(reply, '3')
      await responder.flush()
      const heard = await asker.flush()
      assert.match(heard, /^MSG in\.1 1 1\r\n1\r\nHMSG in\.1 1 18 18\r\n/)
      assert.ok(heard.endsWith(wire('MSG in.1 1 1', '2', 'MSG in.1 1 0', '')), heard)
      await none()
    })
  }

  it('to replies with headers keep them', async (t) => {
    const responder = await as(t, 'a', 'SUB one.x 1')
    const asker = await as(t, 'b', 'SUB in.> 1')
    const reply = await request(asker, responder, 'one.x')
    responder.hpub(reply, ['A: b'], 'yes')
    await responder.flush()
    const { headers, payload } = await asker.message()
    assert.deepEqual([headers, payload], ['NATS/1.0\r\nA: b\r\n\r\n', 'yes'])
  })

  const leave: Record<string, (asker: RawClient) => void> = {
    'unsubscribes from the reply': (asker) => asker.unsub(1),
    'unsubscribes from the wildcard above it': (asker) => asker.unsub(2),
    'closes its connection': (asker) => asker.destroy(),
  }
  for (const [what, go] of Object.entries(leave)) {
    it(`are not owed any more when the asker ${what}`, async (t) => {
      const responder = await as(t, 'a', 'SUB many.x 1')
      const literal = !what.includes('wildcard')
      const asker = await as(t, 'b', literal ? 'SUB in.1 1' : 'SUB in.> 2')
      const reply = await request(asker, responder, 'many.x')
      go(asker)
      await none()
      const next = await as(t, 'b', 'SUB in.1 1')
      responder.pub(reply, 'late')
      assert.equal(await responder.flush(), '')
      assert.equal(await next.flush(), '')
    })
  }

  it('are owed while somebody else in the account waits on the same reply', async (t) => {
    const responder = await as(t, 'a', 'SUB many.x 1')
    const other = await as(t, 'b', 'SUB in.1 1')
    const asker = await as(t, 'b', 'SUB in.> 1')
    const reply = await request(asker, responder, 'many.x')
    asker.destroy()
    await closeReason(bench.server, asker.info.client_id)
    responder.pub(reply, 'still')
    await responder.flush()
    assert.equal(await other.flush(), wire('MSG in.1 1 5', 'still'))
    other.destroy()
    await none()
  })

  it('without anybody to take them end', async (t) => {
    const responder = await as(t, 'a', 'SUB many.x 1')
    const asker = await as(t, 'b')
    asker.pub('many.x', '', 'nobody.here')
    await asker.flush()
    responder.pub((await responder.message()).reply, 'x')
    assert.equal(await responder.flush(), '')
    await none()
  })

  it('come too late when the threshold has passed since the last one', async (t) => {
    const responder = await as(t, 'a', 'SUB brief.x 1')
    const asker = await as(t, 'b', 'SUB in.> 1')
    const reply = await request(asker, responder, 'brief.x')
    responder.pub(reply, 'in time')
    await responder.flush()
    assert.equal(await asker.flush(), wire('MSG in.1 1 7', 'in time'))
    await none()
    responder.pub(reply, 'late')
    await responder.flush()
    assert.equal(await asker.flush(), '')
  })

  it('that nobody took leave nothing behind, ten thousand times', async (t) => {
    const responder = await as(t, 'a', 'SUB one.> 1')
    const asker = await as(t, 'b', 'SUB in.> 1')
    for (let i = 0; i < 100; i++) {
      for (let j = 0; j < 100; j++) asker.pub('one.x', '', `in.${i}.${j}`)
      assert.equal(await asker.flush(), '')
    }
    assert.equal((await responder.flush()).match(/HMSG one\.x 1 _R_/g)?.length, 10_000)
    assert.equal(await owed(bench.server), 10_000)
    asker.unsub(1)
    await none()
    for (let i = 0; i < 100; i++) asker.pub('many.none', '', `in.${i}`)
    await asker.flush()
    assert.equal(await owed(bench.server), 0, 'a request without a responder owes nothing')
  })
})
