// $SYS.REQ.USER.INFO: what a user may know about itself.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { createKeyPair, encodeBase64Url, newUserScope } from '@ngs/identity/node'
import { type RawClient, waitFor } from '@ngs/testkit'
import { onEveryEngine } from './support.ts'
import { inEveryWorld, now } from './world.ts'

interface Info {
  server: { id: string; name: string }
  data: {
    user: string
    account: string
    permissions?: { publish: { allow?: string[]; deny?: string[] }; subscribe: { allow?: string[] } }
    expires?: number
  }
}

async function ask(client: RawClient, subject = '$SYS.REQ.USER.INFO'): Promise<Info> {
  client.say('SUB in.* 99', `PUB ${subject} in.1 0`, '')
  const { payload } = await client.message()
  const info = JSON.parse(payload) as Info
  // The lists come in no order.
  info.data.permissions?.publish.allow?.sort()
  info.data.permissions?.subscribe.allow?.sort()
  return info
}

const key = createKeyPair('user')

onEveryEngine(
  'user info of configured users',
  `
accounts {
  A { users: [
    { user: all, password: p }
    { nkey: ${key.publicKey}, permissions: {
      publish: { allow: [ "$SYS.REQ.USER.INFO", "a.>" ], deny: "a.b" }
      subscribe: { allow: [ "in.*", "q q1" ], deny: [ "no.>" ] }
      allow_responses: true
    } }
    { user: responses, password: p, permissions: { publish: ">", subscribe: "in.*", allow_responses: { max: 5, expires: "1m" } } }
  ] }
  SYS { users: [ { user: sys, password: p } ] }
}
system_account: SYS`,
  (bench) => {
    const client = async (t: TestContext, fields: Record<string, unknown>): Promise<RawClient> => {
      const one = await bench.client(t)
      one.connect({ verbose: false, pedantic: false, ...fields })
      return one
    }

    it('names user and account, and the server', async (t) => {
      const one = await client(t, { user: 'all', pass: 'p' })
      const { server, data } = await ask(one)
      assert.equal(server.id, one.info.server_id)
      assert.deepEqual(data, { user: 'all', account: 'A', account_name: 'A' })
    })
    it('lists the permissions, those of responses with their defaults', async (t) => {
      const one = await bench.client(t)
      const sig = encodeBase64Url(key.sign(Buffer.from(one.info.nonce!)))
      one.connect({ verbose: false, pedantic: false, nkey: key.publicKey, sig })
      assert.deepEqual((await ask(one)).data, {
        user: key.publicKey,
        account: 'A',
        account_name: 'A',
        permissions: {
          publish: { allow: ['$SYS.REQ.USER.INFO', 'a.>'], deny: ['a.b'] },
          subscribe: { allow: ['in.*', 'q q1'], deny: ['no.>'] },
          responses: { max: 1, ttl: 120_000_000_000 },
        },
      })
      const other = await client(t, { user: 'responses', pass: 'p' })
      assert.deepEqual((await ask(other)).data.permissions, {
        publish: { allow: ['>'] },
        subscribe: { allow: ['in.*'] },
        responses: { max: 5, ttl: 60_000_000_000 },
      })
    })
    it('answers users of the system account too', async (t) => {
      const one = await client(t, { user: 'sys', pass: 'p' })
      assert.deepEqual((await ask(one)).data, { user: 'sys', account: 'SYS', account_name: 'SYS' })
    })
  },
)

onEveryEngine('user info of anonymous clients', '', (bench) => {
  it('has the global account and whatever they call themselves', async (t) => {
    const one = await bench.client(t)
    one.connect({ verbose: false, pedantic: false })
    assert.deepEqual((await ask(one)).data, { user: '', account: '$G', account_name: '$G' })
    const two = await bench.client(t)
    two.connect({ verbose: false, pedantic: false, auth_token: 'x' })
    assert.equal((await ask(two)).data.user, '[REDACTED]')
  })
})

inEveryWorld('user info of an operator', {}, (world) => {
  it('has names and the time that is left', async (t) => {
    const { key: account } = await world.account((claims) => (claims.name = 'Acme'))
    const one = await world.client(t, account, (user) => {
      user.name = 'Jo'
      user.exp = now() + 3600
    })
    const { expires, ...data } = (await ask(one)).data
    assert.deepEqual(data, {
      user: one.user,
      account: account.publicKey,
      account_name: 'Acme',
      user_name: 'Jo',
    })
    assert.ok(expires !== undefined && expires % 1e9 === 0, `whole seconds: ${expires}`)
    assert.ok(expires > 3500e9 && expires <= 3600e9)
  })
  it('is in the log of a server that debugs, with all that vouch for the user', async (t) => {
    const { key: account } = await world.account((claims) => (claims.nats.tags = ['plan:free', 'eu']))
    const one = await world.client(t, account, (user) => (user.nats.tags = ['team:a']))
    await one.flush()
    const story =
      `Authenticated JWT: Client "${one.user}" (claim-name: "U", claim-tags: ["team:a"]) signed with "${account.publicKey}" ` +
      `by Account "${account.publicKey}" (claim-name: "A", claim-tags: ["plan:free" "eu"]) signed with "${world.signingKey.publicKey}" has mappings false`
    await waitFor(() => world.server.log().includes(story), { what: () => story })
  })
  it('has the permissions that a template and the defaults of the account give', async (t) => {
    const signing = createKeyPair('account')
    const { key: account } = await world.account((claims) => {
      const scope = newUserScope(signing.publicKey)
      scope.template.pub = { allow: ['{{name()}}.>', '$SYS.REQ.>'] }
      claims.nats.signing_keys = [scope]
      claims.nats.default_permissions = { pub: { deny: ['x'] }, sub: {}, resp: { max: 0, ttl: 0 } }
    })
    const scoped = await world.client(t, signing, (user) => {
      user.name = 'jo'
      Object.assign(user.nats, { issuer_account: account.publicKey, subs: 0, data: 0, payload: 0 })
    })
    assert.deepEqual((await ask(scoped)).data.permissions, {
      publish: { allow: ['$SYS.REQ.>', 'jo.>'] },
      subscribe: {},
    })
  })
})
