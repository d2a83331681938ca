// What a `tls` block is refused for, word by word, by this server and by the official one.
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { Authority, needsOpenssl, needsPeer, peer, run, tempDir, tempFolder } from '@ngs/testkit'
import { ConfigError } from '../src/config/language.ts'
import { readConfigFile } from '../src/config/read.ts'
import { defaultOptions } from '../src/options.ts'

const folder = tempFolder()
after(folder.remove)
const authority = new Authority(folder.path)
const { certFile: cert, keyFile: key } = authority.issue({ subject: '/CN=localhost' })
const { keyFile: otherKey } = authority.issue({ subject: '/CN=other' })
const { keyFile: rsaKey } = authority.issue({ subject: '/CN=rsa', key: 'rsa' })
const lockedKey = join(folder.path, 'locked.pem')
if (key !== '') {
  const locked = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const
  writeFileSync(lockedKey, createPrivateKey(readFileSync(key)).export(locked))
}
const PAIR = 'error parsing X509 certificate/key pair'
const WANTED = 'hex-encoded sha256 of DER encoded SubjectPublicKeyInfo'

/** A file, and the place and text it is refused with; an empty one is taken. */
const CASES: readonly (readonly [string, string])[] = [
  ['tls {}', ''],
  ['tls: 1', '1:0: interface conversion: interface {} is int64, not map[string]interface {}'],
  [`tls { cert_file: "${cert}", key_file: "${key}" }`, ''],
  [`tls { cert_file: "${cert}" }`, "1:0: missing 'key_file' in TLS configuration"],
  [`tls { key_file: "${key}" }`, "1:0: missing 'cert_file' in TLS configuration"],
  [`tls { cert_file: "/no", key_file: "${key}" }`, `1:0: ${PAIR}: open /no: no such file or directory`],
  [`tls { cert_file: "${cert}", key_file: "/no" }`, `1:0: ${PAIR}: open /no: no such file or directory`],
  [
    `tls { cert_file: "${cert}", key_file: "${otherKey}" }`,
    `1:0: ${PAIR}: tls: private key does not match public key`,
  ],
  [
    `tls { cert_file: "${cert}", key_file: "${rsaKey}" }`,
    `1:0: ${PAIR}: tls: private key type does not match public key type`,
  ],
  [
    `tls { cert_file: "${cert}", key_file: "${lockedKey}" }`,
    `1:0: ${PAIR}: tls: failed to parse private key`,
  ],
  [`tls { cert_file: "${cert}", key_file: "${key}", ocsp_peer: { verify: false } }`, ''],
  [
    'tls { cipher_suites: [TLS_RSA_WITH_RC4_128_SHA] }',
    "1:0: insecure cipher suites configured without 'allow_insecure_cipher_suites' option set: TLS_RSA_WITH_RC4_128_SHA",
  ],
  [
    `tls { cert_file: "${cert}", key_file: "${cert}" }`,
    `1:0: ${PAIR}: tls: found a certificate rather than a key in the PEM for the private key`,
  ],
  [
    `tls { cert_file: "${key}", key_file: "${key}" }`,
    `1:0: ${PAIR}: tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched`,
  ],
  [
    `tls { cert_file: "${cert}", key_file: "${key}", ca_file: "/no" }`,
    '1:0: open /no: no such file or directory',
  ],
  [
    `tls { cert_file: "${cert}", key_file: "${key}", ca_file: "${key}" }`,
    '1:0: failed to parse root ca certificate',
  ],
  [
    `tls { certs: [ { cert_file: "${cert}", key_file: "${key}" }, { cert_file: "/no", key_file: "${key}" } ] }`,
    `1:0: ${PAIR} 2/2: open /no: no such file or directory`,
  ],
  [
    `tls { certs: [ { cert_file: "${cert}" } ] }`,
    "1:17: error parsing certificates config: both 'cert_file' and 'cert_key' options are required",
  ],
  ['tls { certs: [ 1 ] }', '1:15: error parsing certificates config: unsupported type int64'],
  [
    `tls { cert_file: a, certs: [ { cert_file: "${cert}", key_file: "${key}" } ] }`,
    "1:0: error parsing tls config, cannot combine 'cert_file' option with 'certs' option",
  ],
  ['tls { bogus: 1 }', '1:6: error parsing tls config, unknown field "bogus"'],
  ['tls { cert_file: 1 }', "1:6: error parsing tls config, expected 'cert_file' to be filename"],
  ['tls { verify: 1 }', "1:6: error parsing tls config, expected 'verify' to be a boolean"],
  ['tls { cipher_suites: [] }', "1:6: error parsing tls config, 'cipher_suites' cannot be empty"],
  ['tls { cipher_suites: [X] }', '1:22: unrecognized cipher X'],
  [
    'tls { cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA] }',
    "1:0: insecure cipher suites configured without 'allow_insecure_cipher_suites' option set: TLS_RSA_WITH_AES_128_CBC_SHA",
  ],
  ['tls { cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA], allow_insecure_cipher_suites: true }', ''],
  ['tls { curve_preferences: [X] }', '1:26: unrecognized curve preference X'],
  ['tls { curve_preferences: [SecP384r1MLKEM1024, X25519] }', ''],
  ['tls { timeout: true }', "1:6: error parsing tls config, 'timeout' wrong type"],
  ['tls { timeout: "x" }', `1:6: error parsing tls config, 'timeout' time: invalid duration "x"`],
  ['tls { timeout: 0.5 }', ''],
  ['tls { connection_rate_limit: "x" }', "1:6: error parsing tls config, 'connection_rate_limit' wrong type"],
  [
    'tls { pinned_certs: "x" }',
    `1:6: error parsing tls config, expected 'pinned_certs' to be a list of ${WANTED}`,
  ],
  [
    'tls { pinned_certs: ["X"] }',
    `1:22: error parsing tls config, 'pinned_certs' key x does not look like ${WANTED}`,
  ],
  ['tls { first: 1 }', '1:6: field "first" should be a boolean or a string, got int64'],
  ['tls { handshake_first: "x" }', '1:6: field "handshake_first"\'s value "x" is invalid'],
  ['tls { min_version: 1.2 }', "1:6: error parsing tls config: 'min_version' wrong type: 1.2"],
  ['tls { min_version: "1.1" }', '1:6: error parsing tls config: unsupported TLS version: TLS 1.1'],
  ['tls { min_version: "1.5" }', '1:6: error parsing tls config: unknown version: 1.5'],
  [
    'tls { cert_store: "WindowsCurrentUser" }',
    '1:6: cert_store not compatible with current operating system',
  ],
  ['tls { cert_match_by: "x" }', '1:6: cert match by type not implemented'],
  [
    'tls { verify_cert_and_check_known_urls: true }',
    '1:6: verify_cert_and_check_known_urls not supported in this context',
  ],
]

