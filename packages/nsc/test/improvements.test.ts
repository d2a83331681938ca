import assert from 'node:assert/strict'
import fs from 'node:fs'
import { type TestContext, test } from 'node:test'
import { needsOfficial, Sandbox } from './support/sandbox.ts'

/** Where this program does better than the official one, on purpose. */

async function operatorWith(t: TestContext, ...accounts: string[]): Promise<Sandbox> {
  const sandbox = Sandbox.create(t, 'ours')
  await sandbox.ok(['add', 'operator', 'Op'])
  for (const account of accounts) await sandbox.ok(['add', 'account', account])
  return sandbox
}

test('a mistyped role or key file is an error, not an unlimited user', async (t) => {
  const sandbox = await operatorWith(t, 'A')
  await sandbox.ok(['edit', 'signing-key', '--sk', 'generate', '--role', 'reader', '--allow-sub', 'news'])
  for (const signer of ['raeder', '/no/such/file', 'reader.nk']) {
    const { code, stderr } = await sandbox.run(['add', 'user', 'x', '-K', signer])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /unable to resolve signer ".*": it is no role, key or key file \(roles of the account: reader\)/,
    )
  }
  assert.equal(fs.existsSync(`${sandbox.stores}/Op/accounts/A/users`), false)
})

test('a role signs users, never the account itself', needsOfficial, async (t) => {
  const sandbox = await operatorWith(t, 'A')
  await sandbox.ok(['edit', 'signing-key', '--sk', 'generate', '--role', 'reader'])
  const { code } = await sandbox.run(['edit', 'account', 'A', '--tag', 'x', '-K', 'reader'])
  assert.equal(code, 1)
  await sandbox.ok(['validate', '--all-accounts'], { which: 'official' })
})

test('all forms of -K', async (t) => {
  const sandbox = await operatorWith(t, 'A', 'B')
  await sandbox.ok(['edit', 'account', 'A', '--sk', 'generate'])
  const [key] = sandbox.claims('Op', 'A').nats.signing_keys
  const file = `${sandbox.keys}/keys/A/${key.slice(1, 3)}/${key}.nk`
  const seed = fs.readFileSync(file, 'utf8')
  for (const [index, form] of [key, seed, file].entries()) {
    await sandbox.ok(['add', 'user', `u${index}`, '-a', 'A', '-K', form])
    assert.equal(sandbox.claims('Op', 'A', `u${index}`).iss, key)
  }
  const failures: [string, RegExp][] = [
    [sandbox.key('Op'), /unexpected resolved keytype type/],
    [
      sandbox.claims('Op', 'B').sub.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      /unable to resolve signer/,
    ],
    [`${sandbox.stores}/Op/Op.jwt`, /holds no nkey/],
  ]
  for (const [form, expected] of failures) {
    const { code, stderr } = await sandbox.run(['add', 'user', 'x', '-a', 'A', '-K', form])
    assert.equal(code, 1)
    assert.match(stderr, expected)
  }
  const foreign = await sandbox.run(['add', 'user', 'x', '-a', 'A', '-K', sandbox.key('Op', 'B')])
  // The store knows B, whose key signed it, so the user would land there: A's command must not make it.
  assert.equal(foreign.code, 1)
})

test('edit account leaves alone what no flag names', async (t) => {
  const sandbox = await operatorWith(t, 'A')
  await sandbox.ok(['edit', 'account', 'A', '--wildcard-exports=false', '--disallow-bearer'])
  await sandbox.ok(['edit', 'account', 'A', '--tag', 'x'])
  const { limits } = sandbox.claims('Op', 'A').nats
  assert.deepEqual(limits, {
    subs: -1,
    data: -1,
    payload: -1,
    imports: -1,
    exports: -1,
    conn: -1,
    leaf: -1,
    disallow_bearer: true,
  })
})

test('delete import deletes nothing that comes from another account than the one named', async (t) => {
  const nsc = Sandbox.create(t, 'ours')
  for (const line of [
    'init -n Op',
    'add account B',
    'add account C',
    'add import -a B --src-account Op --remote-subject x',
  ])
    await nsc.ok(line.split(' '))
  const refused = await nsc.run('delete import -a B --subject x --src-account C'.split(' '))
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /no import matching "x" found from account A/)
  await nsc.ok('delete import -a B --subject x --src-account Op'.split(' '))
})

