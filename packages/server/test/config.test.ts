// The configuration language against the official server's: the same files are accepted, with the same digest, and refused, with the
// same text at the same place.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Engine, enginesUnderTest, needsPeer, ngsServer, peer, RawClient, run, tempDir } from '@ngs/testkit'
import fc from 'fast-check'
import { parseConfigFile } from '../src/config/language.ts'
import { cases } from './config-cases.ts'
import { official, ours } from './config-verdict.ts'

/** Where we differ on purpose, each with the reason. The files are refused by both. */
const DIFFERENT: readonly { file: RegExp; why: string; sometimes?: true }[] = [
  {
    file: /^authorization .*\naccounts /,
    why: 'the official one reads the two in random order',
    sometimes: true,
  },
  { file: /\{stream: a, service: b\}/, why: 'the same', sometimes: true },
  {
    file: /^(authorization(: 5| \{ (token: 5|proxy_required: yess) \})|websocket \{ authorization: 5 \})$/,
    why: 'the official one adds the text of a crash of its own',
  },
  {
    file: /permissions: \{(pub|sub): ("foo\.\.bar"|\[ok, "foo\.\.|"a q r"|5|">\.a"|"")/,
    why: 'the official one forgets the place here',
  },
  { file: /account_token_position: -1/, why: 'the official one has the text of a crash of its own' },
  {
    file: /auth_users: \[\] \}/,
    why: 'the official one blames the field that it has read last, in random order',
    sometimes: true,
  },
  { file: /^operator: "eyJ/, why: 'our own words for a broken token' },
  { file: /type: full \}$/, why: 'the official one goes on and tries to make the folder ""' },
]

function folder(dir: string): void {
  mkdirSync(join(dir, 'sub'))
  mkdirSync(join(dir, 'res'))
  const files = {
    'inc.conf': 'server_name: inc\n',
    'meta.conf': 'k: v\nk2: v2\n',
    'badinc.conf': '\n\nbogus: 1\nport: x\n',
    'sub/inner.conf': 'include "../inc.conf"\n',
    'usevar.conf': 'server_name: $inc\n',
    'def.conf': 'y = why\n',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
}

test('every case gets the official verdict', needsPeer('nats-server'), async (t) => {
  const dir = tempDir(t)
  folder(dir)
  const differ: string[] = []
  const judge = async (text: string, i: number): Promise<void> => {
    const file = join(dir, `case${i}.conf`)
    writeFileSync(file, text.replaceAll('dir: "res"', `dir: ${JSON.stringify(join(dir, 'res'))}`))
    const [their, our] = [await official(file), ours(file)]
    const known = DIFFERENT.find((other) => other.file.test(text.trim()))
    if (known !== undefined) {
      if (known.sometimes === undefined) assert.notDeepEqual(our, their, `no longer different: ${text}`)
      assert.equal(our.code, their.code, text)
    } else if (JSON.stringify(our) !== JSON.stringify(their))
      differ.push(
        `${JSON.stringify(text)}\n  official ${their.code} ${their.lines}\n  ours     ${our.code} ${our.lines}`,
      )
  }
  const queue = [...cases.entries()]
  const worker = async (): Promise<void> => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) await judge(next[1], next[0])
  }
  await Promise.all([worker(), worker(), worker()])
  assert.deepEqual(differ, [])
})

/** Values in every notation, as text of the file. */
const word = fc.string({ unit: fc.constantFrom(...'abkmzKG019-_.:/@ü'), minLength: 1, maxLength: 8 })
const quoted = fc
  .string({
    unit: fc.constantFrom('a', ' ', '#', '{', ']', '\n', '\\n', '\\x41', "'", 'ü', '<', '\\"'),
    maxLength: 8,
  })
  .map((text) => `"${text}"`)
const raw = fc
  .string({ unit: fc.constantFrom('a', '\\', '"', '\n', '}', '$'), maxLength: 8 })
  .map((text) => `'${text}'`)
const size = fc
  .tuple(
    fc.integer({ min: -99, max: 9999 }),
    fc.constantFrom('', 'k', 'Kb', 'mi', 'GiB', 't', 'PB', 'e', 'kbb'),
  )
  .map(([number, suffix]) => `${number}${suffix}`)
const space = fc.constantFrom(' ', '\n', '\t', ', ', '; ', ' # c\n', ' // c\n')
const value: fc.Arbitrary<string> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    word,
    quoted,
    raw,
    size,
    tie('list') as fc.Arbitrary<string>,
    tie('map') as fc.Arbitrary<string>,
  ),
  list: fc
    .array(fc.tuple(tie('value') as fc.Arbitrary<string>, space), { maxLength: 4 })
    .map((items) => `[${items.map(([item, end]) => item + end).join('')}]`),
  map: fc
    .array(fc.tuple(word, fc.constantFrom(': ', '=', ' '), tie('value') as fc.Arbitrary<string>, space), {
      maxLength: 4,
    })
    .map((items) => `{${items.map((item) => item.join('')).join('')}}`),
})).value as fc.Arbitrary<string>

