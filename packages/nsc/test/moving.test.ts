import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { createKeyPair, encode, newAccountClaims } from '@ngs/identity/node'
import { needsPeer, peer, run as runProgram } from '@ngs/testkit'
import { needsOfficial, normalize, Sandbox } from './support/sandbox.ts'
import { words } from './support/scenario.ts'
import { call, sides } from './support/sides.ts'
import { sameTokens } from './support/tokens.ts'

test('load sets up operator, account and user from a seed', needsOfficial, async (t) => {
  const { ours, official } = await sides(t)
  const pair = createKeyPair('account')
  for (const side of [ours, official]) {
    const account = encode(newAccountClaims(pair.publicKey, 'Paid'), side.server.signingKey)
    side.server.accounts.set(pair.publicKey, account)
  }
  // The official program says that it made a context, and makes none.
  const calls: [args: string[], adjust?: (text: string) => string][] = [
    [['load', '--profile', 'nsc://nobody?secret=x'], (text) => text.replace(/^(?!Error).*\n/gm, '')],
    [['load']],
    [['load', '--profile', 'nsc://tst?secret=SUAAA']],
    [
      ['load', '--profile', `nsc://tst?secret=${pair.seed}&user=bob`],
      (text) => text.replace(/nats context "\w*"/, 'nats context'),
    ],
    [
      ['load', '--profile', `nsc://tst?secret=${pair.seed}&user=bob`],
      (text) => text.replace(/nats context "\w*"/, 'nats context'),
    ],
    [['describe', 'user']],
    [['validate', '--all-accounts']],
    [['env']],
  ]
  for (const [args, adjust = (text: string) => text] of calls) {
    const [a, b] = [await call(ours, ...args), await call(official, ...args)]
    for (const outcome of [a, b])
      Object.assign(outcome, { stdout: adjust(outcome.stdout), stderr: adjust(outcome.stderr) })
    assert.deepEqual(a, b, args.join(' '))
  }
  const context = JSON.parse(ours.sandbox.read('.config/nats/context/tst_Paid_bob.json'))
  assert.equal(context.nsc, 'nsc://tst/Paid/bob')
  assert.ok(fs.existsSync(context.creds))
  fs.rmSync(ours.sandbox.path('.config/nats/context'), { recursive: true })
  assert.deepEqual(ours.sandbox.tree(), official.sandbox.tree())
  assert.equal(sameTokens(ours.sandbox, official.sandbox), null)
})

test('what moves between stores, in a managed one', needsOfficial, async (t) => {
  const { ours, official } = await sides(t)
  const foreign = createKeyPair('account')
  for (const { sandbox, server } of [ours, official]) {
    await sandbox.ok(words('init -o tst -n First'))
    await sandbox.ok(words('add user bob'))
    await sandbox.ok(words('add account Second'))
    await sandbox.ok(words('export keys --all --include-jwts --dir backup'))
    const token = encode(newAccountClaims(foreign.publicKey, 'Theirs'), foreign)
    fs.writeFileSync(sandbox.path('self.jwt'), token)
    fs.writeFileSync(sandbox.path('account.nk'), foreign.seed)
    fs.writeFileSync(
      sandbox.path('signed.jwt'),
      encode(newAccountClaims(foreign.publicKey, 'Theirs'), server.signingKey),
    )
  }
  for (const line of [
    'import account --file self.jwt',
    'import account --file signed.jwt',
    'import account --file signed.jwt --overwrite',
    'rename account Second Third --OK',
    'rename account First Bigger --OK',
    // Ours follows an account that gets another name; the official program has none then.
    'select account Bigger',
    'list accounts',
    'reissue operator',
    'edit authcallout --account Bigger --allowed-account * --auth-user',
    'add mapping --account Bigger --from a --to b --weight 20',
    'delete mapping --account Bigger --from a',
    'expirations --skip',
    'validate --all-accounts',
    'migrate --url self.jwt --force',
    'import keys --dir .',
    'migrate --url self.jwt --force',
    'generate diagram object --users --show-keys',
  ]) {
    const [a, b] = [await call(ours, ...words(line)), await call(official, ...words(line))]
    assert.deepEqual(a, b, line)
  }
  assert.deepEqual(ours.sandbox.tree(), official.sandbox.tree())
  assert.equal(sameTokens(ours.sandbox, official.sandbox), null)
})

