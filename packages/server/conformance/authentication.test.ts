// Who may come in, by the configuration file, and what users may do.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createKeyPair, encodeBase64Url } from '@ngs/identity/node'
import { answers, ends, exactly, onEveryEngine, wire } from './support.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")
const connect = (fields: Record<string, unknown>): string =>
  `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, ...fields })}`

onEveryEngine('a token', 'authorization { token: s3cr3t }', ({ client }) => {
  it('is asked for, taken, and refused when wrong or absent', async (t) => {
    assert.equal((await client(t)).info['auth_required'], true)
    await answers(await client(t), [connect({ auth_token: 's3cr3t' })], '')
    await ends(await client(t), [connect({ auth_token: 'other' })], VIOLATION)
    await ends(await client(t), [connect({})], VIOLATION)
  })
  it('has to come first', async (t) => {
    await ends(await client(t), ['PING'], VIOLATION)
    await ends(await client(t), ['SUB foo 1'], VIOLATION)
  })
})

onEveryEngine('a token that does not come', 'authorization { token: s3cr3t, timeout: 0.3 }', ({ client }) => {
  it('is waited for so long', async (t) => {
    assert.equal(await (await client(t)).closed(), wire("-ERR 'Authentication Timeout'"))
  })
})

onEveryEngine('one user', 'authorization { user: joe, password: pw }', ({ client }) => {
  it('is known by name and password', async (t) => {
    await answers(await client(t), [connect({ user: 'joe', pass: 'pw' })], '')
    await ends(await client(t), [connect({ user: 'joe', pass: 'px' })], VIOLATION)
    await ends(await client(t), [connect({ user: 'jim', pass: 'pw' })], VIOLATION)
  })
})

const key = createKeyPair('user')

onEveryEngine(
  'an nkey',
  `authorization { users: [ { nkey: ${key.publicKey} }, { user: a, password: b } ] }`,
  ({ client }) => {
    it('is proven by a signature of the nonce, in either alphabet', async (t) => {
      const sign = (nonce: unknown): Uint8Array => key.sign(Buffer.from(String(nonce)))
      const one = await client(t)
      assert.match(String(one.info['nonce']), /^[\w-]{15}$/)
      await answers(
        one,
        [connect({ nkey: key.publicKey, sig: encodeBase64Url(sign(one.info['nonce'])) })],
        '',
      )
      const two = await client(t)
      await answers(
        two,
        [connect({ nkey: key.publicKey, sig: Buffer.from(sign(two.info['nonce'])).toString('base64') })],
        '',
      )
      await ends(
        await client(t),
        [connect({ nkey: key.publicKey, sig: encodeBase64Url(sign('other')) })],
        VIOLATION,
      )
      await answers(await client(t), [connect({ user: 'a', pass: 'b' })], '')
    })
  },
)

onEveryEngine(
  'a guest',
  'no_auth_user: g\nauthorization { users: [ { user: g, password: g }, { user: a, password: b } ] }',
  ({ client }) => {
    it('stands for clients that bring nothing, with or without CONNECT', async (t) => {
      const one = await client(t)
      assert.equal(one.info['auth_required'], undefined)
      await answers(one, [connect({})], '')
      await exactly(await client(t, 'PING'), wire('PONG'))
      await ends(await client(t), [connect({ user: 'a', pass: 'x' })], VIOLATION)
    })
  },
)

const PERMISSIONS = `
authorization { users: [
  { user: allow, password: x, permissions: { subscribe: ["foo.*", "q3", "q3 v1"], publish: ["foo.>"] } }
  { user: deny, password: x, permissions: { subscribe: { deny: ["foo.bar"] }, publish: { deny: ["no.>"] } } }
  { user: respond, password: x, permissions: { subscribe: "req.>", allow_responses: true } }
  { user: all, password: x }
] }`

onEveryEngine('permissions', PERMISSIONS, ({ client }) => {
  const as = (user: string): string => connect({ user, pass: 'x' })
  const noSub = (subject: string, queue?: string): string =>
    wire(
      `-ERR 'Permissions Violation for Subscription to "${subject}"${queue === undefined ? '' : ` using queue "${queue}"`}'`,
    )
  const noPub = (subject: string): string => wire(`-ERR 'Permissions Violation for Publish to "${subject}"'`)

  it('look a subscription up as if it were literal', async (t) => {
    const one = await client(t, as('allow'))
    await answers(one, ['SUB foo.a 1'], '')
    await answers(one, ['SUB foo.> 2'], '')
    await answers(one, ['SUB foo 3'], noSub('foo'))
    await answers(one, ['SUB > 4'], noSub('>'))
  })
  it('name queues', async (t) => {
    const one = await client(t, as('allow'))
    await answers(one, ['SUB q3 1', 'SUB q3 v1 2'], '')
    await answers(one, ['SUB q3 v2 3'], noSub('q3', 'v2'))
  })
  it('limit publishing', async (t) => {
    const one = await client(t, as('allow'))
    await answers(one, ['PUB foo.a 0', '', 'PUB bar 0', ''], noPub('bar'))
    const other = await client(t, as('deny'))
    await answers(other, ['PUB yes 0', '', 'PUB no.x 0', ''], noPub('no.x'))
  })
  it('filter what a wildcard subscription would let through', async (t) => {
    const one = await client(t, as('deny'))
    await answers(one, ['SUB foo.bar 1'], noSub('foo.bar'))
    await answers(one, ['SUB foo.* 2', 'PUB foo.bar 0', '', 'PUB foo.baz 0', ''], wire('MSG foo.baz 2 0', ''))
    await answers(one, ['SUB * 3', 'PUB foo 0', ''], wire('MSG foo 3 0', ''))
  })
  it('grant one response for each request', async (t) => {
    const responder = await client(t, as('respond'), 'SUB req.> 1')
    await responder.flush()
    const asker = await client(t, as('all'))
    await answers(asker, ['PUB req.a in.1 0', ''], '')
    assert.equal(await responder.flush(), wire('MSG req.a 1 in.1 0', ''))
    await answers(responder, ['PUB in.1 2', 'ok'], '')
    await answers(responder, ['PUB in.1 2', 'ok'], noPub('in.1'))
    await answers(responder, ['PUB elsewhere 0', ''], noPub('elsewhere'))
  })
})
