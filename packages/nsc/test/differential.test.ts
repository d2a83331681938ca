import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needsOfficial } from './support/sandbox.ts'
import { type Pair, runBoth, type Step } from './support/scenario.ts'
import { sameTokens } from './support/tokens.ts'

/** Tokens of both stores are equal field by field, keys and times aside; so are files and modes. */
function assertSameStores({ ours, official }: Pair): void {
  assert.deepEqual(ours.tree(), official.tree())
  assert.equal(sameTokens(ours, official), null)
}

test('init makes the same operator, accounts, users, files and text', needsOfficial, async (t) => {
  const pair = await runBoth(t, [
    'init --name First',
    'env',
    'describe operator',
    'describe account',
    'describe account SYS',
    'describe user',
    'describe user --account SYS --json',
    'list operators',
    'list accounts',
    'list users',
    'list keys',
    'list keys --all',
    'list users --json',
    'validate --all-accounts',
    'init --name First',
    'select account SYS',
    'env',
    'list accounts --json',
  ])
  assertSameStores(pair)
})

test('operators, accounts and users: add, edit, describe, delete', needsOfficial, async (t) => {
  const pair = await runBoth(
    t,
    [
      'add operator --name Op --sys --generate-signing-key',
      'add operator Op',
      'edit operator --service-url nats://localhost:4222,NATS://other:4222 --tag Blue,red',
      'edit operator --service-url http://localhost:4222',
      'edit operator --account-jwt-server-url nats://localhost:4222 --sk generate --rm-tag red',
      'edit operator',
      'edit operator --system-account SYS',
      'edit operator --rm-account-jwt-server-url --rm-service-url nats://other:4222 --expiry 2030-01-02',
      'describe operator',
      'add account A --expiry 2031-01-01 --start 2020-01-01 --allow-pub a,b --deny-sub c',
      'add account a',
      'add account --name x/y',
      'add account',
      'add account B --expiry tomorrow',
      'describe account A',
      'edit account A',
      'edit account A --conns 10 --leaf-conns 0 --data 1gb --payload 1kib --subscriptions 5 --exports 3 --imports 2 --wildcard-exports=false --js-disable',
      'describe account A',
      [
        'edit',
        'account',
        'A',
        '--wildcard-exports=true',
        '--sk',
        'generate',
        '--tag',
        'One',
        '--description',
        'a "b" <c>',
        '--info-url',
        'https://example.com',
        '--js-disable',
      ],
      'edit account A --trace-context-subject trace.it --trace-context-sampling 50 --js-disable',
      'edit account A --trace-context-subject trace.* --js-disable',
      'edit account A --trace-context-sampling 101 --js-disable',
      'describe account A',
      "edit account A --trace-context-subject '' --rm-tag one --start 0 --rm a --js-disable",
      "add user u --account A --allow-pub p --allow-sub 's q' --allow-pubsub ps --deny-pub dp --deny-sub ds --deny-pubsub dps --tag T --source-network 10.0.0.0/8 --bearer --allow-pub-response=3 --response-ttl 1m30s",
      'add user u --account A',
      'add user --account A',
      "add user v --account A --allow-pub 'a b'",
      "add user v --account A --allow-sub 'a b c'",
      'add user v --account nope',
      'add user v --account A --expiry 30d',
      'describe user u --account A',
      'describe user --account A',
      'edit user u --account A',
      'edit user nope --account A --subs 1',
      'edit user u --account A --subs 7 --data 1M --payload 2k --bearer=false --conn-type websocket,MQTT --source-network 192.168.0.0/16 --rm-source-network 10.0.0.0/8 --time 08:00:00-12:00:00 --time 13:00:00-17:00:00 --locale Europe/Zurich',
      'describe user u --account A',
      'edit user u --account A --rm-conn-type mqtt --rm-time 08:00:00 --rm ps --tag X --rm-tag t',
      'edit user u --account A --conn-type carrier-pigeon',
      'edit user u --account A --rm-response-perms',
      'edit user u --account A --expiry 0 --start 1970-01-02',
      'describe user u --account A --json',
      'describe user u --account A --field nats.times[0].start',
      'describe user u --account A --field nats.nope',
      'list users --account A',
      'list keys --account A',
      'validate --account A',
      'edit account A --disallow-bearer --js-disable',
      'delete user v --account A --revoke --rm-nkey --rm-creds',
      'delete user nope --account A',
      'delete user --account A',
      'describe account A',
    ],
    {
      // The official program says that switching it off changes nothing, while it does.
      adjust: (text) =>
        text.replace('ignoring change to bearer - value is already false', 'changed bearer to false'),
    },
  )
  assertSameStores(pair)
  await Promise.all(
    [pair.ours, pair.official].map((sandbox) =>
      sandbox.ok(['delete', 'account', 'A', '--rm-nkey', '--rm-creds']),
    ),
  )
  assert.deepEqual(pair.ours.tree(), pair.official.tree())
})

