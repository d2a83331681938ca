// Reloads that the official server lets half happen, and this one refuses as a whole.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Engine, ngsServer } from '@ngs/testkit'
import { refused } from '../conformance/reloading.ts'

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
