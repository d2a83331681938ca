// The command line itself: help, mistakes, forwarded verbs. No service runs here.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Outcome, run, tempDir } from '@ngs/testkit'
import { environment, ngs, root } from './support.ts'

describe('ngs', () => {
  it('alone, and with --help, prints what there is', async (t) => {
    const env = environment(tempDir(t))
    const [alone, help] = await Promise.all([ngs([], env), ngs(['--help'], env)])
    assert.equal(alone.code, 0)
    assert.equal(alone.stdout, help.stdout)
    for (const command of ['up', 'signup', 'status', 'plans', 'usage', 'operator', 'edit', 'add', 'tool']) {
      assert.match(help.stdout, new RegExp(`^  ${command} `, 'm'))
    }
    assert.match(help.stdout, /Examples:\n {2}ngs up/)
  })

  it('prints its version', async (t) => {
    assert.match((await ngs(['--version'], environment(tempDir(t)))).stdout, /^ngs \d+\.\d+\.\d+\n$/)
  })

  it('refuses what it does not know in one line, with exit code 2', async (t) => {
    const env = environment(tempDir(t))
    for (const [args, says] of [
      [['stauts'], /^ngs: unknown command 'stauts' \(Did you mean status\?\); ngs --help/],
      [['plans', '--colour'], /^ngs: unknown option '--colour'/],
      [['up', '--port'], /^ngs: option '--port <n>' argument missing/],
      [['up', '--port', 'x'], /^ngs: --port x: a port is a number from 1 to 65535, or 0 for any free one$/m],
      [['up', '--nats-url', 'nats://x'], /^ngs: --nats-url .* needs --system-creds FILE too/],
      [
        ['up', '--nats-url', 'nats://x', '--system-creds', 'f', '--engine', 'e'],
        /--nats-url.*cannot be used with.*--engine/,
      ],
      [
        ['up', '--nats-url', 'nats://x', '--system-creds', 'f', '--port', '1'],
        /--port makes no sense with --nats-url/,
      ],
      [['up', 'now'], /^ngs: too many arguments for 'up'\. Expected 0 arguments but got 1: now; ngs --help/],
      [['up', '--data-dir', ''], /^ngs: --data-dir needs the name of a folder$/m],
      [['operator', 'acounts'], /^ngs: unknown command 'acounts' \(Did you mean accounts\?\); ngs --help/],
      [['operator', 'plan', 'First'], /^ngs: missing required argument 'plan'/],
    ] as const) {
      const { code, stdout, stderr } = await ngs(args, env)
      assert.match(stderr, says)
      assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
      assert.equal(stdout, '')
      assert.equal(code, 2)
    }
  })

  it('prints what a group has when none of its commands is named, as an error', async (t) => {
    const { code, stdout, stderr } = await ngs(['operator'], environment(tempDir(t)))
    assert.match(stderr, /^Usage: ngs operator \[options\] \[command\]\n[\s\S]*^ {2}accounts /m)
    assert.equal(stdout, '')
    assert.equal(code, 2)
  })

  it('gives errors as JSON when asked for JSON', async (t) => {
    const { code, stdout, stderr } = await ngs(
      ['plans', '--json', '--url', 'http://127.0.0.1:1'],
      environment(tempDir(t)),
    )
    assert.equal(code, 1)
    assert.equal(stdout, '')
    const { error } = JSON.parse(stderr)
    assert.equal(error.code, 'no-service')
    assert.match(error.message, /ngs up/)
  })

  it('says where it looked for the service and how to name another place', async (t) => {
    const home = tempDir(t)
    for (const [args, extra] of [
      [['plans'], { NGS_URL: 'http://127.0.0.1:1' }],
      [['plans', '--url', 'http://127.0.0.1:1/'], { NGS_URL: 'http://127.0.0.1:2' }],
    ] as const) {
      const { code, stderr } = await ngs(args, environment(home, extra))
      assert.equal(code, 1)
      assert.match(
        stderr,
        /^ngs: cannot reach the service at http:\/\/127\.0\.0\.1:1 \(.*\); start it with ngs up, or set NGS_URL/,
      )
    }
    const wrong = await ngs(['plans'], environment(home, { NGS_URL: 'localhost:1' }))
    assert.match(wrong.stderr, /^ngs: NGS_URL localhost:1: must look like http:/)
  })

  it('says what to do where there is no account yet', async (t) => {
    const { code, stderr } = await ngs(['status'], environment(tempDir(t)))
    assert.equal(code, 1)
    assert.equal(stderr, 'ngs: there is no account on this machine yet; make one with ngs signup\n')
  })
})

describe('ngs signup without a terminal', () => {
  it('names the flag it lacks', async (t) => {
    const { code, stderr } = await ngs(['signup'], environment(tempDir(t)))
    assert.equal(code, 2)
    assert.match(stderr, /^ngs: name the account with --name NAME/)
  })
})

describe('the verbs of nsc', () => {
  /** The same arguments to nsc itself. */
  const nsc = (args: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> =>
    run(join(root, 'packages/nsc/bin/nsc'), args, { env })

  it('do what nsc does: output, errors, exit codes, help', async (t) => {
    const env = environment(tempDir(t))
    assert.equal((await nsc(['add', 'operator', '--name', 'O'], env)).code, 0)
    assert.equal((await ngs(['add', 'account', '--name', 'A'], env)).code, 0)
    assert.equal(
      (await ngs(['add', 'user', '--account', 'A', '--name', 'bob', '--allow-pub', 'x.>'], env)).code,
      0,
    )
    for (const args of [
      ['describe', 'user', '--account', 'A', '--name', 'bob'],
      ['describe', 'account', '--json'],
      ['list', 'accounts'],
      ['env'],
      ['validate'],
      ['add', 'export'],
      ['edit', 'account', '--nosuch'],
      ['delete', 'user', '--name', 'nobody'],
      ['select', 'account', 'none'],
      ['revocations', 'list-users'],
      ['generate', 'creds', '--name', 'nobody'],
      ['tool', 'pub', 'x'],
      ['push'],
      ['pull'],
      ['add', '--help'],
      ['edit', 'user', '--help'],
    ]) {
      const [ours, theirs] = [await ngs(args, env), await nsc(args, env)]
      assert.deepEqual(ours, theirs, args.join(' '))
    }
  })

  it('edit alone says how a plan is changed for now', async (t) => {
    const { code, stderr } = await ngs(['edit'], environment(tempDir(t)))
    assert.equal(code, 1)
    assert.match(stderr, /^ngs: changing your own plan is not possible yet; .*ngs operator plan ACCOUNT PLAN/)
  })
})
