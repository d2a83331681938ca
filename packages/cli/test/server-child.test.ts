import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { tempDir, waitFor } from '@ngs/testkit'
import { resolvePorts } from '../src/up/addresses.ts'
import { identify, isRunning } from '../src/up/processes.ts'
import { ServerChild } from '../src/up/server-child.ts'
import { greeting } from './support.ts'

async function startChild(t: TestContext, config?: string) {
  const dir = tempDir(t)
  const { nats } = await resolvePorts('127.0.0.1', { nats: 0 })
  const file = join(dir, 'server.conf')
  writeFileSync(file, config ?? `host: 127.0.0.1\nport: ${nats}\n`)
  const log: string[] = []
  const pids: (number | null)[] = []
  const events: string[] = []
  const child = await ServerChild.start(
    {
      config: file,
      runDir: join(dir, 'run'),
      log: (line) => log.push(line),
      onProcess: (pid) => pids.push(pid),
      onRestart: (how) => events.push(`ended with ${how}`),
      onBack: () => events.push('back'),
    },
    new AbortController().signal,
  )
  t.after(() => child.stop())
  return { child, log, pids, events, url: `nats://127.0.0.1:${nats}` }
}

describe('the message server as a child', () => {
  it('listens when it is started, and does no more when it is stopped', async (t) => {
    const { child, log, pids, url, events } = await startChild(t)
    assert.match((await greeting(url)) ?? '', /^INFO /)
    await waitFor(() => log.some((line) => line.includes('Server is ready')), { what: 'its log' })
    await child.stop()
    await child.stop()
    assert.equal(await greeting(url), null)
    assert.equal(pids.length, 2)
    assert.equal(pids[1], null)
    assert.deepEqual(events, [], 'a stopped server is not started again')
  })

  it('is started again each time it is killed', async (t) => {
    const { child, pids, events, url } = await startChild(t)
    for (let round = 1; round <= 2; round++) {
      process.kill(pids.at(-1)!, 'SIGKILL')
      await waitFor(() => events.length === 2 * round, { what: 'the restart' })
      assert.deepEqual(events.slice(-2), ['ended with SIGKILL', 'back'])
      assert.match((await greeting(url)) ?? '', /^INFO /)
    }
    await child.stop()
    assert.equal(await greeting(url), null)
  })

  it('ends with a process that ends without stopping it', async (t) => {
    const dir = tempDir(t)
    const config = join(dir, 'server.conf')
    writeFileSync(config, 'host: 127.0.0.1\nport: -1\n')
    const program = `
      import { ServerChild } from ${JSON.stringify(join(import.meta.dirname, '../src/up/server-child.ts'))}
      const none = { log() {}, onRestart() {}, onBack() {}, onProcess(pid) { console.log(pid) } }
      const options = { config: ${JSON.stringify(config)}, runDir: ${JSON.stringify(join(dir, 'run'))} }
      await ServerChild.start({ ...options, ...none }, new AbortController().signal)
      process.exit(3)`
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    })
    assert.equal(status, 3, stderr)
    const pid = Number(stdout)
    assert.ok(pid > 0)
    await waitFor(() => !isRunning(identify(pid)), { what: 'the end of the server' })
  })

  it('that does not start says why', async (t) => {
    await assert.rejects(startChild(t, 'port: nonsense\n'), {
      code: 'server-failed',
      message:
        /^the message server did not start: ngs-server: .*server\.conf:1.*configuration: .*server\.conf/,
    })
  })

  it('that does not exist is named with the flag', async (t) => {
    const dir = tempDir(t)
    const none = { log() {}, onProcess() {}, onRestart() {}, onBack() {} }
    for (const [engine, why] of [
      [join(dir, 'nothing'), /there is no such file.*--engine/],
      [dir, /not executable.*--engine/],
    ] as const) {
      await assert.rejects(
        ServerChild.start(
          { config: 'x', runDir: join(dir, 'run'), engine, ...none },
          new AbortController().signal,
        ),
        { code: 'server-failed', message: why },
      )
    }
  })
})
