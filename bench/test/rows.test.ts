// Every row, small, on an engine that is there: does it count right? Speed is never asserted.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { compare } from '../lib/compare.ts'
import { startEngine, startSink } from '../lib/engine.ts'
import type { Row } from '../lib/row.ts'
import { rows } from '../rows/index.ts'

const root = join(import.meta.dirname, '../..')
const ours = join(root, 'packages/server/bin/ngs-server')
const official = join(root, '.peers/bin/nats-server')
const natsCli = join(root, '.peers/bin/nats')
const engine = existsSync(join(root, 'packages/server/src/main.ts'))
  ? ours
  : existsSync(official)
    ? official
    : null
const folder = mkdtempSync(join(tmpdir(), 'ngs-bench-test-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** A shell wrapper that runs the faulty stand-in. */
function standIn(fault: string): string {
  const path = join(folder, `stand-in-${fault}`)
  const script = join(import.meta.dirname, 'stand-in.ts')
  writeFileSync(
    path,
    `#!/bin/sh\n[ "$1" = -v ] && exit\nFAULT=${fault} exec "${process.execPath}" "${script}" "$@"\n`,
  )
  chmodSync(path, 0o755)
  return path
}

function bench(...args: string[]): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'bench/main.ts'), '--results', 'none', ...args],
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr })
      },
    )
  })
}

/** Amounts of the rows that count no plain messages. */
const AMOUNTS: Record<string, number> = {
  '1-1-64k': 120,
  '1-500': 10,
  '1-1000': 10,
  'connect-jwt': 60,
  'idle-10k': 60,
  start: 1,
  tail: 600,
}

/** Deliveries per message. */
const WIDTH: Record<string, number> = { '1-5': 5, '3-5': 5, '1-500': 500, '1-1000': 1000 }

function reasonToSkip(row: Row): string | false {
  if (engine === null) return 'no engine'
  if (row.name.startsWith('official-') && !existsSync(natsCli)) return 'no program nats'
  if (row.name === 'tls' && spawnSync('openssl', ['version']).status !== 0) return 'no openssl'
  return false
}

describe('the rows', { skip: process.platform !== 'linux' && 'the bench needs /proc' }, () => {
  for (const row of rows) {
    it(`${row.name} counts every message`, { skip: reasonToSkip(row) }, async () => {
      const amount = AMOUNTS[row.name] ?? 3000
      const config = join(folder, `${row.name}.conf`)
      const lines = typeof row.config === 'function' ? row.config(folder) : (row.config ?? '')
      writeFileSync(config, `host: 127.0.0.1\nport: -1\n${lines}`)
      const traceGc = row.traceGc === true
      const server = await startEngine({ name: 'engine', path: engine!, traceGc }, config, folder)
      const session = await row.prepare('small')
      try {
        // Twice on the same load processes, as the alternating runs do it.
        for (const part of row.name === 'start' ? [1] : [1, 2]) {
          const outcome = await session.run(server, amount * part)
          if (row.name !== 'tail') {
            assert.equal(outcome.amount, amount * part)
            assert.equal(outcome.work, amount * part * (WIDTH[row.name] ?? 1))
          }
          assert.ok(outcome.seconds > 0)
          for (const { key } of row.metrics) {
            if (key === 'cpu' || key === 'memory') continue
            // What a small run may leave at nothing: no pause, no unevenness, memory within the noise.
            const least = ['gc', 'uneven', 'each'].includes(key) ? Number.NEGATIVE_INFINITY : 0
            assert.ok(outcome.values[key]! > least || least < 0, `${key} is measured`)
            assert.ok(Number.isFinite(outcome.values[key]), `${key} is a number`)
          }
        }
        assert.ok(server.memory() > 1e6)
        assert.ok(server.cpu() >= 0)
      } finally {
        await session.close()
        await server.stop()
      }
    })
  }

  it('has names that differ', () => {
    assert.equal(new Set(rows.map(({ name }) => name)).size, rows.length)
  })

  it('measures the generator against the sink', async () => {
    const row = rows.find(({ name }) => name === '3-5')!
    const session = await row.prepare()
    const sink = await startSink()
    try {
      const outcome = await session.run(sink, 3000)
      assert.equal(outcome.work, 15_000)
    } finally {
      await session.close()
      await sink.stop()
    }
  })

  for (const [fault, what] of [
    ['lose', /lost 1 of 500 messages/],
    ['double', /got 501 messages, more than 500/],
  ] as const) {
    it(`fails when a server should ${fault} a message`, async () => {
      const row = rows.find(({ name }) => name === '1-1')!
      const spec = { name: 'faulty', path: standIn(fault) }
      await assert.rejects(
        compare(row, [spec], { runs: 1, seconds: 1, amount: 500, ceiling: false }, () => {}),
        what,
      )
    })
  }
})

describe('npm run bench', { skip: process.platform !== 'linux' && 'the bench needs /proc' }, () => {
  it('prints a table and writes every figure', { skip: engine === null && 'no engine' }, async () => {
    const file = join(folder, 'out.json')
    const flags = [
      '--engine',
      engine!,
      '--reference',
      engine!,
      '--runs',
      '3',
      '--amount',
      '2000',
      '--json',
      file,
    ]
    const { code, text } = await bench('publish', '1-1', ...flags)
    assert.equal(code, 0, text)
    assert.match(text, /^ {2}ours .*\n {2}reference .*\n {2}ratio +\d/m)
    assert.match(text, /generator alone/)
    assert.ok(!text.includes('\x1b'), 'no colour without a terminal')
    const report = JSON.parse(readFileSync(file, 'utf8'))
    assert.equal(report.rows.length, 2)
    assert.equal(report.rows[1].engines[1].metrics.rate.runs.length, 3)
    assert.equal(report.rows[0].amount, 2000)
  })

  it('says which rows there are', async () => {
    const { code, text } = await bench('nosuch')
    assert.equal(code, 1)
    assert.match(text, /no row is called nosuch; there are publish, 1-1,/)
  })

  it('has in docs/performance.md the rows and flags of its help, and no others', async () => {
    const { code, text } = await bench('--help')
    assert.equal(code, 0)
    const page = readFileSync(join(import.meta.dirname, '../../docs/performance.md'), 'utf8')
    const table = page.slice(page.indexOf('## Rows and targets'), page.indexOf('## How it measures'))
    const named = [...table.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell]) =>
      cell!.replaceAll('`', '').split(', '),
    )
    assert.deepEqual(named.sort(), rows.map(({ name }) => name).sort())
    const flags = (part: string): string[] =>
      [...new Set(part.match(/(?<![\w-])--[a-z]+(-[a-z]+)*(?![\w-])/g))].sort()
    const start = page.indexOf('| flag |')
    assert.deepEqual(
      flags(page.slice(start, page.indexOf('\n\n', start))),
      flags(text.slice(text.indexOf('\nflags\n'))),
    )
  })

  it('fails when messages are lost', async () => {
    const flags = [
      '--engine',
      standIn('lose'),
      '--reference',
      'none',
      '--runs',
      '1',
      '--amount',
      '500',
      '--no-ceiling',
    ]
    const { code, text } = await bench('1-1', ...flags)
    assert.equal(code, 1)
    assert.match(text, /FAILED ours: subscriber: subscriber 0 lost 1 of 500/)
  })
})
