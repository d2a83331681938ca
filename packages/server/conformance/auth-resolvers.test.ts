// Where account JWTs come from: memory, a URL, a directory, a cache; and what each says to those who push, ask and delete.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer, type Server as HttpServer } from 'node:http'
import { after, before, describe, it } from 'node:test'
import {
  createKeyPair,
  encode,
  type KeyPair,
  newAccountClaims,
  newGenericClaims,
  newUserClaims,
} from '@ngs/identity/node'
import { DEADLINE_MS, Engine, enginesUnderTest } from '@ngs/testkit'
import { wire } from './support.ts'
import { type ClaimsAnswer, inEveryWorld, now, soon, text, World } from './world.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")
const UPDATE = '$SYS.REQ.CLAIMS.UPDATE'
const updateOf = (account: string): string => `$SYS.REQ.ACCOUNT.${account}.CLAIMS.UPDATE`
const lookupOf = (account: string): string => `$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`

/** What an answer says, in one line. */
const said = ({ data, error }: ClaimsAnswer): string =>
  data !== undefined && data !== null
    ? `${data.code} ${data.account ?? '-'} ${data.message}`
    : `${error!.code} ${error!.account ?? '-'} ${error!.description}`

const known = createKeyPair('account')
const unknown = createKeyPair('account')

function deletion(signer: KeyPair, accounts: unknown, subject = signer.publicKey): string {
  const claims = newGenericClaims(subject)
  claims.nats = { accounts }
  return encode(claims, signer)
}

// Memory ---------------------------------------------------------------------------------------------------------------------------

