import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AccountServer } from './support/account-server.ts'
import { maskKeys, needsOfficial, Sandbox } from './support/sandbox.ts'
import { call, sides } from './support/sides.ts'

test('joining an operator: lines, requests, files', needsOfficial, async (t) => {
  const { ours, official } = await sides(t)
  for (const args of [
    ['init', '-o', 'tst', '-n', 'First'],
    ['init', '-o', 'TST', '-n', 'First'],
    ['init', '-o', 'tst', '-n', 'Second'],
    ['describe', 'account', 'First'],
    ['describe', 'operator'],
    ['list', 'accounts'],
    ['env'],
    ['add', 'account', 'Third'],
    ['add', 'user', 'bob'],
    ['add', 'export', '--subject', 'weather.CA'],
    ['edit', 'export', '--name', 'wx'],
    ['add', 'import', '--src-account', 'First', '--remote-subject', 'a', '--service'],
    ['delete', 'import'],
    ['delete', 'export'],
    ['edit', 'account', '--sk', 'generate', '--js-disable'],
    ['revocations', 'add-user', '--name', 'bob'],
    ['delete', 'user', 'bob', '--revoke'],
    ['edit', 'operator', '--tag', 'x'],
    ['push'],
    ['push', '--all'],
    ['pull'],
    ['pull', '--all'],
    ['validate', '--all-accounts'],
    ['delete', 'account', 'Third'],
    ['delete', 'account', 'Third', '--force'],
    ['list', 'keys', '--all'],
  ]) {
    // The warning that the exporter has no such export is ours alone.
    const a = await call(ours, ...args)
    a.stdout = a.stdout.replace(/^\[WARN\] account "First" does not export.*\n/m, '')
    // Ours looks at the exporting account before it adds an import.
    const b = await call(official, ...args)
    assert.deepEqual(a, b, args.join(' '))
  }
  assert.deepEqual(ours.sandbox.tree(), official.sandbox.tree())
  const account = ours.sandbox.claims('tst', 'First')
  assert.equal(account.iss, ours.server.signingKey.publicKey)
  assert.equal(ours.sandbox.token('tst', 'First'), ours.server.accounts.get(account.sub))
  assert.equal(
    ours.sandbox.read('.local/share/nats/nsc/stores/tst/.nsc'),
    '{"managed":true,"name":"tst","kind":"operator","version":"1"}',
  )
})

test('what is posted is the bare self-signed token', async (t) => {
  const { ours } = await sides(t)
  await ours.sandbox.ok(['init', '-o', 'tst', '-n', 'First'])
  const post = ours.server.seen.find(({ method }) => method === 'POST')
  assert.equal(post?.contentType, 'application/jwt')
  const payload = JSON.parse(Buffer.from(post?.body.split('.')[1] ?? '', 'base64url').toString())
  assert.equal(payload.iss, payload.sub)
  assert.equal(post?.url, `/jwt/v1/accounts/${payload.sub}`)
})

test('every answer to a push: lines, exit code, what is stored', needsOfficial, async (t) => {
  const { ours, official } = await sides(t)
  for (const side of [ours, official]) await side.sandbox.ok(['init', '-o', 'tst', '-n', 'First'])
  const cases: { name: string; set: (server: AccountServer) => void; stored: 'operator' | 'self' }[] = [
    { name: '200', set: () => {}, stored: 'operator' },
    {
      name: '200 with text',
      set: (s) => {
        s.onPost = (token) => {
          s.onPost = null
          const r = s['answer'](
            'POST',
            `/jwt/v1/accounts/${JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).sub}`,
            token,
          )
          return { ...r, body: 'welcome\nfree plan\n' }
        }
      },
      stored: 'operator',
    },
    {
      name: '201',
      set: (s) => {
        s.onPost = () => ({ status: 201 })
      },
      stored: 'self',
    },
    {
      name: '202 with text',
      set: (s) => {
        s.onPost = () => ({ status: 202, body: 'a human will look at it\n' })
      },
      stored: 'self',
    },
    {
      name: '204',
      set: (s) => {
        s.onPost = () => ({ status: 204 })
      },
      stored: 'self',
    },
    {
      name: '400 with text',
      set: (s) => {
        s.onPost = () => ({ status: 400, body: 'too many imports: 9, plan allows 5' })
      },
      stored: 'self',
    },
    {
      name: '500',
      set: (s) => {
        s.onPost = () => ({ status: 500 })
      },
      stored: 'self',
    },
    {
      name: 'cut connection',
      set: (s) => {
        s.onPost = () => ({ status: 0, cut: true })
      },
      stored: 'self',
    },
    {
      name: '301 turns the post into a get',
      set: (s) => {
        s.onPost = () => ({ status: 301, headers: { location: '/elsewhere' } })
      },
      stored: 'self',
    },
    {
      name: 'get 202',
      set: (s) => {
        s.onGet = () => ({ status: 202 })
      },
      stored: 'self',
    },
    {
      name: 'get 204',
      set: (s) => {
        s.onGet = () => ({ status: 204 })
      },
      stored: 'self',
    },
    {
      name: 'get 404',
      set: (s) => {
        s.onGet = () => ({ status: 404, body: 'no' })
      },
      stored: 'self',
    },
    {
      name: 'get 500',
      set: (s) => {
        s.onGet = () => ({ status: 500 })
      },
      stored: 'self',
    },
    {
      name: 'get with newline',
      set: (s) => {
        s.onGet = (token) => ({ status: 200, body: `${token}\n` })
      },
      stored: 'operator',
    },
    {
      name: 'clamped',
      set: (s) => {
        s.modify = (account) => {
          account.nats.limits.conn = 5
          account.nats.limits.payload = 1024
          account.nats.limits.wildcards = false
        }
      },
      stored: 'operator',
    },
  ]
  for (const { name, set, stored } of cases) {
    const results = []
    for (const side of [ours, official]) {
      side.server.onPost = side.server.onGet = null
      side.server.modify = () => {}
      set(side.server)
      results.push(await call(side, 'edit', 'account', '--tag', name.replaceAll(' ', '-'), '--js-disable'))
    }
    assert.deepEqual(results[0], results[1], name)
    for (const { sandbox } of [ours, official]) {
      const claims = sandbox.claims('tst', 'First')
      assert.equal(claims.iss === claims.sub ? 'self' : 'operator', stored, `${name}: ${sandbox.which}`)
      assert.ok(claims.nats.tags.includes(name.replaceAll(' ', '-')), name)
    }
  }
})

