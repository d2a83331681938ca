// ngs explain: what it says, how users are named, and that the command it gives turns a no into a yes.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import {
  decodeAccount,
  type Explanation,
  encode,
  type KeyPair,
  keyPairFromSeed,
  newActivationClaims,
  undecorateJwt,
  unverifiedDecode,
} from '@ngs/identity/node'
import { runNsc } from '@ngs/nsc'
import { tempDir } from '@ngs/testkit'
import { runNgs } from '../src/index.ts'
import { root } from './support.ts'

/** A person's machine with an operator of its own. */
class Desk {
  readonly home: string

  constructor(t: TestContext) {
    this.home = tempDir(t)
  }

  #io() {
    let stdout = ''
    let stderr = ''
    return {
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
      stdin: Readable.from([]),
      env: { HOME: this.home },
      cwd: this.home,
      text: () => ({ stdout, stderr }),
    }
  }

  async nsc(line: string): Promise<void> {
    const io = this.#io()
    const code = await runNsc(words(line), io)
    assert.equal(code, 0, `nsc ${line}\n${io.text().stdout}${io.text().stderr}`)
  }

  async ngs(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const io = this.#io()
    const code = await runNgs(['explain', ...args], io)
    return { code, ...io.text() }
  }

  async explain(...args: string[]): Promise<Explanation> {
    const { code, stdout, stderr } = await this.ngs(...args, '--json')
    assert.equal(stderr, '')
    const explained = JSON.parse(stdout) as Explanation
    assert.equal(code, explained.reaches ? 0 : 1)
    return explained
  }

  key(publicKey: string): KeyPair {
    const folder = join(
      this.home,
      '.local/share/nats/nsc/keys/keys',
      publicKey.slice(0, 1),
      publicKey.slice(1, 3),
    )
    return keyPairFromSeed(readFileSync(join(folder, `${publicKey}.nk`), 'utf8').trim())
  }

  /** Runs the command as a person would: in a shell. */
  shell(line: string): void {
    const bin = join(this.home, 'bin')
    mkdirSync(bin, { recursive: true })
    const nsc = join(bin, 'nsc')
    writeFileSync(nsc, `#!/bin/sh\nexec ${JSON.stringify(join(root, 'packages/nsc/bin/nsc'))} "$@"\n`, {
      mode: 0o755,
    })
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', line], {
      cwd: this.home,
      encoding: 'utf8',
      env: { PATH: `${bin}:${process.env['PATH']}`, HOME: this.home },
    })
    assert.equal(status, 0, `${line}\n${stdout}${stderr}`)
  }
}

const words = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')

/** Two accounts with a user each, a shared stream and a shared service. */
async function desk(t: TestContext): Promise<Desk> {
  const made = new Desk(t)
  for (const line of [
    'add operator --name Op --sys',
    'add account A',
    'add account B',
    'add user --account A --name ann',
    'add user --account A --name amy',
    'add user --account B --name bob',
    'add export --account A --subject wx.>',
    'add import --account B --src-account A --remote-subject wx.> --local-subject weather.>',
    'add export --account B --subject ip.* --service',
    'add import --account A --src-account B --remote-subject ip.* --service',
  ])
    await made.nsc(line)
  return made
}

test('a yes tells every step and where the message arrives', async (t) => {
  const made = await desk(t)
  const { code, stdout } = await made.ngs('--from', 'A/ann', '--to', 'B/bob', 'wx.ca')
  assert.equal(code, 0)
  assert.equal(
    stdout,
    `yes: the message on "wx.ca" of A/ann reaches B/bob, as "weather.ca"
  ✓ connect    A/ann can connect
  ✓ connect    B/bob can connect
  ✓ publish    A/ann may publish to "wx.ca"
  ✓ export     A exports the stream "wx.>"
  ✓ import     B imports the stream "wx.>", and gets "wx.ca" as "weather.ca"
  ✓ subscribe  B/bob may subscribe to "weather.ca"
`,
  )
  const asked = await made.explain('--request', '--from', 'A/ann', '--to', 'B/bob', 'ip.v4')
  assert.equal(asked.reaches, true)
  assert.deepEqual(asked.steps.map(({ stage }) => stage).slice(-3), ['subscribe', 'reply', 'reply'])
})

test('docs/explain.md shows what is said', async (t) => {
  const made = new Desk(t)
  for (const line of [
    'add operator --name Op --sys',
    'add account First',
    'add account Second',
    'add user --account First --name bob',
    'add user --account Second --name listener',
    'add user --account Second --name asker',
    'add export --account First --subject weather.CA',
    'add import --account Second --src-account First --remote-subject weather.CA --local-subject wx.CA',
    'add export --account First --subject ip.geo --service',
    'add import --account Second --src-account First --remote-subject ip.geo --service',
  ])
    await made.nsc(line)
  const page = readFileSync(join(root, 'docs/explain.md'), 'utf8')
  const shown = [...page.matchAll(/^```text\n\$ ngs explain (.*)\n([\s\S]*?)^```/gm)]
  assert.equal(shown.length, 3)
  for (const [, line, text] of shown) {
    const { stdout } = await made.ngs(...words(line!))
    if (text === '') assert.match(stdout, /^yes: /, line)
    else assert.equal(stdout, text)
  }
})

