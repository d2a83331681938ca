import assert from 'node:assert/strict'
import fs from 'node:fs'
import { type TestContext, test } from 'node:test'
import { decodeActivation } from '@ngs/identity/node'
import { Sandbox } from './support/sandbox.ts'
import { KEYS, needsTerminal, Terminal } from './support/terminal.ts'

const { enter, down, space, interrupt, erase } = KEYS
const options = { ...needsTerminal, timeout: 120_000 }

/** A store with an operator O and the accounts A and B. */
async function store(t: TestContext): Promise<Sandbox> {
  const sandbox = Sandbox.create(t, 'ours')
  await sandbox.ok(['add', 'operator', '--name', 'O'])
  await sandbox.ok(['add', 'account', '--name', 'A'])
  await sandbox.ok(['add', 'account', '--name', 'B'])
  return sandbox
}

test(
  'add account -i asks for name, key and dates, and refuses a taken name while it is typed',
  options,
  async (t) => {
    const sandbox = await store(t)
    const terminal = new Terminal(sandbox, ['add', 'account', '-i'])
    await terminal.answer('account name', 'a')
    await terminal.see('the account "a" is there already')
    terminal.type(`${erase}C${enter}`)
    await terminal.answer("generate the account's key?", enter)
    await terminal.answer('valid from', enter)
    await terminal.answer('valid until', 'soon')
    await terminal.see('soon')
    terminal.type(`${erase}1y${enter}`)
    const { code, screen } = await terminal.exit()
    assert.equal(code, 0, screen)
    assert.match(screen, /\[ OK \] added account "C"/)
    const { exp = 0, iat, nbf } = sandbox.claims('O', 'C')
    assert.ok(exp > iat + 360 * 86_400)
    assert.equal(nbf, undefined)
  },
)

test('at a terminal only what is missing is asked for', options, async (t) => {
  const sandbox = await store(t)
  await sandbox.ok(['add', 'user', '--account', 'B', '--name', 'first'])
  const terminal = new Terminal(sandbox, ['add', 'user', '--account', 'B'])
  await terminal.answer('user name', 'first')
  await terminal.see('the user "first" is there already')
  terminal.type(`${erase}second${enter}`)
  const { code, screen } = await terminal.exit()
  assert.equal(code, 0, screen)
  assert.doesNotMatch(screen, /valid from|generate the/)
  sandbox.claims('O', 'B', 'second')

  const describe = new Terminal(sandbox, ['describe', 'user', '--account', 'B', '--field', 'name'])
  await describe.answer('user', down, enter)
  const described = await describe.exit()
  assert.equal(described.code, 0, described.screen)
  assert.match(described.screen, /"second"/)
})

test('several operators and none chosen: the terminal asks which', options, async (t) => {
  const sandbox = await store(t)
  await sandbox.ok(['add', 'operator', '--name', 'P'])
  const config = JSON.parse(sandbox.read('.config/nats/nsc/nsc.json'))
  fs.writeFileSync(
    sandbox.path('.config/nats/nsc/nsc.json'),
    JSON.stringify({ ...config, operator: '', account: '' }),
  )
  const terminal = new Terminal(sandbox, ['describe', 'account', '--field', 'name'])
  await terminal.answer('operator', enter)
  await terminal.answer('account', down, enter)
  const { code, screen } = await terminal.exit()
  assert.equal(code, 0, screen)
  assert.match(screen, /"B"/)
})

test(
  'a private export is made and imported from a list, with an activation token of its own',
  options,
  async (t) => {
    const sandbox = await store(t)
    const adding = new Terminal(sandbox, ['add', 'export', '-i'])
    await adding.answer('account', enter)
    await adding.see('export a')
    adding.type(down)
    adding.type(enter)
    await adding.answer('subject', 'orders. bad')
    await adding.see('orders. bad')
    adding.type(`${erase}orders.>${enter}`)
    await adding.answer('name of the export', enter)
    await adding.answer('private?', 'y')
    await adding.answer('measure the latency', 'n')
    await adding.answer('replies per request', down, enter)
    await adding.answer('longest time between replies', `2s${enter}`)
    await adding.answer('let messages be traced', 'n')
    const added = await adding.exit()
    assert.equal(added.code, 0, added.screen)
    const [exporter] = ['A', 'B'].filter((name) => sandbox.claims('O', name).nats.exports)
    const exported = sandbox.claims('O', exporter as string).nats.exports[0]
    assert.deepEqual(
      [
        exported.type,
        exported.subject,
        exported.token_req,
        exported.response_type,
        exported.response_threshold,
      ],
      ['service', 'orders.>', true, 'Stream', 2_000_000_000],
    )

    const importer = exporter === 'A' ? 'B' : 'A'
    const importing = new Terminal(sandbox, ['add', 'import', '--account', importer])
    await importing.see(`${exporter}: orders.>`)
    importing.type(enter)
    const imported = await importing.exit()
    assert.equal(imported.code, 0, imported.screen)
    const entry = sandbox.claims('O', importer).nats.imports[0]
    assert.equal(entry.subject, 'orders.>')
    const activation = decodeActivation(entry.token)
    assert.deepEqual(
      [activation.sub, activation.iss],
      [sandbox.key('O', importer), sandbox.key('O', exporter as string)],
    )
    await sandbox.ok(['validate', '--all-accounts'])
  },
)

