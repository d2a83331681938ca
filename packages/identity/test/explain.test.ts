// What explain says where chance, chains, or something unknown is on the way. That it is right is shown in explain-agrees.test.ts.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type AccountClaims,
  createKeyPair,
  encode,
  explain,
  type Import,
  newAccountClaims,
  newOperatorClaims,
  newUserClaims,
  type UserClaims,
} from '../src/index.ts'

const operatorKey = createKeyPair('operator')
const operator = newOperatorClaims(operatorKey.publicKey, 'O')
const now = Math.floor(Date.now() / 1000)

interface Side {
  account: AccountClaims
  user: UserClaims
}

/** An account with one user, both signed as they should be. */
function side(name: string, change: (side: Side) => void = () => {}): Side {
  const key = createKeyPair('account')
  const account = newAccountClaims(key.publicKey, name)
  const user = newUserClaims(createKeyPair('user').publicKey, 'u')
  account.iss = operatorKey.publicKey
  user.iss = key.publicKey
  user.iat = now
  const made = { account, user }
  change(made)
  return made
}

function shares(
  exporter: Side,
  importer: Side,
  kind: 'stream' | 'service',
  subject: string,
  local?: string,
): void {
  exporter.account.nats.exports = [...(exporter.account.nats.exports ?? []), { type: kind, subject }]
  const item: Import = {
    type: kind,
    subject,
    account: exporter.account.sub,
    ...(local ? { local_subject: local } : {}),
  }
  importer.account.nats.imports = [...(importer.account.nats.imports ?? []), item]
}

const ask = (from: Side, to: Side, subject: string, more: Partial<Parameters<typeof explain>[0]> = {}) =>
  explain({
    operators: [operator],
    accounts: [...new Set([from.account, to.account])],
    from: from.user,
    to: to.user,
    subject,
    now,
    ...more,
  })

