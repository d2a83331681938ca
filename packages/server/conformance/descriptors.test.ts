// Out of file descriptors: accepting pauses, the log says so, those who are connected are served, and it goes on when some have left.
import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Engine, enginesUnderTest, RawClient, tempDir, waitFor } from '@ngs/testkit'
import { QUIET } from './support.ts'

const DESCRIPTORS = 96

for (const engine of enginesUnderTest()) {
  describe(`few file descriptors [${engine.name}]`, () => {
    it('pause accepting until connections have left', async (t) => {
      const limited = join(tempDir(t), 'limited')
      writeFileSync(limited, `#!/bin/sh\nulimit -n ${DESCRIPTORS}\nexec '${engine.path}' "$@"\n`)
      chmodSync(limited, 0o755)
      const server = await Engine.start(t, { engine: limited })

      const one = await RawClient.connect(t, server.port)
      one.say(QUIET, 'SUB foo 1')
      await one.flush()
      const others: Socket[] = []
      t.after(() => {
        for (const socket of others) socket.destroy()
      })
      await waitFor(
        () => {
          if (others.length < DESCRIPTORS + 20)
            others.push(connect(server.port, '127.0.0.1').on('error', () => {}))
          return /\[ERR\] Temporary Client Accept Error\(.*too many open files.*\), sleeping 10ms\n/.test(
            server.log(),
          )
        },
        { what: 'the log to say that descriptors ran out' },
      )

      one.pub('foo', 'still here')
      assert.equal((await one.message()).payload, 'still here')

      for (const socket of others) socket.destroy()
      const late = await waitFor(() => RawClient.connect(t, server.port).catch(() => null), {
        what: 'a new connection',
      })
      late.say(QUIET)
      assert.equal(await late.flush(), '')
    })
  })
}