for (const engine of enginesUnderTest()) {
  describe(`a resolver in memory [${engine.name}]`, () => {
    const world: World = new World({ resolver: 'MEMORY', preload: {} })
    before(async () => {
      world.options.preload![known.publicKey] = world.sign(newAccountClaims(known.publicKey, 'K'))
      await world.start(engine.path)
    })
    after(() => world.stop())

    it('knows what was preloaded, and nobody else', async (t) => {
      assert.equal(await (await world.client(t, known)).flush(), '')
      const stranger = await world.client(t, unknown)
      assert.equal(await stranger.closed(), VIOLATION)
      await world.waitForLogOf(stranger, /Account JWT lookup error: account missing/)
    })
    it('takes updates of accounts that are loaded, and passes over others', async (t) => {
      const one = await world.client(t, known)
      await one.flush()
      const claims = newAccountClaims(known.publicKey, 'K2')
      claims.nats.limits.payload = 5
      const token = world.sign(claims)
      assert.equal(
        said(await world.ask(updateOf(known.publicKey), token)),
        `200 ${known.publicKey} jwt updated`,
      )
      one.say('PUB a 6', 'abcdef')
      assert.equal(await one.closed(), wire("-ERR 'Maximum Payload Violation'"))
      const other = world.sign(newAccountClaims(unknown.publicKey))
      assert.equal(
        said(await world.ask(updateOf(unknown.publicKey), other)),
        `200 ${unknown.publicKey} jwt update skipped`,
      )
      assert.equal(await (await world.client(t, unknown)).closed(), VIOLATION)
    })
    it('refuses updates that are empty, or of another account', async () => {
      const of = known.publicKey
      assert.match(
        said(await world.ask(updateOf(of))),
        new RegExp(`^500 ${of} jwt update error - request body is empty`),
      )
      const other = world.sign(newAccountClaims(unknown.publicKey))
      assert.match(
        said(await world.ask(updateOf(of), other)),
        new RegExp(`^500 ${of} jwt update resulted in error - subject does not match jwt content`),
      )
    })
    it('stores nothing: nobody lists, looks up or deletes', async () => {
      for (const subject of ['$SYS.REQ.CLAIMS.LIST', '$SYS.REQ.CLAIMS.DELETE', lookupOf(known.publicKey)])
        await assert.rejects(world.system.request(subject, '', { timeout: DEADLINE_MS }), /no responders/i)
    })
    it('warns of preloaded accounts that are not in order', async (t) => {
      const old = newAccountClaims(unknown.publicKey)
      old.exp = now() - 10
      const warned: World = new World({ resolver: 'MEMORY', preload: {} })
      warned.options.preload![unknown.publicKey] = warned.sign(old)
      await warned.start(engine.path, t)
      await warned.server.waitForLog(
        new RegExp(`\\[WRN\\] Account \\[${unknown.publicKey}\\] has validation issues:`),
      )
      await warned.server.waitForLog(/\[WRN\] {3}- claim is expired/)
    })
    it('does not start with a token that nobody can read', async () => {
      const broken = new World({ resolver: 'MEMORY', preload: { [known.publicKey]: 'eyJ.x.y' } })
      await assert.rejects(broken.start(engine.path), /invalid account JWT/)
    })
  })

  // URL ------------------------------------------------------------------------------------------------------------------------------

  describe(`a resolver at a URL [${engine.name}]`, () => {
    let http: HttpServer
    let world: World
    /** Paths below the base with their answers; a number is a status. */
    const answers = new Map<string, string | number>()
    const asked: string[] = []
    /** Paths whose answers take a moment. */
    const slow = new Set<string>()
    before(async () => {
      http = createServer((request, response) => {
        const path = request.url!.replace('/jwt/v1/accounts/', '')
        asked.push(path)
        const answer = answers.get(path) ?? 404
        if (answer === 0) return
        const send = (): void =>
          void response.writeHead(typeof answer === 'number' ? answer : 200).end(answer.toString())
        if (slow.has(path)) setTimeout(send, 200)
        else send()
      })
      await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
      const { port } = http.address() as { port: number }
      world = new World({
        resolver: `URL("http://127.0.0.1:${port}/jwt/v1/accounts")`,
        preloadSystem: false,
        args: [],
      })
      answers.set('', '')
      answers.set(world.systemKey.publicKey, world.sign(newAccountClaims(world.systemKey.publicKey, 'SYS')))
      await world.start(engine.path)
    })
    after(async () => {
      await world.stop()
      http.closeAllConnections()
      http.close()
    })

    it('is asked for its base at the start, then for accounts when their users come', async (t) => {
      assert.equal(asked[0], '')
      const key = createKeyPair('account')
      answers.set(key.publicKey, world.sign(newAccountClaims(key.publicKey)))
      assert.equal(await (await world.client(t, key)).flush(), '')
      assert.equal(await (await world.client(t, key)).flush(), '')
      assert.equal(asked.filter((path) => path === key.publicKey).length, 1)
    })
    it('costs the client its connection, and nobody else, when it does not answer well', async (t) => {
      const stranger = createKeyPair('operator')
      const cases: Record<string, (key: KeyPair) => string | number> = {
        'is missing': () => 404,
        'is broken': () => 500,
        'is nonsense': () => 'nonsense',
        'is of another': () => world.sign(newAccountClaims(createKeyPair('account').publicKey)),
        'is not trusted': (key) => encode(newAccountClaims(key.publicKey), stranger),
        'has expired': (key) => {
          const claims = newAccountClaims(key.publicKey)
          claims.exp = now() - 10
          return world.sign(claims)
        },
        'never comes': () => 0,
      }
      await Promise.all(
        Object.entries(cases).map(async ([what, answer]) => {
          const key = createKeyPair('account')
          answers.set(key.publicKey, answer(key))
          const one = await world.client(t, key)
          assert.equal(await one.closed(), VIOLATION, what)
          await world.waitForLogOf(one, /Account JWT lookup error: /)
        }),
      )
    })
    it('is asked for all that an account imports from before its users are let in', async (t) => {
      const [last, middle, first] = Array.from({ length: 3 }, () => createKeyPair('account')) as [
        KeyPair,
        KeyPair,
        KeyPair,
      ]
      const share = (key: KeyPair, from: KeyPair | null): void => {
        const claims = newAccountClaims(key.publicKey)
        claims.nats.exports = [{ name: 'q', subject: 'q', type: 'service' }]
        if (from !== null)
          claims.nats.imports = [{ name: 'q', subject: 'q', account: from.publicKey, type: 'service' }]
        answers.set(key.publicKey, world.sign(claims))
      }
      share(last, null)
      share(middle, last)
      share(first, middle)
      slow.add(middle.publicKey)
      const service = await world.client(t, last)
      service.say('SUB q 1')
      await service.flush()
      const requester = await world.client(t, first)
      requester.say('PUB q back 2', 'hi')
      await requester.flush()
      assert.match((await service.message()).payload, /hi/)
    })
    it('is asked again for an account that has run out', async (t) => {
      const key = createKeyPair('account')
      const claims = newAccountClaims(key.publicKey)
      claims.exp = soon()
      answers.set(key.publicKey, world.sign(claims))
      const one = await world.client(t, key)
      assert.equal(await one.closed(), wire("-ERR 'Account Authentication Expired'"))
      claims.exp = now() + 1000
      answers.set(key.publicKey, world.sign(claims))
      assert.equal(await (await world.client(t, key)).flush(), '')
      assert.equal(asked.filter((path) => path === key.publicKey).length, 2)
    })
    it('takes updates that are forgotten again', async (t) => {
      const key = createKeyPair('account')
      const claims = newAccountClaims(key.publicKey)
      answers.set(key.publicKey, world.sign(claims))
      const one = await world.client(t, key)
      await one.flush()
      claims.nats.limits.conn = 0
      const answer = await world.ask(updateOf(key.publicKey), world.sign(claims))
      assert.equal(said(answer), `200 ${key.publicKey} jwt updated`)
      assert.equal(await one.closed(), wire("-ERR 'maximum account active connections exceeded'"))
    })
    it('that does not answer at its base keeps the server from starting', async () => {
      const { port } = http.address() as { port: number }
      const wrong = new World({ resolver: `URL("http://127.0.0.1:${port}/other/")`, preloadSystem: false })
      await assert.rejects(wrong.start(engine.path), /could not fetch/)
    })
    it('takes no preloads', async () => {
      const { port } = http.address() as { port: number }
      const preloaded = new World({ resolver: `URL("http://127.0.0.1:${port}/jwt/v1/accounts/")` })
      await assert.rejects(
        preloaded.start(engine.path),
        /resolver preloads only available for writeable resolver types MEM\/DIR\/CACHE_DIR/,
      )
    })
  })
}

