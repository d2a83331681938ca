// Random sets of accounts that share with each other, and two users of them. A plan is plain data, so that failures shrink.
import fc from 'fast-check'
import {
  type AccountClaims,
  createKeyPair,
  type Export,
  encode,
  type Import,
  isSubsetMatch,
  type KeyPair,
  newAccountClaims,
  newActivationClaims,
  newScopedUserClaims,
  newUserClaims,
  newUserScope,
  type Permissions,
  subjectsOverlap,
  type UserClaims,
} from '../../src/node.ts'

// --- plans -----------------------------------------------------------------------------------------------------------

const letter = fc.constantFrom('a', 'b', 'c')
const literal = fc.array(letter, { minLength: 1, maxLength: 3 }).map((tokens) => tokens.join('.'))
const pattern = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: letter }, { weight: 2, arbitrary: fc.constant('*') }), {
      minLength: 1,
      maxLength: 3,
    }),
    fc.boolean(),
  )
  .map(([tokens, tail]) => (tail ? [...tokens.slice(0, 2), '>'] : tokens).join('.'))

/** Null `weight` times as often as a value. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>, weight = 12): fc.Arbitrary<T | null> =>
  fc.oneof({ weight, arbitrary: fc.constant(null) }, { weight: 1, arbitrary })
const often = <T>(arbitrary: fc.Arbitrary<T>, weight = 3): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight, arbitrary })
/** The first one `weight` times as often as each of the others. */
const mostly = <T>(weight: number, usual: T, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, ...others.map((other) => fc.constant(other)))

const exportPlan = fc.record({
  kind: fc.constantFrom('stream', 'service'),
  subject: pattern,
  access: mostly(3, 'public', 'private', 'private', 'position'),
  revoked: mostly(9, 'no', 'key', 'all', 'before'),
})

const importPlan = fc.record({
  /** How many accounts further on the exporter is: imports never go back, so nothing goes round. */
  ahead: mostly(3, 1, 2),
  /** Which of its exports. */
  pick: fc.nat(3),
  subject: mostly(5, 'exact', 'narrow', 'narrow', 'stray'),
  stray: pattern,
  /** Letters for wildcards that are narrowed down. */
  letters: fc.array(letter, { minLength: 4, maxLength: 4 }),
  local: fc.constantFrom('same', 'same', 'prefix', 'turned', 'literal', 'old'),
  activation: fc.oneof(
    { weight: 20, arbitrary: mostly(8, 'good', 'none', 'expired', 'signingKey', 'lostKey') },
    { weight: 1, arbitrary: fc.constantFrom('foreign', 'otherAccount') },
  ),
})

const mappingPlan = fc.record({
  source: pattern,
  target: fc.constantFrom('turned', 'prefix', 'literal', 'partition'),
})

const lists = fc.record({
  pubAllow: rarely(fc.array(pattern, { minLength: 1, maxLength: 3 }), 4),
  pubDeny: rarely(pattern, 4),
  subAllow: rarely(fc.array(pattern, { minLength: 1, maxLength: 3 }), 3),
  subDeny: rarely(pattern, 4),
  queue: fc.boolean(),
  inbox: fc.boolean(),
  responses: fc.boolean(),
})

const accountPlan = fc.record({
  exports: fc.array(exportPlan, { minLength: 1, maxLength: 3 }),
  imports: fc.array(importPlan, { minLength: 1, maxLength: 3 }),
  mappings: rarely(fc.array(mappingPlan, { minLength: 1, maxLength: 2 }), 3),
  defaults: rarely(lists),
  conn: rarely(fc.integer({ min: 0, max: 2 }), 30),
  subs: rarely(fc.constantFrom(0, 10), 40),
  revoked: mostly(50, 'no', 'from', 'to', 'all', 'before'),
  validity: mostly(40, 'good', 'expired'),
  noBearer: rarely(fc.constant(true)),
})

const userPlan = fc.record({
  account: fc.nat(3),
  permissions: rarely(lists, 1),
  signer: mostly(20, 'account', 'key', 'key', 'key', 'role', 'role', 'role', 'role', 'stranger'),
  validity: mostly(60, 'good', 'expired', 'early'),
  subs: rarely(fc.constantFrom(0, 10), 40),
  bearer: rarely(fc.constant(true)),
})

export const caseArbitrary = fc.record({
  accounts: fc.array(accountPlan, { minLength: 2, maxLength: 4 }),
  from: userPlan,
  to: userPlan,
  /** Subjects that have something to do with an import are the interesting ones. */
  aim: often(
    fc.record({
      import: fc.nat(8),
      letters: fc.array(letter, { minLength: 4, maxLength: 4 }),
      between: mostly(4, true, false),
    }),
    6,
  ),
  subject: literal,
  request: fc.boolean(),
})

