// Keys, sealed boxes and decorated files.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { encodePublicKey } from '../src/nkeys.ts'
import * as identity from '../src/node.ts'

const {
  IdentityError,
  createCurveKeyPair,
  createKeyPair,
  curveKeyPairFromSeed,
  isPublicKey,
  keyPairFromPublicKey,
  keyPairFromSeed,
  roleOfPublicKey,
  roleOfSeed,
} = identity
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const refused = (code: string) => (error: unknown) => error instanceof IdentityError && error.code === code

describe('nkeys', () => {
  const vectors = [
    [
      'operator',
      'SOAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H2AJA',
      'OAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QZVT',
    ],
    [
      'account',
      'SAAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4HYMHI',
      'AAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QPZV',
    ],
    [
      'user',
      'SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y',
      'UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK',
    ],
  ] as const
  for (const [role, seed, publicKey] of vectors) {
    it(`knows the ${role} vector`, () => {
      const pair = keyPairFromSeed(seed)
      assert.equal(pair.publicKey, publicKey)
      assert.equal(pair.role, role)
      assert.equal(pair.seed, seed)
      assert.equal(roleOfPublicKey(publicKey), role)
      assert.equal(roleOfSeed(seed), role)
    })
  }
  it('knows the curve vector', () => {
    const pair = curveKeyPairFromSeed('SXAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H74KM')
    assert.equal(pair.publicKey, 'XCHUBRNNW2HSKYSK4WZBJ2TWPJXMSTMCTU6XWXQ22G5G6PRBHAUF76G7')
  })
  for (const role of ['operator', 'account', 'user', 'server', 'cluster'] as const) {
    it(`makes ${role} keys that sign`, () => {
      const pair = createKeyPair(role)
      const again = keyPairFromSeed(pair.seed)
      assert.equal(again.publicKey, pair.publicKey)
      const signature = pair.sign(bytes('hello'))
      assert.equal(signature.length, 64)
      const verifier = keyPairFromPublicKey(pair.publicKey)
      assert.equal(verifier.verify(bytes('hello'), signature), true)
      assert.equal(verifier.verify(bytes('hellp'), signature), false)
      assert.equal(identity.verifySignature(pair.publicKey, bytes('hello'), signature), true)
      assert.throws(() => verifier.sign(bytes('x')), refused('noPrivateKey'))
      pair.wipe()
      assert.throws(() => pair.seed, refused('noPrivateKey'))
    })
  }
  it('refuses keys with any character changed, in lower case, or of another length', () => {
    const key = createKeyPair('account').publicKey
    for (let i = 0; i < key.length; i++) {
      const changed = key.slice(0, i) + (key[i] === 'A' ? 'B' : 'A') + key.slice(i + 1)
      assert.equal(isPublicKey(changed), false, `character ${i}`)
    }
    assert.equal(isPublicKey(key.toLowerCase()), false)
    assert.equal(isPublicKey(`${key}A`), false)
    assert.equal(
      isPublicKey(encodePublicKey('account', new Uint8Array(31))),
      false,
      'good checksum, 31 bytes',
    )
    assert.equal(isPublicKey(key, 'user'), false)
    assert.equal(isPublicKey(undefined), false)
  })
  it('never takes random text for a key', () => {
    fc.assert(fc.property(fc.string(), (text) => !isPublicKey(text) && roleOfSeed(text) === null))
  })
})

describe('sealed boxes', () => {
  const [alice, bob, eve] = [createCurveKeyPair(), createCurveKeyPair(), createCurveKeyPair()]
  it('open for the recipient and cost 44 bytes', () => {
    const sealed = alice.seal(bytes('hello'), bob.publicKey)
    assert.equal(sealed.length, 5 + 44)
    assert.deepEqual(Buffer.from(bob.open(sealed, alice.publicKey)), Buffer.from('hello'))
  })
  it('stay closed for a wrong version, a cut, a wrong sender', () => {
    const sealed = alice.seal(bytes('hello'), bob.publicKey)
    assert.throws(
      () => bob.open(Uint8Array.of(...sealed.subarray(0, 3), 50, ...sealed.subarray(4)), alice.publicKey),
      refused('sealFailed'),
    )
    assert.throws(() => bob.open(sealed.subarray(0, 28), alice.publicKey), refused('sealFailed'))
    assert.throws(() => bob.open(sealed, eve.publicKey), refused('sealFailed'))
    assert.throws(() => eve.open(sealed, alice.publicKey), refused('sealFailed'))
    assert.throws(() => alice.seal(bytes('x'), createKeyPair('user').publicKey), refused('invalidKey'))
  })
})

describe('creds files', () => {
  const account = createKeyPair('account')
  const user = createKeyPair('user')
  const jwt = identity.encode(identity.newUserClaims(user.publicKey, 'u'), account)
  const creds = identity.formatCreds(jwt, user.seed)
  it('are written to the byte as the official tools do', () => {
    assert.equal(
      creds,
      `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n************************* IMPORTANT *************************\nNKEY Seed printed below can be used to sign and prove identity.\nNKEYs are sensitive and should be treated as secrets.\n\n-----BEGIN USER NKEY SEED-----\n${user.seed}\n------END USER NKEY SEED------\n\n*************************************************************\n`,
    )
  })
  it('are read with CRLF, other labels, more dashes, text before, no last newline', () => {
    const wanted = { jwt, seed: user.seed }
    assert.deepEqual(identity.parseCreds(creds), wanted)
    assert.deepEqual(identity.parseCreds(creds.replaceAll('\n', '\r\n')), wanted)
    assert.deepEqual(identity.parseCreds(creds.replaceAll('USER', 'SOMETHING')), wanted)
    assert.deepEqual(identity.parseCreds(`hello\n\n${creds}`), wanted)
    assert.deepEqual(
      identity.parseCreds(
        `-----BEGIN X-----\n${jwt}\n-----END X-----\n\n----- S -----\n${user.seed}\n-----END-----`,
      ),
      wanted,
    )
    assert.deepEqual(identity.parseCreds(jwt), { jwt, seed: null })
    assert.deepEqual(
      identity.parseCreds(`-----BEGIN X-----\n${jwt}\n-----END X-----\n${user.seed}\n`),
      wanted,
    )
  })
  it('are refused when seed and token do not belong together', () => {
    assert.throws(() => identity.formatCreds(jwt, createKeyPair('user').seed), refused('badCreds'))
    assert.throws(() => identity.formatCreds(jwt, account.seed), refused('badCreds'))
    assert.throws(() => identity.parseCreds(''), refused('badCreds'))
    assert.throws(() => identity.decorateSeed(createKeyPair('server').seed), refused('invalidSeed'))
  })
})
