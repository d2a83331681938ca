// What a server tells its system account: who comes and goes, failed logins, counts of accounts, its own state and its end.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { type Cleanup, Engine, enginesUnderTest, needsPeer, peer, RawClient, waitFor } from '@ngs/testkit'
import { type ShapeOptions, shape } from './shape.ts'

const CONFIG = `
server_name: alpha
http: "127.0.0.1:-1"
max_payload: 1kb
no_auth_user: guest
authorization { users: [ { user: guest, password: guest } ] }
accounts {
  A { users: [ { user: a, password: a } ] }
  $SYS { users: [ { user: sys, password: sys } ] }
}
`

interface Heard {
  subject: string
  event: Record<string, unknown> & { client?: { id: number }; reason?: string; server?: { seq: number } }
}

/** An engine and everything it tells from the moment on when it is asked to. */
class Listener {
  readonly server: Engine
  readonly sys: NatsConnection
  readonly heard: Heard[] = []

  private constructor(server: Engine, sys: NatsConnection) {
    this.server = server
    this.sys = sys
    for (const subject of ['$SYS.ACCOUNT.>', '$SYS.SERVER.>']) {
      sys.subscribe(subject, {
        callback: (_error, message) =>
          void this.heard.push({ subject: message.subject, event: message.json() }),
      })
    }
  }
  static async start(t: Cleanup, engine: string): Promise<Listener> {
    const server = await Engine.start(t, { engine, config: CONFIG })
    const sys = await connect({ servers: server.url, user: 'sys', pass: 'sys', reconnect: false })
    t.after(() => sys.close())
    const listener = new Listener(server, sys)
    await sys.flush()
    return listener
  }

  find(subject: string, client?: RawClient): Heard[] {
    return this.heard.filter(
      (one) =>
        one.subject === subject && (client === undefined || one.event.client?.id === client.info.client_id),
    )
  }
  /** The first of this subject, about this client. */
  wait(subject: string, client?: RawClient): Promise<Heard> {
    return waitFor(() => this.find(subject, client)[0], {
      // The state comes ever more seldom: on a slow machine the next one may be 8 s away.
      what: () => `${subject} among ${this.heard.map((one) => one.subject).join(' ')}`,
    })
  }
  async client(t: Cleanup, user = '', pass = user, more = {}): Promise<RawClient> {
    const client = await RawClient.connect(t, this.server.port)
    const login = user === '' ? {} : { user, pass }
    client.connect({ verbose: false, ...login, name: 'one', lang: 'raw', version: '1.2', ...more })
    return client
  }
}

const OPTIONS: ShapeOptions = { volatile: ['num_subscriptions', 'rtt'] }

