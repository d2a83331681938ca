// /connz: orders, pages, filters, and what is known of connections that ended.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { type Cleanup, DEADLINE_MS, Engine, enginesUnderTest, RawClient, waitFor } from '@ngs/testkit'
import { closeReason } from './support.ts'

const CONFIG = `
http: "127.0.0.1:-1"
max_payload: 1kb
max_closed_clients: 6
authorization { users: [ { user: guest, password: guest } ] }
no_auth_user: guest
accounts {
  A { users: [ { user: a, password: a } ] }
  B { users: [ { user: b, password: b } ] }
  $SYS { users: [ { user: sys, password: sys } ] }
}
`

interface Row extends Record<string, unknown> {
  cid: number
  name: string
  rtt: string
}
interface Connz {
  num_connections: number
  total: number
  offset: number
  limit: number
  connections: Row[]
}

for (const engine of enginesUnderTest()) {
  describe(`/connz [${engine.name}]`, () => {
    let server: Engine
    const ends: (() => unknown)[] = []
    const suite: Cleanup = { after: (end) => void ends.unshift(end) }
    const connz = (query = ''): Promise<Connz> => server.monitor<Connz>(`/connz?${query}`)
    const names = async (query: string): Promise<string[]> =>
      (await connz(query)).connections.map(({ name }) => name)
    const client = async (t: Cleanup, name: string, user = '', lines: string[] = []): Promise<RawClient> => {
      // No two at the same millisecond: what is sorted by time has one order.
      const earlier = Date.now()
      await waitFor(() => Date.now() > earlier, { what: 'the clock to move' })
      const one = await RawClient.connect(t, server.port)
      one.connect({ verbose: false, name, ...(user === '' ? {} : { user, pass: user }) })
      one.say(...lines)
      await one.flush()
      return one
    }
    before(async () => {
      server = await Engine.start(suite, { engine: engine.path, config: CONFIG })
      // Each is the largest in something.
      await client(suite, 'first', '', ['SUB a 1', 'SUB b 2', 'SUB c 3'])
      await client(suite, 'second', 'a', ['PUB x 1', 'y', 'PUB x 1', 'y', 'PUB x 1', 'y'])
      const third = await client(suite, 'third', 'b', [
        'SUB own 1',
        `PUB own 900`,
        'z'.repeat(900),
        'PUB own 0',
        '',
      ])
      third.say('PING')
    })
    after(async () => {
      for (const end of ends) await end()
    })

    it('sorts by everything it shows', async () => {
      for (const [sort, order] of [
        ['', ['first', 'second', 'third']],
        ['cid', ['first', 'second', 'third']],
        ['start', ['first', 'second', 'third']],
        ['uptime', ['third', 'second', 'first']],
        ['idle', ['first', 'second', 'third']],
        ['last', ['third', 'second', 'first']],
      ] as const) {
        assert.deepEqual(await names(`sort=${sort}`), order, sort)
      }
      for (const [sort, largest] of [
        ['subs', 'first'],
        ['msgs_from', 'second'],
        ['msgs_to', 'third'],
        ['bytes_from', 'third'],
        ['bytes_to', 'third'],
      ] as const) {
        assert.equal((await names(`sort=${sort}`))[0], largest, sort)
      }
      for (const sort of ['pending', 'rtt']) assert.equal((await names(`sort=${sort}`)).length, 3)
    })
    it('has pages', async () => {
      const pages = [await connz('limit=2'), await connz('limit=2&offset=2'), await connz('limit=2&offset=9')]
      assert.deepEqual(
        pages.map(({ num_connections, total, offset, limit }) => [num_connections, total, offset, limit]),
        [
          [2, 3, 0, 2],
          [1, 3, 2, 2],
          [0, 3, 9, 2],
        ],
      )
      assert.deepEqual(
        pages[1]!.connections.map(({ name }) => name),
        ['third'],
      )
    })
    it('filters by account, user and number', async () => {
      assert.deepEqual(await names('acc=A'), ['second'])
      assert.deepEqual(await names('acc=$G'), ['first'])
      assert.deepEqual(await names('user=b'), ['third'])
      assert.deepEqual(await names('user=guest'), ['first'])
      assert.deepEqual(await names('user=a&acc=B'), [])
      const { connections } = await connz('acc=B')
      const one = await connz(`cid=${connections[0]!.cid}`)
      assert.deepEqual([one.num_connections, one.limit, one.connections[0]!.name], [1, 1, 'third'])
      assert.deepEqual((await connz(`cid=${connections[0]!.cid}&acc=A`)).connections, [])
    })
    it('knows the round trip from CONNECT on', async () => {
      for (const { rtt } of (await connz()).connections) assert.match(rtt, /^[\d.]+(ns|µs|ms|s)$/)
      assert.ok((await connz()).connections.every(({ rtt }) => rtt !== '0s'))
    })
    it('names users and accounts only when it is asked to', async () => {
      const quiet = (await connz('acc=A')).connections[0]!
      for (const key of ['authorized_user', 'account', 'jwt', 'name_tag']) assert.ok(!(key in quiet), key)
      const told = (await connz('acc=A&auth=1')).connections[0]!
      assert.deepEqual([told['authorized_user'], told['account'], told['name_tag']], ['a', 'A', 'A'])
      const global = (await connz('acc=$G&auth=1')).connections[0]!
      assert.deepEqual([global['authorized_user'], global['account']], ['guest', undefined])
    })
    it('lists subscriptions, or tells each of them', async () => {
      const row = async (query: string) => (await connz(`acc=B&${query}`)).connections[0]!
      assert.ok(!('subscriptions_list' in (await row(''))))
      assert.deepEqual((await row('subs=1'))['subscriptions_list'], ['own'])
      const [detail] = (await row('subs=detail'))['subscriptions_list_detail'] as Record<string, unknown>[]
      const { cid } = await row('')
      assert.deepEqual(detail, { subject: 'own', sid: '1', msgs: 2, cid })
    })
    it('remembers how connections ended, and what they were', async (t) => {
      const left = await client(t, 'left', 'a', ['SUB mine 7', 'SUB ours group 8'])
      left.end()
      assert.equal(await closeReason(server, left.info.client_id), 'Client Closed')
      const large = await client(t, 'large', 'b')
      large.say('PUB x 5000')
      await large.closed()
      assert.equal(await closeReason(server, large.info.client_id), 'Maximum Message Payload Exceeded')
      const wrong = await RawClient.connect(t, server.port)
      wrong.connect({ user: 'a', pass: 'wrong', name: 'wrong' })
      await wrong.closed()
      assert.equal(await closeReason(server, wrong.info.client_id), 'Authentication Failure')

      assert.deepEqual(await names('state=closed'), ['left', 'large', 'wrong'])
      assert.deepEqual(await names('state=closed&sort=reason'), ['wrong', 'left', 'large'])
      assert.deepEqual(await names('state=closed&sort=stop'), ['wrong', 'large', 'left'])
      assert.deepEqual(await names('state=closed&acc=A'), ['left'])
      assert.deepEqual(await names('state=any&acc=A'), ['second', 'left'])
      assert.equal((await connz('state=ALL')).total, 6)
      const [row] = (await connz('state=closed&acc=A&subs=detail&auth=1')).connections
      const cid = left.info.client_id
      assert.equal(row!['subscriptions'], 2)
      const details = row!['subscriptions_list_detail'] as { sid: string }[]
      assert.deepEqual(
        details.sort((a, b) => Number(a.sid) - Number(b.sid)),
        [
          { account: 'A', account_tag: 'A', subject: 'mine', sid: '7', msgs: 0, cid },
          { account: 'A', account_tag: 'A', subject: 'ours', qgroup: 'group', sid: '8', msgs: 0, cid },
        ],
      )
    })
    it('remembers so many and no more, the oldest goes first', async (t) => {
      for (let i = 0; i < 6; i++) {
        const one = await client(t, `closed ${i}`)
        one.end()
        await closeReason(server, one.info.client_id)
      }
      const { total, connections } = await connz('state=closed')
      assert.equal(total, 6)
      assert.deepEqual(
        connections.map(({ name }) => name),
        [0, 1, 2, 3, 4, 5].map((i) => `closed ${i}`),
      )
    })
    it('finds by subject over the system account', async (t) => {
      const sys = await connect({ servers: server.url, user: 'sys', pass: 'sys', reconnect: false })
      t.after(() => sys.close())
      const find = async (subject: string): Promise<string[]> => {
        const body = JSON.stringify({ acc: '$G', filter_subject: subject })
        const reply = await sys.request('$SYS.REQ.SERVER.PING.CONNZ', body, { timeout: DEADLINE_MS })
        return reply.json<{ data: Connz }>().data.connections.map(({ name }) => name)
      }
      assert.deepEqual(await find('a'), ['first'])
      assert.deepEqual(await find('*'), ['first'])
      assert.deepEqual(await find('nobody'), [])
    })
    it('counts what a slow receiver is behind', async (t) => {
      const slow = await client(t, 'slow', 'b', ['SUB flood 1'])
      slow.pause()
      const sender = await client(t, 'sender', 'b')
      const payload = 'x'.repeat(1000)
      await waitFor(
        async () => {
          for (let i = 0; i < 2_000; i++) sender.pub('flood', payload)
          await sender.flush()
          const [row] = (await connz('sort=pending')).connections
          return row!.name === 'slow' && Number(row!['pending_bytes']) > 0
        },
        { what: 'pending bytes' },
      )
    })
  })
}
