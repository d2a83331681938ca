import assert from 'node:assert/strict'
import fs from 'node:fs'
import { type TestContext, test } from 'node:test'
import { Engine, enginesUnderTest, freePort, needsPeer, peer } from '@ngs/testkit'
import { AccountServer } from './support/account-server.ts'
import { Sandbox } from './support/sandbox.ts'
import { needsTerminal, Terminal } from './support/terminal.ts'

/** Reports for programs, and pushes of many accounts. */

interface Line {
  level: string
  text: string
  account?: string
  public_key?: string
  server?: string
  message?: string
  lines?: Line[]
}

interface Body {
  level: string
  summary: string | null
  lines: Line[]
}

const ACCOUNTS = 70

/** An operator with many accounts and the configuration of its servers. */
async function operator(t: TestContext, accounts = ACCOUNTS): Promise<{ sandbox: Sandbox; config: string }> {
  const sandbox = Sandbox.create(t, 'ours')
  await sandbox.ok(['add', 'operator', 'Op', '--sys'])
  for (let index = 0; index < accounts; index++) await sandbox.ok(['add', 'account', `A${index}`])
  const { stdout } = await sandbox.ok(['generate', 'config', '--nats-resolver'])
  return { sandbox, config: stdout.replace("'./jwt'", '"%DIR%/jwt"') }
}

function parse({ stdout }: { stdout: string }): Body {
  return JSON.parse(stdout) as Body
}

for (const engine of enginesUnderTest())
  test(`push --json says of every account what every server answered (${engine.name})`, async (t) => {
    const { sandbox, config } = await operator(t)
    const { url } = await Engine.start(t, { engine: engine.path, config })
    await sandbox.ok(['edit', 'operator', '--account-jwt-server-url', url])
    const pushed = parse(await sandbox.ok(['push', '--all', '--json']))
    assert.equal(pushed.level, 'ok')
    const [group] = pushed.lines
    assert.equal(pushed.lines.length, 1)
    assert.equal(group?.lines?.length, ACCOUNTS + 1)
    for (const line of group?.lines ?? []) {
      assert.equal(line.level, 'ok')
      assert.equal(line.public_key, sandbox.key('Op', line.account ?? ''))
      const [answer, total] = line.lines ?? []
      assert.match(answer?.server ?? '', /^\S+$/)
      assert.match(answer?.message ?? '', /jwt updated/)
      assert.equal(total?.text, 'pushed to a total of 1 nats-server')
    }
    const listed = parse(await sandbox.ok(['push', '--diff', '--json']))
    assert.equal(listed.lines[0]?.lines?.[0]?.lines?.length, ACCOUNTS + 1, 'the server has them all')

    fs.rmSync(`${sandbox.stores}/Op/accounts/A3/A3.jwt`)
    const pulled = parse(await sandbox.ok(['pull', '--all', '--json']))
    const stored = pulled.lines[0]?.lines?.filter(({ account }) => account !== undefined) ?? []
    assert.equal(stored.length, ACCOUNTS + 1)
    assert.equal(stored.find(({ account }) => account === 'A3')?.public_key, sandbox.key('Op', 'A3'))
  })

test('a push to several servers waits for all of them', needsPeer('nats-server'), async (t) => {
  const { sandbox, config } = await operator(t)
  const ports = [await freePort(), await freePort()]
  const cluster = (own: number) =>
    `${config}\ncluster { name: c, listen: "127.0.0.1:${ports[own]}", routes: ["nats://127.0.0.1:${ports[1 - own]}"] }`
  const [first, second] = await Promise.all(
    [0, 1].map((own) =>
      Engine.start(t, { engine: peer('nats-server'), config: `server_name: n${own}\n${cluster(own)}` }),
    ),
  )
  await sandbox.ok(['edit', 'operator', '--account-jwt-server-url', first?.url ?? ''])
  // Routes take a moment; until then one server answers.
  let pushed = parse(await sandbox.ok(['push', '-a', 'A0', '--json']))
  while (pushed.lines[0]?.lines?.[0]?.lines?.length !== 3)
    pushed = parse(await sandbox.ok(['push', '-a', 'A0', '--json']))
  pushed = parse(await sandbox.ok(['push', '--all', '--json']))
  for (const line of pushed.lines[0]?.lines ?? []) {
    const servers = (line.lines ?? []).map(({ server }) => server).filter((server) => server !== undefined)
    assert.deepEqual(servers.sort(), ['n0', 'n1'], line.text)
  }
  assert.equal(fs.readdirSync(`${second?.dir}/jwt`).length >= ACCOUNTS, true)
})

