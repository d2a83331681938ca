// Validation, scopes, revocations and the trust chain.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as identity from '../src/node.ts'

const { createKeyPair, encode, validate } = identity
const operator = createKeyPair('operator')
const operatorSigner = createKeyPair('operator')
const account = createKeyPair('account')
const other = createKeyPair('account')
const user = createKeyPair('user')

type Issues = readonly identity.Issue[]
const only = (issues: Issues, level: string, text: RegExp): void => {
  assert.ok(
    issues.some((issue) => issue.level === level && text.test(issue.text)),
    `expected ${level} ${text}, got ${JSON.stringify(issues)}`,
  )
}
const accountWith = (change: (nats: identity.AccountBody) => void): Issues => {
  const claims = identity.newAccountClaims(account.publicKey, 'A')
  claims.iss = operator.publicKey
  change(claims.nats)
  return validate(claims)
}
const userWith = (change: (nats: identity.UserBody) => void): Issues => {
  const claims = identity.newUserClaims(user.publicKey)
  change(claims.nats)
  return validate(claims)
}
const operatorWith = (change: (nats: identity.OperatorBody) => void): Issues => {
  const claims = identity.newOperatorClaims(operator.publicKey)
  change(claims.nats)
  return validate(claims)
}
const service = { subject: 's', type: 'service' } as const
const stream = { subject: 's', type: 'stream' } as const
const imported = { subject: 's', type: 'stream', account: other.publicKey } as const