test('edit export keeps revocations, token position and response type', async (t) => {
  const sandbox = await operatorWith(t, 'A', 'B')
  await sandbox.ok([
    'add',
    'export',
    '-a',
    'A',
    '--service',
    '--private',
    '--subject',
    's',
    '--response-type',
    'Stream',
    '--allow-trace',
  ])
  await sandbox.ok(['revocations', 'add_activation', '-a', 'A', '--service', '--target-account', 'B'])
  await sandbox.ok([
    'add',
    'export',
    '-a',
    'A',
    '--subject',
    'p.*',
    '--account-token-position',
    '2',
    '--advertise',
  ])
  await sandbox.ok(['edit', 'export', '-a', 'A', '--subject', 's', '--description', 'd'])
  await sandbox.ok(['edit', 'export', '-a', 'A', '--subject', 'p.*', '--description', 'd'])
  const [p, s] = sandbox.claims('Op', 'A').nats.exports
  assert.deepEqual(Object.keys(s.revocations), [sandbox.key('Op', 'B')])
  assert.deepEqual([s.response_type, s.allow_trace, s.token_req], ['Stream', true, true])
  assert.deepEqual([p.account_token_position, p.advertise], [2, true])
})

test('--js-max-bytes-required is kept and reported', async (t) => {
  const sandbox = await operatorWith(t, 'A')
  await sandbox.ok(['edit', 'account', 'A', '--js-disk-storage', '1gb'])
  const { stdout } = await sandbox.ok(['edit', 'account', 'A', '--js-max-bytes-required'])
  assert.match(stdout, /changed global max bytes required to true/)
  assert.equal(sandbox.claims('Op', 'A').nats.limits.max_bytes_required, true)
})

test('--rm-response-perms does not swallow other permission flags', async (t) => {
  const sandbox = await operatorWith(t, 'A')
  await sandbox.ok(['add', 'user', 'u', '--allow-pub-response', '--allow-pub', 'a'])
  await sandbox.ok(['edit', 'user', 'u', '--rm-response-perms', '--allow-pub', 'b', '--rm', 'a'])
  const { nats } = sandbox.claims('Op', 'A', 'u')
  assert.deepEqual([nats.resp, nats.pub], [undefined, { allow: ['b'] }])
})

test('--bearer=false says that it was turned off', async (t) => {
  const sandbox = await operatorWith(t, 'A')
  await sandbox.ok(['add', 'user', 'u', '--bearer'])
  assert.match((await sandbox.ok(['edit', 'user', 'u', '--bearer=false'])).stdout, /changed bearer to false/)
  assert.match(
    (await sandbox.ok(['edit', 'user', 'u', '--bearer=false'])).stdout,
    /ignoring change to bearer/,
  )
})

test('the number after --allow-pub-response is the number', async (t) => {
  const sandbox = await operatorWith(t, 'A')
  await sandbox.ok(['add', 'user', '--allow-pub-response', '5', 'u'])
  assert.deepEqual(sandbox.claims('Op', 'A', 'u').nats.resp, { max: 5, ttl: 0 })
  await sandbox.ok(['add', 'user', '--allow-pub-response', 'v'])
  assert.deepEqual(sandbox.claims('Op', 'A', 'v').nats.resp, { max: 1, ttl: 0 })
})

test('editing a scope by its role keeps its limits', async (t) => {
  const sandbox = await operatorWith(t, 'A')
  await sandbox.ok([
    'edit',
    'signing-key',
    '--sk',
    'generate',
    '--role',
    'r',
    '--subs',
    '5',
    '--payload',
    '10',
  ])
  await sandbox.ok(['edit', 'signing-key', 'r', '--allow-sub', 'x'])
  const { template } = sandbox.claims('Op', 'A').nats.signing_keys[0]
  assert.deepEqual([template.subs, template.payload, template.data], [5, 10, -1])
})

