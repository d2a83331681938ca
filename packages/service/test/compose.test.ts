import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type AccountClaims,
  createKeyPair,
  decodeAccount,
  encode,
  type Import,
  newAccountClaims,
  validate,
} from '@ngs/identity/node'
import fc from 'fast-check'
import { checkComposed, compose, isDeletion } from '../src/accounts/compose.ts'
import { provenanceOf } from '../src/accounts/provenance.ts'
import { readPushedToken } from '../src/accounts/read.ts'
import { demoImports } from '../src/demo/account.ts'
import { defaultStrangerLimits, ServiceError } from '../src/index.ts'
import type { OwnKeys } from '../src/operator/keys.ts'
import { Catalogue } from '../src/plans/catalogue.ts'
import { nowSeconds } from './support.ts'

const catalogue = Catalogue.load()
const free = catalogue.find('free')
const business = catalogue.find('business')
const demo = createKeyPair('account').publicKey
const signer = createKeyPair('operator')
const owner = createKeyPair('account')
const other = createKeyPair('account')
const users = Array.from({ length: 4 }, () => createKeyPair('user').publicKey)
const spareKeys = Array.from({ length: 4 }, () => createKeyPair('account').publicKey)

/** What a token says once it was signed and read: the form in which claims are compared. */
const roundTrip = (claims: AccountClaims, by = owner): AccountClaims =>
  decodeAccount(encode(structuredClone(claims), by))
const signed = (base: AccountClaims, plan = free): AccountClaims =>
  roundTrip(compose(base, plan, demo).claims, signer)

const token = fc.stringMatching(/^[a-z0-9]{1,6}$/)
const subject = fc.array(token, { minLength: 2, maxLength: 4 }).map((tokens) => `x.${tokens.join('.')}`)
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
const seconds = fc.integer({ min: 1, max: 2_000_000_000 })
const int64 = fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n })
const revocations = fc.dictionary(fc.constantFrom('*', ...users), seconds, { minKeys: 1 })
const permission = fc.record(
  { allow: fc.array(subject, { minLength: 1, maxLength: 3 }) },
  { requiredKeys: [] },
)
const permissions = fc.record(
  { pub: permission, sub: permission, resp: fc.record({ max: fc.integer({ min: 1, max: 99 }), ttl: int64 }) },
  { requiredKeys: ['pub', 'sub'] },
)
const exported = fc.record(
  {
    name: text,
    subject,
    type: fc.constant('service' as const),
    token_req: fc.constant(true),
    revocations: fc.dictionary(fc.constantFrom('*', ...spareKeys), seconds, { minKeys: 1 }),
    response_type: fc.constantFrom('Singleton', 'Stream', 'Chunked'),
    response_threshold: int64,
    service_latency: fc.record({ sampling: fc.integer({ min: 0, max: 100 }), results: subject }),
    advertise: fc.constant(true),
    description: text,
    info_url: fc.constant('https://example.com/<a>&b'),
  },
  { requiredKeys: ['name', 'subject', 'type'] },
)
const imported: fc.Arbitrary<Import> = fc.record(
  {
    name: text,
    subject,
    account: fc.constant(other.publicKey),
    type: fc.constant('service' as const),
    share: fc.constant(true),
  },
  { requiredKeys: ['name', 'subject', 'account', 'type'] },
)
const scope = fc.record({
  kind: fc.constant('user_scope' as const),
  key: fc.constantFrom(...spareKeys),
  role: text,
  description: text,
  template: permissions.map((one) => ({
    ...one,
    subs: 5,
    data: -1,
    payload: 100,
    allowed_connection_types: ['WEBSOCKET'],
  })),
})
const body = fc.record(
  {
    exports: fc.uniqueArray(exported, { selector: (one) => one.subject, maxLength: 4 }),
    imports: fc.uniqueArray(imported, { selector: (one) => one.subject ?? '', maxLength: 4 }),
    signing_keys: fc.uniqueArray(fc.oneof(fc.constantFrom(...spareKeys), scope), {
      selector: (one) => (typeof one === 'string' ? one : one.key),
    }),
    revocations,
    default_permissions: permissions,
    mappings: fc.dictionary(
      subject,
      fc.array(fc.record({ subject, weight: fc.integer({ min: 1, max: 20 }), cluster: token }), {
        minLength: 1,
        maxLength: 3,
      }),
    ),
    authorization: fc.record({ auth_users: fc.constant(users), allowed_accounts: fc.constant(['*']) }),
    trace: fc.record({ dest: subject, sampling: fc.integer({ min: 1, max: 100 }) }),
    tags: fc.uniqueArray(token, { minLength: 1, maxLength: 3 }),
    description: text,
    info_url: fc.constant('https://example.com/'),
    limits: fc.record({
      subs: fc.integer(),
      data: int64,
      payload: fc.integer(),
      imports: fc.integer(),
      exports: fc.integer(),
      wildcards: fc.boolean(),
      conn: int64,
      leaf: fc.integer(),
      disk_storage: int64,
      mem_storage: fc.constant(-1),
      streams: fc.integer(),
      disallow_bearer: fc.boolean(),
    }),
  },
  { requiredKeys: [] },
)
const claimsOf = fc
  .record({ body, name: text, nbf: fc.option(seconds), exp: fc.option(fc.constant(4_000_000_000)) })
  .map(({ body, name, nbf, exp }) => {
    const claims = newAccountClaims(owner.publicKey, name)
    Object.assign(claims.nats, body)
    if (nbf !== null) claims.nbf = nbf
    if (exp !== null) claims.exp = exp
    return claims
  })