test('users are given by name, by key, by creds file and by token file', async (t) => {
  const made = await desk(t)
  await made.nsc('generate creds --account A --name ann --output-file ann.creds')
  await made.nsc('describe user --account B --name bob --raw --output-file bob.jwt')
  await made.nsc('describe account B --raw --output-file b-account.jwt')
  assert.equal((await made.explain('--from', 'ann.creds', '--to', 'bob.jwt', 'wx.ca')).reaches, true)
  await made.nsc('select account A')
  assert.equal((await made.explain('--from', 'ann', '--to', 'Op/B/bob', 'wx.ca')).reaches, true)
  const token = undecorateJwt(readFileSync(join(made.home, 'bob.jwt'), 'utf8')).trim()
  const key = String(unverifiedDecode(token).payload['sub'])
  assert.equal((await made.explain('--from', 'ann', '--to', key, 'wx.ca')).reaches, true)
  const unknown = await made.ngs('--from', 'ann', '--to', 'B/nobody', 'x')
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /"B\/nobody" is no user here.*\n {2}users here: .*A\/ann/)
  const wrong = await made.ngs('--from', 'ann', '--to', 'amy', 'a.>')
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /"a\.>" is no subject that one can publish to/)

  // Somebody else's machine, which has only what was sent.
  const other = new Desk(t)
  await other.nsc('add operator --name Else')
  const send = (file: string) => copyFileSync(join(made.home, file), join(other.home, file))
  for (const file of ['ann.creds', 'bob.jwt', 'b-account.jwt']) send(file)
  const missing = await other.ngs('--from', 'ann.creds', '--to', 'bob.jwt', 'wx.ca', '--jwt', 'b-account.jwt')
  assert.match(
    missing.stderr,
    /account A\w+ of the user ann \(from\) is not known; add tokens of accounts with --jwt/,
  )
  await made.nsc('describe account A --raw --output-file a-account.jwt')
  send('a-account.jwt')
  const files = ['--jwt', 'a-account.jwt', '--jwt', 'b-account.jwt']
  assert.equal(
    (await other.explain('--from', 'ann.creds', '--to', 'bob.jwt', 'wx.ca', ...files)).reaches,
    true,
  )
})

const STREAM = ['--from', 'A/ann', '--to', 'B/bob', 'wx.ca']
const REQUEST = ['--request', '--from', 'A/ann', '--to', 'B/bob', 'ip.v4']
const LOCAL = ['--from', 'A/ann', '--to', 'A/amy', 'x.y']

/** What goes wrong, what is asked then, and which step says no. */
const FAULTS: [name: string, breaks: string[], asks: string[], stage: string][] = [
  ['a deny list of the sender', ['edit user --account A --name ann --deny-pub wx.*'], STREAM, 'publish'],
  ['an allow list of the sender', ['edit user --account A --name ann --allow-pub y'], STREAM, 'publish'],
  [
    'a deny list of the receiver',
    ['edit user --account B --name bob --deny-sub weather.>'],
    STREAM,
    'subscribe',
  ],
  ['an allow list of the receiver', ['edit user --account B --name bob --allow-sub y'], STREAM, 'subscribe'],
  ['default permissions', ['edit account A --deny-pub wx.>'], STREAM, 'publish'],
  [
    'a role',
    [
      'edit signing-key --account A --sk generate --role r --allow-pub "u.{{name()}}.>"',
      'delete user --account A --name ann',
      'add user --account A --name ann -K r',
    ],
    STREAM,
    'publish',
  ],
  [
    'a deny entry of a role with a template',
    [
      'edit signing-key --account A --sk generate --role r --deny-pub "wx.{{name()}}"',
      'delete user --account A --name ann',
      'add user --account A --name ann -K r',
    ],
    ['--from', 'A/ann', '--to', 'B/bob', 'wx.ann'],
    'publish',
  ],
  ['a missing import', ['delete import --account B --subject wx.>'], STREAM, 'import'],
  ['a missing export', ['delete export --account A --subject wx.>'], STREAM, 'export'],
  ['a revoked user', ['revocations add-user --account A --name ann'], STREAM, 'connect'],
  ['all users revoked', ['revocations add-user --account B --user-public-key *'], STREAM, 'connect'],
  ['an expired user', ['edit user --account A --name ann --expiry 2020-01-01'], STREAM, 'connect'],
  ['a user that is not valid yet', ['edit user --account A --name ann --start 1d'], STREAM, 'connect'],
  ['an expired account', ['edit account B --expiry 2020-01-01'], STREAM, 'connect'],
  ['no connections', ['edit account B --conns 0'], STREAM, 'connect'],
  ['one connection for two', ['edit account A --conns 1'], LOCAL, 'connect'],
  ['no subscriptions', ['edit user --account B --name bob --subs 0'], STREAM, 'connect'],
  ['no subscriptions in the account', ['edit account B --subscriptions 0'], STREAM, 'connect'],
  ['a message that is too big', ['edit account A --payload 100'], [...STREAM, '--size', '101'], 'publish'],
  [
    'a user with a limit',
    ['edit user --account A --name ann --payload 100'],
    [...STREAM, '--size', '101'],
    'publish',
  ],
  ['the inbox of the one who asks', ['edit user --account A --name ann --allow-sub y'], REQUEST, 'reply'],
  ['an answer that is not allowed', ['edit user --account B --name bob --allow-pub y'], REQUEST, 'reply'],
  ['a missing service import', ['delete import --account A --subject ip.*'], REQUEST, 'import'],
  ['a missing service export', ['delete export --account B --subject ip.*'], REQUEST, 'export'],
  [
    'a limit of imports',
    ['delete import --account B --subject wx.>', 'edit account B --imports 0'],
    STREAM,
    'import',
  ],
  [
    'no wildcard exports',
    ['delete export --account A --subject wx.>', 'edit account A --exports 5 --wildcard-exports=false'],
    STREAM,
    'export',
  ],
  [
    'a limit of exports',
    ['delete export --account A --subject wx.>', 'edit account A --exports 0'],
    STREAM,
    'export',
  ],
]