test('a store exported by one is rebuilt by the other', needsOfficial, async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  await sandbox.ok(words('init -n Op'))
  await sandbox.ok(words('add user bob --allow-pub x'))
  for (const [which, other] of [
    ['ours', 'official'],
    ['official', 'ours'],
  ] as const) {
    await sandbox.ok(words(`export keys --all --include-jwts --dir ${which}-backup`), { which })
    await sandbox.ok(words(`fix --in ${which}-backup --out ${which}-fixed`), { which: other })
    const at = (...parts: string[]) => sandbox.path(`${which}-fixed`, ...parts)
    for (const [file, copy] of [
      [sandbox.token('Op'), at('operators/Op/Op.jwt')],
      [sandbox.token('Op', 'Op', 'bob'), at('operators/Op/accounts/Op/users/bob.jwt')],
      [sandbox.read('.local/share/nats/nsc/keys/creds/Op/Op/bob.creds'), at('keys/creds/Op/Op/bob.creds')],
    ] as const)
      assert.equal(fs.readFileSync(copy, 'utf8'), file)
    const env = { NKEYS_PATH: at('keys') }
    const check = { cwd: at('operators'), env }
    await sandbox.ok(words('validate --all-accounts'), { ...check, which: 'ours' })
    await sandbox.ok(words('edit account Op --tag x'), { ...check, which: 'official' })
  }
})

test('a damaged store is diagnosed file by file', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  await sandbox.ok(words('init -n Op'))
  await sandbox.ok(words('add account A'))
  for (const user of ['good', 'torn', 'empty', 'swapped']) await sandbox.ok(['add', 'user', user])
  const file = (...parts: string[]) => path.join(sandbox.stores, 'Op', ...parts)
  const users = 'accounts/A/users'
  fs.truncateSync(file(users, 'torn.jwt'), 100)
  fs.truncateSync(file(users, 'empty.jwt'), 0)
  fs.copyFileSync(file('accounts/SYS/users/sys.jwt'), file(users, 'swapped.jwt'))
  fs.writeFileSync(file('accounts/SYS/SYS.jwt'), 'garbage')
  fs.chmodSync(file('accounts/SYS/SYS.jwt'), 0o644)
  const key = sandbox.key('Op', 'A', 'good')
  const seed = path.join(sandbox.keys, 'keys/U', key.slice(1, 3), `${key}.nk`)
  fs.writeFileSync(seed, 'SUgarbage')

  const validate = await sandbox.run(words('validate --all-accounts'))
  assert.equal(validate.code, 1)
  for (const wanted of [
    /users\/torn\.jwt` cannot be read: /,
    /users\/empty\.jwt` cannot be read: /,
    /user "swapped" is not issued by account/,
    /SYS\/SYS\.jwt` cannot be read: /,
    /Operator "Op" +\|\n\+-+\+\n\| No issues found/,
  ])
    assert.match(validate.stderr, wanted)
  assert.doesNotMatch(validate.stderr, /good/)

  const fix = await sandbox.run(words(`fix --in ${sandbox.stores},${sandbox.keys} --creds --out fixed`))
  assert.equal(fix.code, 1)
  for (const wanted of [
    /\[WARN\] error loading .*users\/torn\.jwt: /,
    /\[WARN\] error loading .*users\/empty\.jwt: /,
    /\[WARN\] error loading .*SYS\/SYS\.jwt: /,
    new RegExp(`\\[ERR \\] error parsing nkey .*${key}\\.nk`),
    /\[WARN\] account \w+ was not found - ignoring user .*sys\.jwt/,
    /\[ OK \] loaded from .*A\.jwt/,
  ])
    assert.match(fix.stderr, wanted)
  assert.doesNotMatch(fix.stderr + fix.stdout, /SUgarbage/)
  const diagnostics = await sandbox.ok(words('generate diagnostics'))
  for (const wanted of [
    /\[ERR \] operator "Op", local:/,
    /\[ERR \] `\S+users\/torn\.jwt` cannot be read: /,
    /\[ERR \] `\S+SYS\/SYS\.jwt` cannot be read: /,
    /\[WARN\] `\S+` has mode 644: others may read it/,
  ])
    assert.match(diagnostics.stdout, wanted)
  assert.doesNotMatch(diagnostics.stdout, /SUgarbage|eyJ/)
  // Creds files still hold the users whose tokens are damaged.
  const fixed = sandbox.path('fixed/operators/Op/accounts/A/users')
  assert.deepEqual(fs.readdirSync(fixed).sort(), ['empty.jwt', 'good.jwt', 'swapped.jwt', 'torn.jwt'])
  await sandbox.ok(words('validate -A'), {
    cwd: sandbox.path('fixed/operators'),
    env: { NKEYS_PATH: sandbox.path('fixed/keys') },
  })
})

test(
  'a keystore of the earliest layout is migrated as the official program does',
  needsOfficial,
  async (t) => {
    const shown: unknown[] = []
    const id = /keys_\w+/g
    for (const which of ['ours', 'official'] as const) {
      const sandbox = Sandbox.create(t, which)
      await sandbox.ok(words('init -n Op'))
      // Keys flat, creds below the operator, as they were once.
      for (const entry of fs.readdirSync(path.join(sandbox.keys, 'keys'), {
        recursive: true,
        withFileTypes: true,
      }))
        if (entry.isFile())
          fs.renameSync(path.join(entry.parentPath, entry.name), path.join(sandbox.keys, entry.name))
      fs.mkdirSync(path.join(sandbox.keys, 'Op/accounts/Op/users'), { recursive: true })
      fs.renameSync(
        path.join(sandbox.keys, 'creds/Op/Op/Op.creds'),
        path.join(sandbox.keys, 'Op/accounts/Op/users/Op.creds'),
      )
      const said: string[] = []
      for (const line of ['list keys', 'keys migrate', 'keys migrate', 'list keys --all']) {
        const { code, stdout, stderr } = await sandbox.run(words(line))
        const text = normalize(stdout + stderr, sandbox).replace(/`\S+nsc keys/, '`nsc keys')
        said.push(`${code} ${text.replace(id, 'keys_ID').trim()}`)
      }
      shown.push({ said, tree: sandbox.tree().map((line) => line.replace(id, 'keys_ID')) })
    }
    assert.deepEqual(shown[0], shown[1])
  },
)

