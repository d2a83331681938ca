// Accounts of the configuration file: each is a world of its own.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { RawClient } from '@ngs/testkit'
import { onEveryEngine, wire } from './support.ts'

const CONFIG = `
accounts {
  A { users: [ { user: a, password: x } ], limits: { max_payload: 500 } }
  B { users: [ { user: b, password: x } ] }
  SYS { users: [ { user: s, password: x } ] }
}
system_account: SYS`

onEveryEngine('accounts', CONFIG, ({ client }) => {
  const connect = (user: string, more: Record<string, unknown> = {}): string =>
    `CONNECT ${JSON.stringify({ verbose: false, headers: true, no_responders: true, user, pass: 'x', ...more })}`
  const as = async (t: TestContext, user: string, ...lines: string[]): Promise<RawClient> => {
    const one = await client(t, connect(user), ...lines)
    await one.flush()
    return one
  }

  it('see nothing of each other, whatever the subject', async (t) => {
    const a = await as(t, 'a')
    const b = await as(t, 'b', 'SUB > 1', 'SUB foo q 2')
    for (const subject of ['foo', '$SYS.x', '_INBOX.x', '$JS.API.x']) a.pub(subject, 'x')
    assert.equal(await a.flush(), '')
    assert.equal(await b.flush(), '')
    const near = await as(t, 'a', 'SUB $SYS.> 1')
    a.pub('$SYS.x', 'x')
    await a.flush()
    assert.equal(await near.flush(), wire('MSG $SYS.x 1 1', 'x'))
  })

  it('have the same queue group apart', async (t) => {
    const [a, b] = [await as(t, 'a', 'SUB foo q 1'), await as(t, 'b', 'SUB foo q 1')]
    const publisher = await as(t, 'a')
    for (let i = 0; i < 10; i++) publisher.pub('foo')
    await publisher.flush()
    assert.equal((await a.flush()).match(/MSG/g)?.length, 10)
    assert.equal(await b.flush(), '')
  })

  it('are named in the second INFO, with what holds there', async (t) => {
    for (const [user, account, isSystem, payload] of [
      ['a', 'A', undefined, 500],
      ['b', 'B', undefined, 1048576],
      ['s', 'SYS', true, 1048576],
    ] as const) {
      const one = await client(t, connect(user, { protocol: 1 }), 'PING')
      await one.expect('PONG')
      const info = await one.expectInfo()
      assert.deepEqual(
        [info['connect_info'], info['remote_account'], info['acc_is_sys'], info.max_payload],
        [true, account, isSystem, payload],
      )
    }
  })

  it('let nobody make up the replies that servers make', async (t) => {
    const one = await as(t, 'a', 'SUB foo 1')
    one.pub('foo', '', '_R_.x')
    assert.equal(await one.flush(), wire(`-ERR 'Permissions Violation for Publish with Reply of "_R_.x"'`))
    one.pub('foo')
    assert.equal(await one.flush(), wire('MSG foo 1 0', ''))
  })

  it('answer questions about themselves, and only about themselves', async (t) => {
    const one = await as(t, 'a', 'SUB in 1')
    await as(t, 'b')
    const ask = async (subject: string): Promise<Record<string, Record<string, unknown>>> => {
      one.pub(subject, '', 'in')
      return JSON.parse((await one.message()).payload) as Record<string, Record<string, unknown>>
    }
    const user = await ask('$SYS.REQ.USER.INFO')
    assert.deepEqual([user['data']!['user'], user['data']!['account']], ['a', 'A'])
    const list = (await ask('$SYS.REQ.ACCOUNT.PING.CONNZ'))['data']!['connections'] as { cid: number }[]
    assert.ok(list.some(({ cid }) => cid === one.info.client_id))
    const statz = (await ask('$SYS.REQ.ACCOUNT.PING.STATZ'))['data']!['account_statz'] as { acc: string }[]
    assert.deepEqual(
      statz.map(({ acc }) => acc),
      ['A'],
    )
    one.pub('$SYS.REQ.ACCOUNT.B.CONNZ', '', 'in')
    assert.match(await one.flush(), /^HMSG in 1 .*\r\nNATS\/1\.0 503/)
  })
})

onEveryEngine(
  'an account of the system alone',
  'accounts { $SYS { users: [ { user: s, password: x } ] } }',
  ({ client }) => {
    it('leaves everybody else in the global account', async (t) => {
      const listener = await client(t, 'CONNECT {"verbose":false}', 'SUB foo 1')
      await listener.flush()
      const guest = await client(t, 'CONNECT {"verbose":false,"protocol":1}', 'PING')
      await guest.expect('PONG')
      assert.equal((await guest.expectInfo())['remote_account'], '$G')
      guest.pub('foo')
      await guest.flush()
      assert.equal(await listener.flush(), wire('MSG foo 1 0', ''))
    })
  },
)
