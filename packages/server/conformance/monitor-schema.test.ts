// The same scenario on both engines: monitoring answers with the same keys in the same order, the same types, and the same lasting values.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { wsconnect } from '@nats-io/nats-core'
import { type Cleanup, Engine, enginesUnderTest, needsPeer, peer, RawClient, waitFor } from '@ngs/testkit'
import { type ShapeOptions, shape, TRAFFIC } from './shape.ts'

const CONFIG = `
server_name: schema
http: "127.0.0.1:-1"
max_payload: 64kb
max_pending: 256kb
write_deadline: "500ms"
server_tags: ["blue", "region:eu"]
server_metadata: { owner: "ops", desk: "a<b>&c" }
websocket { listen: "127.0.0.1:-1", no_tls: true, same_origin: false, compression: true, handshake_timeout: "3s" }
accounts {
  A {
    users: [
      { user: ann, password: ann }
      { user: reader, password: reader, permissions: { subscribe: ["news.>", "_INBOX.>"], publish: { deny: ["private"] } } }
    ]
    mappings: { "old.*": [{ destination: "new.$1", weight: "30%" }, { destination: "newer.$1", weight: "50%" }], plain: moved }
    exports: [ { service: "svc.*", latency: { sampling: "50%", subject: "late" } }, { service: "many", response: stream }, { stream: "news.>" }, { stream: "secret", accounts: [B] } ]
  }
  B {
    users: [ { user: bob, password: bob } ]
    imports: [
      { service: { account: A, subject: "svc.time" }, to: "time" }
      { stream: { account: A, subject: "news.>" }, prefix: "a" }
    ]
  }
  $SYS { users: [ { user: sys, password: sys } ] }
}
`

/** How much goes through before the slow consumer is cut, and how often its sender waits for it, is chance. */
const flood = [...TRAFFIC, 'stalled_clients', 'pending_bytes']
/** Subscriptions of the server itself are its own affair. */
const INTERNAL: ShapeOptions = {
  volatile: [
    'subscriptions',
    'num_subscriptions',
    'total',
    'sid',
    'slow_consumers',
    'clients',
    '/connz',
    '/varz',
    ...flood,
  ],
}

const QUESTIONS: readonly [path: string, options?: ShapeOptions][] = [
  ['/varz', INTERNAL],
  ['/connz'],
  ['/connz?subs=1&auth=1'],
  ['/connz?subs=detail&auth=1'],
  ['/connz?state=closed', { volatile: flood }],
  ['/connz?state=closed&subs=detail&auth=true', { volatile: flood }],
  ['/connz?state=any&limit=3&offset=1&sort=cid'],
  ['/connz?acc=A'],
  ['/connz?acc=B&state=all', { volatile: flood }],
  ['/connz?acc=NOBODY'],
  ['/connz?user=bob&auth=1'],
  ['/connz?user=nobody'],
  ['/connz?mqtt_client=x'],
  ['/routez'],
  ['/routez?subs=detail'],
  ['/gatewayz?accs=1&gw_name=x'],
  ['/leafz?subs=1&acc=A'],
  ['/subsz', INTERNAL],
  ['/subsz?subs=1&acc=A&test=news.eu', INTERNAL],
  ['/subscriptionsz?subs=1&acc=NOBODY'],
  ['/accountz'],
  ['/accountz?acc=A'],
  ['/accountz?acc=B'],
  ['/accountz?acc=$G'],
  ['/accountz?acc=$SYS', INTERNAL],
  ['/accstatz', INTERNAL],
  ['/accstatz?unused=1', INTERNAL],
  ['/jsz'],
  ['/jsz?acc=A&streams=1&consumers=1&config=1&raft=1'],
  ['/healthz'],
  ['/healthz?details=1&js-server-only=1'],
  ['/ipqueuesz'],
  ['/debug/vars', { typesOnly: true }],
]