// Directory ------------------------------------------------------------------------------------------------------------------------

inEveryWorld('a resolver with a directory', {}, (world) => {
  const invalid = (key: KeyPair): string => {
    const claims = newAccountClaims(key.publicKey)
    claims.nats.exports = [{ name: 'x', subject: 'a..b', type: 'stream' }]
    return world.sign(claims)
  }
  it('says what is wrong with an update', async () => {
    const key = createKeyPair('account')
    const of = key.publicKey
    const good = world.sign(newAccountClaims(of))
    const user = encode(newUserClaims(createKeyPair('user').publicKey), key)
    const rows: [string, string, RegExp][] = [
      [UPDATE, good, new RegExp(`^200 ${of} jwt updated$`)],
      [updateOf(of), good, new RegExp(`^200 ${of} jwt updated$`)],
      [UPDATE, '', /^500 n\/a jwt update resulted in error - /],
      [UPDATE, 'nonsense', /^500 n\/a jwt update resulted in error - /],
      [UPDATE, user, /^500 n\/a jwt update resulted in error - /],
      [updateOf(of), 'nonsense', /^500 n\/a jwt update resulted in error - /],
      [
        updateOf(unknown.publicKey),
        good,
        /^500 A\w{55} jwt update resulted in error - subject does not match jwt content$/,
      ],
      [UPDATE, invalid(key), new RegExp(`^500 ${of} jwt validation failed - `)],
      [updateOf(of), invalid(key), new RegExp(`^500 ${of} jwt validation failed - `)],
    ]
    for (const [subject, body, expected] of rows)
      assert.match(said(await world.ask(subject, body)), expected, `${subject} ${body.slice(0, 20)}`)
  })
  it('lists, and hands out what it has', async () => {
    const { key, claims } = await world.account()
    const list = await world.ask<{ data: string[] }>('$SYS.REQ.CLAIMS.LIST')
    assert.ok(list.data.includes(key.publicKey) && list.data.includes(world.systemKey.publicKey))
    const found = await world.askText(lookupOf(key.publicKey))
    assert.match(found, /^eyJ/)
    claims.name = 'newer'
    await world.push(claims)
    assert.notEqual(await world.askText(lookupOf(key.publicKey)), found)
    assert.equal(await world.askText(lookupOf(createKeyPair('account').publicKey)), '')
  })
  it('packs all that it has for those who have something else', async (t) => {
    await world.account()
    const packed = async (hash: Uint8Array): Promise<string[]> => {
      const inbox = `_PACK.${Math.random()}`
      const lines: string[] = []
      const subscription = world.system.subscribe(inbox)
      t.after(() => subscription.unsubscribe())
      world.system.publish('$SYS.REQ.CLAIMS.PACK', hash, { reply: inbox })
      for await (const message of subscription) {
        if (message.data.length === 0) break
        lines.push(text(message.data))
      }
      return lines
    }
    const lines = await packed(Buffer.alloc(0))
    const { data } = await world.ask<{ data: string[] }>('$SYS.REQ.CLAIMS.LIST')
    assert.deepEqual(lines.map((line) => line.split('|')[0]).sort(), data.sort())
    const hash = Buffer.alloc(32)
    for (const line of lines)
      createHash('sha256')
        .update(line.split('|')[1]!)
        .digest()
        .forEach((byte, i) => {
          hash[i]! ^= byte
        })
    assert.deepEqual(await packed(hash), [])
  })
  it('says what is wrong with a deletion, and forgets what it deletes', async (t) => {
    const { key, claims } = await world.account()
    const one = await world.client(t, key)
    await one.flush()
    const DELETE = '$SYS.REQ.CLAIMS.DELETE'
    const stranger = createKeyPair('operator')
    const rows: [string, RegExp][] = [
      ['nonsense', /^500 - .*delete accounts request/],
      [deletion(world.operatorKey, [key.publicKey], createKeyPair('operator').publicKey), /not self signed/],
      [deletion(stranger, [key.publicKey]), /not trusted/],
      [deletion(world.operatorKey, 'x'), /malformed request/],
      [deletion(world.operatorKey, [5]), /malformed request/],
      [deletion(world.operatorKey, ['x']), /./],
      [deletion(world.operatorKey, [world.systemKey.publicKey]), /not allowed to delete system account/],
      [deletion(world.signingKey, [key.publicKey]), /^200 - deleted 1 accounts$/],
    ]
    for (const [body, expected] of rows) assert.match(said(await world.ask(DELETE, body)), expected)
    assert.equal(await one.closed(), wire("-ERR 'Account Authentication Expired'"))
    assert.equal(await (await world.client(t, key)).closed(), VIOLATION)
    await world.push(claims)
    assert.equal(await (await world.client(t, key)).flush(), '')
  })
})