describe('validation', () => {
  it('finds nothing wrong with new claims', () => {
    assert.deepEqual(
      accountWith(() => {}),
      [],
    )
    assert.deepEqual(
      userWith(() => {}),
      [],
    )
    assert.deepEqual(
      operatorWith(() => {}),
      [],
    )
  })
  const cases: [string, () => Issues, string, RegExp][] = [
    [
      'an expired claim',
      () => validate({ ...identity.newUserClaims(user.publicKey), exp: 10 }, { now: 11 }),
      'time',
      /claim is expired/,
    ],
    [
      'a claim of the future',
      () => validate({ ...identity.newUserClaims(user.publicKey), nbf: 12 }, { now: 11 }),
      'time',
      /not yet valid/,
    ],
    [
      'a server URL without scheme',
      () => operatorWith((nats) => (nats.account_server_url = 'host')),
      'error',
      /requires a protocol/,
    ],
    [
      'a service URL with credentials',
      () => operatorWith((nats) => (nats.operator_service_urls = ['nats://a:b@h'])),
      'error',
      /credentials/,
    ],
    [
      'a service URL with a path',
      () => operatorWith((nats) => (nats.operator_service_urls = ['nats://h/x'])),
      'error',
      /paths/,
    ],
    [
      'a service URL of another kind',
      () => operatorWith((nats) => (nats.operator_service_urls = ['http://h'])),
      'error',
      /protocol not supported/,
    ],
    [
      'an operator signing key of another role',
      () => operatorWith((nats) => (nats.signing_keys = [account.publicKey])),
      'error',
      /not an operator public key/,
    ],
    [
      'a system account of another role',
      () => operatorWith((nats) => (nats.system_account = user.publicKey)),
      'error',
      /not an account public key/,
    ],
    [
      'an odd server version',
      () => operatorWith((nats) => (nats.assert_server_version = '2.x')),
      'error',
      /server version/,
    ],
    [
      'too many imports',
      () => accountWith((nats) => (Object.assign(nats, { imports: [imported] }).limits.imports = 0)),
      'error',
      /more imports than allowed/,
    ],
    [
      'too many exports',
      () => accountWith((nats) => (Object.assign(nats, { exports: [stream] }).limits.exports = 0)),
      'error',
      /more exports than allowed/,
    ],
    [
      'a wildcard export where none is allowed',
      () =>
        accountWith(
          (nats) =>
            Object.assign(nats, { exports: [{ subject: 'a.*', type: 'stream' }] }) &&
            Object.assign(nats.limits, { exports: 5, wildcards: false }),
        ),
      'error',
      /wildcard exports/,
    ],
    [
      'a signing key of another role',
      () => accountWith((nats) => (nats.signing_keys = [user.publicKey])),
      'error',
      /not a valid account signing key/,
    ],
    [
      'an odd cluster traffic',
      () => accountWith((nats) => (nats.cluster_traffic = 'x')),
      'error',
      /cluster traffic/,
    ],
    [
      'a long description',
      () => accountWith((nats) => (nats.description = 'x'.repeat(8193))),
      'error',
      /too long/,
    ],
    [
      'an info URL without host',
      () => accountWith((nats) => (nats.info_url = 'nonsense')),
      'error',
      /info url/,
    ],
    [
      'tiers beside flat JetStream limits',
      () => accountWith((nats) => Object.assign(nats.limits, { streams: 1, tiered_limits: { R1: {} } })),
      'error',
      /mutually exclusive/,
    ],
    [
      'a trace with wildcards',
      () => accountWith((nats) => (nats.trace = { dest: 'a.*' })),
      'error',
      /not a valid publish subject/,
    ],
    [
      'a trace sampling over 100',
      () => accountWith((nats) => (nats.trace = { dest: 'a', sampling: 101 })),
      'error',
      /Sampling value '101'/,
    ],
    [
      'a mapping over 100 percent',
      () =>
        accountWith(
          (nats) =>
            (nats.mappings = {
              a: [
                { subject: 'b', weight: 60 },
                { subject: 'c', weight: 60 },
              ],
            }),
        ),
      'error',
      /exceeds 100%/,
    ],
    [
      'a mapping in a cluster over 100 percent',
      () =>
        accountWith(
          (nats) =>
            (nats.mappings = {
              a: [
                { subject: 'b', weight: 60, cluster: 'x' },
                { subject: 'c', weight: 60, cluster: 'x' },
              ],
            }),
        ),
      'error',
      /in cluster "x"/,
    ],
    [
      'allowed accounts without auth users',
      () => accountWith((nats) => (nats.authorization = { allowed_accounts: [other.publicKey] })),
      'error',
      /without users/,
    ],
    [
      'an auth user of another role',
      () => accountWith((nats) => (nats.authorization = { auth_users: [account.publicKey] })),
      'error',
      /AuthUser/,
    ],
    [
      'all accounts and one more',
      () =>
        accountWith(
          (nats) =>
            (nats.authorization = { auth_users: [user.publicKey], allowed_accounts: ['*', other.publicKey] }),
        ),
      'error',
      /AllowedAccounts/,
    ],
    [
      'an xkey of another role',
      () =>
        accountWith((nats) => (nats.authorization = { auth_users: [user.publicKey], xkey: user.publicKey })),
      'error',
      /xkey/,
    ],
    ['a null export', () => accountWith((nats) => (nats.exports = [null])), 'error', /null export/],
    [
      'a stream with a response type',
      () => accountWith((nats) => (nats.exports = [{ ...stream, response_type: 'Stream' }])),
      'error',
      /invalid response type for stream/,
    ],
    [
      'a service with an odd response type',
      () => accountWith((nats) => (nats.exports = [{ ...service, response_type: 'X' }])),
      'error',
      /invalid response type for service/,
    ],
    [
      'latency on a stream',
      () =>
        accountWith(
          (nats) => (nats.exports = [{ ...stream, service_latency: { sampling: 1, results: 'r' } }]),
        ),
      'error',
      /latency/,
    ],
    [
      'latency over 100',
      () =>
        accountWith(
          (nats) => (nats.exports = [{ ...service, service_latency: { sampling: 101, results: 'r' } }]),
        ),
      'error',
      /sampling/,
    ],
    [
      'a negative threshold',
      () => accountWith((nats) => (nats.exports = [{ ...service, response_threshold: -1 }])),
      'error',
      /threshold/,
    ],
    [
      'a threshold on a stream',
      () => accountWith((nats) => (nats.exports = [{ ...stream, response_threshold: 1 }])),
      'error',
      /threshold/,
    ],
    [
      'a token position without wildcard',
      () => accountWith((nats) => (nats.exports = [{ ...service, account_token_position: 1 }])),
      'error',
      /only be used with wildcard/,
    ],
    [
      'a token position beyond the subject',
      () =>
        accountWith(
          (nats) => (nats.exports = [{ subject: 'a.*', type: 'service', account_token_position: 3 }]),
        ),
      'error',
      /exceeds length/,
    ],
    [
      'a token position on a literal',
      () =>
        accountWith(
          (nats) => (nats.exports = [{ subject: 'a.*', type: 'service', account_token_position: 1 }]),
        ),
      'error',
      /must match a \*/,
    ],
    [
      'overlapping exports',
      () =>
        accountWith(
          (nats) =>
            (nats.exports = [
              { subject: 'a.*', type: 'stream' },
              { subject: 'a.b', type: 'stream' },
            ]),
        ),
      'error',
      /already exports/,
    ],
    ['a null import', () => accountWith((nats) => (nats.imports = [null])), 'error', /null import/],
    [
      'an import without account',
      () => accountWith((nats) => (nats.imports = [stream])),
      'error',
      /account to import from/,
    ],
    [
      'an import with a bad subject',
      () => accountWith((nats) => (nats.imports = [{ ...imported, subject: 'a..b' }])),
      'error',
      /consecutive/,
    ],
    [
      'share on a stream',
      () => accountWith((nats) => (nats.imports = [{ ...imported, share: true }])),
      'error',
      /sharing information/,
    ],
    [
      'allow_trace on a service import',
      () => accountWith((nats) => (nats.imports = [{ ...imported, type: 'service', allow_trace: true }])),
      'error',
      /AllowTrace/,
    ],
    [
      'the deprecated to',
      () => accountWith((nats) => (nats.imports = [{ ...imported, to: 'x' }])),
      'warning',
      /deprecated/,
    ],
    [
      'to beside local_subject',
      () => accountWith((nats) => (nats.imports = [{ ...imported, to: 'x', local_subject: 'y' }])),
      'error',
      /replaces To/,
    ],
    [
      'a local subject without the wildcard',
      () => accountWith((nats) => (nats.imports = [{ ...imported, subject: 'a.*', local_subject: 'b' }])),
      'error',
      /wildcard/,
    ],
    [
      'a local subject beyond the wildcards',
      () => accountWith((nats) => (nats.imports = [{ ...imported, subject: 'a.*', local_subject: 'b.$2' }])),
      'error',
      /Reference \$2/,
    ],
    [
      'services on overlapping local subjects',
      () =>
        accountWith(
          (nats) =>
            (nats.imports = [
              { subject: 'a.*', type: 'service', account: other.publicKey },
              { subject: 'a.b', type: 'service', account: other.publicKey },
            ]),
        ),
      'error',
      /overlapping subject namespace/,
    ],
    [
      'a token that is none',
      () => accountWith((nats) => (nats.imports = [{ ...imported, token: 'x' }])),
      'error',
      /activation token/,
    ],
    [
      'a publish permission with a queue',
      () => userWith((nats) => (nats.pub = { allow: ['a q'] })),
      'error',
      /not allowed to contain queue/,
    ],
    [
      'a permission of three words',
      () => userWith((nats) => (nats.sub = { allow: ['a q r'] })),
      'error',
      /too many spaces/,
    ],
    [
      'a permission with a bad subject',
      () => userWith((nats) => (nats.sub = { deny: ['a..b'] })),
      'error',
      /consecutive/,
    ],
    [
      'a source that is no block',
      () => userWith((nats) => (nats.src = ['1.2.3.4'])),
      'error',
      /invalid cidr/,
    ],
    [
      'an empty time',
      () => userWith((nats) => (nats.times = [{ start: '', end: '10:00:00' }])),
      'error',
      /must contain a start/,
    ],
    [
      'a time that is none',
      () => userWith((nats) => (nats.times = [{ start: '25:00:00', end: '10:00:00' }])),
      'error',
      /invalid/,
    ],
    [
      'an unknown zone',
      () => userWith((nats) => (nats.times_location = 'Nowhere/Land')),
      'error',
      /time zone/,
    ],
    [
      'an issuer account of another role',
      () => userWith((nats) => (nats.issuer_account = user.publicKey)),
      'error',
      /not an account public key/,
    ],
  ]
  for (const [what, make, level, text] of cases)
    it(`reports ${what} as ${level}`, () => only(make(), level, text))

  it('warns of limits in a self-signed account', () => {
    const claims = identity.newAccountClaims(account.publicKey)
    claims.iss = account.publicKey
    only(validate(claims), 'warning', /self-signed/)
    assert.equal(identity.isBlocking(validate(claims), { includeTime: true }), false)
    for (const key of Object.keys(claims.nats.limits)) Reflect.deleteProperty(claims.nats.limits, key)
    assert.deepEqual(validate(claims), [])
  })
  it('checks activations and authorization claims', () => {
    only(validate(identity.newActivationClaims(account.publicKey)), 'error', /invalid import type/)
    const base = { jti: '', iat: 0, iss: '', sub: user.publicKey, aud: createKeyPair('server').publicKey }
    only(
      validate({ ...base, nats: { type: 'authorization_response', version: 2 } } as identity.Claims),
      'error',
      /Error or Jwt is required/,
    )
    only(
      validate({
        ...base,
        nats: { type: 'authorization_response', version: 2, jwt: 'x', error: 'y' },
      } as identity.Claims),
      'error',
      /Only Error or Jwt/,
    )
  })
})

