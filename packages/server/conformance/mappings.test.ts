// Subject mappings: what they do to messages, to permissions and to requests, from configuration files and from JWTs.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { enginesUnderTest, type RawClient, run, tempDir } from '@ngs/testkit'
import { answers, onEveryEngine, QUIET, wire } from './support.ts'
import { inEveryWorld } from './world.ts'

const CONFIG = `
mappings {
  old: new
  order.*.*: "order.$2.$1"
  tail.>: "moved.>"
  deep.*.>: "d.{{wildcard(1)}}.>"
  secret: forbidden
  half: [ { dest: half.a, weight: 50% }, { destination: half.b, weight: "50%" } ]
  some: [ { dest: some.kept, weight: 20 } ]
  star.*: [ { dest: "kept.$1", weight: 20 } ]
  lossy: { dest: lossy, weight: 80% }
  gone: { dest: gone, weight: 0% }
  east: [ { dest: in.east, weight: 100, cluster: EAST }, { dest: elsewhere, weight: 100 } ]
  onlyeast: [ { dest: in.onlyeast, weight: 100, cluster: EAST } ]
  itself: [ { dest: itself, weight: 100, cluster: EAST } ]
  p.*: "p.{{partition(10,1)}}"
  random.*: "random.{{random(3)}}.$1"
  empty.*: "empty.{{split(1,-)}}"
}
accounts {
  EXP {
    users: [ { user: exp, password: x } ]
    exports: [ { service: "svc.*" } ]
    mappings: { svc.v1: svc.v2, drop.it: { dest: drop.it, weight: 0 } }
  }
  IMP {
    users: [ { user: imp, password: x } ]
    imports: [ { service: { account: EXP, subject: "svc.*" } } ]
    mappings: { in.1: in.2 }
  }
  P {
    users: [ { user: p, password: x, permissions: { publish: [ "allowed.>", "old" ] } } ]
    mappings: { denied: allowed.now, old: forbidden }
  }
}
no_auth_user: g
authorization { users: [ { user: g, password: x } ] }`

const HEADERS = 'CONNECT {"verbose":false,"headers":true,"no_responders":true}'

const count = (text: string, subject: string): number => text.split(`MSG ${subject} `).length - 1

