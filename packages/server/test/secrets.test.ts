// Secrets of a CONNECT stay out of the log however the JSON is written, or broken.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { withoutSecrets } from '../src/connection/secrets.ts'

test('what logs show of a CONNECT', () => {
  for (const [said, shown] of [
    ['{"user":"u","pass":"s"}', '{"user":"u","pass":"[REDACTED]"}'],
    ['{ "pass" : "s\\"s" , "user":"u"}', '{ "pass" : "[REDACTED]" , "user":"u"}'],
    [
      '{"auth_token":"s,s","PASS":"s","Sig":"s"}',
      '{"auth_token":"[REDACTED]","PASS":"[REDACTED]","Sig":"[REDACTED]"}',
    ],
    ['{"pass":"s\\\\","user":"u"}', '{"pass":"[REDACTED]","user":"u"}'],
    ['{"pass":"s', '{"pass":"[REDACTED]'],
    ['{"auth_token":123,"user":"u"}', '{"auth_token":[REDACTED],"user":"u"}'],
    ['{"signal":"x","name":"passenger"}', '{"signal":"x","name":"passenger"}'],
  ])
    assert.equal(withoutSecrets(said!), shown)
})

test('no secret is shown, whatever characters it has', () => {
  const name = fc.constantFrom(
    'pass',
    'PASS',
    'password',
    'auth_token',
    'Auth_Token',
    'sig',
    'nkey',
    'proxy_sig',
  )
  fc.assert(
    fc.property(
      name,
      fc.string({ unit: fc.constantFrom('"', '\\', ',', '}', ' ', '\n', ':', 'x') }),
      (key, filler) => {
        const secret = `${filler}s3cret${filler}`
        const shown = withoutSecrets(JSON.stringify({ user: 'u', [key]: secret, name: 'n' }))
        assert.ok(!shown.includes('s3cret'), shown)
        assert.deepEqual(JSON.parse(shown), { user: 'u', [key]: '[REDACTED]', name: 'n' })
      },
    ),
  )
})