describe('revocations', () => {
  it('cover what was issued up to their time', () => {
    const list = { [user.publicKey]: 100 }
    assert.deepEqual(
      [99, 100, 101].map((iat) => identity.isRevoked(list, user.publicKey, iat)),
      [true, true, false],
    )
    assert.equal(identity.isRevoked({ '*': 50 }, user.publicKey, 50), true)
    assert.deepEqual(identity.addRevocation(list, user.publicKey, 90), list)
    assert.deepEqual(identity.compactRevocations({ '*': 50, a: 50, b: 51 }), {
      list: { '*': 50, b: 51 },
      removed: ['a'],
    })
  })
})

describe('scoped signing keys', () => {
  const signing = createKeyPair('account')
  const expand = (template: Partial<identity.UserPermissionLimits>, tags: string[] = []) => {
    const claims = identity.newAccountClaims(account.publicKey, 'Acc')
    claims.nats.tags = ['region:eu']
    const scope = identity.newUserScope(signing.publicKey, 'r')
    Object.assign(scope.template, template)
    claims.nats.signing_keys = [scope]
    const scoped = identity.newScopedUserClaims(user.publicKey, 'joe')
    scoped.nats.issuer_account = account.publicKey
    scoped.nats.tags = tags
    scoped.iss = signing.publicKey
    return identity.expandUserPermissions(claims, scoped)
  }
  it('fill in every function', () => {
    const { pub } = expand({
      pub: {
        allow: [
          '{{name()}}',
          '{{ SUBJECT() }}',
          '{{account-name()}}.{{account-subject()}}',
          '{{account-tag(region)}}',
        ],
      },
    })
    assert.deepEqual(pub.allow, ['joe', user.publicKey, `Acc.${account.publicKey}`, 'eu'])
  })
  it('multiply tags, the first varying slowest', () => {
    const { sub } = expand({ sub: { allow: ['{{tag(a)}}.{{tag(b)}}'] } }, ['a:1', 'a:2', 'b:x', 'b:y'])
    assert.deepEqual(sub.allow, ['1.x', '1.y', '2.x', '2.y'])
  })
  it('deny everything where no allowed subject is left', () => {
    assert.deepEqual(expand({ pub: { allow: ['{{tag(none)}}'] } }).pub, { deny: ['>'] })
  })
  it('refuse what cannot be filled in', () => {
    const code = (wanted: string) => (error: unknown) =>
      error instanceof identity.IdentityError && error.code === wanted
    assert.throws(() => expand({ pub: { deny: ['{{tag(none)}}'] } }), code('template'))
    assert.throws(() => expand({ pub: { allow: ['{{nonsense()}}'] } }), code('template'))
    assert.throws(
      () =>
        expand(
          { pub: { allow: ['{{tag(a)}}.{{tag(b)}}'] } },
          [...Array(65).keys()].flatMap((i) => [`a:${i}`, `b:${i}`]),
        ),
      code('template'),
    )
  })
  it('drop queue entries beside a template', () => {
    assert.deepEqual(expand({ sub: { allow: ['{{name()}}', 'x q'] } }).sub.allow, ['joe'])
    assert.deepEqual(expand({ sub: { allow: ['y', 'x q'] } }).sub.allow, ['y', 'x q'])
  })
})

