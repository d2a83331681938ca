// Requests to servers and about accounts over the system account: the same answers from both engines, and what they do.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { connect, headers, type Msg, type NatsConnection } from '@nats-io/transport-node'
import {
  type Cleanup,
  DEADLINE_MS,
  Engine,
  enginesUnderTest,
  needsPeer,
  peer,
  RawClient,
  waitFor,
} from '@ngs/testkit'
import { uncompress } from 'snappyjs'
import { type ShapeOptions, shape, TRAFFIC } from './shape.ts'
import { closeReason, FULL, onEveryEngine } from './support.ts'

const CONFIG = `
server_name: alpha
server_tags: ["Blue", "region:eu"]
http: "127.0.0.1:-1"
accounts {
  A { users: [ { user: a, password: a, permissions: { subscribe: ["x.>", "_INBOX.>"], publish: { allow: ["x.>", "$SYS.REQ.>"], deny: "y" }, allow_responses: true } } ] }
  B {
    users: [ { user: b, password: b } ]
    imports: [ { service: { account: "$SYS", subject: "$SYS.DEBUG.SUBSCRIBERS" } } ]
  }
  $SYS { users: [ { user: sys, password: sys } ], exports: [ { service: "$SYS.DEBUG.SUBSCRIBERS" } ] }
}
`

interface Bench {
  server: Engine
  id: string
  sys: NatsConnection
  a: NatsConnection
  b: NatsConnection
}

async function play(t: Cleanup, engine: string): Promise<Bench> {
  const server = await Engine.start(t, { engine, config: CONFIG })
  const login = async (user: string): Promise<NatsConnection> => {
    const nc = await connect({ servers: server.url, user, pass: user, name: user, reconnect: false })
    t.after(() => nc.close())
    return nc
  }
  const [sys, a, b] = [await login('sys'), await login('a'), await login('b')]
  a.subscribe('x.one', { callback: () => {} })
  b.subscribe('x.one', { callback: () => {} })
  b.subscribe('x.*', { queue: 'q', callback: () => {} })
  b.publish('x.one', 'hello')
  for (const nc of [a, b]) await nc.flush()
  return { server, id: sys.info!.server_id, sys, a, b }
}

const NONE = 'no answer'

/**
 * The answer, or null when there is none before those of requests behind it. The official server answers on several threads, so one
 * that is `due`, since the other engine has answered, is waited for.
 */
async function ask(nc: NatsConnection, subject: string, body: string, due: boolean): Promise<Msg | null> {
  const inbox = `_INBOX.${Math.random().toString(36).slice(2)}`
  const answers: Msg[] = []
  const subscription = nc.subscribe(inbox, { callback: (_error, message) => void answers.push(message) })
  nc.publish(subject, body, { reply: inbox })
  for (let i = 0; i < 3; i++) await nc.request('$SYS.REQ.SERVER.PING.IDZ', '', { timeout: DEADLINE_MS })
  // Those about the state are always answered.
  if (due || /(PING|STATSZ)$/.test(subject))
    await waitFor(() => answers[0], { what: `an answer to ${subject}` })
  subscription.unsubscribe()
  return answers[0] ?? null
}

const INTERNAL: ShapeOptions = {
  volatile: [...TRAFFIC, 'subscriptions', 'num_subscriptions', 'total', 'sid', 'reconnect', 'host'],
}
const ONES: ShapeOptions = {
  volatile: ['msgs', 'bytes', 'out_msgs', 'out_bytes', 'in_msgs', 'in_bytes', 'sid'],
}

