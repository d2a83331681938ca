import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  createKeyPair,
  encodeBase64Url,
  type KeyPair,
  newAccountClaims,
  newUserScope,
} from '@ngs/identity/node'
import { Ownership } from '../src/accounts/ownership.ts'
import { RateLimit } from '../src/http/rate-limit.ts'

const sign = (key: KeyPair, nonce: string) => encodeBase64Url(key.sign(new TextEncoder().encode(nonce)))

describe('the proof of ownership', () => {
  const key = createKeyPair('account')
  const signingKey = createKeyPair('account')
  const scoped = createKeyPair('account')
  const claims = newAccountClaims(key.publicKey, 'x')
  claims.nats.signing_keys = [signingKey.publicKey, newUserScope(scoped.publicKey, 'role')]
  let now = 1_000_000
  const ownership = new Ownership(() => now)

  it('is a signature by the account or a plain signing key, good for one session', () => {
    for (const by of [key, signingKey]) {
      const { nonce, expiresAt } = ownership.challenge(key.publicKey)
      assert.ok(nonce.startsWith('ngs-auth:'))
      assert.equal(expiresAt, now + 60)
      const session = ownership.open(claims, nonce, sign(by, nonce))
      assert.equal(ownership.authenticate(session.token), key.publicKey)
      assert.throws(() => ownership.open(claims, nonce, sign(by, nonce)), {
        code: 'bad-challenge',
        message: /used before/,
      })
    }
  })

  it('is not the signature of another key, of another text, or none', () => {
    const { nonce } = ownership.challenge(key.publicKey)
    for (const signature of [
      sign(scoped, nonce),
      sign(createKeyPair('account'), nonce),
      sign(key, `${nonce} `),
      '',
      '!!!',
      'AAAA',
    ]) {
      assert.throws(() => ownership.open(claims, nonce, signature), {
        code: 'bad-challenge',
        message: /the signature is not one of account/,
      })
    }
    // A wrong signature does not spoil the nonce for its owner.
    ownership.open(claims, nonce, sign(key, nonce))
  })

  it('is not a nonce that was made up, changed, made for another account or by another process', () => {
    const { nonce } = ownership.challenge(key.publicKey)
    const foreign = new Ownership(() => now).challenge(key.publicKey).nonce
    const others = ownership.challenge(signingKey.publicKey).nonce
    const later = nonce.replace(`:${now + 60}:`, `:${now + 6000}:`)
    assert.notEqual(later, nonce)
    for (const text of [later, foreign, others, `${nonce}x`, 'ngs-auth:', '', key.publicKey]) {
      assert.throws(() => ownership.open(claims, text, sign(key, text)), {
        code: 'bad-challenge',
        message: /not made by this service for this account/,
      })
    }
  })

  it('ends: nonces after a minute, sessions after a quarter of an hour', () => {
    const late = ownership.challenge(key.publicKey).nonce
    const { nonce } = ownership.challenge(key.publicKey)
    const session = ownership.open(claims, nonce, sign(key, nonce))
    now += 60
    assert.throws(() => ownership.open(claims, late, sign(key, late)), {
      code: 'bad-challenge',
      message: /expired/,
    })
    ownership.authenticate(session.token)
    now += 900
    assert.throws(() => ownership.authenticate(session.token), { code: 'unauthenticated' })
  })

  it('does not take a nonce for a session, nor a changed session', () => {
    const { nonce } = ownership.challenge(key.publicKey)
    const { token } = ownership.open(claims, nonce, sign(key, nonce))
    const forged = token.replace(key.publicKey, signingKey.publicKey)
    for (const text of [nonce, nonce.slice('ngs-auth:'.length), forged, `${token}a`, '', ':', '::::']) {
      assert.throws(() => ownership.authenticate(text), { code: 'unauthenticated' }, text)
    }
  })
})

describe('the rate limit', () => {
  it('lets a full bucket be spent at once, then refills evenly, each address for itself', () => {
    let now = 0
    const limit = new RateLimit('pushes', 10, 1000, () => now)
    for (let i = 0; i < 10; i++) limit.spend('10.0.0.1')
    assert.throws(() => limit.spend('10.0.0.1'), {
      code: 'rate-limited',
      message: /too many pushes from 10\.0\.0\.1; try again in 1 s/,
    })
    limit.spend('10.0.0.2')
    now += 100
    limit.spend('10.0.0.1')
    assert.throws(() => limit.spend('10.0.0.1'), { code: 'rate-limited' })
    now += 60_000
    for (let i = 0; i < 10; i++) limit.spend('10.0.0.1')
    assert.throws(() => limit.spend('10.0.0.1'), { code: 'rate-limited' })
  })

  it('takes an IPv6 network of 64 bits for one address', () => {
    const limit = new RateLimit('pushes', 1, 1000, () => 0)
    limit.spend('2001:db8:1:2::1')
    assert.throws(() => limit.spend('2001:db8:1:2:aaaa:bbbb:cccc:dddd'), { code: 'rate-limited' })
    limit.spend('2001:db8:1:3::1')
    limit.spend('::1')
    limit.spend('::ffff:10.0.0.1')
    limit.spend('::ffff:10.0.0.2')
  })
})
