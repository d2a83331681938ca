import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needsOfficial, Sandbox } from './support/sandbox.ts'
import { runBoth } from './support/scenario.ts'
import { assertSameStores } from './support/tokens.ts'

/** How the command line is read, beside what each flag means. */

test('flags may stand before the command they belong to', needsOfficial, async (t) => {
  const pair = await runBoth(t, [
    '--name Op add operator',
    'add --name A account',
    'add -n u --account A user --bearer',
    'add --account A --allow-pub a,b user v --deny-sub c',
    'describe --json account A --field nats.type',
    'edit --tag blue user u',
    'edit --conns 5 account --js-disable',
    'generate --output-file pub.creds creds -n u',
    'delete --name v user',
    'list --json users',
    // What looks like the command is a value here, and here nothing that exists.
    'add --name user',
    'add --nope=1 user w',
    '-z add',
    '--json describe account',
    'add w mapping --to x',
  ])
  assertSameStores(pair)
})

test('values that are none are refused in the same words', needsOfficial, async (t) => {
  await runBoth(t, [
    'add operator Op',
    'add account A',
    ['add', 'user', 'u', '--max-responses', 'a\\b'],
    ['add', 'mapping', '--from', 'a', '--to', 'b', '--weight', '"q"'],
    ['revocations', 'add-user', '--at', 'new\nline'],
    ['add', 'export', '--service', '--subject', 'a', '--response-threshold', 'ü☃'],
    'add export --subject a.* --account-token-position -1',
    'add export --subject a.* --account-token-position x',
    'add export --subject a.* --account-token-position 99999999999999999999',
    'delete user -C= u',
    'list users ---json',
    'edit user u --locale Nowhere',
    // Deprecated flags are only spoken of when the rest is right.
    'edit account A --max-responses 2 --allow-pub-response=x',
    'edit account A --max-responses 2 --js-disable',
  ])
})

test('a time zone in another case is refused: servers would not know it', async (t) => {
  const nsc = Sandbox.create(t, 'ours')
  for (const call of ['add operator Op', 'add account A', 'add user u']) await nsc.ok(call.split(' '))
  const edit = (zone: string) =>
    nsc.run(['edit', 'user', 'u', '--locale', zone, '--time', '08:00:00-09:00:00'])
  assert.match(
    (await edit('europe/zurich')).stderr,
    /unknown time zone europe\/zurich - did you mean Europe\/Zurich\?/,
  )
  for (const zone of ['Europe/Zurich', 'US/Pacific', 'Etc/GMT+5', 'UTC', 'Local'])
    assert.equal((await edit(zone)).code, 0, zone)
})

test('the system account gets no JetStream, by whatever flag', needsOfficial, async (t) => {
  await runBoth(t, [
    'add operator Op --sys',
    'edit account SYS --disk-storage 1',
    'edit account SYS --js-disk-storage 1',
    'edit account SYS --js-max-ack-pending 1',
    'edit account SYS --js-enable 0',
  ])
})

test('tiers that cannot be are refused', async (t) => {
  const nsc = Sandbox.create(t, 'ours')
  for (const call of ['add operator Op --sys', 'add account A']) await nsc.ok(call.split(' '))
  for (const call of ['--js-tier -1', '--js-enable -2', '--rm-js-tier -2']) {
    const { code, stderr } = await nsc.run(['edit', 'account', 'A', ...call.split(' ')])
    assert.equal(code, 1)
    assert.match(stderr, /tiers are 0 \(all assets\), 1, 3, 5 and so on/)
  }
  const { stderr } = await nsc.run(['edit', 'account', 'SYS', '--js-disk-storage', '-1'])
  assert.match(stderr, /please rerun without: --js-disk-storage/)
})