inEveryWorld(
  'a strict operator with a directory',
  { operator: (claims) => (claims.nats.strict_signing_key_usage = true) },
  (world) => {
    it('takes no account that its identity signed', async () => {
      const { publicKey } = createKeyPair('account')
      const token = encode(newAccountClaims(publicKey), world.operatorKey)
      for (const subject of [UPDATE, updateOf(publicKey)])
        assert.match(said(await world.ask(subject, token)), /operator requires issuer to be a signing key$/)
    })
  },
)

inEveryWorld(
  'a resolver with a cache',
  { resolver: '{ type: cache, dir: "%DIR%/jwt", limit: 10, ttl: "1h", timeout: "300ms" }' },
  (world) => {
    it('keeps updates of accounts that somebody uses, and passes over others', async (t) => {
      const { publicKey } = createKeyPair('account')
      const token = world.sign(newAccountClaims(publicKey))
      for (const subject of [UPDATE, updateOf(publicKey)])
        assert.equal(said(await world.ask(subject, token)), `200 ${publicKey} jwt update cache skipped`)
      const system = newAccountClaims(world.systemKey.publicKey, 'SYS2')
      system.nats.signing_keys = [world.systemSigningKey.publicKey]
      assert.equal(
        said(await world.ask(UPDATE, world.sign(system))),
        `200 ${world.systemKey.publicKey} jwt updated cache`,
      )
      assert.equal(await (await world.client(t, unknown)).closed(), VIOLATION)
    })
    it('says what is wrong with an update', async () => {
      assert.match(
        said(await world.ask(UPDATE, 'nonsense')),
        /^500 n\/a jwt update cache resulted in error - /,
      )
      const token = world.sign(newAccountClaims(known.publicKey))
      assert.match(
        said(await world.ask(updateOf(unknown.publicKey), token)),
        /jwt update cache resulted in error - subject does not match jwt content$/,
      )
    })
    it('lists and deletes, but hands nothing out', async () => {
      const { data } = await world.ask<{ data: string[] }>('$SYS.REQ.CLAIMS.LIST')
      assert.deepEqual(data, [world.systemKey.publicKey])
      await assert.rejects(
        world.system.request(lookupOf(world.systemKey.publicKey), '', { timeout: DEADLINE_MS }),
        /no responders/i,
      )
      const answer = await world.ask('$SYS.REQ.CLAIMS.DELETE', deletion(world.operatorKey, [known.publicKey]))
      assert.equal(said(answer), '200 - deleted 1 accounts')
    })
  },
)

describe('a resolver block', () => {
  for (const engine of enginesUnderTest()) {
    it(`without a system account does not start [${engine.name}]`, async () => {
      const operator = new World({}).operatorKey
      const claims = new World({}).operator
      claims.sub = operator.publicKey
      delete claims.nats.system_account
      await assert.rejects(
        Engine.start(null, {
          engine: engine.path,
          config: `operator: ${encode(claims, operator)}\nresolver: { type: full, dir: "%DIR%/jwt" }`,
        }),
        /using nats based account resolver - the system account needs to be specified/,
      )
    })
  }
})
