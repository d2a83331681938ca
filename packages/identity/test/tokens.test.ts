// Tokens: bytes, versions, issuers, and what damaged input does.
import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import vm from 'node:vm'
import { build } from 'esbuild'
import fc from 'fast-check'
import { decodeSeed } from '../src/nkeys.ts'
import * as identity from '../src/node.ts'

const { decode, encode, createKeyPair, keyPairFromSeed, IdentityError } = identity
const refused = (code: string) => (error: unknown) => error instanceof IdentityError && error.code === code
const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const HEADER = part({ typ: 'JWT', alg: 'ed25519-nkey' })

/** A token with any payload text, rightly signed by the key. */
function forge(payload: unknown, key: identity.KeyPair, header = HEADER, payloadOnly = false): string {
  const body = part(payload)
  const signed = payloadOnly ? body : `${header}.${body}`
  return `${header}.${body}.${Buffer.from(key.sign(Buffer.from(signed))).toString('base64url')}`
}

const operator = createKeyPair('operator')
const account = createKeyPair('account')
const user = createKeyPair('user')

describe('tokens', () => {
  it('have the id and signature of the vector', () => {
    const key = keyPairFromSeed('SOAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H2AJA')
    const claims = identity.newOperatorClaims(key.publicKey, 'a<b>&c')
    const token = encode(claims, key, { issuedAt: 1700000000 })
    assert.equal(claims.jti, 'LIVO74ORUXFWRQN7IQKBRRTM4DWVJHW2GYBD27S3DGYSR6J7PNLQ')
    assert.equal(
      token.split('.')[2],
      'Zcg1k77tbrhbJMKyd4AViIEMvhx_nLNXnkSIykwewkLLfNCVun7wTp2m_AZeuJKm4pWpDRwBgZ0BDyNXu2llDw',
    )
  })
  it('write what is always there and leave out what is empty, lists sorted', () => {
    const claims = identity.newAccountClaims(account.publicKey, 'A')
    claims.nats.exports = [
      { subject: 'z', type: 'stream' },
      { subject: 'a', type: 'service' },
    ]
    claims.nats.limits.conn = 0
    const payload = Buffer.from(encode(claims, operator).split('.')[1]!, 'base64url').toString()
    assert.match(
      payload,
      /"limits":\{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,"leaf":-1\}/,
    )
    assert.match(
      payload,
      /"exports":\[\{"subject":"a","type":"service"\},\{"subject":"z","type":"stream"\}\]/,
    )
    assert.match(
      payload,
      /"default_permissions":\{"pub":\{\},"sub":\{\}\},"authorization":\{\},"type":"account","version":2\}\}$/,
    )
  })
  it('decode to the claims they were made of', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: 'grapheme' }),
        fc.array(fc.stringMatching(/^[a-z]{1,8}$/)),
        fc.integer({ min: -1, max: 2 ** 40 }),
        (name, tags, payload) => {
          const claims = identity.newUserClaims(user.publicKey, name)
          claims.nats.payload = payload
          if (tags.length > 0) claims.nats.tags = tags
          const token = encode(claims, account, { issuedAt: 1_700_000_000 })
          const read = identity.decodeUser(token)
          assert.deepEqual({ ...read }, { ...claims, name: name.toWellFormed() })
          assert.equal(encode(read, account, { issuedAt: 1_700_000_000 }), token)
        },
      ),
      { numRuns: 50 },
    )
  })
  it('keep 64-bit integers and refuse what is none', () => {
    const claims = identity.newAccountClaims(account.publicKey)
    claims.nats.limits.data = 2n ** 62n + 1n
    assert.equal(identity.decodeAccount(encode(claims, operator)).nats.limits.data, 2n ** 62n + 1n)
    const with_ = (text: string) =>
      forge(
        `{"iss":"${account.publicKey}","sub":"${user.publicKey}","nats":{"type":"user","version":2,"subs":${text}}}`,
        account,
      )
    assert.equal(identity.decodeUser(with_('7')).nats.subs, 7)
    for (const bad of ['1.5', '1e3', '"1"', 'true', '99999999999999999999'])
      assert.throws(() => decode(with_(bad)), refused('badToken'), bad)
  })
  it('match keys in any case, the last one counts', () => {
    const token = forge(
      `{"ISS":"${account.publicKey}","sub":"x","SUB":"${user.publicKey}","nats":{"Type":"user","version":2,"subs":1,"SUBS":2}}`,
      account,
    )
    const claims = identity.decodeUser(token)
    assert.equal(claims.sub, user.publicKey)
    assert.equal(claims.nats.subs, 2)
  })
  it('of version 1 are read and migrated', () => {
    const header = part({ typ: 'jwt', alg: 'ed25519' })
    const token = forge(
      {
        iss: account.publicKey,
        sub: user.publicKey,
        type: 'user',
        tags: ['a'],
        issuer_account: account.publicKey,
        nats: { pub: { allow: ['x'] } },
      },
      account,
      header,
      true,
    )
    const claims = identity.decodeUser(token)
    assert.equal(claims.nats.version, 1)
    assert.deepEqual(
      [claims.nats.subs, claims.nats.payload, claims.nats.tags, claims.nats.issuer_account],
      [-1, -1, ['a'], account.publicKey],
    )
    const activation = forge(
      {
        iss: account.publicKey,
        sub: account.publicKey,
        type: 'activation',
        nats: { subject: 'foo', type: 'service' },
      },
      account,
      header,
      true,
    )
    assert.equal(identity.decodeActivation(activation).nats.kind, 'service')
  })
  it('of unknown versions, kinds and shapes are refused', () => {
    const of = (nats: unknown, key = account) => forge({ iss: key.publicKey, sub: user.publicKey, nats }, key)
    assert.throws(() => decode(of({ type: 'user', version: 3 })), refused('unsupportedVersion'))
    assert.throws(() => decode(of({ type: 'user' })), refused('unsupportedVersion'))
    assert.throws(() => decode(of({ type: 'cluster', version: 2 })), refused('badToken'))
    assert.throws(() => decode('a.b'), refused('badToken'))
    assert.throws(() => decode('x'.repeat(1024 * 1024 + 1)), refused('tokenTooLarge'))
    assert.throws(() => decode(of({ type: 'user', version: 2 }, operator)), refused('wrongIssuer'))
    assert.throws(() => decode(of({ type: 'account', version: 2 }, user)), refused('wrongIssuer'))
    const good = of({ type: 'user', version: 2 })
    assert.throws(() => decode(`${good.slice(0, -4)}AAAA`), refused('badSignature'))
    assert.throws(
      () =>
        decode(
          forge(
            { iss: account.publicKey, sub: user.publicKey, nats: {} },
            account,
            part({ typ: 'JWT', alg: 'none' }),
          ),
        ),
      refused('badToken'),
    )
    assert.throws(() => identity.decodeAccount(good), refused('wrongKind'))
  })
  it('are not written for wrong subjects and signers', () => {
    assert.throws(() => encode(identity.newUserClaims(account.publicKey), account), refused('invalidClaims'))
    assert.throws(() => encode(identity.newUserClaims(user.publicKey), operator), refused('wrongIssuer'))
    assert.throws(() => encode(identity.newAccountClaims(account.publicKey), user), refused('wrongIssuer'))
    assert.throws(() => encode(identity.newGenericClaims(''), account), refused('invalidClaims'))
    const activation = identity.newActivationClaims(account.publicKey)
    activation.nats.kind = 'stream'
    assert.ok(encode(activation, operator))
  })
  it('read latency sampling by headers, a source list as text, null imports', () => {
    const claims = identity.newAccountClaims(account.publicKey)
    claims.nats.exports = [
      { subject: 's', type: 'service', service_latency: { sampling: 0, results: 'lat' } },
    ]
    const token = encode(claims, operator)
    assert.match(Buffer.from(token.split('.')[1]!, 'base64url').toString(), /"sampling":"headers"/)
    assert.equal(identity.decodeAccount(token).nats.exports![0]!.service_latency!.sampling, 0)
    const source = forge(
      {
        iss: account.publicKey,
        sub: user.publicKey,
        nats: { type: 'user', version: 2, src: ' 10.0.0.0/8, 1.2.3.0/24' },
      },
      account,
    )
    assert.deepEqual(identity.decodeUser(source).nats.src, ['10.0.0.0/8', '1.2.3.0/24'])
    const withNull = forge(
      {
        iss: operator.publicKey,
        sub: account.publicKey,
        nats: { type: 'account', version: 2, limits: { imports: -1 }, imports: [null] },
      },
      operator,
    )
    assert.deepEqual(
      identity.validate(decode(withNull)).map((issue) => issue.text),
      ['null import is not allowed'],
    )
  })
  it('take null for an empty list or struct, and refuse a number for a kind', () => {
    const of = (nats: string) =>
      forge(
        `{"iss":"${operator.publicKey}","sub":"${account.publicKey}","nats":{"type":"account","version":2,${nats}}}`,
        operator,
      )
    const claims = identity.decodeAccount(of('"mappings":{"a":null},"limits":null,"revocations":{"x":null}'))
    assert.deepEqual(claims.nats.mappings, { a: [] })
    assert.doesNotThrow(() => identity.validate(claims))
    assert.doesNotThrow(() =>
      identity.validate(
        identity.decodeUser(
          forge(
            `{"iss":"${account.publicKey}","sub":"${user.publicKey}","nats":{"type":"user","version":2,"times":[null]}}`,
            account,
          ),
        ),
      ),
    )
    assert.throws(() => decode(of('"exports":[{"type":99999999999999999}]')), refused('badToken'))
  })
  it('that say one kind outside and another inside are nothing at all', () => {
    // Read as generic claims, nobody would have checked that these are those of an operator.
    const nats = { type: 'operator', version: 2, signing_keys: {} }
    const token = forge({ iss: account.publicKey, sub: operator.publicKey, type: 'x', nats }, account)
    assert.throws(() => decode(token), refused('badToken'))
    assert.throws(() => identity.decodeOperator(token), refused('badToken'))
  })
  it('never throw anything but an IdentityError, whatever is done to them', () => {
    const whole = encode(identity.newUserClaims(user.publicKey, 'u'), account)
    const survives = (token: string): boolean => {
      try {
        decode(token)
        identity.parseCreds(token)
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error
      }
      return true
    }
    fc.assert(fc.property(fc.string({ unit: 'binary' }), survives), { numRuns: 500, seed: 7 })
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.string({ minLength: 1, maxLength: 3 }), (at, text) =>
        survives(whole.slice(0, at) + text + whole.slice(at + text.length)),
      ),
      { numRuns: 500, seed: 7 },
    )
    fc.assert(
      fc.property(
        fc.json(),
        (json) =>
          survives(forge(json, account)) &&
          survives(forge(`{"iss":"${account.publicKey}","nats":${json}}`, account)) &&
          survives(
            forge(
              `{"iss":"${account.publicKey}","sub":"x","nats":{"type":"account","version":2,"limits":${json},"imports":${json},"signing_keys":${json}}}`,
              account,
            ),
          ),
      ),
      { numRuns: 200, seed: 7 },
    )
  })
})