/** Everything but what the service decides. */
function ownersPart(claims: AccountClaims): unknown {
  const { limits, imports = [], ...nats } = structuredClone(claims.nats)
  return {
    name: claims.name,
    sub: claims.sub,
    nbf: claims.nbf,
    exp: claims.exp,
    aud: claims.aud,
    nats,
    imports: imports.filter((item) => item?.account !== demo),
    disallowBearer: limits.disallow_bearer === true,
  }
}

describe('signing what an owner pushes', () => {
  it('keeps every field of the owner, whatever it is', () => {
    fc.assert(
      fc.property(claimsOf, fc.constantFrom(...catalogue.plans), (pushed, plan) => {
        const base = roundTrip(pushed)
        assert.deepEqual(ownersPart(signed(base, plan)), ownersPart(base))
      }),
      { numRuns: 300 },
    )
  })

  it('sets the limits of the plan, whatever the owner wrote there', () => {
    fc.assert(
      fc.property(claimsOf, fc.constantFrom(...catalogue.plans), (pushed, plan) => {
        const { limits } = signed(roundTrip(pushed), plan).nats
        const { disallow_bearer: _, ...rest } = limits
        const expected = {
          subs: -1,
          exports: -1,
          wildcards: true,
          data: plan.limits.data,
          payload: plan.limits.payload,
        }
        assert.deepEqual(rest, {
          ...expected,
          imports: plan.limits.imports + 3,
          conn: plan.limits.connections,
          leaf: plan.limits.leaf_nodes,
        })
      }),
    )
  })

  it('comes to the same when its own result is signed again', () => {
    fc.assert(
      fc.property(claimsOf, (pushed) => {
        const once = signed(roundTrip(pushed))
        const twice = signed(once)
        assert.deepEqual(twice.nats, once.nats)
      }),
    )
  })
})