test(
  'the nats program takes what generate profile and generate context make',
  needsPeer('nats'),
  async (t) => {
    const sandbox = Sandbox.create(t, 'ours')
    await sandbox.ok(words('init -n Op'))
    await sandbox.ok(words('add user bob'))
    const env = {
      HOME: sandbox.home,
      // The nats program asks the system, not HOME, where the home folder is.
      XDG_CONFIG_HOME: sandbox.path('.config'),
      PATH: `${path.resolve(import.meta.dirname, '../bin')}:${process.env['PATH']}`,
    }
    const nats = (...args: string[]) =>
      runProgram(peer('nats'), args, { env, cwd: sandbox.home, timeout: 120_000 })
    await sandbox.ok(words('generate context --user bob --context ours'))
    const added = await nats('context', 'add', 'made', '--creds', 'nsc://Op/Op/bob')
    assert.equal(added.code, 0, added.stderr)
    // Older ones keep the URL in a field of its own, and look up creds and service URLs with it.
    const file = sandbox.path('.config/nats/context/looked-up.json')
    fs.writeFileSync(file, JSON.stringify({ nsc: 'nsc://Op/Op/bob' }))
    for (const name of ['ours', 'made', 'looked-up']) {
      const info = await nats('context', 'info', name, '--json')
      assert.equal(info.code, 0, info.stderr)
      assert.match(info.stdout, /nsc:\/\/Op\/Op\/bob|bob\.creds/)
    }
  },
)

test('update says how this build is updated', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  const { stdout } = await sandbox.ok(['update'])
  assert.match(stdout, /git pull/)
})

test('test doc and test flags list every command', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  await sandbox.ok(['test', 'doc', 'help'])
  const page = sandbox.read('help', 'nsc_generate_diagram_object.md')
  assert.match(page, /--show-keys/)
  const { stderr } = await sandbox.ok(['test', 'flags'])
  const [heads = '', ...lines] = stderr.trim().split('\n')
  const column = heads.split(',').indexOf('account')
  const cells = new Map(lines.map((line) => [line.split(',')[0], line.split(',')[column]]))
  assert.deepEqual(
    [cells.get('nsc add user'), cells.get('nsc list keys'), cells.get('nsc env')],
    ['a', '-', 'a'],
  )
  assert.equal(cells.get('nsc update'), '')
  assert.equal(sandbox.files('help').length, lines.length)
})