describe('the browser', () => {
  it('gets a bundle without Node, whose tokens are the same', async () => {
    const result = await build({
      entryPoints: [`${import.meta.dirname}/../src/index.ts`],
      bundle: true,
      write: false,
      format: 'iife',
      globalName: 'ngs',
      platform: 'browser',
    })
    const code = result.outputFiles[0]!.text
    assert.doesNotMatch(code, /require\(|node:/)
    const context = vm.createContext({ crypto: globalThis.crypto, TextEncoder, TextDecoder, URL })
    vm.runInContext(code, context)
    const token = vm.runInContext(
      `const key = ngs.keyPairFromSeed(${JSON.stringify(account.seed)}); ngs.encode(ngs.newUserClaims(${JSON.stringify(user.publicKey)}, 'u'), key, { issuedAt: 1700000000 })`,
      context,
    ) as string
    assert.equal(
      token,
      encode(identity.newUserClaims(user.publicKey, 'u'), account, { issuedAt: 1_700_000_000 }),
    )
    assert.equal(vm.runInContext(`ngs.decode(${JSON.stringify(token)}).sub`, context), user.publicKey)
  })
  it('signs as node:crypto does', () => {
    const raw = decodeSeed(account.seed)!.raw
    const key = createPrivateKey({
      key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), raw]),
      format: 'der',
      type: 'pkcs8',
    })
    assert.deepEqual(Buffer.from(account.sign(Buffer.from('x'))), sign(null, Buffer.from('x'), key))
  })
})