describe('the chain', () => {
  const operatorClaims = identity.newOperatorClaims(operator.publicKey, 'O')
  operatorClaims.nats.signing_keys = [operatorSigner.publicKey]
  const accountClaims = (): identity.AccountClaims => identity.newAccountClaims(account.publicKey, 'A')
  const signed = encode(accountClaims(), operatorSigner)
  const userToken = (change: (claims: identity.UserClaims) => void = () => {}, by = account): string => {
    const claims = identity.newUserClaims(user.publicKey, 'u')
    change(claims)
    return encode(claims, by)
  }
  const verify = (accountToken: string, token?: string, operators = [operatorClaims]) =>
    identity.verifyChain({
      operators,
      account: accountToken,
      ...(token === undefined ? {} : { user: token }),
    })
  const fails = (result: ReturnType<typeof verify>, link: string, code: string): void => {
    assert.equal(result.ok, false)
    assert.deepEqual(!result.ok && [result.link, result.code], [link, code])
  }
  it('holds', () => assert.equal(verify(signed, userToken()).ok, true))
  it('breaks at the link that is wrong', () => {
    fails(verify(signed, userToken(), []), 'operator', 'invalid')
    fails(verify(`${signed}x`), 'account', 'malformed')
    fails(verify(encode(accountClaims(), createKeyPair('operator'))), 'account', 'untrustedIssuer')
    fails(verify(encode({ ...accountClaims(), exp: 10 }, operator)), 'account', 'expired')
    fails(
      verify(
        signed,
        userToken((claims) => (claims.nats.issuer_account = account.publicKey), other),
      ),
      'user',
      'untrustedIssuer',
    )
    fails(
      verify(
        signed,
        userToken(() => {}, other),
      ),
      'user',
      'otherAccount',
    )
    fails(
      verify(
        signed,
        userToken((claims) => (claims.exp = 10)),
      ),
      'user',
      'expired',
    )
    fails(
      verify(
        signed,
        userToken((claims) => (claims.nats.src = ['x'])),
      ),
      'user',
      'invalid',
    )
    const revoking = accountClaims()
    revoking.nats.revocations = { [user.publicKey]: 9_999_999_999 }
    fails(verify(encode(revoking, operator), userToken()), 'user', 'revoked')
  })
  it('knows strict operators', () => {
    const strict = structuredClone(operatorClaims)
    strict.nats.strict_signing_key_usage = true
    fails(verify(encode(accountClaims(), operator), undefined, [strict]), 'account', 'untrustedIssuer')
    fails(verify(signed, userToken(), [strict]), 'user', 'untrustedIssuer')
  })
  it('verifies activations', () => {
    const exporter = identity.newAccountClaims(other.publicKey)
    exporter.nats.exports = [{ subject: 'p.>', type: 'stream', token_req: true }]
    const activation = (
      change: (claims: identity.ActivationClaims) => void = () => {},
      by = other,
    ): string => {
      const claims = identity.newActivationClaims(account.publicKey)
      claims.nats.subject = 'p.>'
      claims.nats.kind = 'stream'
      change(claims)
      return encode(claims, by)
    }
    const check = (token: string, from = exporter) => {
      const result = identity.verifyActivation({
        token,
        importer: account.publicKey,
        exporter: from,
        kind: 'stream',
        subject: 'p.x',
      })
      return result.ok ? 'ok' : result.code
    }
    assert.equal(check(activation()), 'ok')
    assert.equal(check('nonsense'), 'malformed')
    assert.equal(check(activation((claims) => (claims.sub = other.publicKey))), 'otherAccount')
    assert.equal(check(activation(() => {}, createKeyPair('account'))), 'untrustedIssuer')
    assert.equal(check(activation((claims) => (claims.nats.subject = 'q'))), 'invalid')
    assert.equal(check(activation((claims) => (claims.exp = 10))), 'expired')
    const revoked = structuredClone(exporter)
    revoked.nats.exports![0]!.revocations = { '*': 9_999_999_999 }
    assert.equal(check(activation(), revoked), 'revoked')
    for (const subject of ['foo.*', '*.foo', '>', 'foo']) {
      const claims = identity.newActivationClaims(account.publicKey)
      claims.iss = other.publicKey
      claims.nats.subject = subject
      assert.match(identity.activationHashId(claims), /^[A-Z2-7]{52}====$/)
    }
  })
})
