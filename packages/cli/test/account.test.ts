// The commands of an account's owner and of the operator, against a running system.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createKeyPair } from '@ngs/identity/node'
import { tempDir } from '@ngs/testkit'
import { ServiceClient } from '../src/api/client.ts'
import { environment, ngs, Up } from './support.ts'

describe('an account', () => {
  const cleanups: (() => unknown)[] = []
  const scope = { after: (step: () => unknown) => void cleanups.push(step) } as Parameters<typeof tempDir>[0]
  let up: Up
  let env: NodeJS.ProcessEnv
  let operatorFlags: string[]
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await ngs([...args, '--json'], env)
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout)
  }

  before(async () => {
    const dir = tempDir(scope)
    up = await Up.start(scope, join(dir, 'ngs'), ['--region', 'r1'])
    env = environment(join(dir, 'home'), { NGS_URL: up.urls.http })
    operatorFlags = ['--data-dir', up.dataDir]
  })
  after(async () => {
    await up?.stop()
    for (const step of cleanups.reverse()) await step()
  })

  it('plans are shown before there is one', async () => {
    const { code, stdout } = await ngs(['plans'], env)
    assert.equal(code, 0)
    assert.match(stdout, /^Free {2,}free {2,}1 KB {2,}10 {2,}1 GB {2,}demo only {2,}0 {2,}no$/m)
    assert.match(stdout, /^Business {2,}99 USD {2,}1 MB {2,}1,000 {2,}200 GB {2,}100 {2,}100 {2,}yes$/m)
    const catalogue = await json('plans')
    assert.deepEqual(
      catalogue.plans.map((plan: { id: string }) => plan.id),
      ['free', 'developer', 'project', 'business'],
    )
  })

  it('is made by signup', async () => {
    const account = await json('signup', '--name', 'First')
    assert.match(account.account, /^A[A-Z2-7]{55}$/)
    assert.deepEqual(account, { name: 'First', account: account.account, user: 'First' })
    const again = await ngs(['signup', '--name', 'Other'], env)
    assert.equal(again.code, 1)
    assert.match(again.stderr, /^ngs: this machine is signed up already .*ngs add account --name Other/)
  })

  it('has a status with plan, limits and usage', async () => {
    const { code, stdout } = await ngs(['status'], env)
    assert.equal(code, 0)
    assert.match(stdout, /^First {2}A[A-Z2-7]{55}$/m)
    assert.match(stdout, /^ {2}Plan +Free, active$/m)
    assert.match(stdout, /^ {2}Max message +1 KB$/m)
    assert.match(stdout, /^ {2}Connections +0 of 10 +░{24} 0 %$/m)
    assert.match(stdout, /^ {2}Data +.* of 1 GB +[█░]{24} /m)
    assert.ok(!stdout.includes('\x1b'), 'no colour in a pipe')
    const status = await json('status')
    assert.equal(status.name, 'First')
    assert.equal(status.plan.id, 'free')
    assert.equal(status.limits.connections, 10)
    assert.equal(status.usage.connections, 0)
  })

  it('has usage that grows', async () => {
    const before = await json('usage')
    assert.match((await ngs(['tool', 'req', 'ngs.echo', 'hello'], env)).stdout, /\[r1\]: "hello"/)
    const later = await json('usage')
    assert.equal(later.account, before.account)
    assert.ok(later.usage.received.messages > before.usage.received.messages, 'the request was counted')
    assert.match((await ngs(['usage'], env)).stdout, /^ {2}Sent by you +1 message, 5 B$/m)
  })

  it('is named by name or key, and must exist', async () => {
    const { account } = await json('status')
    assert.equal((await json('status', '--account', account)).name, 'First')
    assert.equal((await json('status', '-a', 'First')).name, 'First')
    const { code, stderr } = await ngs(['status', '--account', 'Nobody'], env)
    assert.equal(code, 1)
    assert.match(stderr, /^ngs: .*Nobody.*ngs list accounts.*\n$/)
  })

  it('finds its service by itself', async () => {
    const { NGS_URL: _, ...bare } = env
    assert.equal((await ngs(['status'], bare)).code, 0)
    assert.equal((await ngs(['plans'], bare)).code, 0)
  })

  it('is seen and moved by the operator', async () => {
    const list = await json('operator', 'accounts', ...operatorFlags)
    assert.equal(list.accounts.length, 1)
    assert.equal(list.accounts[0].plan, 'free')
    const { stdout } = await ngs(['operator', 'accounts', ...operatorFlags], env)
    assert.match(stdout, /^First {2,}free {2,}active {2,}\d{4}-\d\d-\d\d {2,}A[A-Z2-7]{55}$/m)

    const moved = await ngs(['operator', 'plan', 'First', 'developer', ...operatorFlags], env)
    assert.equal(moved.code, 0, moved.stderr)
    assert.equal(
      moved.stdout,
      'First is on the plan developer now. The message servers have its new limits.\n',
    )
    assert.equal((await json('status')).limits.connections, 50)
    const back = await json('operator', 'plan', list.accounts[0].account, 'Free', ...operatorFlags)
    assert.equal(back.plan, 'free')
    assert.equal(back.distributed, true)
  })

  it('is not moved to a plan that does not exist, nor is one that does not exist', async () => {
    for (const [args, says] of [
      [['First', 'gold'], /^ngs: .*"gold".*free, developer, project, business/],
      [['Nobody', 'free'], /^ngs: .*Nobody/],
    ] as const) {
      const { code, stderr } = await ngs(['operator', 'plan', ...args, ...operatorFlags], env)
      assert.equal(code, 1)
      assert.match(stderr, says)
    }
  })

  it('is the business of nobody without the operator token', async (t) => {
    const { code, stderr } = await ngs(['operator', 'accounts', '--data-dir', tempDir(t)], env)
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^ngs: cannot read the operator token .*operator\.token: no such file or directory; .*--data-dir\n$/,
    )
  })

  it('cannot be shown where its key is not', async () => {
    rmSync(join(env['XDG_DATA_HOME']!, 'nats/nsc/keys/keys'), { recursive: true })
    const { code, stderr } = await ngs(['status'], env)
    assert.equal(code, 1)
    assert.match(stderr, /^ngs: the key of account First is not in the keystore .*nsc import keys\n$/)
  })
})

describe('signing in', () => {
  /** A server that answers every request with the same JSON. */
  async function impostor(
    t: { after: (step: () => unknown) => void },
    body: unknown,
  ): Promise<{ url: string; seen: string[] }> {
    const seen: string[] = []
    const server = createServer((request, response) => {
      seen.push(request.url ?? '')
      response
        .setHeader('content-type', 'application/json')
        .end(typeof body === 'string' ? body : JSON.stringify(body))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, seen }
  }

  it('signs nothing but a nonce for this account', async (t) => {
    const key = createKeyPair('account')
    const other = createKeyPair('account').publicKey
    for (const nonce of [
      'eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJ4In0',
      `ngs-auth:${other}:1:x`,
      'ngs-auth:',
      '',
      7,
      undefined,
    ]) {
      const { url, seen } = await impostor(t, { nonce })
      await assert.rejects(new ServiceClient(url).signIn(key.publicKey, key), {
        code: 'bad-nonce',
        message: /nothing was signed/,
      })
      assert.deepEqual(seen, ['/api/v1/auth/challenge'])
    }
  })

  it('says so when something else answers at the address', async (t) => {
    const { url } = await impostor(t, '<html>')
    await assert.rejects(new ServiceClient(url).plans(), { code: 'not-the-service', message: /NGS_URL/ })
  })
})