function ours(file: string): string {
  try {
    readConfigFile(file, defaultOptions())
    return ''
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message
  }
}

describe('a tls block', { ...needsOpenssl(), concurrency: 4 }, () => {
  const official = needsPeer('nats-server').skip === false
  for (const [text, problem] of CASES) {
    const name = text.replaceAll(/"\/[^"]+\//g, '"').slice(0, 100)
    it(`${name} is ${problem === '' ? 'taken' : 'refused'}`, async (t) => {
      const file = join(tempDir(t), 'x.conf')
      writeFileSync(file, `${text}\n`)
      assert.equal(ours(file), problem === '' ? '' : `${file}:${problem}\n`)
      if (!official) return
      const { code, stderr } = await run(peer('nats-server'), ['-t', '-c', file])
      assert.equal(code, problem === '' ? 0 : 1)
      if (problem !== '') assert.equal(stderr, `nats-server: ${file}:${problem}\n\n`)
    })
  }
  it('does not take what the TLS library does not have, or what is not there yet', (t) => {
    const file = join(tempDir(t), 'x.conf')
    for (const [text, problem] of [
      [
        'cipher_suites: [TLS_RSA_WITH_RC4_128_SHA], allow_insecure_cipher_suites: true',
        /x\.conf:1:22: cipher TLS_RSA_WITH_RC4_128_SHA is too weak/,
      ],
      ['ocsp_peer: true', /x\.conf:1:6: "ocsp_peer" is not supported yet/],
    ] as const) {
      writeFileSync(file, `tls { ${text} }\n`)
      assert.match(ours(file), problem)
    }
  })
})