export type Plan = typeof caseArbitrary extends fc.Arbitrary<infer T> ? T : never
type Lists = typeof lists extends fc.Arbitrary<infer T> ? T : never

// --- claims ----------------------------------------------------------------------------------------------------------

export interface BuiltUser {
  claims: UserClaims
  token: string
  key: KeyPair
  /** Servers let it in, and a moment later close its connection. */
  noSubscriptions: boolean
}

export interface Built {
  accounts: AccountClaims[]
  tokens: string[]
  /** Seeds of accounts and their signing keys. */
  keys: KeyPair[]
  from: BuiltUser
  to: BuiltUser
  subject: string
  request: boolean
  /** Told apart by it from the messages of other cases. */
  id: string
  /** What the permissions of the receiver name, wherever they come from. */
  subscriptions: string[]
}

const HOUR = 3600
let cases = 0

/** Makes keys and tokens of a plan. */
export function build(plan: Plan, operator: KeyPair): Built {
  const now = Math.floor(Date.now() / 1000)
  const keys = plan.accounts.map(() => ({
    account: createKeyPair('account'),
    plain: createKeyPair('account'),
    role: createKeyPair('account'),
    lost: createKeyPair('account'),
  }))
  const claims = plan.accounts.map(({ exports }, index) => {
    const account = newAccountClaims(keys[index]!.account.publicKey, `A${index}`)
    account.nats.signing_keys = [keys[index]!.plain.publicKey]
    const made = exports.reduce<Export[]>((list, item) => addExport(list, item), [])
    if (made.length > 0) account.nats.exports = made
    return account
  })
  const imports: { index: number; item: Import }[] = []
  for (const [index, account] of claims.entries()) {
    for (const item of plan.accounts[index]!.imports) {
      const target = claims[index + item.ahead]
      if (!target) continue
      const made = importOf(account, target, item, keys[index + item.ahead]!, now)
      if (!made || collides(account.nats.imports ?? [], made)) continue
      account.nats.imports = [...(account.nats.imports ?? []), made]
      imports.push({ index, item: made })
    }
  }
  for (const [index, account] of claims.entries()) revokeGrants(account, plan.accounts[index]!, claims, now)

  // Users of the two accounts of an import, on the sides on which it makes a difference.
  const chosen = plan.aim?.between ? imports[plan.aim.import % Math.max(imports.length, 1)] : undefined
  if (chosen) {
    const exporter = claims.findIndex(({ sub }) => sub === chosen.item.account)
    const ends = chosen.item.type === 'service' ? [chosen.index, exporter] : [exporter, chosen.index]
    plan = { ...plan, from: { ...plan.from, account: ends[0]! }, to: { ...plan.to, account: ends[1]! } }
  }
  const users = [plan.from, plan.to].map((user, which) => {
    const index = user.account % claims.length
    return makeUser(user, which === 0 ? 'from' : 'to', claims[index]!, keys[index]!, now)
  })
  for (const [index, account] of claims.entries())
    finish(account, plan.accounts[index]!, plan, users, claims, now)
  const tokens = claims.map((account) => encode(account, operator))
  for (const account of claims) account.iss = operator.publicKey
  const [from, to] = users as [BuiltUser, BuiltUser]
  for (const [user, { account }] of [
    [from, plan.from],
    [to, plan.to],
  ] as const)
    if (claims[account % claims.length]!.nats.limits.subs === 0) user.noSubscriptions = true
  const id = `case${process.pid}-${cases++}`
  const target = claims[plan.to.account % claims.length]!.nats
  const roles = (target.signing_keys ?? []).flatMap((key) => (typeof key === 'string' ? [] : [key.template]))
  const subscriptions = [to.claims.nats, target.default_permissions, ...roles].flatMap(
    ({ sub }) => sub.allow ?? [],
  )
  return {
    accounts: claims,
    tokens,
    keys: keys.flatMap((each) => Object.values(each)),
    from,
    to,
    subject: aimed(plan, imports),
    request: plan.request,
    id,
    subscriptions,
  }
}

/** Exports of one kind must not contain one another. */
function addExport(list: Export[], plan: Plan['accounts'][number]['exports'][number]): Export[] {
  const kind = plan.kind as 'stream' | 'service'
  if (list.some((other) => other.type === kind && subjectsOverlap(other.subject ?? '', plan.subject)))
    return list
  const made: Export = { name: plan.subject, subject: plan.subject, type: kind }
  const star = plan.subject.split('.').indexOf('*')
  if (plan.access === 'private') made.token_req = true
  if (plan.access === 'position' && star >= 0) made.account_token_position = star + 1
  return [...list, made]
}