describe('explain', () => {
  it('takes weights of mappings for a chance', () => {
    const a = side('A', ({ account }) => {
      account.nats.mappings = {
        x: [
          { subject: 'y', weight: 30 },
          { subject: 'z', weight: 50 },
        ],
      }
    })
    const to = side('A')
    to.account = a.account
    to.user.iss = a.account.sub
    assert.deepEqual([ask(a, to, 'x').reaches, ask(a, to, 'x').chance], [true, 100])
    to.user.nats.sub.allow = ['y', 'x']
    assert.deepEqual([ask(a, to, 'x').reaches, ask(a, to, 'x').chance], [true, 50])
    a.account.nats.mappings = { x: [{ subject: 'x', weight: 80 }] }
    assert.deepEqual([ask(a, to, 'x').reaches, ask(a, to, 'x').chance], [true, 80])
    to.user.nats.sub.allow = ['q']
    assert.deepEqual([ask(a, to, 'x').reaches, ask(a, to, 'x').chance], [false, 0])
  })

  it('follows a request over several accounts, and its answer back', () => {
    const [a, b, c] = [side('A'), side('B'), side('C')]
    shares(c, b, 'service', 'c.*', 'b.*')
    shares(b, a, 'service', 'b.*', 'a.*')
    const more = { accounts: [a.account, b.account, c.account], request: true }
    const explained = ask(a, c, 'a.1', more)
    assert.equal(explained.reaches, true)
    assert.deepEqual(explained.received, { subject: 'c.1', by: 'c.1', queue: null })
    b.account.nats.mappings = { '_R_.>': [{ subject: 'gone.>' }] }
    const lost = ask(a, c, 'a.1', more)
    assert.deepEqual([lost.reaches, lost.steps.find(({ ok }) => !ok)?.stage], [false, 'reply'])
    assert.equal(lost.fix, 'nsc delete mapping --account B --from "_R_.>"')
  })

  it('does not take a request into the streams of the account that serves it', () => {
    const [a, b, c] = [side('A'), side('B'), side('C')]
    shares(b, a, 'service', 's')
    shares(b, c, 'stream', 's')
    assert.equal(ask(a, c, 's', { accounts: [a.account, b.account, c.account] }).reaches, false)
    assert.equal(ask(b, c, 's').reaches, true)
  })

  it('ends where imports go round, and where they are without number', () => {
    const [a, b] = [side('A'), side('B')]
    shares(a, b, 'service', 'x')
    shares(b, a, 'service', 'x')
    assert.equal(ask(a, b, 'x', { request: true }).reaches, true)
    const many = Array.from({ length: 12 }, (_, index) => side(`N${index}`))
    for (const exporter of many) exporter.account.nats.exports = [{ type: 'service', subject: '>' }]
    for (const importer of many)
      importer.account.nats.imports = many
        .filter((other) => other !== importer)
        .map((other) => ({ type: 'service', subject: '>', account: other.account.sub }))
    const end = side('End')
    const explained = ask(many[0]!, end, 'x', {
      accounts: [...many, end].map(({ account }) => account),
      request: true,
    })
    assert.equal(explained.reaches, false)
    assert.match(explained.notes.join('\n'), /more ways than/)
  })

  it('says which account is not known', () => {
    const [a, b] = [side('A'), side('B')]
    assert.throws(
      () => ask(a, b, 'x', { accounts: [a.account] }),
      /account A\w+ of the user u \(to\) is not known/,
    )
    const stranger = side('S')
    a.account.nats.imports = [{ type: 'service', subject: 'x', account: stranger.account.sub }]
    const explained = ask(a, b, 'x', { request: true })
    assert.match(
      explained.notes.join('\n'),
      new RegExp(`on to the account ${stranger.account.sub}, which is not known`),
    )
    assert.throws(() => ask(a, b, 'x.*'), /not a subject that one can publish to/)
  })

  it('names the queue group that a receiver has to join, and the wider subscription that servers let pass', () => {
    const a = side('A')
    const to = side('A', ({ user }) => {
      user.nats.sub.allow = ['jobs.> workers']
    })
    to.account = a.account
    to.user.iss = a.account.sub
    assert.deepEqual(ask(a, to, 'jobs.1').received, { subject: 'jobs.1', by: 'jobs.1', queue: 'workers' })
    to.user.nats.sub.allow = ['news.*']
    assert.deepEqual(ask(a, to, 'news.ca.east').received, {
      subject: 'news.ca.east',
      by: 'news.>',
      queue: null,
    })
    to.user.nats.sub.deny = ['news.ca.>']
    assert.equal(ask(a, to, 'news.ca.east').reaches, false)
  })

  it('does not believe accounts of other operators, and all of them where no operator is given', () => {
    const [a, b] = [side('A'), side('B')]
    shares(a, b, 'stream', 'x')
    b.account.iss = createKeyPair('operator').publicKey
    const explained = ask(a, b, 'x')
    assert.match(explained.steps.find(({ ok }) => !ok)?.text ?? '', /is no key of the operator/)
    assert.equal(ask(a, b, 'x', { operators: [] }).reaches, true)
  })

  it('asks for a push of an account that only its own key has signed, where a service signs', () => {
    const [a, b] = [side('A'), side('B')]
    b.account.iss = b.account.sub
    const managed = structuredClone(operator)
    managed.nats.account_server_url = 'https://accounts.example.com/jwt/v1'
    assert.equal(ask(a, b, 'x', { operators: [managed] }).fix, 'nsc push --account B')
    managed.nats.account_server_url = 'nats://127.0.0.1:4222'
    assert.equal(ask(a, b, 'x', { operators: [managed] }).fix, 'nsc edit account --name B --expiry 0')
  })

  it('decides as of a given time', () => {
    const [a, b] = [side('A'), side('B')]
    shares(a, b, 'stream', 'x')
    b.user.exp = now + 100
    assert.equal(ask(a, b, 'x').reaches, true)
    const later = ask(a, b, 'x', { now: now + 200 })
    assert.equal(later.fix, 'nsc edit user --account B --name u --expiry 0')
  })

  it('works on tokens that come from encode and decode alike', () => {
    const key = createKeyPair('account')
    const account = newAccountClaims(key.publicKey, 'A')
    const user = newUserClaims(createKeyPair('user').publicKey, 'u')
    encode(account, operatorKey)
    encode(user, key)
    assert.doesNotThrow(() =>
      explain({
        accounts: [account],
        from: { ...user, iss: key.publicKey },
        to: { ...user, iss: key.publicKey },
        subject: 'x',
      }),
    )
  })
})