test('random values get the official verdict', needsPeer('nats-server'), async (t) => {
  const file = join(tempDir(t), 'random.conf')
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 6 }), async (values) => {
      // The resolver's map may hold anything; that it refers to the values keeps them from being unknown fields.
      const uses = values.map((_, i) => `$v${i}`).join(', ')
      const lines = values.map((text, i) => `v${i} = ${text}\n`)
      writeFileSync(file, `${lines.join('')}resolver { type: MEM, uses: [${uses}] }\n`)
      const their = await official(file)
      const our = ours(file)
      assert.deepEqual(our, their)
    }),
    { numRuns: 60, seed: 20_261_124 },
  )
})

function parserIn(t: TestContext): (text: string) => ReturnType<typeof parseConfigFile> {
  const file = join(tempDir(t), 'server.conf')
  return (text) => {
    writeFileSync(file, text)
    return parseConfigFile(file)
  }
}

test('the digest is of the values alone', (t) => {
  const parse = parserIn(t)
  const digest = 'sha256:226e49e13d16e5e8aa0d62e58cd63361bf097d3e2b2444aa3044334628a2e8de'
  for (const text of [
    'foo = bar',
    'foo: "bar"',
    '# c\n foo   bar // d\n',
    '{"foo": "bar"}',
    "{ foo = 'bar' }\n",
  ])
    assert.equal(parse(text).digest, digest)
  assert.notEqual(parse('Foo = bar').digest, digest)
})

test('variables of the environment are read as values, and a circle of them is found', (t) => {
  const parse = parserIn(t)
  const set = (name: string, text: string): void => {
    process.env[name] = text
    t.after(() => delete process.env[name])
  }
  set('NGS_TEST_NUMBER', '5k')
  set('NGS_TEST_QUOTED', '"a b"')
  set('NGS_TEST_LOOP', '$NGS_TEST_LOOP')
  const { root } = parse('a = $NGS_TEST_NUMBER\nb = $NGS_TEST_QUOTED\nc { a = 1, d = $a }')
  assert.equal(root.get('a')!.value, 5000)
  assert.equal(root.get('b')!.value, 'a b')
  assert.equal((root.get('c')!.value as Map<string, { value: unknown }>).get('d')!.value, 1)
  assert.throws(() => parse('a = $NGS_TEST_LOOP'), /variable reference cycle for 'NGS_TEST_LOOP'/)
})

test('what would never end is an error: a file that includes itself, brackets without end', (t) => {
  const parse = parserIn(t)
  const dir = tempDir(t)
  const files = {
    'a.conf': 'include b.conf\n',
    'b.conf': 'x { include "./a.conf" }\n',
    'c.conf': 'include d.conf\ninclude d.conf\n',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  writeFileSync(join(dir, 'd.conf'), 'debug: true\n')
  assert.throws(() => parseConfigFile(join(dir, 'a.conf')), {
    name: 'Error',
    message: `error parsing include file 'b.conf', error parsing include file './a.conf', ${join(dir, 'a.conf')} includes itself`,
  })
  assert.equal(parseConfigFile(join(dir, 'c.conf')).root.get('debug')!.value, true)
  for (const [before, open, close] of [
    ['x: ', '[', ']'],
    ['', 'a {', '}'],
    ['', '{', '}'],
  ] as const) {
    parse(before + open.repeat(900) + close.repeat(900))
    assert.throws(() => parse(before + open.repeat(100_000)), /Nested in more than 1000 levels/)
  }
})

const GUESTS: [string, 'in' | 'out'][] = [
  ['accounts { "$SYS" { users: [{user: s, password: s}] } }', 'in'],
  ['accounts { "$SYS" {} }', 'in'],
  ['accounts { S { users: [{user: s, password: s}] } }\nsystem_account: S', 'in'],
  ['accounts { "$SYS" { users: [{user: s, password: s}] } }\nauthorization {}', 'out'],
  ['accounts { "$SYS" { users: [{user: s, password: s}] }, A {} }', 'out'],
  ['accounts { A { users: [{user: a, password: a}] } }', 'out'],
  ['authorization { users: [{user: a, password: a}] }\nno_auth_user: a', 'in'],
]

for (const engine of enginesUnderTest()) {
  test(`${engine.name}: who gets in without credentials`, async (t) => {
    for (const [config, expected] of GUESTS) {
      const server = await Engine.start(t, { engine: engine.path, config })
      const client = await RawClient.connect(t, server.port)
      client.connect()
      client.send('PING\r\n')
      if (expected === 'in') await client.expect('PONG')
      else await client.expectErr('Authorization Violation')
      await server.stop()
    }
  })
}

test(
  '-t prints the verdict and the exit codes of the official server',
  needsPeer('nats-server'),
  async (t) => {
    const dir = tempDir(t)
    for (const text of ['debug: true\n', 'write_deadline: 5\n', 'bogus: 1\n', '']) {
      const file = join(dir, 't.conf')
      writeFileSync(file, text)
      const [our, their] = await Promise.all([
        run(ngsServer, ['-t', '-c', file]),
        run(peer('nats-server'), ['-t', '-c', file]),
      ])
      assert.equal(our.stderr.replace(/^ngs-server/, 'nats-server'), their.stderr)
      assert.equal(our.code, their.code)
    }
  },
)