test('exports, imports, activations and revocations', needsOfficial, async (t) => {
  const key =
    (account: string, ...args: string[]): Step =>
    (sandbox) =>
      args.map((arg) => (arg === 'KEY' ? sandbox.key('Op', account) : arg))
  const pair = await runBoth(t, [
    'add operator Op',
    'add account A',
    'add account B',
    'add export --account A',
    'add export --account A --subject weather.CA',
    'add export --account A --subject weather.>',
    'add export --account A --subject bad..subject',
    'add export --account A --service --subject ip.geo --name geo --latency lat.geo --sampling 20',
    'add export --account A --service --subject ip.other --latency lat.* --sampling 200',
    'add export --account A --private --service --subject report.* --response-type Stream --response-threshold 1s --allow-trace',
    'add export --account A --private --subject orders.> --name orders',
    'add export --account A --subject x --response-type Stream',
    'add export --account A --service --subject y --response-type Nope',
    'add export --account A --private --subject per.*.account --account-token-position 2',
    'add export --account A --subject per.*.account --account-token-position 2',
    'describe account A',
    'edit export --account A',
    'edit export --account A --subject nope --name n',
    'edit export --account A --subject weather.CA --name wx --description Canada --info-url https://example.com',
    'edit export --account A --subject ip.geo --sampling 30 --latency lat.new',
    'edit export --account A --subject ip.geo --rm-latency-sampling --name geo',
    'edit export --account A --subject weather.CA --private',
    'edit export --account A --subject weather.CA --private=false',
    'edit export --account A --subject weather.CA --response-threshold 1s --name wx',
    'edit export --account A --subject weather.CA --allow-trace',
    key(
      'A',
      'add',
      'import',
      '--account',
      'B',
      '--src-account',
      'KEY',
      '--remote-subject',
      'weather.CA',
      '--local-subject',
      'wx.CA',
    ),
    key('A', 'add', 'import', '--account', 'B', '--src-account', 'KEY', '--remote-subject', 'weather.CA'),
    'add import --account B --src-account A --remote-subject ip.geo --service --share --name geo',
    'add import --account B --src-account A',
    'add import --account B --src-account A --remote-subject x --token y',
    'add import --account A --src-account A --remote-subject weather.CA',
    'add import --account B --src-account nobody --remote-subject weather.CA',
    'add import --account B --src-account A --remote-subject weather.CA --share --local-subject z',
    'generate activation --account B --target-account A',
    'generate activation --account A --target-account B',
    'generate activation --account A --subject nope --target-account B',
    'generate activation --account A --subject orders.> --target-account OOPS',
    'generate activation --account A --subject orders.>',
    'generate activation --account A --subject orders.new --target-account B --expiry 2030-01-01',
    'generate activation --account A --subject orders.> --target-account B --output-file orders.tok',
    'generate activation --account A --subject report.* --target-account B --output-file report.tok --start 2020-01-01',
    'describe jwt --file orders.tok',
    'describe jwt --file nope.tok',
    'describe jwt',
    'add import --account A --token orders.tok',
    'add import --account B --token nope.tok',
    'add import --account B --token orders.tok --local-subject in.> --allow-trace',
    'add import --account B --token orders.tok',
    'add import --account B --token report.tok --local-subject rep.* --name rep',
    'describe account B',
    'describe account B --long-ids',
    'describe account B --json',
    'describe account B --field nats.imports[0].name',
    'revocations add_activation --account A --subject orders.> --target-account B',
    'revocations add-activation --account A --service --subject report.* --target-account * --at 1700000000',
    'revocations add_activation --account A --subject nope --target-account B',
    'revocations add_activation --account A --target-account B',
    'revocations add_activation --account B --target-account A',
    'revocations list_activations --account A --subject orders.>',
    'revocations list_activations --account A --service --subject report.*',
    'revocations list_activations --account A --subject weather.CA',
    'revocations delete_activation --account A --service --subject report.* --target-account *',
    'revocations delete_activation --account A --subject orders.> --target-account B',
    'add user u --account B',
    'add user w --account B',
    'revocations list-users --account B',
    'revocations delete-user --account B --name u',
    'revocations add-user --account B',
    'revocations add-user --account B --name nope',
    'revocations add-user --account B --name U --at 2023-11-14T22:13:20Z',
    'revocations add-user --account B --name u --at yesterday',
    'revocations add_user --account B -u * --at 1600000000',
    'revocations add-user --account B -u garbage',
    'revocations delete-user --account B --name w',
    'revocations delete-user --account B -u *',
    'revocations list_users --account B',
    'describe account B',
    'delete import --account B --subject nope',
    'delete import --account B --subject weather.CA',
    'delete import --account A',
    'delete export --account A --subject nope',
    'delete export --account A --subject weather.CA',
    'delete export --account A',
    'delete export --account B',
    'validate --all-accounts',
    'list keys --all --filter OOO',
  ])
  assertSameStores(pair)
})