test('what fails is in the JSON too, and in the exit code', async (t) => {
  const accounts = await AccountServer.start(t, 'T')
  const sandbox = Sandbox.create(t, 'ours')
  await sandbox.ok(['init', '-u', accounts.operatorUrl, '-n', 'A'])
  const good = parse(await sandbox.ok(['push', '--json']))
  assert.deepEqual([good.level, good.lines[0]?.account], ['ok', 'A'])
  accounts.onPost = () => ({ status: 400, body: 'no more accounts' })
  const { code, stdout, stderr } = await sandbox.run(['push', '--json'])
  assert.equal(code, 1)
  assert.equal(stderr, 'Error: all jobs failed\n')
  const bad = JSON.parse(stdout) as Body
  assert.deepEqual(
    [bad.level, bad.summary, bad.lines[0]?.public_key],
    ['error', 'all jobs failed', sandbox.key('T', 'A')],
  )
  assert.ok(bad.lines[0]?.lines?.some(({ text }) => text === 'no more accounts'))
  const pulled = parse(await sandbox.ok(['pull', '--all', '--json']))
  assert.deepEqual(
    pulled.lines.map(({ level }) => level),
    ['ok', 'ok'],
  )
})

test('validate --json lists the issues of operator and accounts', async (t) => {
  const sandbox = Sandbox.create(t, 'ours')
  await sandbox.ok(['add', 'operator', 'Op'])
  await sandbox.ok(['add', 'account', 'A'])
  await sandbox.ok(['add', 'account', 'B', '--expiry', '1m'])
  const good = JSON.parse((await sandbox.ok(['validate', '--all-accounts', '--json'])).stdout)
  assert.deepEqual(
    [good.valid, good.operator.name, good.accounts.map(({ name }: { name: string }) => name)],
    [true, 'Op', ['A', 'B']],
  )
  await sandbox.ok(['add', 'operator', 'Other'])
  await sandbox.ok(['add', 'account', 'A'])
  fs.copyFileSync(`${sandbox.stores}/Op/accounts/A/A.jwt`, `${sandbox.stores}/Other/accounts/A/A.jwt`)
  const { code, stdout } = await sandbox.run(['validate', '--all-accounts', '--json'])
  assert.equal(code, 1)
  const bad = JSON.parse(stdout)
  assert.equal(bad.valid, false)
  assert.deepEqual(bad.accounts, [
    {
      name: 'A',
      issues: [{ level: 'error', text: 'Account is not issued by operator or operator signing keys' }],
    },
  ])
})

test('a push of many accounts shows how far it is, at a terminal', {
  ...needsTerminal,
  timeout: 120_000,
}, async (t) => {
  const { sandbox, config } = await operator(t, 12)
  const { url } = await Engine.start(t, { config })
  await sandbox.ok(['edit', 'operator', '--account-jwt-server-url', url])
  const terminal = new Terminal(sandbox, ['push', '--all'])
  await terminal.see('pushing accounts: 1 of 13')
  const { code, screen } = await terminal.exit()
  assert.equal(code, 0, screen)
  const { stdout, stderr } = await sandbox.ok(['push', '--all'], { spawned: true })
  assert.doesNotMatch(stdout + stderr, /pushing accounts/)
})