/** `ID` stands for the server's. */
const QUESTIONS: readonly [subject: string, body?: string, options?: ShapeOptions][] = [
  ['$SYS.REQ.SERVER.PING', '', INTERNAL],
  ['$SYS.REQ.SERVER.PING', '{}', INTERNAL],
  ['$SYS.REQ.SERVER.PING.STATSZ', '', INTERNAL],
  ['$SYS.REQ.SERVER.ID.STATSZ', '{"server_name":"alpha","exact_match":true}', INTERNAL],
  ['$SYS.REQ.SERVER.PING.IDZ'],
  ['$SYS.REQ.SERVER.ID.IDZ', 'no json at all'],
  ['$SYS.REQ.SERVER.PING.VARZ', '', INTERNAL],
  ['$SYS.REQ.SERVER.ID.VARZ', '', INTERNAL],
  ['$SYS.REQ.SERVER.PING.CONNZ', '{"auth":true,"acc":"A","subscriptions_detail":true}', ONES],
  ['$SYS.REQ.SERVER.PING.CONNZ', '{"acc":"B","filter_subject":"x.two"}', ONES],
  ['$SYS.REQ.SERVER.PING.CONNZ', '{"filter_subject":"x.two"}'],
  ['$SYS.REQ.SERVER.PING.CONNZ', '{"acc":"A","filter_subject":"y"}'],
  ['$SYS.REQ.SERVER.PING.CONNZ', '{"sort":"bogus"}'],
  ['$SYS.REQ.SERVER.ID.CONNZ', '{"state":1}'],
  ['$SYS.REQ.SERVER.PING.CONNZ', '{"state":3}'],
  ['$SYS.REQ.SERVER.PING.SUBSZ', '{"account":"B","subscriptions":true,"test":"x.one"}', INTERNAL],
  ['$SYS.REQ.SERVER.PING.SUBSZ', '{"test":"x.*"}'],
  ['$SYS.REQ.SERVER.PING.ROUTEZ'],
  ['$SYS.REQ.SERVER.PING.GATEWAYZ'],
  ['$SYS.REQ.SERVER.PING.LEAFZ'],
  ['$SYS.REQ.SERVER.PING.ACCOUNTZ'],
  ['$SYS.REQ.SERVER.PING.ACCOUNTZ', '{"account":"B"}', INTERNAL],
  ['$SYS.REQ.SERVER.PING.ACCOUNTZ', '{"account":"NOBODY"}'],
  ['$SYS.REQ.SERVER.PING.JSZ'],
  ['$SYS.REQ.SERVER.PING.JSZ', '{"leader_only":true}'],
  ['$SYS.REQ.SERVER.PING.HEALTHZ'],
  ['$SYS.REQ.SERVER.PING.HEALTHZ', '{"stream":"s"}'],
  ['$SYS.REQ.SERVER.PING.HEALTHZ', '{"consumer":"c","details":true}'],
  ['$SYS.REQ.SERVER.PING.EXPVARZ', '', { typesOnly: true }],
  ['$SYS.REQ.SERVER.PING.IPQUEUESZ', '{"filter":"nothing"}'],
  ['$SYS.REQ.SERVER.PING.RAFTZ'],
  ['$SYS.REQ.SERVER.PING.RAFTZ', 'null'],
  ['$SYS.REQ.SERVER.PING.RAFTZ', ' {} '],
  ['$SYS.REQ.SERVER.ID.KICK', '{"cid":999999}'],
  ['$SYS.REQ.SERVER.ID.LDM', '{"cid":999999}'],
  ['$SYS.REQ.SERVER.ID.KICK', '{}'],
  ['$SYS.REQ.SERVER.ID.KICK', '{"cid":999999,"server_name":"beta"}'],
  // What cannot be read gets no answer here.
  ['$SYS.REQ.SERVER.ID.KICK'],
  ['$SYS.REQ.SERVER.ID.KICK', '{"cid":"1"}'],
  ['$SYS.REQ.SERVER.ID.LDM', 'no json'],
  ['$SYS.REQ.ACCOUNT.A.CONNS', '{bad'],
  ['$SYS.REQ.ACCOUNT.A.CONNZ', '{"auth":true}', ONES],
  ['$SYS.REQ.ACCOUNT.B.SUBSZ', '', INTERNAL],
  ['$SYS.REQ.ACCOUNT.A.INFO', '', INTERNAL],
  ['$SYS.REQ.ACCOUNT.NOBODY.INFO'],
  ['$SYS.REQ.ACCOUNT.A.STATZ', '', INTERNAL],
  ['$SYS.REQ.ACCOUNT.NOBODY.STATZ'],
  ['$SYS.REQ.ACCOUNT.NOBODY.STATZ', '{"include_unused":true}'],
  ['$SYS.REQ.ACCOUNT.PING.STATZ', '', INTERNAL],
  ['$SYS.REQ.ACCOUNT.PING.STATZ', '{"accounts":["B"]}', INTERNAL],
  ['$SYS.REQ.ACCOUNT.A.CONNS', '', INTERNAL],
  ['$SYS.REQ.ACCOUNT.A.CONNS', '{"acc":"B"}'],
  ['$SYS.REQ.ACCOUNT.$G.CONNS'],
  ['$SYS.REQ.ACCOUNT.A.LEAFZ'],
  ['$SYS.REQ.ACCOUNT.A.JSZ'],
  ['$SYS.REQ.ACCOUNT.NSUBS', '{"acc":"B","subject":"x.one"}'],
  ['$SYS.REQ.ACCOUNT.NSUBS', '{"acc":"B","subject":"x.>"}'],
  ['$SYS.DEBUG.SUBSCRIBERS', '$SYS.REQ.USER.INFO'],
  ['$SYS.REQ.USER.INFO'],
  ['$SYS.REQ.USER.INFO', '{"server_name":"beta"}'],
  ['$SYS.REQ.USER.INFO', 'no json'],
  // Who asks has not come over an import of that account.
  ['$SYS.REQ.USER.A.INFO'],
  // Filters: another server is meant, or this one.
  ['$SYS.REQ.SERVER.PING.VARZ', '{"server_name":"beta"}'],
  ['$SYS.REQ.SERVER.PING.RAFTZ', '{"server_name":"lph"}'],
  ['$SYS.REQ.SERVER.PING.RAFTZ', '{"server_name":"lph","exact_match":true}'],
  ['$SYS.REQ.SERVER.PING.RAFTZ', '{"SERVER_NAME":"alpha","Exact_Match":true,"unknown":1}'],
  ['$SYS.REQ.SERVER.PING.RAFTZ', '{"host":"127.0"}'],
  ['$SYS.REQ.SERVER.PING.RAFTZ', '{"cluster":"c"}'],
  ['$SYS.REQ.SERVER.PING.RAFTZ', '{"domain":"d"}'],
  ['$SYS.REQ.SERVER.PING.RAFTZ', '{"tags":["blue","region:eu"]}'],
  ['$SYS.REQ.SERVER.PING.RAFTZ', '{"tags":["blue","region:us"]}'],
]

