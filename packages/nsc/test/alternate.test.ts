import assert from 'node:assert/strict'
import { test } from 'node:test'
import { needsOfficial, Sandbox, type Which } from './support/sandbox.ts'
import { argumentsOf, runBoth, type Step, words } from './support/scenario.ts'
import { sameTokens } from './support/tokens.ts'

/** The guides on sharing between accounts, call by call. */
const GUIDES: readonly { title: string; steps: readonly Step[] }[] = [
  {
    title: 'a public stream',
    steps: lines(
      'add export --account A --name abc --subject a.b.c.>',
      'describe account A',
      (at) => `add import --account B --src-account ${at.key('Op', 'A')} --remote-subject a.b.c.>`,
      'describe account B',
      (at) => `delete import --account B --src-account ${at.key('Op', 'A')} --subject a.b.c.>`,
      (at) =>
        `add import --account B --src-account ${at.key('Op', 'A')} --remote-subject a.b.c.> --local-subject abc.>`,
      'validate --all-accounts',
    ),
  },
  {
    title: 'a public service',
    steps: lines(
      'add export --account A --name help --subject help --service',
      'add export --account A --subject help.many --service --response-type Stream',
      (at) => `add import --account B --src-account ${at.key('Op', 'A')} --remote-subject help --service`,
      (at) =>
        `add import --account B --src-account ${at.key('Op', 'A')} --remote-subject help.many --service --local-subject many --share`,
      'describe account B',
      'edit export --account A --subject help --latency help.latency --sampling 50',
      'describe account A',
    ),
  },
  {
    title: 'a private stream',
    steps: lines(
      'add export --account A --subject private.abc.* --private --account-token-position 3',
      'add export --account A --subject private.abc.* --private',
      (at) =>
        `generate activation --account A --target-account ${at.key('Op', 'B')} --subject private.abc.x -o b.tok`,
      'describe jwt --file b.tok',
      'add import --account B --token b.tok --name abc --local-subject abc',
      'describe account B',
      (at) =>
        `revocations add_activation --account A --subject private.abc.* --target-account ${at.key('Op', 'B')}`,
      'revocations list_activations --account A --subject private.abc.*',
      'revocations delete_activation --account A --subject private.abc.* --target-account B',
    ),
  },
  {
    title: 'a private service that answers with a stream',
    steps: lines(
      "add export --private --account A --name 'private feed' --subject feed.* --service --response-type Stream",
      (at) =>
        `generate activation --output-file f.tok --account A --subject feed.* --target-account ${at.key('Op', 'B')}`,
      "add import --token f.tok --account B --name 'their feed' --local-subject own.*",
      'describe account B',
      (at) => `delete import --account B --src-account ${at.key('Op', 'A')} --subject feed.*`,
      'describe account B',
    ),
  },
  {
    title: 'users and revocations',
    steps: lines(
      'add user --account A --name s --allow-pub foo --allow-sub _INBOX.>',
      'add user --account A --name svc --allow-sub q --allow-pub-response',
      'edit user --account A --name s --deny-pub secret --expiry 30d --tag team:red',
      'describe user --account A --name s',
      'revocations add-user --account A --name s',
      'revocations list-users --account A',
      'edit user --account A --name s --tag again',
      'revocations delete-user --account A --name s',
      'delete user --account A --name s --rm-creds --rm-nkey',
    ),
  },
]

function lines(...calls: (string | ((at: Sandbox) => string))[]): Step[] {
  return calls.map((call) => (at) => words(typeof call === 'string' ? call : call(at)))
}

const SETUP = lines('add operator Op --sys --generate-signing-key', 'add account A', 'add account B')

for (const { title, steps } of GUIDES)
  test(`guide, ${steps.length} calls: ${title}`, needsOfficial, async (t) => {
    const { ours, official } = await runBoth(t, [...SETUP, ...steps])
    assert.deepEqual(ours.tree(), official.tree())
    assert.equal(sameTokens(ours, official), null)
  })