onEveryEngine('subject mappings', CONFIG, ({ client }) => {
  const renamed: [string, string, string][] = [
    ['a literal', 'old', 'new'],
    ['wildcards in another order', 'order.a.b', 'order.b.a'],
    ['a tail', 'tail.x.y', 'moved.x.y'],
    ['a wildcard and a tail', 'deep.x.y.z', 'd.x.y.z'],
    ['a partition', 'p.foo', 'p.3'],
    ['a destination for other clusters besides', 'east', 'elsewhere'],
    ['a destination for another cluster only', 'onlyeast', 'onlyeast'],
  ]
  for (const [what, published, delivered] of renamed) {
    it(`give ${what} its new name`, async (t) => {
      const one = await client(t, QUIET, 'SUB > 1')
      await answers(one, [`PUB ${published} 2`, 'hi'], wire(`MSG ${delivered} 1 2`, 'hi'))
    })
  }

  it('keep reply, headers and payload', async (t) => {
    const one = await client(t, HEADERS, 'SUB new 1')
    const block = 'NATS/1.0\r\nA: b\r\n\r\n'
    await answers(
      one,
      [`HPUB old back ${block.length} ${block.length + 3}`, `${block}abc`],
      wire(`HMSG new 1 back ${block.length} ${block.length + 3}`, `${block}abc`),
    )
  })

  it('leave subscriptions and replies alone', async (t) => {
    const one = await client(t, QUIET, 'SUB old 1', 'SUB other 2')
    await answers(one, ['PUB old 0', ''], '')
    await answers(one, ['PUB other old 0', ''], wire('MSG other 2 old 0', ''))
  })

  it('leave what they map to alone', async (t) => {
    // order.b.a would be mapped again if results were.
    const one = await client(t, QUIET, 'SUB order.> 1')
    await answers(
      one,
      ['PUB order.1.2 0', '', 'PUB order.2.1 0', ''],
      wire('MSG order.2.1 1 0', '', 'MSG order.1.2 1 0', ''),
    )
  })

  /** Publishes often; how many came on each subject. */
  async function spread(one: RawClient, subject: string, times: number): Promise<string> {
    for (let i = 0; i < times; i++) one.say(`PUB ${subject} 0`, '')
    return one.flush()
  }

  it('split by weight', async (t) => {
    const one = await client(t, QUIET, 'SUB half.* 1')
    const text = await spread(one, 'half', 2000)
    const a = count(text, 'half.a')
    assert.equal(a + count(text, 'half.b'), 2000)
    assert.ok(a > 800 && a < 1200, `${a} of 2000`)
  })

  for (const [source, to, rest] of [
    ['some', 'some.kept', 'some'],
    ['star.x', 'kept.x', 'star.x'],
  ] as const) {
    it(`leave to ${source} what the weights leave over`, async (t) => {
      const one = await client(t, QUIET, `SUB ${to} 1`, `SUB ${rest} 2`)
      const text = await spread(one, source, 2000)
      const moved = count(text, to)
      assert.equal(moved + count(text, rest), 2000)
      assert.ok(moved > 280 && moved < 520, `${moved} of 2000`)
    })
  }

  it('lose what the weights leave over where the source is a destination', async (t) => {
    const one = await client(t, QUIET, 'SUB lossy 1', 'SUB gone 2')
    const kept = count(await spread(one, 'lossy', 2000), 'lossy')
    assert.ok(kept > 1480 && kept < 1720, `${kept} of 2000`)
    assert.equal(await spread(one, 'gone', 50), '')
  })

  it('lose everything where the source stands for another cluster only', async (t) => {
    const one = await client(t, QUIET, 'SUB itself 1')
    assert.equal(await spread(one, 'itself', 20), '')
  })

  it('draw for each message', async (t) => {
    const one = await client(t, QUIET, 'SUB random.> 1')
    const text = await spread(one, 'random.x', 600)
    for (const drawn of ['0', '1', '2']) {
      const number = count(text, `random.${drawn}.x`)
      assert.ok(number > 120 && number < 280, `${number} of 600`)
    }
  })

  it('send a name with an empty token to nobody', async (t) => {
    const one = await client(t, QUIET, 'SUB empty.> 1', 'SUB > 2')
    await answers(one, ['PUB empty.--- 0', ''], '')
  })

  it('name the mapped subject when nobody responds', async (t) => {
    const one = await client(t, HEADERS, 'SUB back 1')
    const said = (subject: string): string => {
      const size = 32 + subject.length
      return wire(`HMSG back 1 ${size} ${size}`, 'NATS/1.0 503', `Nats-Subject: ${subject}`, '', '')
    }
    await answers(one, ['PUB old back 0', ''], said('new'))
    await answers(one, ['PUB gone back 0', ''], said(''))
  })

  const as = (t: Parameters<typeof client>[0], user: string, ...lines: string[]): Promise<RawClient> =>
    client(
      t,
      `CONNECT ${JSON.stringify({ verbose: false, headers: true, no_responders: true, user, pass: 'x' })}`,
      ...lines,
    )

  it('are applied before permissions', async (t) => {
    const one = await as(t, 'p')
    await answers(one, ['SUB > 1', 'PUB denied 0', ''], wire('MSG allowed.now 1 0', ''))
    await answers(one, ['PUB old 0', ''], wire(`-ERR 'Permissions Violation for Publish to "forbidden"'`))
  })

  it('of the exporter turn requests of importers, those of the importer turn the responses', async (t) => {
    const responder = await as(t, 'exp', 'SUB svc.* 1')
    const asker = await as(t, 'imp', 'SUB in.* 2')
    await responder.flush()
    asker.say('PUB svc.v1 in.1 0', '')
    await asker.flush()
    const request = await responder.message()
    assert.equal(request.subject, 'svc.v2')
    responder.pub(request.reply, 'yes')
    await responder.flush()
    assert.equal(await asker.flush(), wire('MSG in.2 2 3', 'yes'))
  })
})

inEveryWorld('subject mappings of a JWT', {}, (world) => {
  it('begin, change and end while clients are connected', async (t) => {
    const account = await world.account()
    const one = await world.client(t, account.key)
    one.say('SUB > 1')
    const delivered = async (): Promise<string> => {
      one.say('PUB foo 0', '')
      return /MSG (\S+) /.exec(await one.flush())?.[1] ?? ''
    }
    assert.equal(await delivered(), 'foo')
    const map = async (
      mappings: Record<string, { subject: string; weight?: number; cluster?: string }[]>,
    ) => {
      account.claims.nats.mappings = mappings
      assert.ok((await world.push(account.claims)).data)
    }
    await map({ foo: [{ subject: 'bar' }] })
    assert.equal(await delivered(), 'bar', 'no weight is all of it')
    await map({ foo: [{ subject: 'baz', weight: 100 }] })
    assert.equal(await delivered(), 'baz')
    await map({ foo: [{ subject: 'there', weight: 100, cluster: 'EAST' }] })
    assert.equal(await delivered(), 'foo')
    await map({ foo: [{ subject: 'foo', weight: 1 }], 'x.*': [{ subject: 'x.{{left(1,2)}}' }] })
    await map({ 'f.*': [{ subject: 'g.$1' }] })
    assert.equal(await delivered(), 'foo')
    await map({})
    assert.equal(await delivered(), 'foo')
  })

  it('beyond 100 percent make the account invalid', async () => {
    const account = await world.account()
    account.claims.nats.mappings = {
      foo: [
        { subject: 'a', weight: 60 },
        { subject: 'b', weight: 50 },
      ],
    }
    assert.match((await world.push(account.claims)).error?.description ?? '', /^jwt validation failed/)
  })
})