describe('the demonstration imports', () => {
  const wanted = demoImports(demo, owner.publicKey)
  const withImports = (...imports: Import[]): AccountClaims => {
    const claims = newAccountClaims(owner.publicKey, 'x')
    claims.nats.imports = imports
    return roundTrip(claims)
  }
  const demoOf = (claims: AccountClaims) =>
    (claims.nats.imports ?? []).filter((item) => item?.account === demo)

  it('are put in, and make a valid account', () => {
    const claims = signed(withImports())
    assert.deepEqual(demoOf(claims), wanted)
    assert.deepEqual(
      validate(claims).filter((issue) => issue.blocking),
      [],
    )
  })

  it('are restored when they were edited, doubled or removed', () => {
    const [active, echo, usage] = wanted as [Import, Import, Import]
    const edits: Import[][] = [
      [],
      [{ ...echo, local_subject: 'my.echo', share: true }],
      [active, echo, echo, usage],
      [{ ...usage, subject: `ngs.usage.${other.publicKey}` }],
      [{ name: 'all', subject: '>', account: demo, type: 'stream' }],
    ]
    for (const imports of edits) assert.deepEqual(demoOf(signed(withImports(...imports))), wanted)
  })

  it('give way to what an account has under their subjects', () => {
    const own = (local: string, type: 'stream' | 'service' = 'service'): Import => ({
      name: 'mine',
      subject: 'their.subject',
      local_subject: local,
      account: other.publicKey,
      type,
    })
    const names = (claims: AccountClaims) => demoOf(claims).map((item) => item?.name)
    assert.deepEqual(names(signed(withImports(own('ngs.echo')), business)), ['ngs.active', 'ngs.usage'])
    assert.deepEqual(names(signed(withImports(own('ngs.active', 'stream')), business)), [
      'ngs.echo',
      'ngs.usage',
    ])
    const wild = { ...own('ngs.>'), subject: 'their.>' }
    assert.deepEqual(names(signed(withImports(wild), business)), [])
    const prefixed: Import = { subject: 'active', to: 'ngs', account: other.publicKey, type: 'stream' }
    assert.deepEqual(names(signed(withImports(prefixed), business)), ['ngs.echo', 'ngs.usage'])
    const exporter = newAccountClaims(owner.publicKey, 'x')
    exporter.nats.exports = [{ name: 'e', subject: 'ngs.echo', type: 'service' }]
    assert.deepEqual(names(signed(roundTrip(exporter))), ['ngs.active', 'ngs.usage'])
    assert.equal(Number(signed(roundTrip(exporter)).nats.limits.imports), 2)
    exporter.nats.exports = [{ name: 'all', subject: '>', type: 'stream' }]
    assert.equal(demoOf(signed(roundTrip(exporter))).length, 3)
  })

  it('do not count against the plan', () => {
    const now = nowSeconds()
    checkComposed(compose(signed(withImports()), free, demo), free, now)
    const one: Import = { subject: 'a.b', account: other.publicKey, type: 'stream' }
    assert.throws(() => checkComposed(compose(withImports(one), free, demo), free, now), {
      code: 'over-plan',
      message: /plan Free allows no imports besides the demonstration ones, this account has 1/,
      remedy: ['remove this import:', `  stream import "a.b" of account ${other.publicKey}`],
    })
  })
})

