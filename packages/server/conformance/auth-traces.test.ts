// What is left of those who were refused: in the log and in /connz.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createKeyPair, encodeBase64Url, newUserClaims } from '@ngs/identity/node'
import { closeReason, onEveryEngine, wire } from './support.ts'
import { inEveryWorld } from './world.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")

onEveryEngine(
  'refusals of a configuration file',
  `http: "127.0.0.1:-1"
debug: true
max_subscriptions: 1
proxies { trusted: [ { key: ${createKeyPair('server').publicKey} } ] }
accounts { A { users: [ { user: u, password: p } ] } }`,
  (bench) => {
    it('say in debug mode that the signature of a proxy is none', async (t) => {
      const one = await bench.client(t)
      one.connect({ user: 'u', pass: 'p', proxy_sig: '!' })
      assert.equal(await one.closed(), VIOLATION)
      await bench.server.waitForLog(/ - Proxy signature not valid base64\n.* - proxy is not trusted\n/)
    })

    it('leave the account of a client that asked for another one', async (t) => {
      const one = await bench.client(t)
      one.connect({ user: 'u', pass: 'p', account: 'B' })
      assert.equal(await one.closed(), VIOLATION)
      assert.equal(await closeReason(bench.server, one.info.client_id), 'Authentication Failure')
      const { connections } = await bench.server.monitor<{ connections: { account?: string }[] }>(
        `/connz?state=closed&auth=1&cid=${one.info.client_id}`,
      )
      assert.equal(connections[0]?.account, 'A')
    })

    it('of subscriptions fill no log', async (t) => {
      const one = await bench.client(t)
      one.connect({ verbose: false, user: 'u', pass: 'p' })
      one.say('SUB a 1', 'SUB b 2', 'SUB c 3', 'SUB d 4')
      const refusal = "-ERR 'maximum subscriptions exceeded'"
      assert.equal(await one.flush(), wire(refusal, refusal, refusal))
      // Its closing is logged behind what it did.
      one.destroy()
      await bench.server.waitForLog(new RegExp(`cid:${one.info.client_id} .*Client connection closed`))
      assert.equal(bench.server.log().match(/maximum subscriptions exceeded/g)?.length, 1)
    })
  },
)

inEveryWorld('refusals of an operator', {}, (world) => {
  it('warn of accounts that nobody has', async (t) => {
    const one = await world.client(t, createKeyPair('account'))
    assert.equal(await one.closed(), VIOLATION)
    await world.server.waitForLog(/\[WRN\] Account fetch failed: /)
  })

  it('name nobody who has not shown whose JWT it brings', async (t) => {
    const { key } = await world.account()
    const one = await world.client(t, key, undefined, { sign: null, connect: { auth_token: 't' } })
    assert.equal(await one.closed(), VIOLATION)
    await world.server.waitForLog(new RegExp(`cid:${one.info.client_id} - authentication error\\n`))
  })

  it('have a JWT whose subject is no key for what it is', async (t) => {
    const { key } = await world.account()
    // No library signs such a JWT.
    const part = (value: object): string => encodeBase64Url(Buffer.from(JSON.stringify(value)))
    const { nats } = newUserClaims(createKeyPair('user').publicKey, 'U')
    const signed = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part({ sub: 'UNOBODY', iss: key.publicKey, nats })}`
    const jwt = `${signed}.${encodeBase64Url(key.sign(Buffer.from(signed)))}`
    const one = await world.client(t, key, undefined, { connect: { jwt } })
    assert.equal(await one.closed(), VIOLATION)
    await world.waitForLogOf(one, /User nkey not valid|Signature not verified/)
  })
})

inEveryWorld('a JWT that is worth a login', {}, (world) => {
  it('is not shown in /connz when it says that its bearer comes in', async (t) => {
    const { key } = await world.account()
    const bearer = await world.client(t, key, (claims) => (claims.nats.bearer_token = true), { sign: null })
    const usual = await world.client(t, key)
    await bearer.flush()
    await usual.flush()
    const { connections } = await world.server.monitor<{ connections: { cid: number; jwt?: string }[] }>(
      '/connz?auth=1',
    )
    const shown = (cid: number) => connections.find((one) => one.cid === cid)?.jwt
    assert.equal(shown(bearer.info.client_id), undefined)
    assert.equal(shown(usual.info.client_id), usual.jwt)
  })
})
