// Random configuration files get the same verdict from ngs-server as from the official server.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { needsPeer, tempDir } from '@ngs/testkit'
import fc from 'fast-check'
import { configuration, ENVIRONMENT, INCLUDED } from './config-arbitrary.ts'
import { official, ours, type Verdict } from './config-verdict.ts'

const RUNS = Number(process.env['NGS_CONFIG_RUNS'] ?? 200)
const SEED = Number(process.env['NGS_CONFIG_SEED'] ?? 20_261_128)
/** The official server walks maps in random order and stops in places at the first error: asked so often, it has said everything. */
const ASKED = 40

/** The official server forgets the place of a subject that is none. */
const withoutPlaces = ({ code, lines }: Verdict): Verdict => ({
  code,
  lines: lines.map((line) => line.replace(/^\S+:\d+:\d+: (?=(subject|queue) ".*" is not a valid )/s, '')),
})

test('random configurations get the official verdict', needsPeer('nats-server'), async (t) => {
  const dir = tempDir(t)
  for (const [name, text] of Object.entries(INCLUDED)) writeFileSync(join(dir, name), text)
  for (const [name, text] of Object.entries(ENVIRONMENT)) {
    process.env[name] = text
    t.after(() => delete process.env[name])
  }
  const file = join(dir, 'random.conf')
  await fc.assert(
    fc.asyncProperty(configuration, async (text) => {
      writeFileSync(file, text)
      const our = withoutPlaces(ours(file))
      const said = new Set<string>()
      for (let asked = 0; asked < ASKED; asked++) {
        const their = withoutPlaces(await official(file))
        assert.equal(our.code, their.code, `\n${our.lines.join('\n')}\n--\n${their.lines.join('\n')}`)
        for (const line of their.lines) said.add(line)
        if (our.lines.every((line) => said.has(line))) return
      }
      assert.fail(`official: ${[...said].join('\n')}\nours: ${our.lines.join('\n')}`)
    }),
    { numRuns: RUNS, seed: SEED },
  )
})