function narrowed(subject: string, letters: readonly string[]): string {
  return subject
    .split('.')
    .map((token, at) => (token === '*' || token === '>' ? (letters[at] ?? 'a') : token))
    .join('.')
}

function importOf(
  importer: AccountClaims,
  exporter: AccountClaims,
  plan: Plan['accounts'][number]['imports'][number],
  keys: { account: KeyPair; plain: KeyPair; lost: KeyPair },
  now: number,
): Import | null {
  const exports = exporter.nats.exports ?? []
  const shared = exports[plan.pick % Math.max(exports.length, 1)]
  let subject = shared?.subject ?? plan.stray
  const kind = shared?.type === 'service' ? 'service' : 'stream'
  if (plan.subject === 'narrow') subject = narrowed(subject, plan.letters)
  else if (plan.subject === 'stray') subject = plan.stray
  const position = Number(shared?.account_token_position ?? 0)
  if (position > 0 && plan.subject !== 'stray') {
    const tokens = subject.split('.')
    if (plan.letters[0] !== 'c') tokens[position - 1] = importer.sub
    subject = tokens.join('.')
  }
  const made: Import = { name: `${kind} ${subject}`, subject, account: exporter.sub, type: kind }
  const local = localName(subject, plan.local)
  if (local !== null) made.local_subject = local
  else if (plan.local === 'old' && kind === 'stream') made.to = 'old'
  if (!shared?.token_req || plan.activation === 'none') return made
  const foreign = createKeyPair('account')
  const holder = plan.activation === 'otherAccount' ? foreign.publicKey : importer.sub
  const activation = newActivationClaims(holder, subject)
  activation.nats.subject = plan.letters[1] === 'a' ? subject : (shared.subject ?? subject)
  if (!isSubsetMatch(subject, activation.nats.subject)) activation.nats.subject = subject
  activation.nats.kind = kind
  if (plan.activation === 'expired') activation.exp = now - HOUR
  // A stranger's token names another account, which makes the importer's own token invalid; a key that the exporter does not list
  // (any more) is the quiet way to be untrusted.
  const signers = { foreign, signingKey: keys.plain, lostKey: keys.lost } as Record<string, KeyPair>
  const signer = signers[plan.activation] ?? keys.account
  if (signer !== keys.account && signer !== foreign) activation.nats.issuer_account = exporter.sub
  made.token = encode(activation, signer)
  return made
}

function localName(subject: string, form: string): string | null {
  const tokens = subject.split('.')
  const tail = tokens.at(-1) === '>'
  const stars = tokens.filter((token) => token === '*').length
  if (form === 'prefix') return `x.${numbered(tokens)}`
  if (form === 'turned' && stars > 0) {
    const turned = Array.from({ length: stars }, (_, index) => `$${stars - index}`)
    return [...turned, 'y', ...(tail ? ['>'] : [])].join('.')
  }
  if (form === 'literal' && stars === 0 && !tail) return 'z'
  return null
}

function numbered(tokens: readonly string[]): string {
  let star = 0
  return tokens.map((token) => (token === '*' ? `$${++star}` : token)).join('.')
}

/** Two streams of one name and account, and services that overlap, are refused in ways that hang on the order of things. */
function collides(imports: readonly (Import | null)[], made: Import): boolean {
  const local = (item: Import) => (item.local_subject ?? item.subject ?? '').replace(/\$\d+/g, '*')
  return imports.some(
    (item) =>
      item !== null &&
      item.type === made.type &&
      item.account === made.account &&
      (item.subject === made.subject || subjectsOverlap(local(item), local(made))),
  )
}

function revokeGrants(
  account: AccountClaims,
  plan: Plan['accounts'][number],
  all: readonly AccountClaims[],
  now: number,
): void {
  for (const shared of account.nats.exports ?? []) {
    const { revoked } = plan.exports.find(({ subject }) => subject === shared?.subject) ?? { revoked: 'no' }
    if (!shared || revoked === 'no') continue
    const at = revoked === 'before' ? now - HOUR : now + HOUR
    const names = revoked === 'all' ? ['*'] : all.map(({ sub }) => sub)
    shared.revocations = Object.fromEntries(names.map((name) => [name, at]))
  }
}

