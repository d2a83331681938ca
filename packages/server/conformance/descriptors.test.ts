// Out of file descriptors: accepting pauses, the log says so, those who are connected are served, and it goes on when some have left.
import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { Engine, enginesUnderTest, RawClient, tempDir, waitFor } from '@ngs/testkit'
import { QUIET } from './support.ts'

const DESCRIPTORS = 96

for (const engine of enginesUnderTest()) {
  describe(`few file descriptors [${engine.name}]`, () => {
    it('pause accepting until connections have left', async (t) => {
      const server = await Engine.start(t, { engine: limited(t, engine.path) })

      const one = await RawClient.connect(t, server.port)
      one.say(QUIET, 'SUB foo 1')
      await one.flush()
      const others = await exhaust(t, server, server.port)

      one.pub('foo', 'still here')
      assert.equal((await one.message()).payload, 'still here')

      for (const socket of others) socket.destroy()
      const late = await waitFor(() => RawClient.connect(t, server.port).catch(() => null), {
        what: 'a new connection',
      })
      late.say(QUIET)
      assert.equal(await late.flush(), '')
    })

    it('pause accepting for WebSocket, too', async (t) => {
      const server = await Engine.start(t, {
        engine: limited(t, engine.path),
        config: 'websocket { listen: "127.0.0.1:-1", no_tls: true }',
      })
      const one = await RawClient.connect(t, server.port)
      one.say(QUIET)
      await one.flush()
      const url = server.websocketUrl.replace('ws:', 'http:')
      const others = await exhaust(t, server, Number(new URL(url).port))
      assert.equal(await one.flush(), '')
      for (const socket of others) socket.destroy()
      // No upgrade, but an answer.
      const answer = await waitFor(() => fetch(url).catch(() => null), {
        what: 'an answer of the WebSocket port',
      })
      assert.equal(answer.status, 400)
    })
  })
}

/** An executable that runs the engine with few descriptors. */
function limited(t: TestContext, engine: string): string {
  const path = join(tempDir(t), 'limited')
  writeFileSync(path, `#!/bin/sh\nulimit -n ${DESCRIPTORS}\nexec '${engine}' "$@"\n`)
  chmodSync(path, 0o755)
  return path
}

/** Opens connections until the log says that descriptors ran out. */
async function exhaust(t: TestContext, server: Engine, port: number): Promise<Socket[]> {
  const others: Socket[] = []
  t.after(() => {
    for (const socket of others) socket.destroy()
  })
  await waitFor(
    () => {
      if (others.length < DESCRIPTORS + 20) others.push(connect(port, '127.0.0.1').on('error', () => {}))
      return /\[ERR\] .*Accept error\W.*too many open files/i.test(server.log())
    },
    { what: 'the log to say that descriptors ran out' },
  )
  return others
}
