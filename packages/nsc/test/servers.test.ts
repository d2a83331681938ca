import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Engine, enginesUnderTest } from '@ngs/testkit'
import { needsOfficial, normalize, Sandbox, type Which } from './support/sandbox.ts'

/** An operator whose accounts are kept by a running server that allows deletion. */
async function running(t: TestContext, engine: string, options: { strict?: boolean } = {}): Promise<Sandbox> {
  const sandbox = Sandbox.create(t, 'ours')
  await sandbox.ok(['add', 'operator', 'Op', '--sys', ...(options.strict ? ['--generate-signing-key'] : [])])
  if (options.strict) await sandbox.ok(['edit', 'operator', '--require-signing-keys'])
  await sandbox.ok(['add', 'account', 'A'])
  const { stdout } = await sandbox.ok(['generate', 'config', '--nats-resolver'])
  const config = stdout.replace('allow_delete: false', 'allow_delete: true').replace("'./jwt'", '"%DIR%/jwt"')
  const { url } = await Engine.start(t, { engine, config })
  await sandbox.ok(['edit', 'operator', '--account-jwt-server-url', url, '--service-url', url])
  return sandbox
}

/** Runs a call with both programs at once, and expects the same of both. */
async function assertSame(sandbox: Sandbox, args: readonly string[]): Promise<string> {
  const outcomes = await Promise.all(
    (['ours', 'official'] satisfies Which[]).map(async (which) => {
      const { code, stdout, stderr } = await sandbox.run(args, { which })
      const clean = (text: string) =>
        normalize(text, sandbox)
          .replace(/nats-server N[A-Z2-7]{55}/g, 'nats-server N')
          .replace(/127\.0\.0\.1:\d+/g, 'ADDR')
          .replace(/= [\d.]+(µs|ms)/, '= TIME')
          // The Go client prints some errors by itself as well.
          .replace(/^nats: .* on connection \[\d+\]\n?/gm, '')
          .replace(/\[_INBOX\.[^\]]+\]/, '[_INBOX]')
          .trimEnd()
      return { code, stdout: clean(stdout), stderr: clean(stderr) }
    }),
  )
  assert.deepEqual(outcomes[0], outcomes[1], args.join(' '))
  return `${outcomes[0]?.stdout}\n${outcomes[0]?.stderr}`
}

