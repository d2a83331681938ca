import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatBytes,
  formatDuration,
  parseDate,
  parseDuration,
  parseInteger,
  parseList,
  parseNumber,
  relativeDate,
} from '../src/values.ts'
import { needsOfficial } from './support/sandbox.ts'
import { runBoth, type Step } from './support/scenario.ts'

test('dates: both programs accept and refuse the same', needsOfficial, async (t) => {
  const dates = [
    ...[
      '0',
      '2030-01-02',
      '2030-1-2',
      '2030-13-01',
      '2030-02-30',
      '2028-02-29',
      '2030-01-02T00:00:00Z',
      'x2030-01-02',
    ],
    ...[
      '2030-01-02 03:04:05 UTC',
      '2030-01-02 25:00:00 UTC',
      '2030-01-02 03:04:05',
      '1.5d',
      '.',
      'soon',
      '10',
      'd',
      '-',
      ' ',
    ],
    ...[
      '1m',
      '90m',
      '1h',
      '1d',
      '2w',
      '1M',
      '1y',
      '-1d',
      '-2M',
      '0d',
      '0y',
      '5X',
      'abc5dxyz',
      '1d2h',
      '7D',
      '1Y',
      '1H',
    ],
    ...[
      '99999999999999999999d',
      '0001-01-01',
      '9999-12-31',
      '2030-01-00',
      '2030-00-01',
      '+1d',
      '--1d',
      '1 d',
      '2030-01-021',
    ],
  ]
  const steps: Step[] = [['add', 'operator', 'Op']]
  for (const [index, date] of dates.entries()) steps.push(['add', 'account', `A${index}`, '--expiry', date])
  const { ours, official } = await runBoth(t, steps)
  for (const [index, date] of dates.entries()) {
    const read = (sandbox: typeof ours) => {
      try {
        return sandbox.claims('Op', `A${index}`).exp ?? 0
      } catch {
        return null
      }
    }
    const [a, b] = [read(ours), read(official)]
    if (a === null || b === null) assert.equal(a, b, date)
    else assert.ok(Math.abs(a - b) <= 5, `${date}: ${a} and ${b}`)
  }
})

test('numbers: both programs accept and refuse the same', needsOfficial, async (t) => {
  const numbers = [
    ...[
      '0',
      '-1',
      '10',
      '1,000',
      '1K',
      '1k',
      '1kb',
      '1KB',
      '1ki',
      '1KiB',
      '2mib',
      '1.5g',
      '1t',
      '1 gb',
      '7b',
      '1p',
      '1e',
    ],
    ...[
      'x',
      '1x',
      '',
      '1.2.3',
      '.5k',
      '5.',
      '.',
      '-',
      '--1',
      '+5',
      '1e3',
      '0x10',
      '9007199254740993',
      '8e',
      '-2k',
      '1_000',
    ],
    ...['9223372036854775807', '9223372036854775808', '18446744073709551616', '00012', '1k b', 'k'],
  ]
  const steps: Step[] = [
    ['add', 'operator', 'Op'],
    ['add', 'account', 'A'],
  ]
  for (const number of numbers) {
    steps.push(['edit', 'account', 'A', '--conns', number, '--js-disable'])
  }
  for (const integer of [
    '5',
    '-1',
    '0x1f',
    '010',
    '0b11',
    '0o17',
    '1k',
    '',
    '9223372036854775808',
    '1_0',
    '+3',
    ' 4',
  ])
    steps.push(['edit', 'user', 'nobody', '--subs', integer])
  for (const flag of ['true', 'T', '1', 'FALSE', 'f', 'yes', ''])
    steps.push(['edit', 'account', 'A', `--disallow-bearer=${flag}`, '--js-disable'])
  for (const duration of [
    '5s',
    '1h30m',
    '1.5s',
    '300ms',
    '2us',
    '1d',
    '5',
    '',
    '-1s',
    's',
    '1h-5m',
    '0',
    '.s',
    '99999999h',
  ])
    steps.push(['add', 'user', 'nobody', '--account', 'nope', '--response-ttl', duration])
  for (const [index, duration] of ['5s', '1.5s', '100h', '1m0.5s', '1500us', '17ns'].entries()) {
    steps.push(['add', 'user', `u${index}`, '--response-ttl', duration])
    steps.push(['describe', 'user', `u${index}`])
  }
  for (const range of [
    '08:00:00-09:00:00',
    '8:00:00-9:00:00',
    '08:00-09:00',
    '25:00:00-26:00:00',
    'x',
    '08:00:00-09:00:00-10:00:00',
  ])
    steps.push(['edit', 'user', 'u0', '--time', range])
  for (const zone of ['Europe/Zurich', 'UTC', 'Mars/Olympus', ''])
    steps.push(['edit', 'user', 'u0', '--subs', '5', '--locale', zone])
  for (const list of ['a,b', '"a,b",c', 'a"b', '"a', ',', 'a,,b', ''])
    steps.push(['add', 'user', `l${list.length}${list.charCodeAt(0) || 0}`, '--allow-pub', list])
  await runBoth(t, steps)
})

test('relative dates', () => {
  const now = new Date('2026-01-31T12:00:00Z')
  const at = (text: string) => parseDate(text, now)
  assert.equal(relativeDate(at('29d'), now), 'in 4 weeks')
  assert.equal(relativeDate(at('-30m'), now), '30 minutes ago')
  assert.equal(relativeDate(at('36h'), now), 'in 1 day')
  assert.equal(relativeDate(at('40y'), now), 'in a long while')
  assert.equal(relativeDate(0, now), '')
  // A month after the last of January is in March: calendar steps overflow as they do everywhere.
  assert.equal(new Date(at('1M') * 1000).toISOString().slice(0, 10), '2026-03-03')
})

test('sizes for people', () => {
  for (const [bytes, text] of [
    [0, '0 B'],
    [9, '9 B'],
    [10, '10 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1024, '1.0 kB'],
    [9_960, '10 kB'],
    [1_500_000, '1.5 MB'],
    [10_737_418_240, '11 GB'],
  ] as const)
    assert.equal(formatBytes(bytes), text)
})

test('a duration is read as it is printed', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (nanoseconds) => {
      assert.equal(BigInt(parseDuration(formatDuration(nanoseconds))), nanoseconds)
    }),
  )
})

test('integers of 64 bits are kept exactly', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      assert.equal(BigInt(parseInteger(value.toString())), value)
    }),
  )
  assert.equal(parseNumber('1kib'), 1024)
})

test('list flags: what is quoted is taken apart again', () => {
  const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1 }), (values) => {
      assert.deepEqual(parseList(values.map(quoted).join(',')), values)
    }),
  )
})
