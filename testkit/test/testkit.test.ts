import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import {
  type Cleanup,
  Engine,
  enginesUnderTest,
  freePort,
  ngsServer,
  RawClient,
  run,
  tempDir,
  waitFor,
} from '../src/index.ts'

/** Runs the tasks given to `after` when told to, as the end of a test would. */
function cleanup(): Cleanup & { end(): Promise<void> } {
  const tasks: (() => unknown)[] = []
  return {
    after: (task) => void tasks.push(task),
    end: async () => {
      for (const task of tasks.reverse()) await task()
    },
  }
}

/** A listener that says `text` to whoever comes. */
async function saying(t: TestContext, text: string): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).write(text))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return (server.address() as { port: number }).port
}

describe('an engine', () => {
  for (const { name, path } of enginesUnderTest()) {
    it(`${name} starts from a configuration, talks, and is gone with its folder after the test`, async (t) => {
      const test = cleanup()
      t.after(test.end)
      const engine = await Engine.start(test, { engine: path, config: 'http: "127.0.0.1:-1"\n' })
      assert.match(engine.url, /^nats:\/\/127\.0\.0\.1:\d+$/)
      await engine.waitForLog(/Server is ready/)
      assert.equal((await engine.monitor('/varz'))['port'], engine.port)

      const client = await RawClient.connect(t, engine.url)
      assert.ok(client.info.client_id > 0)
      client.connect()
      client.sub('greet.*', 7)
      client.pub('greet.you', 'hé', 'r')
      assert.deepEqual(await client.message(), {
        op: 'MSG',
        subject: 'greet.you',
        sid: '7',
        reply: 'r',
        headers: '',
        payload: Buffer.from('hé').toString('latin1'),
      })
      await client.pingPong()

      await test.end()
      assert.equal(await client.closed(), '')
      assert.equal(existsSync(engine.dir), false)
      assert.throws(() => process.kill(engine.pid, 0), { code: 'ESRCH' })
    })

    it(`${name} keeps the folder that a test gave it`, async (t) => {
      const dir = tempDir(t)
      for (let time = 0; time < 2; time++) {
        const engine = await Engine.start(null, { engine: path, dir })
        await engine.stop()
        assert.deepEqual(await engine.exited, { code: 0, signal: null })
      }
      assert.ok(existsSync(dir))
    })
  }

  it('that refuses its configuration fails the start, with its log', async () => {
    await assert.rejects(
      Engine.start(null, { engine: ngsServer, config: 'max_payload: banana\n' }),
      /ended early:[\s\S]*server\.conf:2:1/,
    )
  })

  it('that does not exist fails the start', async (t) => {
    await assert.rejects(
      Engine.start(null, { engine: `${tempDir(t)}/nothing` }),
      /ended early:\nspawn .*nothing ENOENT/,
    )
  })

  it('that leaves a process behind fails the stop', async (t) => {
    const ports = `printf '{"nats":["nats://127.0.0.1:1"]}' > "$4/x_$$.ports"`
    const script = `${ports}; sleep 600 & exec sleep 500`
    const dir = tempDir(t)
    writeFileSync(`${dir}/fake`, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    const engine = await Engine.start(null, { engine: `${dir}/fake` })
    await assert.rejects(engine.stop(), /left a process behind/)
  })
})

describe('a raw client', () => {
  const hello = 'INFO {"client_id":5}\r\n'

  it('says what it expected and what came instead', async (t) => {
    const client = await RawClient.connect(t, await saying(t, `${hello}+OK\r\nPONG\r\n`))
    await assert.rejects(client.expect('PONG'), /expected "PONG", got "\+OK"; behind it: "PONG\\r\\n"/)
  })

  it('passes over the PINGs of the server unless it is told not to', async (t) => {
    const port = await saying(t, `${hello}PING\r\n+OK\r\n`)
    await (await RawClient.connect(t, port)).expect('+OK')
    await (await RawClient.connect(t, port, { pings: true })).expect('PING', '+OK')
  })

  it('gives up at its deadline', async (t) => {
    const client = await RawClient.connect(t, await saying(t, `${hello}+O`), { deadline: 50 })
    await assert.rejects(client.expect('+OK'), /waited 50 ms for "\+OK"; left: "\+O"/)
  })

  it('finds what came before a PONG, and what did not', async (t) => {
    const client = await RawClient.connect(
      t,
      await saying(t, `${hello}+OK\r\nPONG\r\nPONG\r\nMSG a 1 0\r\n\r\n`),
    )
    assert.equal(await client.flush(), '+OK\r\n')
    await client.pingPong()
    assert.equal((await client.message()).subject, 'a')
  })

  it('splits a message with headers', async (t) => {
    const client = await RawClient.connect(
      t,
      await saying(t, `${hello}HMSG a 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n`),
    )
    const { op, headers, payload, reply } = await client.message()
    assert.deepEqual([op, headers, payload, reply], ['HMSG', 'NATS/1.0\r\n\r\n', 'hi', ''])
  })
})

it('run gives the outcome of a program and ends one that takes too long', async () => {
  const outcome = await run('sh', ['-c', 'cat; echo oops >&2; exit 3'], { input: 'in' })
  assert.deepEqual(outcome, { code: 3, signal: null, stdout: 'in', stderr: 'oops\n' })
  await assert.rejects(run('sleep', ['100'], { timeout: 30 }), /longer than 30 ms/)
})

it('waitFor returns the first truthy answer, or names what it waited for', async () => {
  let count = 0
  assert.equal(await waitFor(() => (++count === 3 ? 'yes' : null), { what: 'three' }), 'yes')
  await assert.rejects(
    waitFor(() => false, { timeout: 20, what: 'never' }),
    /waited 20 ms for never/,
  )
})

it('freePort finds a port one can listen on', async () => {
  const server = createServer()
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  server.close()
})
