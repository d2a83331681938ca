// Reloads asked for in the system account, and reloads in operator mode.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { createKeyPair, newAccountClaims } from '@ngs/identity/node'
import type { RawClient } from '@ngs/testkit'
import { reload } from './reloading.ts'
import { closeReason, onEveryEngine, wire } from './support.ts'
import { inEveryWorld } from './world.ts'

const BASE =
  'accounts { "$SYS" { users: [{user: s, password: s}] }, A { users: [{user: a, password: a}] } }\n'

interface Answer {
  server: { id: string }
  data?: unknown
  error?: { code: number; description: string }
}

onEveryEngine('the RELOAD request', BASE, (bench) => {
  const write = (config: string): void =>
    writeFileSync(bench.server.configFile, `listen: "127.0.0.1:-1"\n${BASE}${config}`)
  const system = async (t: Parameters<typeof bench.client>[0]): Promise<RawClient> => {
    const client = await bench.client(t)
    client.connect({ verbose: false, pedantic: false, user: 's', pass: 's' })
    client.say('SUB answer 1')
    await client.flush()
    return client
  }
  const ask = async (client: RawClient, body = ''): Promise<Answer> => {
    client.pub(`$SYS.REQ.SERVER.${client.info.server_id}.RELOAD`, body, 'answer')
    return JSON.parse((await client.message()).payload) as Answer
  }

  it('reloads and answers without data', async (t) => {
    const client = await system(t)
    write('max_payload: 20000\n')
    const answer = await ask(client)
    assert.deepEqual(Object.keys(answer), ['server'])
    assert.equal(answer.server.id, client.info.server_id)
    assert.equal((await bench.client(t)).info.max_payload, 20_000)
    write('')
    await ask(client)
  })

  it('answers why it cannot, with code 500', async (t) => {
    const client = await system(t)
    write('max_subscriptions: 5\n')
    const description = 'config reload not supported for MaxSubs: old=0, new=5'
    assert.deepEqual((await ask(client)).error, { code: 500, description })
    write('bogus: 5\n')
    const place = `${bench.server.configFile}:3:1`
    assert.deepEqual((await ask(client)).error, {
      code: 500,
      description: `${place}: unknown field "bogus"\n`,
    })
    assert.equal((await ask(client, '{a}')).error?.code, 400)
    write('')
  })

  it('does nothing when nobody waits for the answer, or another server is meant', async (t) => {
    const client = await system(t)
    write('max_payload: 20000\n')
    client.pub(`$SYS.REQ.SERVER.${client.info.server_id}.RELOAD`)
    client.pub(`$SYS.REQ.SERVER.${client.info.server_id}.RELOAD`, '{"server_name": "other"}', 'answer')
    // Answered after those two.
    client.pub(`$SYS.REQ.SERVER.${client.info.server_id}.IDZ`, '', 'answer')
    await client.message()
    assert.equal((await bench.client(t)).info.max_payload, 1_048_576)
    write('')
  })

  it('is nothing for other accounts', async (t) => {
    const client = await bench.client(t)
    const options = { verbose: false, user: 'a', pass: 'a', headers: true, no_responders: true }
    client.connect(options)
    client.say('SUB answer 1')
    await client.flush()
    client.pub(`$SYS.REQ.SERVER.${client.info.server_id}.RELOAD`, '', 'answer')
    assert.match((await client.message()).headers, /^NATS\/1\.0 503/)
  })
})

const key = createKeyPair('account')

inEveryWorld('reload in operator mode', { resolver: 'MEMORY' }, (world) => {
  const token = (change: (claims: ReturnType<typeof newAccountClaims>) => void = () => {}): string => {
    const claims = newAccountClaims(key.publicKey, 'A')
    change(claims)
    return world.sign(claims)
  }
  const system = world.systemToken()
  let operator = ''
  const config = (account: string | null): string => {
    const preload = {
      [world.systemKey.publicKey]: system,
      ...(account === null ? {} : { [key.publicKey]: account }),
    }
    const lines = Object.entries(preload).map(([name, jwt]) => `${name}: ${jwt}`)
    return `http: "127.0.0.1:-1"
${operator}
resolver: MEMORY
resolver_preload { ${lines.join('\n')} }\n`
  }

  it('an account that is preloaded may come, changes take effect, and one that is gone takes its users along', async (t) => {
    const { server } = world
    operator = /^operator: .*$/m.exec(readFileSync(server.configFile, 'utf8'))![0]
    await reload(server, config(token()))
    const client = await world.client(t, key)
    await client.flush()
    client.say('SUB foo 1')
    await client.flush()
    await reload(
      server,
      config(
        token((claims) => {
          claims.nats.default_permissions.sub.allow = ['bar']
        }),
      ),
    )
    assert.equal(await client.line(), `-ERR 'Permissions Violation for Subscription to "foo" (sid "1")'`)
    await client.pingPong()
    const lines = await reload(server, config(null))
    assert.ok(lines.includes(`[INF] Reloaded: deleting account [removed]: "${key.publicKey}"`))
    assert.equal(await client.closed(), wire("-ERR 'Authorization Violation'"))
    assert.equal(await closeReason(server, client.info.client_id), 'Authentication Failure')
    const late = await world.client(t, key)
    assert.equal(await late.closed(), wire("-ERR 'Authorization Violation'"))
  })
})