describe('system events on both engines', needsPeer('nats-server'), () => {
  let ours: Listener
  let official: Listener
  const ends: (() => unknown)[] = []
  before(async () => {
    const t: Cleanup = { after: (end) => void ends.unshift(end) }
    ours = await Listener.start(t, enginesUnderTest()[0]!.path)
    official = await Listener.start(t, peer('nats-server'))
  })
  after(async () => {
    for (const end of ends) await end()
  })

  /** The same story on both engines comes out alike. */
  const alike = async (tell: (listener: Listener) => Promise<unknown[]>): Promise<void> => {
    const [a, b] = [await tell(ours), await tell(official)]
    assert.deepEqual(
      a.map((event) => shape(event, OPTIONS)),
      b.map((event) => shape(event, OPTIONS)),
    )
  }

  it('tell of a client that comes and goes', (t) =>
    alike(async (listener) => {
      const client = await listener.client(t, 'a')
      // The official server counts what comes in one piece with CONNECT for the account before it.
      await client.flush()
      client.say('SUB x 1', 'PUB x 3', 'abc', 'PUB y 2', 'ab')
      await client.message()
      await client.flush()
      client.end()
      const gone = await listener.wait('$SYS.ACCOUNT.A.DISCONNECT', client)
      const came = await listener.wait('$SYS.ACCOUNT.A.CONNECT', client)
      const { sent, received, reason } = gone.event
      assert.deepEqual(
        [sent, received, reason],
        [{ msgs: 2, bytes: 5 }, { msgs: 1, bytes: 3 }, 'Client Closed'],
      )
      return [came.event, gone.event]
    }))
  it('tell of a client of the global account', (t) =>
    alike(async (listener) => {
      const client = await listener.client(t)
      client.say('PUB x 2000')
      await client.closed()
      const gone = await listener.wait('$SYS.ACCOUNT.$G.DISCONNECT', client)
      assert.equal(gone.event.reason, 'Maximum Message Payload Exceeded')
      return [(await listener.wait('$SYS.ACCOUNT.$G.CONNECT', client)).event, gone.event]
    }))
  it('tell of a wrong password, and of the end of a client that never logged in', (t) =>
    alike(async (listener) => {
      const client = await listener.client(t, 'a', 'wrong')
      await client.closed()
      const id = listener.sys.info!.server_id
      const failed = await listener.wait(`$SYS.SERVER.${id}.CLIENT.AUTH.ERR`, client)
      const gone = await listener.wait('$SYS.ACCOUNT.$G.DISCONNECT', client)
      assert.equal(listener.find('$SYS.ACCOUNT.$G.CONNECT', client).length, 0)
      assert.equal(failed.event.reason, 'Authentication Failure')
      return [failed.event, gone.event]
    }))
  it('tell a failed login inside the account, too', (t) =>
    alike(async (listener) => {
      const guest = await listener.client(t)
      guest.say('SUB $SYS.ACCOUNT.CLIENT.AUTH.ERR 1')
      await guest.flush()
      const client = await listener.client(t, 'a', 'wrong')
      await client.closed()
      const event = JSON.parse((await guest.message()).payload) as Heard['event']
      assert.equal(event.client!.id, client.info.client_id)
      return [event]
    }))
  it('tell the count of an account before the end of its client', async (t) => {
    for (const listener of [ours, official]) {
      const client = await listener.client(t, 'a')
      await listener.wait('$SYS.ACCOUNT.A.CONNECT', client)
      listener.heard.length = 0
      client.end()
      await listener.wait('$SYS.ACCOUNT.A.DISCONNECT', client)
      assert.deepEqual(
        listener.heard.map(({ subject }) => subject).filter((subject) => subject.includes('ACCOUNT.A.')),
        ['$SYS.SERVER.ACCOUNT.A.CONNS', '$SYS.ACCOUNT.A.SERVER.CONNS', '$SYS.ACCOUNT.A.DISCONNECT'],
      )
    }
  })
  it('tell of a failed login before the end of the client', async (t) => {
    for (const listener of [ours, official]) {
      const client = await listener.client(t, 'a', 'wrong')
      await client.closed()
      await listener.wait('$SYS.ACCOUNT.$G.DISCONNECT', client)
      assert.deepEqual(
        listener.heard
          .filter(({ event }) => event.client?.id === client.info.client_id)
          .map(({ subject }) => subject),
        [`$SYS.SERVER.${listener.sys.info!.server_id}.CLIENT.AUTH.ERR`, '$SYS.ACCOUNT.$G.DISCONNECT'],
      )
    }
  })
  it('tell of a client that is admitted, and then refused for what it asks for', (t) =>
    alike(async (listener) => {
      const events: unknown[] = []
      for (const asked of [{ protocol: 7 }, { headers: false, no_responders: true }, { account: 'B' }]) {
        const client = await listener.client(t, 'a', 'a', asked)
        await client.closed()
        const gone = await listener.wait('$SYS.ACCOUNT.A.DISCONNECT', client)
        events.push((await listener.wait('$SYS.ACCOUNT.A.CONNECT', client)).event, gone.event)
      }
      return events
    }))
  it('tell the counts of both accounts when a client logs in as another user', (t) =>
    alike(async (listener) => {
      const client = await listener.client(t, 'a')
      await listener.wait('$SYS.ACCOUNT.A.CONNECT', client)
      listener.heard.length = 0
      client.connect({ verbose: false, user: 'sys', pass: 'sys' })
      await client.flush()
      await listener.wait('$SYS.ACCOUNT.$SYS.CONNECT', client)
      return listener.heard
        .filter(({ subject }) => subject.endsWith('SERVER.CONNS'))
        .map(({ event }) => [event['acc'], event['conns']])
    }))
  it('tell the counts of an account at each change, under both subjects, and never of the global account', (t) =>
    alike(async (listener) => {
      listener.heard.length = 0
      const client = await listener.client(t, 'a')
      await client.flush()
      const old = await listener.wait('$SYS.SERVER.ACCOUNT.A.CONNS')
      const now = await listener.wait('$SYS.ACCOUNT.A.SERVER.CONNS')
      const guest = await listener.client(t)
      await guest.flush()
      client.end()
      const counts = (): Heard[] => listener.find('$SYS.ACCOUNT.A.SERVER.CONNS')
      await waitFor(() => counts().length === 2, { what: 'the second count' })
      assert.deepEqual(
        counts().map(({ event }) => event['conns']),
        [1, 0],
      )
      assert.equal(listener.find('$SYS.ACCOUNT.$G.SERVER.CONNS').length, 0)
      return [old.event, now.event, counts()[1]!.event]
    }))
  it('tell the state at once when somebody asks and does not wait', async () => {
    for (const { server } of [ours, official]) {
      const sys = await connect({ servers: server.url, user: 'sys', pass: 'sys', reconnect: false })
      const times: number[] = []
      sys.subscribe('$SYS.SERVER.*.STATSZ', { callback: () => void times.push(Date.now()) })
      // However soon after the last one.
      for (let i = 0; i < 3; i++) sys.publish('$SYS.REQ.SERVER.PING.STATSZ')
      await waitFor(() => times.length >= 3, { what: 'three states' })
      await sys.close()
    }
  })
})

