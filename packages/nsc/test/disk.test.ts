import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { tempDir } from '@ngs/testkit'
import { Sandbox } from './support/sandbox.ts'
import type { DiskCall, DiskOutcome } from './support/small-disk.ts'

/** A mount namespace of one's own, where file systems of any size can be mounted without disturbing anyone. */
const NAMESPACE = ['--user', '--map-root-user', '--mount']
const probe = spawnSync('unshare', [...NAMESPACE, 'mount', '-t', 'tmpfs', 'none', '/mnt'])
const needsMounts = { skip: probe.status === 0 ? false : 'file systems cannot be mounted here' }

async function onSmallDisks(
  t: TestContext,
  home: string,
  calls: readonly DiskCall[],
): Promise<DiskOutcome[]> {
  const script = path.join(import.meta.dirname, 'support/small-disk.ts')
  const child = spawn('unshare', [...NAMESPACE, process.execPath, script, home, tempDir(t)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(JSON.stringify(calls))
  let out = ''
  for await (const part of child.stdout.setEncoding('utf8')) out += part
  return JSON.parse(out)
}

/** A store with what the calls need. */
async function prepare(t: TestContext): Promise<{ sandbox: Sandbox; calls: string[][] }> {
  const sandbox = Sandbox.create(t, 'ours')
  for (const line of [
    'init -n Op',
    'add account A',
    'add user u --account A',
    'add user v --account A',
    'edit signing-key --account A --sk generate --role r',
    'add export --account A --private --subject o.>',
    'export keys --all --dir backup',
    'generate creds --account A --name u -o u.creds',
  ])
    await sandbox.ok(line.split(' '))
  const calls = [
    'init -n Other',
    'add operator Other --sys --generate-signing-key',
    'add account C',
    'add user n --account A',
    'add user n --account A -K r',
    'add export --account A --subject x',
    'add mapping --account A --from a --to b',
    'edit operator --sk generate',
    'edit account A --sk generate --tag x',
    'edit user u --account A --tag x',
    'edit signing-key --account A --sk generate --role q',
    'edit authcallout --account A --auth-user USER --curve generate',
    'revocations add-user --account A --name u',
    'delete user u --account A --revoke --rm-nkey --rm-creds',
    'delete account A --rm-nkey --rm-creds',
    'delete export --account A',
    'rename account A Z --OK',
    'reissue operator',
    'generate nkey --user --store',
    'generate creds --account A --name u -o out.creds',
    'generate activation --account A --target-account Op -o out.tok',
    'export keys --all --include-jwts --remove --dir moved',
    'import keys --dir backup --keystore-dir keys2',
    'fix --in backup --out fixed',
    'select account A',
  ].map((line) => line.replace('USER', sandbox.key('Op', 'A', 'u')).split(' '))
  return { sandbox, calls }
}

test('a full disk: a command succeeds, or leaves everything as it was', needsMounts, async (t) => {
  const { sandbox, calls } = await prepare(t)
  const frees = [0, 1, 2, 3, 4, 6, 9, 14, 20]
  const outcomes = await onSmallDisks(
    t,
    sandbox.home,
    calls.flatMap((args) => frees.map((free) => ({ args, free }))),
  )
  const refused = outcomes.filter(({ code }) => code !== 0)
  for (const { args, free, code, stderr, changes } of refused) {
    assert.deepEqual([code, changes], [1, []], `${args.join(' ')} (${free} blocks free): ${stderr}`)
    assert.match(stderr, /no space left on device|no operator found/, args.join(' '))
  }
  // Each call has met a full disk, and most have met one that filled up on the way.
  for (const args of calls) assert.ok(refused.some((outcome) => outcome.args.join() === args.join()))
  assert.ok(refused.filter(({ stderr }) => /nothing was changed/.test(stderr)).length > 25)
  for (const { args, free, stderr, stdout } of outcomes)
    for (const text of [stderr, stdout]) assert.doesNotMatch(text, /S[OAU][A-Z2-7]{56}/, `${args} ${free}`)
})

test('a read-only disk: what only looks works, the rest says why it does not', needsMounts, async (t) => {
  const { sandbox, calls } = await prepare(t)
  const looking = [
    'describe account A',
    'list keys -A',
    'validate -A',
    'env',
    'expirations',
    'describe user u -a A',
  ]
  const outcomes = await onSmallDisks(t, sandbox.home, [
    ...calls.map((args): DiskCall => ({ args, free: 'read-only' })),
    ...looking.map((line): DiskCall => ({ args: line.split(' '), free: 'read-only' })),
  ])
  for (const { args, code, stderr, changes } of outcomes) {
    const looks = looking.includes(args.join(' '))
    assert.deepEqual([code, changes], [looks ? 0 : 1, []], `${args.join(' ')}: ${stderr}`)
    if (!looks) assert.match(stderr, /read-only file system|no operator found/, args.join(' '))
  }
})