describe('a signed token with anything in it', () => {
  // What no tool would write, but anybody can sign.
  const keys: OwnKeys = {
    operator: createKeyPair('operator'),
    signer,
    system: createKeyPair('account'),
    demo: createKeyPair('account'),
  }
  const signJson = (payload: object): string => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const text = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(payload)}`
    return `${text}.${Buffer.from(owner.sign(Buffer.from(text))).toString('base64url')}`
  }
  const odd = fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(
      null,
      '',
      0,
      -1,
      1e30,
      0.5,
      true,
      [],
      {},
      [null],
      [[]],
      [{}],
      { '': null },
      '>',
      '*',
      '$1',
      'a..b',
      ' ',
    ),
    fc.jsonValue({ maxDepth: 3 }),
  )
  const fields = [
    'imports',
    'exports',
    'limits',
    'signing_keys',
    'revocations',
    'default_permissions',
    'mappings',
    'authorization',
    'trace',
    'tags',
    'cluster_traffic',
    'description',
    'info_url',
  ]
  const members = [
    'name',
    'subject',
    'account',
    'type',
    'to',
    'local_subject',
    'token',
    'share',
    'revocations',
    'service_latency',
    'account_token_position',
    'key',
    'kind',
    'template',
    'weight',
  ]
  const item = fc.dictionary(
    fc.constantFrom(...members),
    fc.oneof(odd, fc.constantFrom('stream', 'service', 'user_scope', other.publicKey)),
    { maxKeys: 6 },
  )
  const oddBody = fc.dictionary(
    fc.constantFrom(...fields),
    fc.oneof(odd, fc.array(item, { maxLength: 3 }), item),
    { maxKeys: 5 },
  )
  const rarely = fc
    .option(odd, { freq: 1, nil: undefined })
    .chain((value) => fc.constantFrom(undefined, undefined, undefined, value))
  const payloads = fc.record({
    nats: fc.oneof({ weight: 1, arbitrary: fc.constant({}) }, { weight: 20, arbitrary: oddBody }),
    name: rarely,
    exp: rarely,
    nbf: rarely,
    iat: rarely,
    jti: rarely,
    aud: rarely,
  })

  it('is signed or refused, and never breaks the service or the chain', () => {
    let taken = 0
    fc.assert(
      fc.property(payloads, (payload) => {
        const token = signJson({
          ...payload,
          iat: payload.iat ?? nowSeconds(),
          iss: owner.publicKey,
          sub: owner.publicKey,
          nats: { ...payload.nats, type: 'account', version: 2 },
        })
        try {
          const claims = readPushedToken(token, owner.publicKey, defaultStrangerLimits)
          const now = nowSeconds()
          provenanceOf(keys, claims, token, null, now)
          const composed = compose(claims, free, demo)
          checkComposed(composed, free, now)
          const result = roundTrip(composed.claims, signer)
          assert.deepEqual(
            validate(result).filter((issue) => issue.level === 'error'),
            [],
          )
          assert.equal(result.nats.limits.conn, 10)
          assert.deepEqual(result.nats.limits.disk_storage, undefined)
          taken++
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error
        }
      }),
      { numRuns: 2000 },
    )
    assert.ok(taken > 50, `only ${taken} of them were good`)
  })

  it('is read or refused when its bytes are changed', () => {
    const token = signJson({
      iat: 1,
      iss: owner.publicKey,
      sub: owner.publicKey,
      nats: { type: 'account', version: 2 },
    })
    const edit = fc.record({ at: fc.nat(token.length), drop: fc.nat(8), put: fc.string({ maxLength: 8 }) })
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const text = edits.reduce(
          (old, { at, drop, put }) => old.slice(0, at) + put + old.slice(at + drop),
          token,
        )
        // Bits of the last base64 character that belong to no byte may differ.
        const bytes = (jwt: string): string =>
          jwt
            .split('.')
            .map((part) => Buffer.from(part, 'base64url').toString('hex'))
            .join('.')
        if (bytes(text) === bytes(token)) return
        assert.throws(() => readPushedToken(text, owner.publicKey, defaultStrangerLimits), ServiceError)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('the last word of an owner', () => {
  const leaving = (): AccountClaims => {
    const claims = newAccountClaims(owner.publicKey, 'x')
    claims.exp = nowSeconds() + 60
    claims.nats.imports = [{ subject: 'a.b', account: other.publicKey, type: 'stream' }]
    return roundTrip(claims)
  }
  it('is an expiry of about a minute', () => {
    assert.equal(isDeletion(leaving()), true)
    const later = newAccountClaims(owner.publicKey, 'x')
    assert.equal(isDeletion(roundTrip(later)), false)
    later.exp = nowSeconds() + 3600
    assert.equal(isDeletion(roundTrip(later)), false)
  })
  it('is heard also of an account that does not fit its plan, and from a slow clock', () => {
    const composed = compose(leaving(), free, demo)
    checkComposed(composed, free, nowSeconds())
    checkComposed(composed, free, nowSeconds() + 3600)
  })
})