for (const engine of enginesUnderTest()) {
  test(
    `accounts kept by servers: push, diff, prune, remove, pull (${engine.name})`,
    needsOfficial,
    async (t) => {
      const sandbox = await running(t, engine.path)
      await sandbox.ok(['add', 'account', 'B'])
      await assertSame(sandbox, ['push', '-a', 'A'])
      await assertSame(sandbox, ['push', '--all'])
      await assertSame(sandbox, ['push', '--diff'])
      await assertSame(sandbox, ['pull', '--all'])
      await assertSame(sandbox, ['pull'])
      const removed = sandbox.key('Op', 'B')
      await sandbox.ok(['delete', 'account', 'B', '--revoke=false'])
      // Each removes it once: what comes back differs only by whose turn it was.
      for (const which of ['ours', 'official'] satisfies Which[]) {
        await sandbox.ok(['push', '--all'])
        const prune = await sandbox.ok(['push', '--prune'], { which })
        assert.match(prune.stdout, which === 'ours' ? /deleted 1 accounts/ : /nothing to prune/)
      }
      await assertSame(sandbox, ['push', '--account-removal', removed])
      await assertSame(sandbox, ['push', '--diff', '--system-user', 'sys'])
      await assertSame(sandbox, ['push', '--diff', '--system-user', 'nobody'])
      await assertSame(sandbox, ['push', '--diff', '--system-account', 'A'])
    },
  )

  test(`accounts kept by servers: a strict operator (${engine.name})`, needsOfficial, async (t) => {
    const sandbox = await running(t, engine.path, { strict: true })
    await sandbox.ok(['edit', 'account', 'A', '--sk', 'generate'])
    await assertSame(sandbox, ['push', '--all'])
    await assertSame(sandbox, ['push', '--diff'])
  })

  test(`tools: texts, streams and exit codes (${engine.name})`, needsOfficial, async (t) => {
    const sandbox = await running(t, engine.path)
    await sandbox.ok(['add', 'user', 'u'])
    await sandbox.ok(['add', 'user', 'limited', '--deny-pub', '>', '--deny-sub', 'secret'])
    await sandbox.ok(['push', '--all'])
    const say = (...args: string[]) => assertSame(sandbox, ['tool', ...args, '-u', 'u'])
    await say('pub', 'hello')
    await say('pub', 'hello', 'wörld "x"')
    await say('rtt')
    await say('req', 'nobody', 'x')
    await say('pub', 'x', '--nats', 'nats://127.0.0.1:1')
    await say('sub', 'x', '--encrypt')
    await say('sub', 'x', '--max-messages', '0')
    await assertSame(sandbox, ['pub', 'hello', '-u', 'u'])
    await assertSame(sandbox, ['tool', 'pub', 'x', '-u', 'limited'])
    await assertSame(sandbox, ['tool', 'sub', 'secret', '-u', 'limited'])
    await assertSame(sandbox, ['tool', 'pub', 'x'])
    const missing = await sandbox.run(['tool', 'pub', 'x', '-u', 'missing'])
    assert.equal(missing.code, 1)
    assert.match(
      missing.stderr,
      /missing\.creds: no such file or directory - account "A" has no user "missing"/,
    )
  })

  test(`tools of both programs talk to each other (${engine.name})`, needsOfficial, async (t) => {
    const sandbox = await running(t, engine.path)
    await sandbox.ok(['add', 'user', 'u'])
    await sandbox.ok(['push', '--all'])
    for (const [asks, answers] of [
      ['ours', 'official'],
      ['official', 'ours'],
    ] satisfies [Which, Which][]) {
      const word = answers === 'ours' && asks === 'official' ? 'rep' : 'reply'
      const replying = sandbox.run(['tool', word, 'help', 'on my way', '--max-messages', '1'], {
        which: answers,
      })
      const echoing = sandbox.run(['tool', 'reply', 'echo', '--queue', 'q', '--max-messages', '1'], {
        which: answers,
      })
      const listening = sandbox.run(['tool', 'sub', 'news.>', '--max-messages', '2'], { which: answers })
      assert.match(
        await answered(sandbox, asks, 'help', 'quick'),
        /^received reply: \[_INBOX\..*\] : 'on my way'\n$/,
      )
      assert.match(
        await answered(sandbox, asks, 'echo', 'ping'),
        /^received reply: \[_INBOX\..*\] : 'ping'\n$/,
      )
      await untilHeard(sandbox, asks, listening)
      assert.match(
        (await replying).stderr,
        /^listening on \[help\] for 1 messages\n\[#1\] received on \[help\]: 'quick'\n$/,
      )
      assert.equal((await echoing).code, 0)
      const heard = (await listening).stderr
      assert.match(
        heard,
        /^Listening on \[news\.>\] for 2 messages\n\[#1\] received on \[news\.ca\]: 'cold'\n\[#2\]/,
      )
    }
  })
}

/** Asks until someone is there to answer. */
async function answered(sandbox: Sandbox, which: Which, subject: string, text: string): Promise<string> {
  for (;;) {
    const { code, stdout, stderr } = await sandbox.run(['tool', 'req', subject, text], { which })
    if (code === 0 && stdout !== '') return stdout
    assert.match(stderr, /no responders/)
  }
}

/** Publishes until the subscriber has had enough. */
async function untilHeard(sandbox: Sandbox, which: Which, listening: Promise<unknown>): Promise<void> {
  let done = false
  void listening.then(() => {
    done = true
  })
  while (!done) await sandbox.ok(['tool', 'pub', 'news.ca', 'cold'], { which })
}