/** The same for a private stream, whose grant goes wrong. */
const GRANTS: [name: string, breaks: string[], stage: string][] = [
  ['no import of a private export', ['delete import --account B --subject p.>'], 'import'],
  [
    'a revoked grant',
    ['revocations add_activation --account A --subject p.> --target-account B'],
    'activation',
  ],
  [
    'all grants revoked',
    ['revocations add_activation --account A --subject p.> --target-account *'],
    'activation',
  ],
]

/** Applies the commands that are given until the answer is yes. */
async function mend(made: Desk, asks: readonly string[], first: Explanation): Promise<number> {
  let explained = first
  let runs = 0
  while (!explained.reaches) {
    assert.ok(explained.fix, JSON.stringify(explained.steps, null, 1))
    assert.ok(runs < 4, `still no after ${explained.fix}`)
    made.shell(explained.fix)
    runs++
    explained = await made.explain(...asks)
  }
  return runs
}

for (const [name, breaks, asks, stage] of FAULTS)
  test(`the command for a no works: ${name}`, async (t) => {
    const made = await desk(t)
    assert.equal((await made.explain(...asks)).reaches, true, 'before')
    for (const line of breaks) await made.nsc(line)
    const explained = await made.explain(...asks)
    assert.equal(explained.steps.find(({ ok }) => !ok)?.stage, stage)
    const runs = await mend(made, asks, explained)
    // Where the import alone does not help, the next command follows.
    assert.ok(
      runs === 1 || ['import', 'export'].includes(stage) || name.startsWith('a limit of'),
      `${runs} commands`,
    )
  })

for (const [name, breaks, stage] of GRANTS)
  test(`the command for a no works: ${name}`, async (t) => {
    const made = await desk(t)
    for (const line of [
      'add export --account A --private --subject p.>',
      'generate activation --account A --subject p.> --target-account B --output-file p.jwt',
      'add import --account B --token p.jwt --local-subject p.>',
      ...breaks,
    ])
      await made.nsc(line)
    const asks = ['--from', 'A/ann', '--to', 'B/bob', 'p.1']
    const explained = await made.explain(...asks)
    assert.equal(explained.reaches, false)
    assert.equal(explained.steps.find(({ ok }) => !ok)?.stage, stage)
    assert.equal(await mend(made, asks, explained), 1)
  })

test('the command for a no works: an expired grant', async (t) => {
  const made = await desk(t)
  for (const line of [
    'add export --account A --private --subject p.>',
    'generate activation --account A --subject p.> --target-account B --output-file p.jwt',
    'add import --account B --token p.jwt --local-subject p.>',
  ])
    await made.nsc(line)
  // nsc imports no token that has expired: time has to pass, or to be made to have passed.
  const store = join(made.home, '.local/share/nats/nsc/stores/Op')
  const file = (name: string) => join(store, 'accounts', name, `${name}.jwt`)
  const [exporter, importer] = ['A', 'B'].map((name) => decodeAccount(readFileSync(file(name), 'utf8')))
  const activation = newActivationClaims(importer!.sub)
  Object.assign(activation.nats, { subject: 'p.>', kind: 'stream' })
  activation.exp = 1_600_000_000
  for (const item of importer!.nats.imports ?? [])
    if (item?.subject === 'p.>') item.token = encode(activation, made.key(exporter!.sub))
  writeFileSync(file('B'), encode(importer!, made.key(importer!.iss)))
  const asks = ['--from', 'A/ann', '--to', 'B/bob', 'p.1']
  const explained = await made.explain(...asks)
  assert.match(explained.steps.find(({ ok }) => !ok)?.text ?? '', /expired/)
  assert.equal(await mend(made, asks, explained), 1)
})