describe('system requests on both engines', needsPeer('nats-server'), () => {
  let ours: Bench
  let official: Bench
  const ends: (() => unknown)[] = []
  before(async () => {
    const t: Cleanup = { after: (end) => void ends.unshift(end) }
    ours = await play(t, enginesUnderTest()[0]!.path)
    official = await play(t, peer('nats-server'))
  })
  after(async () => {
    for (const end of ends) await end()
  })

  for (const [subject, body = '', options] of QUESTIONS) {
    it(`answers ${subject} ${body} alike`, async () => {
      const answer = async ({ sys, id }: Bench, due: boolean): Promise<string> => {
        const message = await ask(sys, subject.replace('.ID.', `.${id}.`), body, due)
        if (message === null) return NONE
        return message.data.length === 0 ? 'empty answer' : shape(message.json(), options)
      }
      const said = await answer(ours, false)
      assert.equal(said, await answer(official, said !== NONE))
    })
  }
  it('answers requests for profiles that are not to be had alike', async () => {
    for (const body of [
      '',
      '{"name":"bogus"}',
      '{"name":"cpu"}',
      '{"name":"cpu","duration":-1}',
      '{"name":"cpu","duration":99000000000}',
    ]) {
      const answer = async ({ sys }: Bench): Promise<unknown> =>
        (await sys.request('$SYS.REQ.SERVER.PING.PROFILEZ', body, { timeout: DEADLINE_MS })).json<{
          data: unknown
        }>().data
      assert.deepEqual(await answer(ours), await answer(official))
    }
  })
  for (const [who, subject, body] of [
    ['a', '$SYS.REQ.SERVER.PING.CONNZ', '{"auth":true}'],
    ['a', '$SYS.REQ.ACCOUNT.PING.CONNZ', '{"acc":"B"}'],
    ['a', '$SYS.REQ.ACCOUNT.PING.STATZ', ''],
    ['a', '$SYS.REQ.USER.INFO', ''],
    ['b', '$SYS.DEBUG.SUBSCRIBERS', 'x.one'],
    ['b', '$SYS.DEBUG.SUBSCRIBERS', 'x.one q'],
    ['b', '$SYS.DEBUG.SUBSCRIBERS', 'x.>'],
    ['b', '$SYS.DEBUG.SUBSCRIBERS', 'nothing'],
  ] as const) {
    it(`answers user ${who} of another account: ${subject} ${body}`, async () => {
      const answer = async (bench: Bench): Promise<string> => {
        const reply = await bench[who].request(subject, body, { timeout: DEADLINE_MS })
        return shape(reply.json(), { volatile: [...ONES.volatile!, 'num_subscriptions', 'host'] })
      }
      assert.equal(await answer(ours), await answer(official))
    })
  }
  it('gives everybody else no responders', async () => {
    for (const { a } of [ours, official]) {
      await assert.rejects(a.request('$SYS.REQ.SERVER.PING', ''), /no responders/i)
      await assert.rejects(a.request('$SYS.REQ.ACCOUNT.B.CONNZ', ''), /no responders/i)
    }
  })
})

