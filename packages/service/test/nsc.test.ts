// The official nsc, unchanged, against the service: everything it does with a managed operator.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import { createKeyPair } from '@ngs/identity/node'
import { type Cleanup, DEADLINE_MS, needsPeer, tempDir } from '@ngs/testkit'
import { Nsc, Owner, TestSystem } from './support.ts'

async function start(t: Cleanup): Promise<{ system: TestSystem; nsc: Nsc }> {
  const system = await TestSystem.start(t)
  const home = join(tempDir(t as never), 'home')
  mkdirSync(home)
  return { system, nsc: new Nsc(home, system.url) }
}
const onlyOk = (text: string): string => {
  assert.doesNotMatch(text, /\[(WARN|ERR )\]/)
  return text
}

describe('the official nsc', { skip: needsPeer('nsc').skip }, () => {
  it('signs up with init, and its user connects', async (t) => {
    const { system, nsc } = await start(t)
    const text = onlyOk(await nsc.does('init -o ngs -n First'))
    assert.match(text, /\[ OK \] push jwt to account server/)
    assert.match(text, /\[ OK \] pull jwt from account server/)
    assert.match(text, /all jobs succeeded/)
    const described = await nsc.does('describe account First')
    assert.match(described, /Max Connections +\| 10 /)
    assert.match(described, /Max Imports +\| 3 /)
    assert.match(described, /Max Data +\| 1\.0 GB/)
    assert.match(described, /ngs\.echo/)
    const validated = await nsc.run(['validate'])
    assert.equal(validated.code, 0, validated.stderr)
    const nc = await connect({
      servers: system.natsUrl,
      authenticator: credsAuthenticator(readFileSync(nsc.creds('First', 'First'))),
    })
    t.after(() => nc.close())
    assert.equal(
      (await nc.request('ngs.echo', 'hello', { timeout: DEADLINE_MS })).string(),
      '[Test-1]: "hello"',
    )
    assert.match(await nsc.does('tool req ngs.echo hi'), /\[Test-1\]: "hi"/)
  })

  it('adds the operator by URL', async (t) => {
    const { system, nsc } = await start(t)
    await nsc.does(`add operator -u ${system.url}/jwt/v1/operator`)
    onlyOk(await nsc.does('add account --name A'))
    assert.equal((await system.claims(await nsc.key('A'))).name, 'A')
  })

  it('edits everything an owner can edit, and gets back what it sent', async (t) => {
    const { system, nsc } = await start(t)
    await nsc.does('init -o ngs -n First')
    const account = await nsc.key('First')
    const edits: string[][] = [
      ['add', 'export', '--subject', 'weather.CA'],
      [
        'add',
        'export',
        '--service',
        '--subject',
        'ip.geo',
        '--latency',
        'lat.ip',
        '--sampling',
        '50',
        '--response-type',
        'Stream',
      ],
      ['add', 'export', '--private', '--subject', 'vault.>'],
      ['edit', 'export', '--subject', 'weather.CA', '--description', 'about <weather> & more'],
      ['add', 'mapping', '--from', 'a', '--to', 'b', '--weight', '50'],
      [
        'edit',
        'account',
        '--sk',
        'generate',
        '--description',
        'text',
        '--info-url',
        'https://example.com/x',
        '--tag',
        'one',
        '--tag',
        'two',
      ],
      ['edit', 'signing-key', '--sk', 'generate', '--role', 'sensor', '--allow-pub', 'data.{{name()}}'],
      ['edit', 'account', '--allow-pub', 'x.>', '--deny-sub', 'y'],
      ['revocations', 'add-user', '--user-public-key', '*'],
      ['revocations', 'delete-user', '--user-public-key', '*'],
      ['edit', 'authcallout', '--auth-user', createKeyPair('user').publicKey],
      ['edit', 'account', '--trace-context-subject', 'trace.here', '--trace-context-sampling', '10'],
      ['delete', 'mapping', '--from', 'a'],
      ['delete', 'export', '--subject', 'ip.geo'],
    ]
    for (const edit of edits) {
      const before = Number((await system.claims(account)).iat)
      const { code, stdout, stderr } = await nsc.run(edit)
      assert.equal(code, 0, `${edit.join(' ')}\n${stdout}${stderr}`)
      const stored = await system.claims(account)
      assert.ok(Number(stored.iat) > before, `${edit.join(' ')} was pushed`)
      assert.equal(
        await nsc.does('describe account First --raw').then((raw) => raw.trim()),
        await system.pull(account),
      )
    }
    const { nats } = await system.claims(account)
    assert.deepEqual(
      nats.exports?.map((one) => one?.subject),
      ['vault.>', 'weather.CA'],
    )
    assert.equal(nats.exports?.[1]?.description, 'about <weather> & more')
    assert.deepEqual(nats.tags, ['one', 'two'])
    assert.equal(nats.signing_keys?.length, 2)
    assert.deepEqual(nats.default_permissions, { pub: { allow: ['x.>'] }, sub: { deny: ['y'] } })
    assert.equal(nats.trace?.dest, 'trace.here')
    const table = await nsc.does('validate')
    assert.match(table, /No issues found/)
  })

  it('shares between accounts: imports under a plan, activations, revocations', async (t) => {
    const { system, nsc } = await start(t)
    await nsc.does('init -o ngs -n First')
    await nsc.does('add account --name Second')
    const [first, second] = [await nsc.key('First'), await nsc.key('Second')]
    await nsc.does('add export --account First --private --subject vault.>')
    // The token itself says how many imports there may be, so nsc refuses on its own.
    const own = await nsc.fails(`add import --account Second --src-account ${first} --remote-subject vault.>`)
    assert.match(own, /more imports than allowed by the operator/)
    await system.setPlan('Second', 'developer')
    await nsc.does('pull --account Second')

    const refused = await nsc.fails(
      `add import --account Second --src-account ${first} --remote-subject vault.>`,
    )
    assert.match(refused, /\[ERR \] failed to push account to remote server/)
    assert.match(
      refused,
      /> .*the export is private and needs an activation token; ask the owner of account "First"/,
    )
    await nsc.does('delete import --account Second --subject vault.>')
    const token = join(nsc.home, 'vault.tok')
    await nsc.does(
      `generate activation --account First --subject vault.> --target-account ${second} --output-file ${token}`,
    )
    onlyOk(await nsc.does(`add import --account Second --token ${token}`))
    onlyOk(
      await nsc.does(
        `revocations add_activation --account First --subject vault.> --target-account ${second}`,
      ),
    )
    onlyOk(await nsc.does('edit account --name Second --description', 'goes on'))
    onlyOk(await nsc.does('delete import --account Second --subject vault.>'))
  })

  it('pushes and pulls, one account and all, also when the store has moved on', async (t) => {
    const { system, nsc } = await start(t)
    await nsc.does('init -o ngs -n First')
    const names = Array.from({ length: 12 }, (_, i) => `A${i}`)
    for (const name of names) await nsc.does(`add account --name ${name}`)
    onlyOk(await nsc.does('push --account A3'))
    assert.match(onlyOk(await nsc.does('push -A')), /all jobs succeeded/)
    await system.setPlan('A3', 'business')
    // The older token is not taken back, and nsc is told.
    const pushed = onlyOk(await nsc.does('push -A'))
    assert.match(pushed, /> nothing was changed: the service holds a newer version of this account/)
    assert.equal((await system.claims(await nsc.key('A3'))).nats.limits.conn, 1000)
    onlyOk(await nsc.does('pull -A'))
    assert.match(await nsc.does('describe account A3'), /Max Connections +\| 1,?000 /)
    onlyOk(await nsc.does('pull --account A0'))
    const edited = await nsc.does('edit account --name A4 --conns 99999')
    assert.match(edited, /max connections changed from 99999 to 10/)
  })

  it('retries a push that failed because the service was down', async (t) => {
    const { system, nsc } = await start(t)
    await nsc.does('init -o ngs -n First')
    await system.stopService()
    const failed = await nsc.run(['edit', 'account', '--name', 'First', '--description', 'later'])
    assert.notEqual(failed.code, 0)
    await system.startService()
    onlyOk(await nsc.does('push'))
    assert.equal((await system.claims(await nsc.key('First'))).nats.description, 'later')
    onlyOk(await nsc.does('pull'))
  })

  it('loads an account from its seed on another machine', async (t) => {
    const { system, nsc } = await start(t)
    await nsc.does('init -o ngs -n First')
    await nsc.does('add export --subject kept')
    const account = await nsc.key('First')
    const before = await system.pull(account)
    const seed = readFileSync(
      join(nsc.home, 'data/nats/nsc/keys/keys/A', account.slice(1, 3), `${account}.nk`),
      'utf8',
    )
    const home = join(nsc.home, '..', 'other')
    mkdirSync(home)
    const other = new Nsc(home, system.url)
    await other.does(`load --profile nsc://ngs?secret=${seed}&user=second`)
    assert.equal(await system.pull(account), before)
    onlyOk(await other.does('add export --subject more'))
    assert.deepEqual(
      (await system.claims(account)).nats.exports?.map((one) => one?.subject),
      ['kept', 'more'],
    )
  })

  it('renames an account', async (t) => {
    const { system, nsc } = await start(t)
    await nsc.does('init -o ngs -n First')
    const account = await nsc.key('First')
    await nsc.does('rename account First Renamed --OK')
    assert.equal((await system.claims(account)).name, 'Renamed')
    assert.equal(await nsc.key('Renamed'), account)
  })

  it('edits with a signing key when the key of the account is away', async (t) => {
    const { system, nsc } = await start(t)
    await nsc.does('init -o ngs -n First')
    await nsc.does('edit account --name First --sk generate')
    const account = await nsc.key('First')
    rmSync(join(nsc.home, 'data/nats/nsc/keys/keys/A', account.slice(1, 3), `${account}.nk`))
    onlyOk(await nsc.does('add export --subject by.signing.key'))
    assert.equal((await system.claims(account)).nats.exports?.[0]?.subject, 'by.signing.key')
  })

  it('deletes an account, whose users are out at once', async (t) => {
    const { system, nsc } = await start(t)
    await nsc.does('init -o ngs -n First')
    await nsc.does('add account --name Second')
    await nsc.does('add user --account Second --name carol')
    const account = await nsc.key('Second')
    const creds = readFileSync(nsc.creds('Second', 'carol'))
    const nc = await connect({
      servers: system.natsUrl,
      authenticator: credsAuthenticator(creds),
      reconnect: false,
    })
    const closed = nc.closed()
    const text = await nsc.does('delete account Second -F')
    assert.match(text, /> the account is cancelled/)
    assert.match(text, /deleted account/)
    assert.match(String(await closed), /revoked|authorization|authentication/i)
    const { text: accounts } = await system.http('GET', '/api/v1/operator/accounts', {
      bearer: system.operatorToken,
    })
    assert.equal(
      (JSON.parse(accounts) as { accounts: { account: string; state: string }[] }).accounts.find(
        (one) => one.account === account,
      )?.state,
      'cancelled',
    )
    assert.ok((await system.claims(account)).exp)
  })

  it('prints why a push is refused', async (t) => {
    const { system, nsc } = await start(t)
    await nsc.does('init -o ngs -n First')
    await nsc.does('add account --name Second')
    await system.setPlan('Second', 'developer')
    await nsc.does('pull --account Second')
    const other = new Owner()
    await nsc.does(`add import --account Second --src-account ${other.account} --remote-subject x`)
    await nsc.does('delete import --account Second --subject x')
    await system.setPlan('Second', 'free')
    // Its copy still allows imports, so it is the service that says no.
    const text = await nsc.fails(
      `add import --account Second --src-account ${other.account} --remote-subject x`,
    )
    assert.match(text, /> plan Free allows no imports besides the demonstration ones, this account has 1/)
    assert.match(text, /> +stream import "x"/)
  })
})