test('scoped signing keys and strict operators', needsOfficial, async (t) => {
  const pair = await runBoth(t, [
    'add operator Op --generate-signing-key',
    'add account A',
    'edit signing-key',
    'edit signing-key --sk generate --role reader --allow-sub news.> --deny-pub > --subs 5 --description reads',
    'edit signing-key --role reader --conn-type mqtt --allow-pub-response --bearer --payload 10 --data 20',
    'edit signing-key --sk reader --rm news.> --allow-sub tenants.{{name()}}.>',
    'edit signing-key --role reader --rm news.> --allow-sub tenants.{{name()}}.>',
    'edit signing-key nobody --subs 1',
    'edit signing-key --sk nope --role x',
    'describe account A',
    'add user r -K reader',
    'add user s -K reader --allow-pub x',
    'add user q -K reader --tag a:b --expiry 2030-01-01',
    'edit user r --allow-pub x',
    'edit user r --tag hi',
    'describe user r',
    'add user plain',
    'edit operator --require-signing-keys',
    'list keys --all',
    'list keys --not-referenced --all',
    'validate',
  ])
  assertSameStores(pair)

  const strict = await runBoth(t, [
    'add operator Op --generate-signing-key --sys',
    'edit operator --require-signing-keys',
    'add account A',
    'add user u',
    'edit account A --sk generate --js-disable',
    'add user u',
    'describe user u',
    'edit operator --require-signing-keys=false',
    'describe operator',
    'validate --all-accounts',
    (sandbox) => ['edit', 'operator', '--rm-sk', sandbox.claims('Op').nats.signing_keys[0]],
  ])
  assertSameStores(strict)
})

test('JetStream limits, global and in tiers', needsOfficial, async (t) => {
  const pair = await runBoth(
    t,
    [
      'add operator Op --sys',
      'add account A',
      'edit account A --js-disk-storage 10gb --js-mem-storage 1gib --js-streams 3',
      'describe account A',
      'edit account A --js-consumer 9 --js-max-ack-pending 100 --js-max-disk-stream 1mb --js-max-mem-stream 2mb',
      'edit account A --js-tier 3 --js-disk-storage 1gb',
      'edit account A --js-enable 0',
      'edit account A --js-disable --js-streams 1',
      'edit account A --rm-js-tier 0 --js-streams 1',
      'edit account A --js-enable 1 --js-streams 1',
      'describe account A',
      'edit account A --rm-js-tier 0',
      'edit account A --rm-js-tier 1',
      'edit account A --js-tier 1 --js-disk-storage 1gb --js-streams 2',
      'edit account A --js-tier 1 --js-disk-storage 2gb',
      'describe account A',
      'edit account A --js-streams 2',
      'edit account A --rm-js-tier 3',
      'edit account A --rm-js-tier 1',
      'edit account A --js-enable 0',
      'describe account A',
      'edit account A --js-disable',
      'edit account SYS --js-disk-storage 1gb --js-streams 4',
      'edit account SYS --js-enable 1',
      'edit account A --disk-storage 5gb',
      'edit operator --system-account A',
    ],
    {
      // The official program prints an empty line for the report it had begun.
      adjust: (text) => text.replace(/^\nError:/, 'Error:'),
    },
  )
  assertSameStores(pair)
})

test('generated material', needsOfficial, async (t) => {
  const pair = await runBoth(t, [
    'init -n Op',
    'add account B',
    'add user x',
    'add user y',
    'generate creds --name x',
    'generate creds',
    'generate creds --name nope',
    'generate creds --account B --name x --output-file x.creds',
    'generate creds --account SYS -o sys.creds',
    'generate nkey',
    'generate nkey --operator --account --user --curve',
    'generate config',
    'generate config --mem-resolver --nats-resolver',
    'generate config --mem-resolver --sys-account nope',
    'generate config --mem-resolver --config-file server.conf',
    'generate config --mem-resolver --config-file server.conf',
    'generate config --mem-resolver --config-file server.conf --force',
    'generate config --mem-resolver --dir conf',
    'generate config --nats-resolver --dir conf2',
  ])
  assertSameStores(pair)
  for (const [file, creds] of [
    ['x.creds', 'keys/creds/Op/B/x.creds'],
    ['sys.creds', 'keys/creds/Op/SYS/sys.creds'],
  ] as const)
    assert.equal(pair.ours.read(file), pair.ours.read('.local/share/nats/nsc', creds))
})