/** Calls of every kind that changes something; each works on what those before it made. */
const SCRIPT = lines(
  'init -n Op',
  'edit operator --sk generate --service-url nats://one:4222 --tag x',
  'add account A --expiry 2031-01-01',
  'edit account A --sk generate --conns 10 --js-disk-storage 1gb --js-streams 5 --description text',
  'edit signing-key --account A --sk generate --role reader --allow-sub news.> --deny-pub >',
  'add user r --account A -K reader',
  'add user p --account A --allow-pub x --allow-sub y --allow-pub-response',
  'edit user p --account A --time 01:00:00-02:00:00 --locale Europe/Paris --source-network 10.0.0.0/8',
  'edit user r --account A --tag seen',
  'edit signing-key --account A --role reader --allow-sub more.>',
  'add user r2 --account A -K reader',
  'add account B',
  'add export --account A --subject pub.> --name public',
  'add export --account A --subject priv.> --private',
  'add export --account A --subject svc --service --latency l --sampling 10',
  'edit export --account A --subject pub.> --description text',
  'add import --account B --src-account A --remote-subject pub.> --local-subject in.>',
  'add import --account B --src-account A --remote-subject svc --service',
  'generate activation --account A --subject priv.> --target-account B -o t.tok',
  'add import --account B --token t.tok',
  'add mapping --account B --from m --to m1 --weight 50',
  'add mapping --account B --from m --to m2 --weight 50',
  'add user auth --account B',
  (at) => `edit authcallout --account B --auth-user ${at.key('Op', 'B', 'auth')} --curve generate`,
  'edit authcallout --account B --allowed-account *',
  'delete mapping --account B --from m --to m1',
  'revocations add-user --account A --name p',
  'revocations add_activation --account A --subject priv.> --target-account B',
  'revocations delete_activation --account A --subject priv.> --target-account B',
  'revocations delete-user --account A --name p',
  'edit account A --js-disable',
  'edit account A --js-tier 1 --js-disk-storage 1gb --js-mem-storage 1mb',
  'export keys --all --include-jwts --dir backup',
  'delete user p --account A --revoke --rm-nkey --rm-creds',
  (at) => `import user --file backup/${userFile(at)}`,
  'import keys --dir backup',
  'delete import --account B --subject svc',
  'delete export --account A --subject svc',
  'add account C',
  'add user c --account C',
  'rename account C D --OK',
  'delete account D --rm-nkey --rm-creds',
  'reissue operator --convert-to-signing-key',
  'edit operator --system-account SYS --expiry 2032-01-01',
  'reissue operator',
  'select account A',
)

/** The exported token of the user p, which has just been deleted: the only one that is not in the store. */
function userFile(at: Sandbox): string {
  const stored = new Set(['r', 'r2'].map((name) => at.key('Op', 'A', name)))
  for (const user of [at.key('Op', 'Op', 'Op'), at.key('Op', 'SYS', 'sys'), at.key('Op', 'B', 'auth')])
    stored.add(user)
  const file = at.files('backup').find((name) => /^U.*\.jwt$/.test(name) && !stored.has(name.slice(0, -4)))
  assert.ok(file)
  return file
}

const LOOKS = [
  'describe operator',
  'describe account A',
  'describe account B --json',
  'list keys --all',
  'list accounts',
]

for (const first of ['ours', 'official'] as const)
  test(
    `${SCRIPT.length} changes of one store, both programs in turn, ${first} first`,
    needsOfficial,
    async (t) => {
      const sandbox = Sandbox.create(t, first)
      const turns: readonly Which[] = first === 'ours' ? ['ours', 'official'] : ['official', 'ours']
      for (const [index, step] of SCRIPT.entries()) {
        const args = await argumentsOf(step, sandbox)
        const call = `${args.join(' ')} (by ${turns[index % 2]})`
        const outcome = await sandbox.run(args, { which: turns[index % 2] as Which })
        assert.equal(outcome.code, 0, `${call}: ${outcome.stdout}${outcome.stderr}`)
        // Neither sees anything wrong, and both see the same.
        const [ours, official] = await seenBy(sandbox, 'validate --all-accounts')
        assert.deepEqual(ours, official, call)
        assert.equal(ours.code, 0, `${call}: ${ours.stderr}`)
        if (index % 5 !== 4 && index !== SCRIPT.length - 1) continue
        for (const look of index > 12 ? LOOKS : ['list accounts', 'describe operator']) {
          const [a, b] = await seenBy(sandbox, look)
          assert.deepEqual(inAnyOrder(a), inAnyOrder(b), `${call}: ${look}`)
        }
      }
    },
  )

function seenBy(sandbox: Sandbox, line: string) {
  return Promise.all([
    sandbox.run(words(line), { which: 'ours' }),
    sandbox.run(words(line), { which: 'official' }),
  ])
}

/** Cells of tables, sorted: the official program prints signing keys in an order that changes from run to run. */
function inAnyOrder({ code, stdout, stderr }: { code: number | null; stdout: string; stderr: string }) {
  const cells = (text: string) => text.split(/[|\n]/).map((cell) => cell.trim())
  return { code, stdout: cells(stdout).sort(), stderr: cells(stderr).sort() }
}