for (const engine of enginesUnderTest()) {
  describe(`the events of a server [${engine.name}]`, () => {
    it('are numbered without a gap, whoever they go to', async (t) => {
      const listener = await Listener.start(t, engine.path)
      const client = await listener.client(t, 'a')
      await client.flush()
      client.end()
      await listener.wait('$SYS.ACCOUNT.A.DISCONNECT', client)
      const numbers = listener.heard.map(({ event }) => event.server!.seq)
      const sorted = [...numbers].sort((a, b) => a - b)
      assert.equal(new Set(sorted).size, sorted.length)
    })
    it('tell its state by themselves soon after the start', async (t) => {
      const listener = await Listener.start(t, engine.path)
      const { event } = await listener.wait(`$SYS.SERVER.${listener.sys.info!.server_id}.STATSZ`)
      assert.deepEqual(Object.keys(event), ['server', 'statsz'])
    })
    it('tell of everybody again after a reload', async (t) => {
      const listener = await Listener.start(t, engine.path)
      const client = await listener.client(t, 'a')
      await client.flush()
      await listener.wait('$SYS.ACCOUNT.A.CONNECT', client)
      listener.server.kill('SIGHUP')
      await waitFor(() => listener.find('$SYS.ACCOUNT.A.CONNECT', client).length === 2, {
        what: () => `a second event:\n${listener.server.log()}`,
      })
      await client.pingPong()
      assert.equal(listener.find('$SYS.ACCOUNT.A.DISCONNECT', client).length, 0)
    })
    it('tell its end, the server alone', async (t) => {
      const listener = await Listener.start(t, engine.path)
      listener.server.kill('SIGTERM')
      const id = listener.sys.info!.server_id
      const { event } = await listener.wait(`$SYS.SERVER.${id}.SHUTDOWN`)
      assert.deepEqual([event['name'], event['id']], ['alpha', id])
      await listener.server.exited
    })
    it('tell lame duck mode', async (t) => {
      const listener = await Listener.start(t, engine.path)
      listener.server.kill('SIGUSR2')
      const id = listener.sys.info!.server_id
      const { event } = await listener.wait(`$SYS.SERVER.${id}.LAMEDUCK`)
      assert.deepEqual([event['name'], event['id']], ['alpha', id])
      listener.server.kill('SIGINT')
      await listener.server.exited
    })
  })
}
