// Reloads that the official server lets half happen: this one makes them whole, or refuses them.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Engine, ngsServer, RawClient } from '@ngs/testkit'
import { refused, reload } from '../conformance/reloading.ts'

it('a system account that is gone from the file keeps everything as it was', async (t) => {
  const config =
    'accounts { S {}, A { users: [{user: a, password: a}] } }\nsystem_account: S\nmax_payload: 1000\n'
  const server = await Engine.start(t, { engine: ngsServer, config: `http: "127.0.0.1:-1"\n${config}` })
  const reason = await refused(
    server,
    'http: "127.0.0.1:-1"\naccounts { A {} }\nsystem_account: S\nmax_payload: 2000\n',
  )
  assert.equal(reason, 'error resolving system account: account missing')
  const { max_payload } = await server.monitor<{ max_payload: number }>('/varz')
  assert.equal(max_payload, 1000)
  const { accounts } = await server.monitor<{ accounts: string[] }>('/accountz')
  assert.ok(accounts.includes('S'))
})

it('users of a list that a single user has replaced do not get in any more', async (t) => {
  const server = await Engine.start(t, {
    engine: ngsServer,
    config: 'authorization { users: [{user: a, password: a}, {user: b, password: b}] }\n',
  })
  const login = async (user: string): Promise<RawClient> => {
    const client = await RawClient.connect(t, server.port)
    client.connect({ verbose: false, user, pass: user })
    client.send('PING\r\n')
    return client
  }
  await (await login('b')).expect('PONG')
  await reload(server, 'authorization { user: a, password: a }\n')
  await (await login('a')).expect('PONG')
  await (await login('b')).expectErr('Authorization Violation')
})

it('mappings of the global account go with their block', async (t) => {
  const server = await Engine.start(t, { engine: ngsServer, config: 'mappings { foo: bar }\n' })
  const client = await RawClient.connect(t, server.port)
  client.connect({ verbose: false })
  client.say('SUB > 1', 'PUB foo 0', '')
  await client.expect('MSG bar 1 0')
  await client.expect('')
  await reload(server, '')
  client.say('PUB foo 0', '')
  await client.expect('MSG foo 1 0')
})