function permissionsOf(plan: Lists): Permissions {
  const inbox = plan.inbox ? ['_INBOX.>', '_R_.>'] : []
  const queue = (subject: string, index: number) => (plan.queue && index === 0 ? `${subject} q` : subject)
  return {
    pub: {
      ...(plan.pubAllow ? { allow: [...plan.pubAllow, ...inbox] } : {}),
      ...(plan.pubDeny ? { deny: [plan.pubDeny] } : {}),
    },
    sub: {
      ...(plan.subAllow ? { allow: [...plan.subAllow.map(queue), ...inbox] } : {}),
      ...(plan.subDeny ? { deny: [plan.subDeny] } : {}),
    },
    // Without a bound: every copy that a receiver with several subscriptions gets would count as an answer.
    ...(plan.responses ? { resp: { max: -1, ttl: 0 } } : {}),
  }
}

function makeUser(
  plan: Plan['from'],
  name: string,
  account: AccountClaims,
  keys: { account: KeyPair; plain: KeyPair; role: KeyPair; lost: KeyPair },
  now: number,
): BuiltUser {
  const key = createKeyPair('user')
  const isRole = plan.signer === 'role'
  const claims = isRole ? newScopedUserClaims(key.publicKey, name) : newUserClaims(key.publicKey, name)
  const permissions = plan.permissions ? permissionsOf(plan.permissions) : { pub: {}, sub: {} }
  if (isRole) {
    const known = (account.nats.signing_keys ?? []).some((each) => typeof each !== 'string')
    if (!known) {
      const scope = newUserScope(keys.role.publicKey)
      scope.role = 'r'
      Object.assign(scope.template, permissions)
      account.nats.signing_keys = [...(account.nats.signing_keys ?? []), scope]
    }
  } else {
    Object.assign(claims.nats, permissions)
    if (plan.subs !== null) claims.nats.subs = plan.subs
    if (plan.bearer) claims.nats.bearer_token = true
  }
  if (plan.validity === 'expired') claims.exp = now - HOUR
  if (plan.validity === 'early') claims.nbf = now + HOUR
  const signers = { key: keys.plain, role: keys.role, stranger: keys.lost } as Record<string, KeyPair>
  const signer = signers[plan.signer] ?? keys.account
  if (signer !== keys.account) claims.nats.issuer_account = account.sub
  const token = encode(claims, signer)
  return {
    claims: { ...claims, iss: signer.publicKey, iat: now },
    token,
    key,
    noSubscriptions: plan.subs === 0 && !isRole,
  }
}

function finish(
  account: AccountClaims,
  plan: Plan['accounts'][number],
  whole: Plan,
  users: readonly BuiltUser[],
  all: readonly AccountClaims[],
  now: number,
): void {
  const { nats } = account
  const mine = [whole.from, whole.to].some((user) => all[user.account % all.length] === account)
  if (plan.mappings) {
    const mappings: NonNullable<typeof nats.mappings> = {}
    for (const { source, target } of plan.mappings) {
      // The order of mappings in a token means nothing, so they must not overlap.
      if (Object.keys(mappings).some((other) => subjectsOverlap(other, source))) continue
      mappings[source] = [{ subject: mappingTarget(source, target) }]
    }
    nats.mappings = mappings
  }
  if (plan.defaults) nats.default_permissions = permissionsOf(plan.defaults)
  if (plan.conn !== null) nats.limits.conn = plan.conn
  if (plan.subs !== null) nats.limits.subs = plan.subs
  if (plan.noBearer) nats.limits.disallow_bearer = true
  if (plan.revoked !== 'no') {
    const which = plan.revoked === 'from' ? 0 : 1
    const at = plan.revoked === 'before' ? now - HOUR : now + HOUR
    nats.revocations = { [plan.revoked === 'all' ? '*' : users[which]!.claims.sub]: at }
  }
  // An account in between that has expired is another matter: nobody connects to it, and servers go on with what they have.
  if (plan.validity === 'expired' && mine) account.exp = now - HOUR
}

function mappingTarget(source: string, form: string): string {
  const tokens = source.split('.')
  const tail = tokens.at(-1) === '>' ? '.>' : ''
  const stars = tokens.filter((token) => token === '*').length
  if (form === 'prefix') return `a.${numbered(tokens)}`
  if (form === 'turned' && stars > 0)
    return `${Array.from({ length: stars }, (_, index) => `$${stars - index}`).join('.')}${tail}`
  if (form === 'partition' && stars > 0) return `p.{{partition(3,1)}}${tail}`
  return `b.c${tail}`
}

/** The subject of the case: in the names of some import, where the plan aims at one. */
function aimed(plan: Plan, imports: readonly { index: number; item: Import }[]): string {
  if (plan.aim === null) return plan.subject
  const chosen = imports[plan.aim.import % Math.max(imports.length, 1)]
  if (!chosen) return plan.subject
  const { item } = chosen
  const subject = item.type === 'service' ? (item.local_subject ?? item.subject) : item.subject
  return narrowed((subject ?? '').replace(/\$\d+/g, '*'), plan.aim.letters)
}