/** Connections that last and connections that end, each in its own way. Their numbers rise in the order of this text on both engines. */
async function play(t: Cleanup, engine: string): Promise<Engine> {
  const server = await Engine.start(t, { engine, config: CONFIG })
  const raw = async (user: string, more: Record<string, unknown> = {}): Promise<RawClient> => {
    const client = await RawClient.connect(t, server.port)
    client.connect({ verbose: false, pedantic: false, user, pass: user, ...more })
    return client
  }
  const responder = await raw('ann', { name: 'responder', lang: 'raw', version: '1.2.3' })
  responder.say('SUB svc.* 1', 'SUB news.eu workers 2', 'SUB limited 3', 'UNSUB 3 5', 'PUB limited 2', 'hi')
  await responder.message()
  const reader = await raw('reader', { name: 'reader' })
  reader.say('SUB news.> 1')
  await reader.flush()
  const socket = await wsconnect({ servers: server.websocketUrl, user: 'ann', pass: 'ann', name: 'browser' })
  t.after(() => socket.close())
  socket.subscribe('news.*', { callback: () => {} })
  await socket.flush()
  const bob = await raw('bob', { name: 'importer' })
  bob.say('SUB a.news.> 1', 'SUB inbox 2', 'PUB time inbox 0', '')
  const { reply } = await responder.message()
  responder.pub(reply, 'noon')
  responder.pub('news.eu', 'morning')
  await responder.flush()
  await bob.flush()

  const wrong = await raw('ann', { pass: 'wrong', name: 'wrong' })
  await wrong.closed()
  const large = await raw('bob', { name: 'large' })
  large.say('SUB many 1', 'PUB big 99999')
  await large.closed()
  const left = await raw('ann', { name: 'left' })
  left.say('SUB one 1', 'SUB two group 2')
  await left.flush()
  left.end()
  const slow = await raw('ann', { name: 'slow' })
  slow.say('SUB flood 1')
  await slow.flush()
  slow.pause()
  const flooder = await raw('ann', { name: 'flooder' })
  // More than the kernel and max_pending hold.
  const payload = 'x'.repeat(60_000)
  await waitFor(
    async () => {
      for (let i = 0; i < 20; i++) flooder.pub('flood', payload)
      await flooder.flush()
      const { slow_consumers } = await server.monitor<{ slow_consumers: number }>('/varz')
      return slow_consumers >= 1
    },
    { what: 'the slow consumer to be cut' },
  )
  flooder.end()
  const total = async (state: string): Promise<number> =>
    (await server.monitor<{ total: number }>(`/connz?state=${state}`)).total
  await waitFor(async () => (await total('open')) === 4 && (await total('closed')) === 5, {
    what: 'four open connections and five closed ones',
  })
  return server
}

describe('monitoring on both engines', needsPeer('nats-server'), () => {
  let ours: Engine
  let official: Engine
  const ends: (() => unknown)[] = []
  const t: Cleanup = { after: (end) => void ends.unshift(end) }
  before(async () => {
    ours = await play(t, enginesUnderTest()[0]!.path)
    official = await play(t, peer('nats-server'))
  })
  after(async () => {
    for (const end of ends) await end()
  })

  for (const [path, options] of QUESTIONS) {
    it(`answers ${path} alike`, async () => {
      const ask = async (server: Engine) => shape(await server.monitor(path), options)
      assert.equal(await ask(ours), await ask(official))
    })
  }
  it('writes the same bytes around the values', async () => {
    const text = async (server: Engine) => {
      const response = await fetch(`${server.monitoringUrl}/connz?user=nobody`)
      return (await response.text()).replaceAll(/"(N[A-Z2-7]{55}|20[^"]*Z)"/g, '""')
    }
    assert.equal(await text(ours), await text(official))
    const metadata = async (server: Engine) =>
      /"metadata": \{[^}]*\}/.exec(await (await fetch(`${server.monitoringUrl}/varz`)).text())![0]
    assert.equal(await metadata(ours), await metadata(official))
  })
})
