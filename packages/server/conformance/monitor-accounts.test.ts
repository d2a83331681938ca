// Accounts of an operator in monitoring, requests and events: their JWTs, users, revocations; and what slow receivers are counted as.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { createKeyPair, encode, newActivationClaims } from '@ngs/identity/node'
import {
  type Cleanup,
  DEADLINE_MS,
  type EngineUnderTest,
  enginesUnderTest,
  needsPeer,
  peer,
  type RawClient,
  waitFor,
} from '@ngs/testkit'
import { type ShapeOptions, shape, TRAFFIC } from './shape.ts'
import { onEveryEngine, QUIET } from './support.ts'
import { now, World } from './world.ts'

/** An operator with two accounts that share, two users, and one that was shut out. */
class Story {
  readonly world = new World({
    operator: (claims) => {
      claims.nats.tags = ['staging']
    },
  })
  exporter = ''
  importer = ''
  client!: RawClient
  events: Record<string, unknown>[] = []

  async play(t: Cleanup, engine: EngineUnderTest['path']): Promise<void> {
    const { world } = this
    await world.start(engine, t)
    const revoked = createKeyPair('user')
    const stranger = createKeyPair('account')
    const exporter = await world.account((claims) => {
      claims.name = 'Exporter'
      claims.nats.tags = ['shop', 'eu']
      claims.nats.description = 'sells'
      claims.nats.exports = [
        {
          name: 'orders',
          subject: 'orders.>',
          type: 'stream',
          token_req: true,
          revocations: { [stranger.publicKey]: now() - 10 },
        },
        {
          name: 'price',
          subject: 'price.*',
          type: 'service',
          response_type: 'Stream',
          response_threshold: 1e9,
        },
        { name: 'old', subject: 'old.*', type: 'service', account_token_position: 2 },
      ]
      claims.nats.revocations = { [revoked.publicKey]: now() - 5 }
      claims.nats.mappings = { src: [{ subject: 'dst', weight: 60 }] }
      claims.nats.limits.conn = 5
    })
    const importer = await world.account((claims) => {
      claims.name = 'Importer'
      const activation = newActivationClaims(claims.sub, 'orders')
      activation.nats.subject = 'orders.>'
      activation.nats.kind = 'stream'
      claims.nats.imports = [
        {
          name: 'o',
          subject: 'orders.>',
          account: exporter.key.publicKey,
          token: encode(activation, exporter.key),
          local_subject: 'bought.>',
          type: 'stream',
        },
        {
          name: 'p',
          subject: 'price.tea',
          account: exporter.key.publicKey,
          local_subject: 'tea',
          type: 'service',
          share: true,
        },
      ]
    })
    this.exporter = exporter.key.publicKey
    this.importer = importer.key.publicKey
    world.system.subscribe('$SYS.ACCOUNT.*.CONNECT', {
      callback: (_error, message) => void this.events.push(message.json()),
    })
    await world.system.flush()
    const connected = { name: 'till', lang: 'raw', version: '1.0', verbose: false }
    this.client = await world.client(
      t,
      importer.key,
      (claims) => {
        claims.name = 'cashier'
        claims.nats.tags = ['night', 'shift']
      },
      { connect: connected },
    )
    this.client.say('SUB bought.> 1')
    await this.client.flush()
    const bearer = await world.client(
      t,
      exporter.key,
      (claims) => {
        claims.nats.bearer_token = true
      },
      { sign: null, connect: { ...connected, name: 'bearer' } },
    )
    await bearer.flush()
    const gone = await world.client(t, importer.key, () => {}, {
      connect: { ...connected, name: 'gone' },
    })
    await gone.flush()
    gone.end()
    const refused = await world.client(t, exporter.key, () => {}, {
      sign: createKeyPair('user'),
      connect: { ...connected, name: 'refused' },
    })
    await refused.closed()
    const closed = () => world.server.monitor<{ total: number }>('/connz?state=closed')
    await waitFor(async () => (await closed()).total === 2, { what: 'two closed connections' })
  }
}

const OPTIONS: ShapeOptions = {
  volatile: [
    ...TRAFFIC,
    'subscriptions',
    'num_subscriptions',
    'token',
    'trusted_operators_jwt',
    'sid',
    'total',
    'iss',
    'start',
    'description',
    'size',
  ],
}