test('validate --file says when there is nothing to say, and counts what is repeated', async (t) => {
  const sandbox = await operatorWith(t, 'A', 'B')
  fs.writeFileSync(sandbox.path('good'), `${sandbox.token('Op', 'A')}\n`)
  const good = await sandbox.ok(['validate', '--file', 'good'])
  assert.equal(good.stderr.match(/No issues found/g)?.length, 2)
  await sandbox.ok(['edit', 'account', 'A', '--expiry', '2020-01-01'])
  await sandbox.ok(['edit', 'account', 'B', '--expiry', '2020-01-01'])
  fs.writeFileSync(sandbox.path('bad'), `${sandbox.token('Op', 'A')}\nX|${sandbox.token('Op', 'B')}\n`)
  const bad = await sandbox.run(['validate', '--file', 'bad'])
  assert.equal(bad.code, 1)
  assert.match(bad.stderr, /claim is expired \(2 occurrences\)/)
  fs.writeFileSync(sandbox.path('ugly'), 'hello\n')
  assert.match(
    (await sandbox.run(['validate', '--file', 'ugly'])).stderr,
    /claim decoding error: '.*' claim: 'hello'/,
  )
})

test('one damaged token does not stop the description of others', async (t) => {
  const sandbox = await operatorWith(t, 'A', 'B')
  fs.writeFileSync(`${sandbox.stores}/Op/accounts/B/B.jwt`, 'damaged')
  await sandbox.ok(['describe', 'account', 'A'])
  const { stderr } = await sandbox.ok(['list', 'accounts'])
  assert.match(stderr, /error loading jwt - /)
})

test('imports that cannot work are explained', async (t) => {
  const sandbox = await operatorWith(t, 'A', 'B', 'C')
  await sandbox.ok(['add', 'export', '-a', 'A', '--private', '--subject', 'orders.>'])
  await sandbox.ok(['add', 'export', '-a', 'A', '--subject', 'per.*', '--account-token-position', '2'])
  const token = (target: string, file: string, ...more: string[]) =>
    sandbox.ok(['generate', 'activation', '-a', 'A', '-t', target, '-s', 'orders.>', '-o', file, ...more])
  const refused = async (...args: string[]) => {
    const { code, stdout, stderr } = await sandbox.run(['add', 'import', '-a', 'B', ...args])
    assert.deepEqual([code, stdout], [1, ''])
    return stderr
  }
  const wanted = ['--src-account', 'A', '--remote-subject', 'orders.new']
  assert.match(
    await refused(...wanted),
    /the stream "orders\.new" of account "A" is private: importing it takes an activation token - ask its owner to run: nsc generate activation --subject "orders\.new" --target-account A\w+ --output-file activation\.jwt; then: nsc add import --token activation\.jwt/,
  )
  await token('C', 'for-c')
  assert.match(
    await refused('--token', 'for-c'),
    /activation is not intended for this account - it is for "A/,
  )
  await token('B', 'old', '--expiry', '2020-01-01')
  assert.match(
    await refused('--token', 'old'),
    /expired on 2020-01-01 00:00:00 UTC - ask the owner of the export for a new one/,
  )
  await token('B', 'good')
  await sandbox.ok(['revocations', 'add_activation', '-a', 'A', '-t', 'B', '-s', 'orders.>'])
  assert.match(await refused('--token', 'good'), /account "A" has revoked the activation token/)
  await sandbox.ok(['revocations', 'delete_activation', '-a', 'A', '-t', 'B', '-s', 'orders.>'])
  await sandbox.ok(['add', 'import', '-a', 'B', '--token', 'good'])
  const warned = await sandbox.ok([
    'add',
    'import',
    '-a',
    'B',
    '--src-account',
    'A',
    '--remote-subject',
    'per.x',
  ])
  assert.match(
    warned.stdout,
    /\[WARN\] .* token 2 of the subject must be the key of this account \(such as "per\.A\w+"\)/,
  )
  const missing = await sandbox.ok([
    'add',
    'import',
    '-a',
    'B',
    '--src-account',
    'C',
    '--remote-subject',
    'x',
  ])
  assert.match(
    missing.stdout,
    /\[WARN\] account "C" does not export the stream "x": the import does nothing until that changes/,
  )
})

