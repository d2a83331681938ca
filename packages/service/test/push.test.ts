// What the service makes of a pushed token: each reason to take it, each reason to refuse it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  createKeyPair,
  decodeAccount,
  encode,
  keyPairFromSeed,
  newActivationClaims,
  newGenericClaims,
  newUserClaims,
  newUserScope,
} from '@ngs/identity/node'
import { nowSeconds, Owner, TestSystem } from './support.ts'

describe('a push', () => {
  const cleanup: (() => void | Promise<void>)[] = []
  const scope = { after: (task: () => void | Promise<void>) => void cleanup.unshift(task) }
  let system: TestSystem
  before(async () => {
    system = await TestSystem.start(scope, {
      service: { limits: { signingKeys: 3, exports: 4, imports: 8, mappings: 4, revocations: 5 } },
    })
  })
  after(async () => {
    for (const task of cleanup) await task()
  })

  const accepted = async (owner: Owner, token = owner.sign()): Promise<string> => {
    const { status, text } = await system.push(owner.account, token)
    assert.equal(status, 200, text)
    return text
  }
  const newOwner = async (edit: (owner: Owner) => void = () => {}): Promise<Owner> => {
    const owner = new Owner()
    edit(owner)
    await accepted(owner)
    return owner
  }
  /** Pushes what has to be refused, and insists that nothing of it stays. */
  const refused = async (account: string, token: string, status: number, text: RegExp): Promise<string> => {
    const stored = await system.http('GET', `/jwt/v1/accounts/${account}`)
    const answer = await system.push(account, token)
    assert.equal(answer.status, status, answer.text)
    assert.match(answer.text, text)
    assert.match(answer.text, /\n$/)
    const now = await system.http('GET', `/jwt/v1/accounts/${account}`)
    assert.deepEqual([now.status, now.text], [stored.status, stored.text], 'nothing is stored')
    return answer.text
  }
  const seed = (name: string) =>
    keyPairFromSeed(readFileSync(join(system.dataDir, 'keys', `${name}.nk`), 'utf8'))

  describe('is taken', () => {
    it('when a new account signs itself: on plan Free, signed by the signing key, not older than what was pushed', async () => {
      const owner = new Owner('Weather')
      const issuedAt = nowSeconds() + 100
      const token = owner.sign({ issuedAt })
      assert.match(await accepted(owner, token), /on plan Free/)
      const claims = await system.claims(owner.account)
      assert.equal(claims.iss, seed('operator-signing').publicKey)
      assert.equal(claims.name, 'Weather')
      assert.ok(Number(claims.iat) >= issuedAt)
      assert.equal(claims.nats.limits.conn, 10)
    })

    it('when a plain signing key of the stored account signs, also one that takes itself out', async () => {
      const extra = createKeyPair('account')
      const owner = await newOwner((one) => {
        one.claims.nats.signing_keys = [extra.publicKey]
      })
      owner.claims.nats.description = 'by the signing key'
      delete owner.claims.nats.signing_keys
      await accepted(owner, owner.sign({ by: extra, issuedAt: nowSeconds() + 1 }))
      assert.equal((await system.claims(owner.account)).nats.description, 'by the signing key')
      owner.claims.nats.description = 'once more'
      await refused(
        owner.account,
        owner.sign({ by: extra, issuedAt: nowSeconds() + 2 }),
        403,
        /neither the key of account/,
      )
    })

    it('again when it is repeated, without a new version', async () => {
      const owner = await newOwner()
      const before = await system.pull(owner.account)
      assert.equal(await accepted(owner), '')
      assert.equal(await system.pull(owner.account), before)
    })

    it('for each of several edits within one second, back and forth', async () => {
      const owner = await newOwner()
      const issuedAt = nowSeconds()
      const seen = new Set([await system.pull(owner.account)])
      for (const description of ['one', 'two', 'one', 'three']) {
        owner.claims.nats.description = description
        await accepted(owner, owner.sign({ issuedAt }))
        const token = await system.pull(owner.account)
        assert.equal(decodeAccount(token).nats.description, description)
        seen.add(token)
      }
      assert.equal(seen.size, 5)
    })

    it('with each version later than the one before, and with another id', async () => {
      const owner = await newOwner()
      const versions = [await system.claims(owner.account)]
      for (let i = 0; i < 4; i++) {
        owner.claims.nats.description = `edit ${i}`
        await accepted(owner)
        versions.push(await system.claims(owner.account))
      }
      for (let i = 1; i < versions.length; i++) assert.ok(versions[i]!.iat > versions[i - 1]!.iat)
      assert.equal(new Set(versions.map((one) => one.jti)).size, versions.length)
    })

    it('with a new name', async () => {
      const owner = await newOwner()
      owner.claims.name = 'Renamed – ümlaut'
      await accepted(owner)
      assert.equal((await system.claims(owner.account)).name, 'Renamed – ümlaut')
    })

    it('when the operator has signed it already: nothing changes, and old limits stay gone', async () => {
      const owner = await newOwner()
      const onFree = await system.pull(owner.account)
      assert.equal((await system.setPlan(owner.account, 'developer')).status, 200)
      const onDeveloper = await system.pull(owner.account)
      assert.equal(decodeAccount(onDeveloper).nats.limits.conn, 50)
      assert.equal((await system.push(owner.account, onDeveloper)).text, '')
      const { status, text } = await system.push(owner.account, onFree)
      assert.equal(status, 200)
      assert.match(text, /nothing was changed: the service holds a newer version/)
      assert.equal(await system.pull(owner.account), onDeveloper)
    })

    it('never from an old operator-signed token: a revocation cannot be undone by who has read the account before it', async () => {
      const owner = await newOwner()
      const before = await system.pull(owner.account)
      owner.claims.nats.revocations = { '*': nowSeconds() }
      await accepted(owner)
      await system.push(owner.account, before)
      assert.ok((await system.claims(owner.account)).nats.revocations?.['*'])
    })

    it('when the operator has signed a newer version by hand: the fields count, the limits do not', async () => {
      const owner = await newOwner()
      const claims = await system.claims(owner.account)
      claims.nats.description = 'by the operator'
      claims.nats.limits.conn = 100_000
      const token = encode(claims, seed('operator-signing'), { issuedAt: nowSeconds() + 60 })
      assert.equal((await system.push(owner.account, token)).status, 200)
      const stored = await system.claims(owner.account)
      assert.equal(stored.nats.description, 'by the operator')
      assert.equal(stored.nats.limits.conn, 10)
      // The owner's next edit is not taken for older than the operator's.
      owner.claims.nats.description = 'by the owner'
      await accepted(owner, owner.sign({ issuedAt: nowSeconds() + 1 }))
      assert.equal((await system.claims(owner.account)).nats.description, 'by the owner')
    })

    it('when an account that only the operator’s signature vouches for comes back: on plan Free', async () => {
      const owner = new Owner()
      owner.claims.nats.limits.conn = 5000
      const token = encode(structuredClone(owner.claims), seed('operator-signing'))
      assert.equal((await system.push(owner.account, token)).status, 200)
      assert.equal((await system.claims(owner.account)).nats.limits.conn, 10)
      owner.claims.nats.description = 'edited'
      await accepted(owner)
    })

    it('as the end of the account when it expires in a minute, and as its return afterwards', async () => {
      const owner = await newOwner()
      const expires = nowSeconds() + 60
      const text = await accepted(
        owner,
        owner.sign({ change: (claims) => Object.assign(claims, { exp: expires }) }),
      )
      assert.match(text, /cancelled/)
      assert.equal((await system.claims(owner.account)).exp, expires)
      const plan = await system.setPlan(owner.account, 'developer')
      assert.equal(plan.status, 409)
      assert.match(plan.text, /the owner has deleted account/)
      await accepted(owner, owner.sign({ issuedAt: nowSeconds() + 1 }))
      assert.equal((await system.claims(owner.account)).exp, undefined)
    })

    it('with a note when an import has to wait for its exporter', async () => {
      const exporter = new Owner('Exporter')
      const owner = await newOwner()
      await system.setPlan(owner.account, 'developer')
      owner.claims.nats.imports = [{ subject: 'a.b', account: exporter.account, type: 'stream' }]
      assert.match(
        await accepted(owner),
        /stream import "a\.b" of account A\w+: this service does not know that account \(yet\)/,
      )
      await accepted(exporter)
      owner.claims.nats.imports.push({ subject: 'c.d', account: exporter.account, type: 'stream' })
      const text = await accepted(owner)
      assert.match(text, /"c\.d".*does not export it \(yet\)/)
      assert.doesNotMatch(text, /"a\.b"/)
    })

    it('with times at the ends of 64 bits, which it keeps, and which hurt nobody', async () => {
      for (const [exp, issuedAt] of [
        [2n ** 63n - 1n, nowSeconds()],
        [2n ** 62n, -(2 ** 62)],
        [-(2n ** 63n), 0],
      ] as const) {
        const owner = new Owner()
        await accepted(owner, owner.sign({ issuedAt, change: (claims) => Object.assign(claims, { exp }) }))
        assert.equal(BigInt((await system.claims(owner.account)).exp ?? 0), exp)
        assert.equal(
          await accepted(owner, owner.sign({ issuedAt, change: (claims) => Object.assign(claims, { exp }) })),
          '',
        )
        await accepted(owner)
      }
      assert.equal(
        (await system.http('GET', '/api/v1/operator/accounts', { bearer: system.operatorToken })).status,
        200,
      )
    })

    it('with white space around the token', async () => {
      const owner = new Owner()
      await accepted(owner, `\n ${owner.sign()}\r\n`)
    })

    it('with bearer tokens forbidden, which is the owner’s to say', async () => {
      const owner = await newOwner((one) => {
        one.claims.nats.limits.disallow_bearer = true
      })
      assert.equal((await system.claims(owner.account)).nats.limits.disallow_bearer, true)
    })
  })

  describe('is refused', () => {
    it('when it is not a token', async () => {
      const owner = new Owner()
      for (const body of ['hello', 'a.b.c', '...', '{}', owner.sign().slice(0, 40)]) {
        await refused(
          owner.account,
          body,
          400,
          /cannot read the account JWT: .*the body must be one account token/,
        )
      }
      for (const body of [undefined, '', ' ']) {
        const { status, text } = await system.http(
          'POST',
          `/jwt/v1/accounts/${owner.account}`,
          body === undefined ? {} : { body },
        )
        assert.equal(status, 400, text)
      }
    })

    it('when it was tampered with', async () => {
      const owner = await newOwner()
      const [header, payload, signature] = owner.sign().split('.') as [string, string, string]
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { name: string }
      claims.name = 'Mallory'
      const forged = Buffer.from(JSON.stringify(claims)).toString('base64url')
      await refused(
        owner.account,
        `${header}.${forged}.${signature}`,
        400,
        /signature verification; the token was changed after it was signed/,
      )
      const flipped = signature.replace(/^./, (one) => (one === 'A' ? 'B' : 'A'))
      await refused(owner.account, `${header}.${payload}.${flipped}`, 400, /signature verification/)
    })

    it('when it is about something else than the path', async () => {
      const owner = new Owner()
      const other = await newOwner()
      await refused(other.account, owner.sign(), 400, /the token is about account A\w+, the path about A\w+/)
      await refused(
        'nonsense',
        owner.sign(),
        400,
        /"nonsense" in the path is not the public key of an account/,
      )
    })

    it('when it is a token of another kind', async () => {
      const owner = new Owner()
      const user = encode(newUserClaims(createKeyPair('user').publicKey, 'u'), owner.key)
      await refused(owner.account, user, 400, /not an account claim; push the token of an account/)
      await refused(
        owner.account,
        encode(newGenericClaims(owner.account), owner.key),
        400,
        /not an account claim/,
      )
    })

    it('when somebody else signed it', async () => {
      const owner = await newOwner()
      const stranger = createKeyPair('account')
      await refused(
        owner.account,
        owner.sign({ by: stranger }),
        403,
        /signed by A\w+, which is neither the key of account A\w+ nor a signing key that the stored account lists/,
      )
      const foreign = createKeyPair('operator')
      await refused(
        owner.account,
        owner.sign({ by: foreign }),
        403,
        /an operator this service does not know; sign the account with its own key/,
      )
      const fresh = new Owner()
      fresh.claims.nats.signing_keys = [stranger.publicKey]
      await refused(
        fresh.account,
        fresh.sign({ by: stranger }),
        403,
        /the first push needs the account's own key/,
      )
    })

    it('when a signing key that is only in the pushed version, or a scoped one, signed it', async () => {
      const scoped = createKeyPair('account')
      const owner = await newOwner((one) => {
        one.claims.nats.signing_keys = [newUserScope(scoped.publicKey, 'role')]
      })
      await refused(
        owner.account,
        owner.sign({ by: scoped }),
        403,
        /a scoped signing key, which may sign users only/,
      )
      const fresh = createKeyPair('account')
      owner.claims.nats.signing_keys = [fresh.publicKey]
      await refused(owner.account, owner.sign({ by: fresh }), 403, /neither the key of account/)
    })

    it('when it is older than the stored one, whoever signed it', async () => {
      const extra = createKeyPair('account')
      const owner = await newOwner((one) => {
        one.claims.nats.signing_keys = [extra.publicKey]
      })
      owner.claims.nats.description = 'old'
      for (const by of [owner.key, extra]) {
        await refused(
          owner.account,
          owner.sign({ by, issuedAt: nowSeconds() - 100 }),
          409,
          /before the one that is stored .*run nsc pull and make the change again/,
        )
      }
    })

    it('when a token of the same second that was replaced long ago comes back', async () => {
      const issuedAt = nowSeconds() - 60
      const owner = new Owner()
      const first = owner.sign({ issuedAt })
      await accepted(owner, first)
      owner.claims.nats.revocations = { '*': nowSeconds() }
      await accepted(owner, owner.sign({ issuedAt }))
      await refused(owner.account, first, 409, /run nsc pull/)
    })

    it('when it comes from the future, has expired, or is not valid yet', async () => {
      const owner = new Owner()
      await refused(
        owner.account,
        owner.sign({ issuedAt: nowSeconds() + 4000 }),
        400,
        /in the future; set the clock of your machine/,
      )
      const at = (change: object) =>
        owner.sign({ issuedAt: nowSeconds() - 7200, change: (claims) => Object.assign(claims, change) })
      await refused(
        owner.account,
        at({ exp: nowSeconds() - 10 }),
        400,
        /claim is expired.*--start or --expiry/,
      )
      await refused(owner.account, at({ nbf: nowSeconds() + 600 }), 400, /claim is not yet valid/)
    })

    it('when the account is the operator’s own, even with its key', async () => {
      for (const name of ['system-account', 'demo-account']) {
        const owner = new Owner()
        const key = seed(name)
        const token = owner.sign({
          by: key,
          change: (claims) => Object.assign(claims, { sub: key.publicKey }),
        })
        await refused(key.publicKey, token, 403, /the operator's own and cannot be pushed/)
        owner.claims.nats.signing_keys = [key.publicKey]
        await refused(owner.account, owner.sign(), 403, /is the operator's own; remove it/)
      }
    })

    it('when it breaks rules of the servers, all of them named, one a line', async () => {
      const owner = await newOwner()
      owner.claims.nats.exports = [
        { name: 'a', subject: 'a..b', type: 'stream' },
        { name: 'b', subject: 'x.>', type: 'service' },
        { name: 'c', subject: 'x.y', type: 'service' },
      ]
      owner.claims.nats.mappings = { m: [{ subject: 'n', weight: 101 }] }
      const text = await refused(
        owner.account,
        owner.sign(),
        422,
        /^the account JWT breaks these rules; mend them with nsc and push again:\n/,
      )
      const lines = text.trimEnd().split('\n').slice(1)
      assert.ok(lines.length >= 3, text)
      for (const pattern of [/a\.\.b/, /x\.y/, /weight 101/])
        assert.ok(
          lines.some((line) => pattern.test(line)),
          text,
        )
    })

    it('when the plan allows fewer imports, saying which plan and which imports', async () => {
      const owner = await newOwner()
      const exporter = await newOwner()
      owner.claims.nats.imports = [{ subject: 'weather.CA', account: exporter.account, type: 'stream' }]
      const text = await refused(
        owner.account,
        owner.sign(),
        403,
        /plan Free allows no imports besides the demonstration ones/,
      )
      assert.match(text, /stream import "weather\.CA"/)
      assert.match(text, /ngs plans/)
    })

    it('when it imports from the system account', async () => {
      const owner = await newOwner()
      await system.setPlan(owner.account, 'developer')
      owner.claims.nats.imports = [
        { subject: '$SYS.DEBUG.SUBSCRIBERS', account: seed('system-account').publicKey, type: 'service' },
      ]
      await refused(owner.account, owner.sign(), 422, /the system account shares nothing/)
    })

    it('when a list in it, its name or the whole is too large', async () => {
      const many = (count: number) => Array.from({ length: count }, (_, i) => `s.${i}`)
      const owner = new Owner()
      const tooLarge = (change: (claims: Owner['claims']) => void) => owner.sign({ change })
      const key = () => createKeyPair('account').publicKey
      const cases: [(claims: Owner['claims']) => void, RegExp][] = [
        [
          (claims) => {
            claims.nats.signing_keys = [key(), key(), key(), key()]
          },
          /4 signing keys \(at most 3\); remove some/,
        ],
        [
          (claims) => {
            claims.nats.exports = many(5).map((subject) => ({ subject, type: 'stream' }))
          },
          /5 exports \(at most 4\)/,
        ],
        [
          (claims) => {
            claims.nats.imports = many(9).map((subject) => ({ subject, type: 'stream' }))
          },
          /9 imports \(at most 8\)/,
        ],
        [
          (claims) => {
            claims.nats.mappings = { a: many(5).map((subject) => ({ subject })) }
          },
          /5 mappings/,
        ],
        [
          (claims) => {
            claims.nats.revocations = Object.fromEntries(many(6).map((one) => [one, 1]))
          },
          /6 revocations/,
        ],
      ]
      for (const [change, text] of cases) await refused(owner.account, tooLarge(change), 413, text)
      for (const name of ['a\nb', '../x', 'a\\b', '\u001b[31m', 'x'.repeat(256)]) {
        await refused(
          owner.account,
          tooLarge((claims) => {
            claims.name = name
          }),
          422,
          /the name of the account/,
        )
      }
      const huge = tooLarge((claims) => {
        claims.nats.tags = ['x'.repeat(260 * 1024)]
      })
      const { status, text } = await system.push(owner.account, huge)
      assert.equal(status, 413)
      assert.equal(text, 'the body is larger than the 262144 bytes that are taken\n')
    })

    it('when the JSON in it is nested to break a reader', async () => {
      const owner = new Owner()
      const header = owner.sign().split('.')[0]
      const payload = Buffer.from(`${'{"nats":'.repeat(20_000)}1${'}'.repeat(20_000)}`).toString('base64url')
      await refused(owner.account, `${header}.${payload}.AAAA`, 400, /cannot read the account JWT/)
    })
  })

  describe('of an import of a private export', () => {
    let exporter: Owner
    let signingKey: ReturnType<typeof createKeyPair>
    let importer: Owner
    before(async () => {
      signingKey = createKeyPair('account')
      exporter = await newOwner((one) => {
        one.claims.name = 'Vault'
        one.claims.nats.signing_keys = [signingKey.publicKey]
        one.claims.nats.exports = [
          { name: 'vault', subject: 'vault.>', type: 'stream', token_req: true },
          { name: 'mine', subject: 'mine.*', type: 'service', account_token_position: 2 },
        ]
      })
      importer = await newOwner()
      await system.setPlan(importer.account, 'developer')
    })
    const activation = (
      edit: { sub?: string; subject?: string; by?: typeof signingKey; exp?: number; kind?: 'service' } = {},
    ) => {
      const claims = newActivationClaims(edit.sub ?? importer.account, 'vault')
      claims.nats.subject = edit.subject ?? 'vault.>'
      claims.nats.kind = edit.kind ?? 'stream'
      const by = edit.by ?? exporter.key
      if (by !== exporter.key) claims.nats.issuer_account = exporter.account
      if (edit.exp !== undefined) claims.exp = edit.exp
      return encode(claims, by)
    }
    const importing = (token?: string, subject = 'vault.>') =>
      importer.sign({
        change: (claims) => {
          claims.nats.imports = [
            { subject, account: exporter.account, type: 'stream', ...(token === undefined ? {} : { token }) },
          ]
        },
      })

    it('is refused without a token, with words a person understands', async () => {
      const text = await refused(
        importer.account,
        importing(),
        422,
        /the export is private and needs an activation token; ask the owner of account "Vault"/,
      )
      assert.match(
        text,
        new RegExp(`nsc generate activation --subject 'vault.>' --target-account ${importer.account}`),
      )
    })

    it('is refused with a token that does not open it', async () => {
      const stranger = createKeyPair('account')
      const cases: [string, RegExp][] = [
        [
          activation({ sub: stranger.publicKey }),
          /activation token doesn't match account it is being included in/,
        ],
        [activation({ subject: 'other.>' }), /doesn't match import/],
        [activation({ kind: 'service' }), /mismatch between token import type/],
        [
          activation({ exp: nowSeconds() - 5 }),
          /expired.*ask the exporting account for a new activation token/,
        ],
        [activation({ by: stranger }), /was not issued by account A\w+ or one of its signing keys/],
        ['garbage', /contains an invalid activation token/],
      ]
      for (const [token, text] of cases) await refused(importer.account, importing(token), 422, text)
    })

    it('is taken with one from the exporter or its signing key', async () => {
      await accepted(importer, importing(activation({ by: signingKey })))
      await accepted(importer, importing(activation({ subject: 'vault.>' })))
    })

    it('stays when its activation is revoked, and does not stand in the way of other edits', async () => {
      const token = activation()
      await accepted(importer, importing(token))
      exporter.claims.nats.exports![0]!.revocations = { [importer.account]: nowSeconds() + 10 }
      await accepted(exporter, exporter.sign({ issuedAt: nowSeconds() + 1 }))
      const edit = (description: string) =>
        importer.sign({
          issuedAt: nowSeconds() + 2,
          change: (claims) => {
            claims.nats.description = description
            claims.nats.imports = [{ subject: 'vault.>', account: exporter.account, type: 'stream', token }]
          },
        })
      await accepted(importer, edit('still editable'))
      const again = importing(activation(), 'vault.door')
      await refused(importer.account, again, 409, /before the one that is stored/)
      const revoked = importer.sign({
        issuedAt: nowSeconds() + 3,
        change: (claims) => {
          claims.nats.imports = [
            { subject: 'vault.door', account: exporter.account, type: 'stream', token: activation() },
          ]
        },
      })
      await refused(importer.account, revoked, 422, /revoked the activation/)
    })

    it('wants the importer’s own key where the export says so', async () => {
      const wanting = (subject: string) =>
        importer.sign({
          issuedAt: nowSeconds() + 4,
          change: (claims) => {
            claims.nats.imports = [{ subject, account: exporter.account, type: 'service' }]
          },
        })
      await refused(
        importer.account,
        wanting(`mine.${exporter.account}`),
        422,
        /token 2 of the subject must be your account key/,
      )
      await refused(importer.account, wanting('mine.*'), 422, /must be your account key/)
      await accepted(importer, wanting(`mine.${importer.account}`))
    })
  })

  it('is limited per address, with the time to wait', async (t) => {
    const tight = await TestSystem.start(t, {
      service: { limits: { newAccountsPerHour: 2, writesPerMinute: 6, accounts: 1000 } },
    })
    const first = new Owner()
    assert.equal((await tight.push(first.account, first.sign())).status, 200)
    const second = new Owner()
    assert.equal((await tight.push(second.account, second.sign())).status, 200)
    const third = new Owner()
    const over = await tight.push(third.account, third.sign())
    assert.equal(over.status, 429)
    assert.match(over.text, /too many new accounts from 127\.0\.0\.1; try again in \d+ s/)
    first.claims.nats.description = 'known accounts go on'
    assert.equal((await tight.push(first.account, first.sign())).status, 200)
    await tight.push(third.account, third.sign())
    await tight.push(third.account, third.sign())
    assert.match((await tight.push(first.account, first.sign())).text, /too many requests/)
  })

  it('finds a full service busy', async (t) => {
    const full = await TestSystem.start(t, { service: { limits: { accounts: 1 } } })
    const first = new Owner()
    assert.equal((await full.push(first.account, first.sign())).status, 200)
    const second = new Owner()
    const over = await full.push(second.account, second.sign())
    assert.equal(over.status, 503)
    assert.match(over.text, /takes no more accounts/)
  })
})