/** The inside of one chunk of the Snappy framing format at a time. */
function unsnappy(framed: Uint8Array): string {
  const bytes = Buffer.from(framed)
  assert.equal(bytes.toString('latin1', 0, 10), '\xff\x06\x00\x00sNaPpY')
  const parts: Uint8Array[] = []
  for (let at = 10; at < bytes.length; ) {
    const size = bytes.readUIntLE(at + 1, 3)
    const body = bytes.subarray(at + 8, at + 4 + size)
    parts.push(bytes[at] === 0 ? uncompress(new Uint8Array(body)) : body)
    at += 4 + size
  }
  return Buffer.concat(parts).toString()
}

onEveryEngine('a server asked over the system account', CONFIG, (bench) => {
  const login = async (t: Cleanup, user: string): Promise<NatsConnection> => {
    const nc = await connect({ servers: bench.server.url, user, pass: user, reconnect: false })
    t.after(() => nc.close())
    return nc
  }
  const raw = async (t: Cleanup, protocol = 1): Promise<RawClient> => {
    const client = await RawClient.connect(t, bench.server.port)
    client.connect({ verbose: false, user: 'b', pass: 'b', protocol })
    return client
  }

  it('encodes its answers as the request accepts them', async (t) => {
    const sys = await login(t, 'sys')
    for (const [accepted, encoding, decode] of [
      ['snappy', 'snappy', unsnappy],
      ['gzip, S2', 'snappy', unsnappy],
      ['gzip', 'gzip', (data: Uint8Array) => gunzipSync(data).toString()],
      ['br', 'identity', (data: Uint8Array) => Buffer.from(data).toString()],
    ] as const) {
      const wanted = headers()
      wanted.set('Accept-Encoding', accepted)
      const reply = await sys.request('$SYS.REQ.SERVER.PING.VARZ', '', {
        headers: wanted,
        timeout: DEADLINE_MS,
      })
      assert.equal(reply.headers?.get('Content-Encoding'), encoding)
      const { data } = JSON.parse(decode(reply.data)) as { data: { server_name: string } }
      assert.equal(data.server_name, 'alpha')
      // Never for an error, nor for the state.
      const bad = await sys.request('$SYS.REQ.SERVER.PING.VARZ', '{', {
        headers: wanted,
        timeout: DEADLINE_MS,
      })
      assert.equal(bad.json<{ error: { code: number } }>().error.code, 400)
      const state = await sys.request('$SYS.REQ.SERVER.PING', '', { headers: wanted, timeout: DEADLINE_MS })
      assert.equal(state.json<{ server: { name: string } }>().server.name, 'alpha')
    }
  })
  it('refuses bodies that it cannot read with code 400', async (t) => {
    const sys = await login(t, 'sys')
    for (const [body, what = 'CONNZ'] of [
      ['nonsense'],
      ['{"limit":"x"}'],
      ['{"auth":1}'],
      ['{"cid":-1}'],
      ['{"tags":"blue"}'],
      ['[1]'],
      ['"text"'],
      ['{} {}'],
      ['{"subscriptions":1}', 'ROUTEZ'],
      ['{"accounts":1}', 'GATEWAYZ'],
      ['{"subscriptions":1}', 'LEAFZ'],
    ] as const) {
      const reply = await sys.request(`$SYS.REQ.SERVER.PING.${what}`, body, { timeout: DEADLINE_MS })
      const { error, data } = reply.json<{ error: { code: number; description: string }; data?: unknown }>()
      assert.equal(error.code, 400, body)
      assert.ok(error.description.length > 0)
      assert.equal(data, undefined)
    }
  })
  it('kicks a client, when somebody waits for the outcome', async (t) => {
    const sys = await login(t, 'sys')
    const kick = `$SYS.REQ.SERVER.${sys.info!.server_id}.KICK`
    const victim = await raw(t, 0)
    await victim.flush()
    const body = JSON.stringify({ cid: victim.info.client_id })
    sys.publish(kick, body)
    sys.publish(kick, 'no json', { reply: 'nowhere' })
    // Requests are served one after the other: those before this one are done.
    await sys.request(kick, '{"cid":999999}', { timeout: DEADLINE_MS })
    await victim.pingPong()
    const reply = await sys.request(kick, body, { timeout: DEADLINE_MS })
    assert.deepEqual(Object.keys(reply.json<object>()), ['server'])
    assert.equal(await victim.closed(), '')
    assert.equal(await closeReason(bench.server, victim.info.client_id), 'Kicked')
  })
  it('tells one client of lame duck mode', async (t) => {
    const sys = await login(t, 'sys')
    const ldm = `$SYS.REQ.SERVER.${sys.info!.server_id}.LDM`
    const asked = async (client: RawClient) => {
      const body = JSON.stringify({ cid: client.info.client_id })
      return (await sys.request(ldm, body, { timeout: DEADLINE_MS })).json<{
        error?: { code: number; description: string }
      }>()
    }
    const client = await raw(t)
    client.say('PING')
    await client.expect('PONG', /^INFO .*"connect_info":true/)
    assert.equal((await asked(client)).error, undefined)
    assert.equal((await client.expectInfo())['ldm'], true)
    await client.pingPong()
    const old = await raw(t, 0)
    await old.flush()
    assert.deepEqual((await asked(old)).error, {
      code: 500,
      description: 'client does not support Lame Duck Mode or is not ready to receive the notification',
    })
  })
  it('broadcasts its state when nobody waits for it', async (t) => {
    const sys = await login(t, 'sys')
    const id = sys.info!.server_id
    const heard = new Promise<Msg>((resolve) => {
      sys.subscribe(`$SYS.SERVER.${id}.STATSZ`, { max: 1, callback: (_error, message) => resolve(message) })
    })
    sys.publish('$SYS.REQ.SERVER.PING', '')
    const { statsz } = (await heard).json<{ statsz: { active_servers: number; connections: number } }>()
    assert.equal(statsz.active_servers, 1)
  })
  it('gives a profile of what it does', async (t) => {
    const sys = await login(t, 'sys')
    for (const body of ['{"name":"heap"}', '{"name":"cpu","duration":100000000}']) {
      const reply = await sys.request('$SYS.REQ.SERVER.PING.PROFILEZ', body, { timeout: DEADLINE_MS })
      const { profile, error } = reply.json<{ data: { profile: string; error: string } }>().data
      assert.equal(error, '')
      assert.ok(Buffer.from(profile, 'base64').length > 100)
    }
  })
  it('reloads its configuration', async (t) => {
    const sys = await login(t, 'sys')
    const subject = `$SYS.REQ.SERVER.${sys.info!.server_id}.RELOAD`
    const { error } = (await sys.request(subject, '', { timeout: DEADLINE_MS })).json<{ error?: unknown }>()
    assert.equal(error, undefined)
    await bench.server.waitForLog(/Reloaded server configuration/)
  })
  it('serves the requests of a client that speaks by hand', async (t) => {
    const client = await RawClient.connect(t, bench.server.port)
    client.say(
      FULL.replace('}', ',"user":"sys","pass":"sys"}'),
      'SUB in 1',
      'PUB $SYS.REQ.SERVER.PING.IDZ in 0',
      '',
    )
    const { payload } = await client.message()
    assert.deepEqual(JSON.parse(payload), { name: 'alpha', host: '127.0.0.1', id: client.info.server_id })
  })
})