test('edit account -i shows what is there and changes what was changed', options, async (t) => {
  const sandbox = await store(t)
  await sandbox.ok(['edit', 'account', 'A', '--conns', '7', '--tag', 'blue'])
  const before = sandbox.claims('O', 'A').nats
  const terminal = new Terminal(sandbox, ['edit', 'account', '-i', '--name', 'A'])
  await terminal.answer('add a signing key?', 'y')
  await terminal.answer('signing key:', `generate${enter}`)
  await terminal.answer('max connections', erase, 'many')
  await terminal.see('many')
  terminal.type(`${erase}9${enter}`)
  for (const limit of ['leaf node', 'data in bytes', 'exports', 'imports', 'payload', 'subscriptions'])
    await terminal.answer(`max ${limit === 'payload' ? 'message payload' : limit}`, enter)
  await terminal.answer('change JetStream limits?', 'n')
  await terminal.answer('valid from', enter)
  await terminal.answer('valid until', enter)
  await terminal.answer('add tags', `green${enter}`)
  await terminal.answer('remove tags (blue)?', 'y')
  await terminal.answer('tags to remove', space, enter)
  await terminal.answer('description', `all of it${enter}`)
  await terminal.answer('link to more', enter)
  await terminal.answer('trace messages', 'n')
  const { code, screen } = await terminal.exit()
  assert.equal(code, 0, screen)
  const { nats } = sandbox.claims('O', 'A')
  assert.equal(nats.signing_keys.length, 1)
  assert.deepEqual(
    [nats.limits, nats.tags, nats.description],
    [{ ...before.limits, conn: 9 }, ['green'], 'all of it'],
  )
})

test('delete user -i lists the users and asks before it deletes', options, async (t) => {
  const sandbox = await store(t)
  for (const name of ['u1', 'u2', 'u3']) await sandbox.ok(['add', 'user', '--account', 'A', '--name', name])
  const gone = sandbox.key('O', 'A', 'u2')
  const terminal = new Terminal(sandbox, ['delete', 'user', '-i', '--account', 'A'])
  await terminal.answer('users to delete', down, space, enter)
  await terminal.answer('revoke them?', 'y')
  await terminal.answer('delete the keys', 'n')
  await terminal.answer('delete the creds files', 'y')
  await terminal.answer('delete u2?', 'y')
  const { code, screen } = await terminal.exit()
  assert.equal(code, 0, screen)
  assert.deepEqual((await sandbox.ok(['list', 'users', '--json', '--account', 'A'])).stderr.match(/"u\d"/g), [
    '"u1"',
    '"u3"',
  ])
  assert.ok(sandbox.claims('O', 'A').nats.revocations[gone])
})

test('revoking and granting choose from the store', options, async (t) => {
  const sandbox = await store(t)
  for (const name of ['u1', 'u2']) await sandbox.ok(['add', 'user', '--account', 'A', '--name', name])
  const revoking = new Terminal(sandbox, ['revocations', 'add-user', '--account', 'A'])
  await revoking.answer('user to revoke', down, enter)
  const revoked = await revoking.exit()
  assert.equal(revoked.code, 0, revoked.screen)
  assert.ok(sandbox.claims('O', 'A').nats.revocations[sandbox.key('O', 'A', 'u2')])

  await sandbox.ok(['add', 'export', '--account', 'A', '--private', '--subject', 'orders.>'])
  const granting = new Terminal(sandbox, [
    'generate',
    'activation',
    '--account',
    'A',
    '--output-file',
    'grant.jwt',
  ])
  await granting.answer('importing account', enter)
  const granted = await granting.exit()
  assert.equal(granted.code, 0, granted.screen)
  assert.match(sandbox.read('grant.jwt'), /ACTIVATION/)
})

