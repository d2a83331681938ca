// What the official server has and this one does not: said by name and place, never ignored.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ngsServer, run, tempDir } from '@ngs/testkit'
import { ConfigError } from '../src/config/language.ts'
import { readConfigFile } from '../src/config/read.ts'
import { parseFlags } from '../src/flags.ts'
import { defaultOptions } from '../src/options.ts'

const YET = 'is not supported yet'
const ENTRIES: readonly [string, RegExp][] = [
  ...['cluster', 'gateway', 'leafnodes', 'leaf', 'mqtt', 'jetstream', 'default_js_domain'].map(
    (key): [string, RegExp] => [`${key} { a: b }`, new RegExp(`"${key}" ${YET}`)],
  ),
  ['jetstream: true', /"jetstream" is not supported yet/],
  ['jetstream: enabled', /"jetstream" is not supported yet/],
  ['store_dir: "/tmp"', /"store_dir" is not supported yet/],
  ['ocsp: true', /"ocsp" is not supported yet/],
  ['ocsp { mode: must }', /"ocsp" is not supported yet/],
  ['ocsp_cache { type: local }', /"ocsp_cache" is not supported yet/],
  ['syslog: true', /syslog is not supported: log to a file/],
  ['remote_syslog: "udp://127.0.0.1:514"', /syslog is not supported: log to a file/],
  ['prof_port: 6060', /prof_port is not supported: /],
]
const NOTHING_ASKED = [
  'ocsp: false',
  'ocsp { mode: never }',
  'ocsp_cache: false',
  'jetstream: false',
  'jetstream: disabled',
  'jetstream { enabled: false }',
  ...['cluster', 'gateway', 'leafnodes', 'leaf', 'mqtt'].map((key) => `${key} {}`),
  'syslog: false',
  'remote_syslog: ""',
  'prof_port: 0',
]

const FLAGS: readonly [string[], RegExp][] = [
  [['-js'], /^--js is not supported yet$/],
  [['--jetstream'], /^--jetstream is not supported yet$/],
  [['-sd', '/tmp'], /^--sd is not supported yet$/],
  [['--cluster', 'nats://127.0.0.1:6222'], /^--cluster is not supported yet$/],
  [['--routes=nats://127.0.0.1:6222'], /^--routes is not supported yet$/],
  [['--cluster_name', 'C'], /^--cluster_name is not supported yet$/],
  [['--connect_retries', '5'], /^--connect_retries is not supported yet$/],
  [['--no_advertise'], /^--no_advertise is not supported yet$/],
  [['-s'], /^syslog is not supported: /],
  [['-r', 'udp://127.0.0.1:514'], /^syslog is not supported: /],
  [['--profile', '6060'], /^prof_port is not supported: /],
]
const FLAGS_WITHOUT_EFFECT = [
  ['-js=false'],
  ['--cluster', ''],
  ['--routes='],
  ['-s=false'],
  ['--profile', '0'],
]

describe('what is not supported', () => {
  it('is refused in a file, with its place', (t) => {
    const file = join(tempDir(t), 'a.conf')
    for (const [entry, text] of ENTRIES) {
      writeFileSync(file, `debug: true\n${entry}\n`)
      assert.throws(
        () => readConfigFile(file, defaultOptions()),
        (error) =>
          error instanceof ConfigError &&
          error.message.startsWith(`${file}:2:1: `) &&
          text.test(error.message),
        entry,
      )
    }
    for (const entry of NOTHING_ASKED) {
      writeFileSync(file, `${entry}\n`)
      readConfigFile(file, defaultOptions())
    }
  })

  it('is refused as a flag', () => {
    for (const [args, text] of FLAGS) {
      assert.throws(
        () => parseFlags(args).apply(defaultOptions()),
        (error) => error instanceof ConfigError && text.test(error.message),
        args.join(' '),
      )
    }
    for (const args of FLAGS_WITHOUT_EFFECT) parseFlags(args).apply(defaultOptions())
  })

  it('keeps the command from starting, with code 1', async () => {
    const { code, stderr } = await run(ngsServer, ['-js', '-p', '-1'])
    assert.deepEqual([code, stderr], [1, 'ngs-server: --js is not supported yet\n'])
  })
})
