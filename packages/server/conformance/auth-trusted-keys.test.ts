// trusted_keys: operators that the server knows by their keys alone.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createKeyPair, encode, encodeBase64Url, newAccountClaims, newUserClaims } from '@ngs/identity/node'
import { onEveryEngine, wire } from './support.ts'

const [operator, stranger] = [createKeyPair('operator'), createKeyPair('operator')]
const [account, foreign] = [createKeyPair('account'), createKeyPair('account')]

onEveryEngine(
  'trusted keys without an operator JWT',
  `trusted: ${operator.publicKey}
resolver: MEMORY
resolver_preload {
  ${account.publicKey}: ${encode(newAccountClaims(account.publicKey), operator)}
  ${foreign.publicKey}: ${encode(newAccountClaims(foreign.publicKey), stranger)}
}`,
  (bench) => {
    it('make an operator mode that nobody gets into without a JWT', async (t) => {
      const one = await bench.client(t)
      assert.equal(one.info['auth_required'], true)
      assert.match(one.info.nonce ?? '', /^[\w-]{15}$/)
      one.connect({ verbose: false })
      assert.equal(await one.closed(), wire("-ERR 'Authorization Violation'"))
    })
    it('let in users of accounts that they signed, and of no others', async (t) => {
      for (const [signer, expected] of [
        [account, ''],
        [foreign, wire("-ERR 'Authorization Violation'")],
      ] as const) {
        const user = createKeyPair('user')
        const one = await bench.client(t)
        const sig = encodeBase64Url(user.sign(Buffer.from(one.info.nonce!)))
        one.connect({ verbose: false, jwt: encode(newUserClaims(user.publicKey), signer), sig })
        assert.equal(await (expected === '' ? one.flush() : one.closed()), expected)
      }
    })
  },
)