test('control-C leaves everything as it was', options, async (t) => {
  const sandbox = await store(t)
  await sandbox.ok(['add', 'user', '--account', 'A', '--name', 'u1'])
  const content = () => sandbox.tree().concat(...['A', 'B'].map((name) => sandbox.token('O', name)))
  const before = content()
  for (const [args, questions] of [
    [
      ['add', 'account', '-i'],
      [['account name', `C${enter}`], ['generate the account']],
    ],
    [
      ['edit', 'account', '-i', '--name', 'A'],
      [['add a signing key?', 'y'], ['signing key:', `generate${enter}`], ['max connections']],
    ],
    [
      ['delete', 'account', '-i', 'A'],
      [['revoke its users?', enter], ['delete the keys']],
    ],
    [['init'], [['folder of the operator stores', enter], ['Create Operator']]],
  ] as [string[], string[][]][]) {
    const terminal = new Terminal(sandbox, args)
    for (const [question = '', answer = interrupt] of questions) await terminal.answer(question, answer)
    const { code, screen } = await terminal.exit()
    assert.equal(code, 130, screen)
    assert.match(screen, /Error: cancelled - nothing was changed/)
    assert.deepEqual(content(), before, args.join(' '))
  }
})

test('init without flags asks for folder, operator and name', options, async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  const terminal = new Terminal(sandbox, ['init'])
  await terminal.answer('folder of the operator stores', enter)
  // Well-known operators come first in the list; making one is what is suggested.
  await terminal.answer('Create Operator', enter)
  await terminal.answer('name of the operator, account and user', 'no/good')
  await terminal.see('name cannot contain')
  terminal.type(`${erase}Mine${enter}`)
  const { code, screen } = await terminal.exit()
  assert.equal(code, 0, screen)
  sandbox.claims('Mine', 'Mine', 'Mine')
})

test('an account that lacks what is asked about is said so at once', options, async (t) => {
  const sandbox = await store(t)
  for (const [command, missing] of [
    ['edit user', /doesn't have any users - add one first/],
    ['delete user', /doesn't have any users - add one first/],
    ['describe user', /doesn't have any users - add one first/],
    ['edit export', /doesn't have exports/],
    ['delete export', /doesn't have exports/],
    ['generate activation', /doesn't have exports/],
  ] as const) {
    const terminal = new Terminal(sandbox, [...command.split(' '), '-i', '--account', 'B'])
    const { code, screen } = await terminal.exit()
    assert.equal(code, 1, screen)
    assert.match(screen, missing, command)
  }
})

test('what is declined is not done, and is no wrong usage', options, async (t) => {
  const sandbox = await store(t)
  const before = sandbox.tree()
  const terminal = new Terminal(sandbox, ['delete', 'account', '-i', 'A'])
  for (const question of [
    'revoke its users?',
    'delete the keys',
    'delete the creds files',
    'delete the account A?',
  ])
    await terminal.answer(question, enter)
  const { code, screen } = await terminal.exit()
  assert.equal(code, 1, screen)
  assert.match(screen, /Error: nothing was changed\s*$/)
  assert.deepEqual(sandbox.tree(), before)
})

test('return alone revokes nobody else than the user it stands on', options, async (t) => {
  const sandbox = await store(t)
  const terminal = new Terminal(sandbox, ['revocations', 'add-user', '--account', 'B'])
  await terminal.answer('user to revoke', enter)
  await terminal.answer('public key of the user', interrupt)
  await terminal.exit()
  assert.equal(sandbox.claims('O', 'B').nats.revocations, undefined)
})

test('migrate -i asks what to copy', options, async (t) => {
  const sandbox = await store(t)
  await sandbox.ok(['add', 'operator', 'Other'])
  const terminal = new Terminal(sandbox, ['migrate', '-i'])
  await terminal.answer('copy all accounts of another operator?', enter)
  await terminal.answer('folder of the operator', `${sandbox.stores}${enter}`)
  await terminal.see('the folder of an operator in a stores root')
  terminal.type(`/O${enter}`)
  const { code, screen } = await terminal.exit()
  assert.equal(code, 0, screen)
  sandbox.claims('Other', 'A')
})