const REFUSED: [string, string][] = [
  ['foo: "b*r.*"', 'Error adding mapping for "foo" to "b*r.*" : invalid subject'],
  [
    'foo.*: "bar.$2"',
    'Error adding mapping for "foo.*" to "bar.$2" : invalid mapping destination: wildcard index out of range in $2: [2]',
  ],
  [
    'foo: "bar.$1"',
    'Error adding mapping for "foo" to "bar.$1" : invalid mapping destination: wildcard index out of range in $1',
  ],
  ['foo.>: bar', 'Error adding mapping for "foo.>" to "bar" : invalid subject'],
  [
    'foo.*: "bar.{{nope(1)}}"',
    'Error adding mapping for "foo.*" to "bar.{{nope(1)}}" : invalid mapping destination: unknown function in {{nope(1)}}',
  ],
  [
    'foo.*: "bar.{{split(1)}}"',
    'Error adding mapping for "foo.*" to "bar.{{split(1)}}" : invalid mapping destination: not enough arguments passed to the function in {{split(1)}}',
  ],
  [
    'foo.*: "bar.{{splitfromleft(1,2,3)}}"',
    'Error adding mapping for "foo.*" to "bar.{{splitfromleft(1,2,3)}}" : invalid mapping destination: too many arguments passed to the function in {{splitfromleft(1,2,3)}}',
  ],
  [
    'foo.*: "bar.{{partition()}}"',
    'Error adding mapping for "foo.*" to "bar.{{partition()}}" : invalid mapping destination: function argument is invalid or in the wrong format in {{partition()}}',
  ],
  [
    'foo.*: "bar.{{partition(2147483648,1)}}"',
    'Error adding mapping for "foo.*" to "bar.{{partition(2147483648,1)}}" : invalid mapping destination: function argument is invalid or in the wrong format in {{partition(2147483648,1)}}',
  ],
  [
    'foo.*: "bar.{{random(1,2)}}"',
    'Error adding mapping for "foo.*" to "bar.{{random(1,2)}}" : invalid mapping destination: not enough arguments passed to the function in {{random(1,2)}}',
  ],
  [
    'foo.*: "bar.{{wildcard()}}"',
    'Error adding mapping for "foo.*" to "bar.{{wildcard()}}" : invalid mapping destination: not enough arguments passed to the function in {{wildcard()}}',
  ],
  [
    'foo: "bar..baz"',
    'Error adding mapping for "foo" to "bar..baz" : invalid mapping destination: invalid transform',
  ],
  ['foo: "b r"', 'Error adding mapping for "foo" to "b r" : invalid mapping destination: invalid transform'],
  ['"foo..bar": bar', 'Subject "foo..bar" is not a valid subject'],
  ['foo: { dest: bar }', 'Missing weight for mapping destination "bar"'],
  ['foo: { dest: bar, weight: 101 }', 'Invalid weight 101 for mapping destination'],
  ['foo: { dest: bar, weight: "1x" }', 'Invalid weight "1x" for mapping destination'],
  ['foo: { dest: bar, weight: 1, other: 2 }', 'Unknown field "other" for mapping destination'],
  [
    'foo: [ { dest: a, weight: 60 }, { dest: b, weight: 60 } ]',
    'Error adding mapping for "foo" : total weight needs to be <= 100',
  ],
  [
    'foo: [ { dest: a, weight: 10 }, { dest: a, weight: 10, cluster: E } ]',
    'Error adding mapping for "foo" : duplicate entry for "a"',
  ],
]

for (const engine of enginesUnderTest()) {
  describe(`subject mappings that cannot be [${engine.name}]`, () => {
    for (const [mapping, error] of REFUSED) {
      it(`${mapping}: ${error}`, async (t) => {
        const file = join(tempDir(t), 'mappings.conf')
        writeFileSync(file, `mappings { ${mapping} }`)
        const { code, stdout, stderr } = await run(engine.path, ['-t', '-c', file])
        assert.equal(code, 1)
        assert.ok((stdout + stderr).includes(error), stdout + stderr)
      })
    }
  })
}