test('a failed post still leaves a new account, without switching to it', needsOfficial, async (t) => {
  const { ours, official } = await sides(t)
  const results = []
  for (const side of [ours, official]) {
    await side.sandbox.ok(['init', '-o', 'tst', '-n', 'First'])
    side.server.onPost = () => ({ status: 500, body: 'down' })
    const added = await call(side, 'add', 'account', 'Second')
    const context = JSON.parse(side.sandbox.read('.config/nats/nsc/nsc.json')).account
    side.server.onPost = null
    results.push({ added, context, push: await call(side, 'push', '-a', 'Second') })
  }
  assert.deepEqual(results[0], results[1])
  assert.equal(results[0]?.context, 'First')
  assert.equal(ours.sandbox.claims('tst', 'Second').iss, ours.sandbox.claims('tst', 'Second').sub)
})

test('an operator without a server, or with one reached over NATS', needsOfficial, async (t) => {
  const { ours, official } = await sides(t)
  for (const url of ['nats://127.0.0.1:1', '']) {
    const results = []
    for (const side of [ours, official]) {
      await side.sandbox.ok(['init', '-o', 'tst', '-n', `X${url.length}`])
      if (url) side.server.operator.nats.account_server_url = url
      else delete side.server.operator.nats.account_server_url
      await side.sandbox.ok(['add', 'operator', '--force', '-u', 'tst'])
      results.push([
        await call(side, 'add', 'account', `Second${url.length}`),
        await call(side, 'push'),
        await call(side, 'pull', '--all'),
        await call(side, 'pull'),
      ])
      side.server.operator.nats.account_server_url = `${side.server.url}/jwt/v1`
    }
    assert.deepEqual(results[0], results[1])
  }
})

test('fetching an operator: every failure', needsOfficial, async (t) => {
  const { ours, official } = await sides(t)
  const cases: [string, (server: AccountServer) => void][] = [
    [
      '500',
      (s) => {
        s.onOperator = () => ({ status: 500 })
      },
    ],
    [
      'not a token',
      (s) => {
        s.onOperator = () => ({ status: 200, body: 'hello' })
      },
    ],
    [
      'redirect',
      (s) => {
        s.onOperator = (v) => (v === 'v1' ? { status: 302, headers: { location: '/jwt/v2/operator' } } : null)
      },
    ],
    [
      'no account server',
      (s) => {
        delete s.operator.nats.account_server_url
      },
    ],
  ]
  for (const [name, set] of cases) {
    const results = []
    for (const side of [ours, official]) {
      side.server.onOperator = null
      set(side.server)
      const outcome = await call(side, 'init', '-o', 'tst', '-n', 'First')
      // Words about a text that is no token are each library's own.
      if (name === 'not a token') outcome.stderr = outcome.stderr.replace(/jwt: .*/, 'jwt: ...')
      results.push(outcome)
    }
    assert.deepEqual(results[0], results[1], name)
  }
})

test('importing an operator', needsOfficial, async (t) => {
  const { ours, official } = await sides(t)
  const results = []
  for (const side of [ours, official]) {
    const outcomes = [
      await call(side, 'add', 'operator', '-u', 'tst'),
      await call(side, 'add', 'operator', '-u', 'tst'),
    ]
    outcomes.push(await call(side, 'add', 'operator', '-u', 'tst', '--force'))
    outcomes.push(
      await call(side, 'add', 'operator', '-u', side.server.operatorUrl, '--name', 'Own', '--sys'),
    )
    outcomes.push(await call(side, 'add', 'operator', '-u', side.server.operatorUrl, '--name', 'Own'))
    outcomes.push(await call(side, 'list', 'operators'))
    outcomes.push(await call(side, 'describe', 'operator'))
    outcomes.push(await call(side, 'add', 'account', 'A'))
    results.push(outcomes)
  }
  assert.deepEqual(results[0], results[1])
})