test('push tells of imports that will not work', async (t) => {
  const sandbox = await operatorWith(t, 'A', 'B')
  await sandbox.ok(['add', 'export', '-a', 'A', '--private', '--subject', 'o'])
  await sandbox.ok(['generate', 'activation', '-a', 'A', '-t', 'B', '-o', 'token'])
  await sandbox.ok(['add', 'import', '-a', 'B', '--token', 'token', '--name', 'orders'])
  await sandbox.ok(['revocations', 'add_activation', '-a', 'A', '-t', 'B'])
  const http = await import('node:http')
  const server = http.createServer((_, response) => response.end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  const { stdout } = await sandbox.ok(['push', '-a', 'B', '-u', url])
  assert.match(stdout, /\[WARN\] import "orders" will not work: account "A" has revoked the activation token/)
})

test('seeds are printed only by the commands made for it', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  const calls = [
    ['init', '-n', 'Op'],
    ['add', 'account', 'A', '-K', ''],
    ['add', 'user', 'u'],
    ['edit', 'account', '--sk', 'generate'],
    ['generate', 'nkey', '--account', '--store'],
    ['list', 'keys', '--all'],
    ['list', 'keys', '--all', '--json'],
    ['describe', 'user', 'u'],
    ['delete', 'user', 'u', '-D', '-C'],
    ['generate', 'creds', '-n', 'u', '-o', 'creds'],
  ]
  for (const args of calls) {
    const { stdout, stderr } = await sandbox.run(args)
    assert.doesNotMatch(stdout + stderr, /S[AOU][A-Z2-7]{56}/, args.join(' '))
  }
})

test('names that mean folders are refused', async (t) => {
  const sandbox = await operatorWith(t, 'A')
  for (const name of ['..', '.', 'a/b', 'a\\b'])
    for (const args of [
      ['add', 'account', name],
      ['add', 'user', name],
      ['add', 'operator', name],
      ['init', '-n', name],
    ]) {
      const { code, stderr } = await sandbox.run(args)
      assert.equal(code, 1, args.join(' '))
      assert.match(stderr, /name cannot/)
    }
})

test('JSON, fields and raw tokens are byte-equal on awkward names', needsOfficial, async (t) => {
  const sandbox = await operatorWith(t, 'A')
  const names = [
    '<tag>',
    'a&b',
    'ünï 名 🚀',
    'quo"te',
    "it's",
    'tab\tname',
    'x'.repeat(120),
    '$SYS',
    '__proto__',
    '\u2028line',
  ]
  for (const name of names) await sandbox.ok(['add', 'user', name, '--allow-pub', 'orders.>', '--tag', 'A<b'])
  for (const name of names)
    for (const form of [
      ['--json'],
      ['--raw'],
      ['--field', 'name'],
      ['--field', 'nats.pub'],
      ['--field', 'nats'],
      [],
    ]) {
      const args = ['describe', 'user', '--name', name, ...form]
      assert.deepEqual(
        await sandbox.run(args),
        await sandbox.run(args, { which: 'official' }),
        args.join(' '),
      )
    }
  for (const args of [
    ['list', 'users'],
    ['list', 'keys'],
    ['list', 'users', '--json'],
    ['describe', 'user', '--name', 'a&b', '--raw', '-o', 'raw'],
    ['describe', 'user', '--name', 'a&b', '--json', '-o', 'json'],
    ['describe', 'user', '--name', 'a&b', '--field', 'nats.pub.allow[5]'],
    ['describe', 'user', '--name', 'a&b', '--field', 'name.x'],
    ['describe', 'user', '--name', 'a&b', '--field', 'nats.pub.allow[x]'],
    ['describe', 'user', '--name', 'a&b', '--field', 'nats.pub.allow[0'],
  ]) {
    const ours = await sandbox.run(args)
    const file = args.includes('-o') ? sandbox.read(args.at(-1) ?? '') : ''
    const official = await sandbox.run(args, { which: 'official' })
    if (file !== '') assert.equal(file, sandbox.read(args.at(-1) ?? ''))
    assert.deepEqual(ours, official, args.join(' '))
  }
})