describe('an operator in monitoring on both engines', needsPeer('nats-server'), () => {
  const ours = new Story()
  const official = new Story()
  const ends: (() => unknown)[] = []
  before(async () => {
    const t: Cleanup = { after: (end) => void ends.unshift(end) }
    await ours.play(t, enginesUnderTest()[0]!.path)
    await official.play(t, peer('nats-server'))
  })
  after(async () => {
    for (const end of ends) await end()
  })
  const alike = async (tell: (story: Story) => Promise<unknown>): Promise<void> => {
    assert.equal(shape(await tell(ours), OPTIONS), shape(await tell(official), OPTIONS))
  }

  for (const path of [
    '/varz',
    '/connz?auth=1',
    '/connz?auth=1&state=closed',
    '/connz?state=closed',
    '/accstatz?unused=1',
  ])
    it(`${path} is the same`, () => alike(({ world }) => world.server.monitor(path)))
  for (const which of ['exporter', 'importer'] as const) {
    it(`/accountz of the ${which} is the same`, () =>
      alike((story) => story.world.server.monitor(`/accountz?acc=${story[which]}`)))
    it(`INFO of the ${which} is the same`, () =>
      alike((story) => story.world.ask(`$SYS.REQ.ACCOUNT.${story[which]}.INFO`)))
  }
  it('the event of a login is the same', () =>
    alike(async ({ events }) => waitFor(() => events[0], { what: 'the event' })))
  it('a user asks about itself', () =>
    alike(async ({ client }) => {
      client.say('SUB in 9', 'PUB $SYS.REQ.USER.INFO in 0', '')
      return JSON.parse((await client.message()).payload)
    }))
  it('no bearer token is shown', async () => {
    for (const { world } of [ours, official]) {
      const { connections } = await world.server.monitor<{ connections: { name: string; jwt?: string }[] }>(
        '/connz?auth=1',
      )
      assert.equal(connections.find(({ name }) => name === 'bearer')!.jwt, undefined)
      assert.ok(connections.find(({ name }) => name === 'till')!.jwt!.length > 100)
    }
  })
})

onEveryEngine(
  'a receiver that does not keep up',
  `http: "127.0.0.1:-1"
max_pending: 256kb
write_deadline: "500ms"
max_payload: 64kb
accounts: { A { users: [ { user: a, password: a } ] }, $SYS { users: [ { user: sys, password: sys } ] } }`,
  (bench) => {
    it('is counted wherever slow consumers are', async (t) => {
      const login = QUIET.replace('}', ',"user":"a","pass":"a"}')
      const slow = await bench.client(t, login, 'SUB flood 1')
      await slow.flush()
      slow.pause()
      const sender = await bench.client(t, login)
      const payload = 'x'.repeat(60_000)
      const varz = () =>
        bench.server.monitor<{
          slow_consumers: number
          slow_consumer_stats: { clients: number; routes: number }
        }>('/varz')
      await waitFor(
        async () => {
          for (let i = 0; i < 20; i++) sender.pub('flood', payload)
          await sender.flush()
          return (await varz()).slow_consumers > 0
        },
        { what: 'a slow consumer' },
      )
      const { slow_consumers, slow_consumer_stats } = await varz()
      assert.deepEqual([slow_consumer_stats.clients, slow_consumer_stats.routes], [slow_consumers, 0])
      const ofAccount = async (): Promise<number> => {
        const { account_statz } = await bench.server.monitor<{
          account_statz: { acc: string; slow_consumers: number }[]
        }>('/accstatz')
        return account_statz.find(({ acc }) => acc === 'A')!.slow_consumers
      }
      await waitFor(async () => (await ofAccount()) > 0, { what: 'a slow consumer of the account' })
      const sys = await connect({ servers: bench.server.url, user: 'sys', pass: 'sys', reconnect: false })
      t.after(() => sys.close())
      const reply = await sys.request('$SYS.REQ.SERVER.PING', '', { timeout: DEADLINE_MS })
      const { statsz } = reply.json<{
        statsz: { slow_consumers: number; slow_consumer_stats: { clients: number } }
      }>()
      assert.ok(statsz.slow_consumers > 0)
      assert.equal(statsz.slow_consumer_stats.clients, statsz.slow_consumers)
      await bench.server.waitForLog(/Slow Consumer Detected/)
    })
  },
)