test('pull: newer here, older here, decorated, unknown', needsOfficial, async (t) => {
  const { ours, official } = await sides(t)
  const results = []
  for (const side of [ours, official]) {
    const { server, sandbox } = side
    await sandbox.ok(['init', '-o', 'tst', '-n', 'First'])
    const outcomes = []
    const old = server.accounts.get(sandbox.key('tst', 'First')) ?? ''
    // Issued in a later second.
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await sandbox.ok(['edit', 'account', '--tag', 'newer', '--js-disable'])
    server.onGet = () => ({ status: 200, body: old })
    outcomes.push(await call(side, 'pull'))
    outcomes.push(await call(side, 'pull', '--overwrite-newer'))
    server.onGet = (token) => ({
      status: 200,
      body: `-----BEGIN NATS ACCOUNT JWT-----\n${token}\n------END NATS ACCOUNT JWT------\n\n`,
    })
    outcomes.push(await call(side, 'pull'))
    server.onGet = () => ({ status: 404 })
    outcomes.push(await call(side, 'pull'))
    server.onGet = () => ({ status: 202 })
    outcomes.push(await call(side, 'pull'))
    server.onGet = null
    server.onOperator = (version) => (version === 'v2' ? { status: 404 } : null)
    outcomes.push(await call(side, 'pull', '--all'))
    results.push(outcomes)
  }
  assert.deepEqual(results[0], results[1])
})

test('pull --all replaces an operator that has changed, whatever its accounts are called', async (t) => {
  const { server, sandbox } = (await sides(t)).ours
  await sandbox.ok(['init', '-o', 'tst', '-n', 'T'])
  server.operator.nats.operator_service_urls = ['nats://new:4222']
  await sandbox.ok(['edit', 'account', '--tag', 'x'])
  await sandbox.ok(['pull', '--all'])
  assert.deepEqual(sandbox.claims('tst').nats.operator_service_urls, ['nats://new:4222'])
})

test('a server cannot write outside its store or replace another account', async (t) => {
  const { server, sandbox } = (await sides(t)).ours
  await sandbox.ok(['init', '-o', 'tst', '-n', 'First'])
  const before = sandbox.tree()
  server.modify = (account) => {
    account.name = '../../../../../evil'
  }
  const renamed = await sandbox.run(['edit', 'account', '--tag', 'x'])
  assert.equal(renamed.code, 1)
  assert.match(renamed.stderr, /cannot be used as a file name/)
  const foreign = await AccountServer.start(t)
  const other = Sandbox.create(t, 'ours')
  other.env['NSC_tst_OPERATOR'] = foreign.operatorUrl
  await other.ok(['init', '-o', 'tst', '-n', 'First'])
  const stranger = [...foreign.accounts.values()][0]
  server.modify = () => {}
  server.onGet = () => ({ status: 200, body: stranger ?? '' })
  const swapped = await sandbox.run(['edit', 'account', '--tag', 'y'])
  assert.equal(swapped.code, 1)
  assert.match(maskKeys(swapped.stderr), /answered with the jwt of another account: A{56}/)
  assert.deepEqual(sandbox.tree(), before)
})

test('a strict operator that is managed elsewhere works for init, accounts and users', async (t) => {
  const { server, sandbox } = (await sides(t)).ours
  server.operator.nats.strict_signing_key_usage = true
  await sandbox.ok(['init', '-o', 'tst', '-n', 'First'])
  await sandbox.ok(['add', 'user', 'bob'])
  await sandbox.ok(['edit', 'account', '--sk', 'generate'])
  await sandbox.ok(['add', 'account', 'Second'])
  await sandbox.ok(['add', 'user', 'eve'])
  await sandbox.ok(['validate', '--all-accounts'])
  const account = sandbox.claims('tst', 'First')
  assert.ok(account.nats.signing_keys.includes(sandbox.claims('tst', 'First', 'bob').iss))
})

test('a private export of someone else is explained before anything is pushed', async (t) => {
  const { server, sandbox } = (await sides(t)).ours
  await sandbox.ok(['init', '-o', 'tst', '-n', 'First'])
  await sandbox.ok(['add', 'export', '--private', '--subject', 'orders.>'])
  const exporter = sandbox.key('tst', 'First')
  const other = Sandbox.create(t, 'ours')
  other.env['NSC_tst_OPERATOR'] = server.operatorUrl
  await other.ok(['init', '-o', 'tst', '-n', 'Importer'])
  const refused = await other.run([
    'add',
    'import',
    '--src-account',
    exporter,
    '--remote-subject',
    'orders.>',
  ])
  assert.equal(refused.code, 1)
  assert.match(
    refused.stderr,
    /private: importing it takes an activation token - ask its owner to run: nsc generate activation/,
  )
  assert.equal(other.claims('tst', 'Importer').nats.imports, undefined)
})
