// docs/service.md: the service inside another program, as the page shows it.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { freePort, ngsServer, run, tempDir } from '@ngs/testkit'

it('docs/service.md shows a program that runs the service', async (t) => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/service.md'), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(page)![1]!
  const place = '// Start a message server with prepared.serverConfig, then:'
  assert.ok(example.includes(place))
  let program = example
    .replace(
      place,
      `const { spawn } = await import('node:child_process')
const server = spawn(${JSON.stringify(ngsServer)}, ['-c', prepared.serverConfig], { stdio: 'ignore' })
process.on('exit', () => server.kill())`,
    )
    .replace("'/var/lib/ngs'", JSON.stringify(join(tempDir(t), 'ngs')))
    .replaceAll("'0.0.0.0'", "'127.0.0.1'")
  for (const port of ['4222', '4280', '8222', '8228'])
    program = program.replaceAll(new RegExp(`\\b${port}\\b`, 'g'), String(await freePort()))
  const file = join(import.meta.dirname, `.docs-${process.pid}.ts`)
  writeFileSync(file, `${program}\nconsole.log('stopped')\nprocess.exit()\n`)
  t.after(() => rmSync(file))
  const { code, stdout, stderr } = await run(process.execPath, [file])
  assert.equal(code, 0, stderr)
  assert.equal(stdout, 'stopped\n')
})
