// /subsz: the subjects that are listened to, their pages, and whom a message would reach.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { waitFor } from '@ngs/testkit'
import { onEveryEngine, QUIET } from './support.ts'

interface Detail {
  account: string
  subject: string
  sid: string
  cid: number
  msgs: number
  qgroup?: string
  max?: number
}
interface Subsz {
  num_subscriptions: number
  num_inserts: number
  num_removes: number
  total: number
  offset: number
  limit: number
  subscriptions_list?: Detail[]
}

onEveryEngine(
  '/subsz',
  `http: "127.0.0.1:-1"
accounts {
  A { users: [ { user: a, password: a } ], exports: [ { stream: "shared.>" } ] }
  B { users: [ { user: b, password: b } ], imports: [ { stream: { account: A, subject: "shared.>" } } ] }
}`,
  (bench) => {
    const login = (user: string): string => QUIET.replace('}', `,"user":"${user}","pass":"${user}"}`)
    const subsz = (query = ''): Promise<Subsz> => bench.server.monitor<Subsz>(`/subsz?${query}`)
    const reached = async (query: string): Promise<string[]> =>
      ((await subsz(`subs=1&${query}`)).subscriptions_list ?? []).map(({ subject }) => subject).sort()

    it('lists nothing unless it is asked to', async () => {
      const { total, offset, limit, subscriptions_list, num_subscriptions } = await subsz()
      assert.deepEqual([total, offset, limit, subscriptions_list], [0, 0, 1024, undefined])
      assert.ok(num_subscriptions > 0)
    })
    it('tells of each subscription whose it is', async (t) => {
      const client = await bench.client(
        t,
        login('a'),
        'SUB one 1',
        'SUB two group 2',
        'UNSUB 2 5',
        'PUB one 1',
        'x',
      )
      await client.message()
      await client.flush()
      const cid = client.info.client_id
      const { subscriptions_list } = await subsz('subs=1&acc=A')
      const mine = subscriptions_list!.filter((detail) => detail.cid === cid)
      assert.deepEqual(
        mine.sort((a, b) => Number(a.sid) - Number(b.sid)),
        [
          { account: 'A', account_tag: 'A', subject: 'one', sid: '1', msgs: 1, cid },
          { account: 'A', account_tag: 'A', subject: 'two', qgroup: 'group', sid: '2', msgs: 0, max: 5, cid },
        ],
      )
    })
    it('counts what comes and goes', async (t) => {
      // Those of the clients of the tests before are gone: the server's own remain.
      const others = async (): Promise<Detail[]> =>
        (await subsz('subs=1&acc=A')).subscriptions_list?.filter(({ subject }) => !subject.startsWith('$')) ??
        []
      await waitFor(async () => (await others()).length === 0, { what: 'no subscriptions of clients' })
      const before = await subsz('acc=A')
      const client = await bench.client(t, login('a'), 'SUB x 1', 'SUB y 2', 'UNSUB 1')
      await client.flush()
      const after = await subsz('acc=A')
      assert.deepEqual(
        [
          after.num_subscriptions - before.num_subscriptions,
          after.num_inserts - before.num_inserts,
          after.num_removes - before.num_removes,
        ],
        [1, 2, 1],
      )
    })
    it('finds whom a message on a subject would reach', async (t) => {
      const client = await bench.client(
        t,
        login('a'),
        'SUB a.b 1',
        'SUB a.* 2',
        'SUB a.> 3',
        'SUB > 4',
        'SUB b.c q 5',
      )
      await client.flush()
      assert.deepEqual(await reached('acc=A&test=a.b'), ['>', 'a.*', 'a.>', 'a.b'])
      assert.deepEqual(await reached('acc=A&test=a'), ['>'])
      assert.deepEqual(await reached('acc=A&test=b.c'), ['>', 'b.c'])
      assert.deepEqual(await reached('acc=B&test=a.b'), [])
      assert.deepEqual(await reached('acc=NOBODY'), [])
    })
    it('has the subscriptions of an importer in the account that exports, too', async (t) => {
      const client = await bench.client(t, login('b'), 'SUB shared.news 1')
      await client.flush()
      const found = async (account: string): Promise<string[]> =>
        ((await subsz(`subs=1&acc=${account}&test=shared.news`)).subscriptions_list ?? []).map(
          (one) => one.account,
        )
      assert.deepEqual(await found('A'), ['B'])
      assert.deepEqual(await found('B'), ['B'])
    })
    it('has pages', async (t) => {
      const lines = Array.from({ length: 25 }, (_, i) => `SUB page.${i} ${i + 1}`)
      const client = await bench.client(t, login('a'), 'SUB wide.* 99', ...lines)
      await client.flush()
      const all = await subsz('subs=1&acc=A')
      const size = all.subscriptions_list!.length
      assert.equal(all.total, size)
      const first = await subsz('subs=1&acc=A&limit=10')
      const last = await subsz(`subs=1&acc=A&limit=10&offset=${size - 5}`)
      const beyond = await subsz(`subs=1&acc=A&offset=${size + 5}`)
      assert.deepEqual([first.subscriptions_list!.length, first.total, first.limit], [10, size, 10])
      assert.deepEqual([last.subscriptions_list!.length, last.total, last.offset], [5, size, size - 5])
      assert.deepEqual([beyond.subscriptions_list, beyond.total], [undefined, size])
    })
  },
)
