// Imports that lead back to where they came from, and others that cannot be: a file is refused as a whole, of claims only that import.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Import } from '@ngs/identity/node'
import { enginesUnderTest, RawClient, run, tempDir } from '@ngs/testkit'
import { wire } from './support.ts'
import { inEveryWorld } from './world.ts'

const account = (name: string, exports: string[], imports: string[]): string =>
  `${name} { users: [ { user: ${name.toLowerCase()}, password: x } ], exports: [ ${exports.join(', ')} ], imports: [ ${imports.join(', ')} ] }`
const ex = (kind: string, subject: string): string => `{ ${kind}: "${subject}" }`
const im = (kind: string, from: string, subject: string, to = ''): string =>
  `{ ${kind}: { account: ${from}, subject: "${subject}" }${to === '' ? '' : `, to: "${to}"`} }`

const CYCLE = 'import forms a cycle'
const files: [what: string, accounts: string[], error: string | null][] = [
  [
    'two accounts that serve each other',
    [
      account('A', [ex('service', 'help')], [im('service', 'B', 'help')]),
      account('B', [ex('service', 'help')], [im('service', 'A', 'help')]),
    ],
    CYCLE,
  ],
  [
    'the same with other names on the way',
    [
      account('A', [ex('service', 'help')], [im('service', 'B', 'aid', 'help')]),
      account('B', [ex('service', 'aid')], [im('service', 'A', 'help', 'aid')]),
    ],
    CYCLE,
  ],
  [
    'three accounts in a ring',
    [
      account('A', [ex('service', 'x.*')], [im('service', 'B', 'x.1')]),
      account('B', [ex('service', 'x.*')], [im('service', 'C', 'x.*')]),
      account('C', [ex('service', 'x.*')], [im('service', 'A', 'x.>'.replace('>', '*'))]),
    ],
    CYCLE,
  ],
  [
    'streams in a ring',
    [
      account('A', [ex('stream', 's.>')], [im('stream', 'B', 's.>')]),
      account('B', [ex('stream', 's.>')], [im('stream', 'A', 's.>')]),
    ],
    CYCLE,
  ],
  [
    'two accounts that serve each other different things',
    [
      account('A', [ex('service', 'a')], [im('service', 'B', 'b')]),
      account('B', [ex('service', 'b')], [im('service', 'A', 'a')]),
    ],
    null,
  ],
  [
    'a chain with a common beginning',
    [
      account('A', [ex('service', 'x')], []),
      account('B', [ex('service', 'x')], [im('service', 'A', 'x')]),
      account('C', [], [im('service', 'B', 'x')]),
    ],
    null,
  ],
  [
    'an account that imports its own export',
    [account('A', [ex('service', 'x')], [im('service', 'A', 'x', 'y')])],
    null,
  ],
  [
    'two imports of one stream',
    [
      account('A', [ex('stream', 's')], []),
      account('B', [], [im('stream', 'A', 's'), im('stream', 'A', 's', 't')]),
    ],
    'Error adding stream import "s": stream import already exists',
  ],
  [
    'two services of one account on one subject',
    [
      account('A', [ex('service', 'p'), ex('service', 'q')], []),
      account('B', [], [im('service', 'A', 'p', 'here'), im('service', 'A', 'q', 'here')]),
    ],
    'Duplicate service import subject "here", previously used in import for account "A", subject "p"',
  ],
  [
    'an import that nobody exports',
    [account('A', [ex('stream', 's')], []), account('B', [], [im('service', 'A', 's')])],
    'Error adding service import "s": service import not authorized',
  ],
  [
    'an import of nobody',
    [account('B', [], [im('stream', 'A', 's')])],
    '"A" account not defined for stream import',
  ],
  [
    'a private export imported by another account',
    [account('A', ['{ stream: "s", accounts: [A] }'], []), account('B', [], [im('stream', 'A', 's')])],
    'Error adding stream import "s": stream import not authorized',
  ],
  [
    'an export for an account that is not there',
    [account('A', ['{ service: "s", accounts: [X] }'], [])],
    '"X" account not defined for service export',
  ],
  [
    'an export for an empty list of accounts',
    [account('A', ['{ stream: "s", accounts: [] }'], []), account('B', [], [im('stream', 'A', 's')])],
    null,
  ],
  [
    'a token position that is no wildcard',
    [account('A', ['{ service: "s.x", account_token_position: 2 }'], [])],
    'Error adding service export "s.x": sublist: invalid subject',
  ],
  [
    'a token of another account',
    [
      account('A', ['{ stream: "s.*", account_token_position: 2 }'], []),
      account('B', [], [im('stream', 'A', 's.A')]),
    ],
    'Error adding stream import "s.A": stream import not authorized',
  ],
  [
    'a wildcard in place of the token',
    [
      account('A', ['{ stream: "s.*", account_token_position: 2 }'], []),
      account('B', [], [im('stream', 'A', 's.*')]),
    ],
    'Error adding stream import "s.*": stream import not authorized',
  ],
  [
    'a prefix with a wildcard',
    [
      account('A', [ex('stream', 's')], []),
      account('B', [], ['{ stream: { account: A, subject: s }, prefix: "p.*" }']),
    ],
    'Error adding stream import "s": stream import prefix can not contain wildcard tokens',
  ],
  [
    'a renaming that leaves a wildcard out',
    [account('A', [ex('service', 's.*.*')], []), account('B', [], [im('service', 'A', 's.*.*', 't.$1')])],
    'not using all of the token wildcard(s)',
  ],
  [
    'a renaming with a function',
    [
      account('A', [ex('stream', 's.*')], []),
      account('B', [], [im('stream', 'A', 's.*', 't.{{partition(3,1)}}')]),
    ],
    'the only mapping function allowed for import transforms is {{Wildcard()}}',
  ],
  [
    'a renaming beyond the wildcards',
    [account('A', [ex('stream', 's.*')], []), account('B', [], [im('stream', 'A', 's.*', 't.$2')])],
    'wildcard index out of range in $2: [2]',
  ],
]

for (const engine of enginesUnderTest()) {
  describe(`a configuration file [${engine.name}]`, () => {
    for (const [what, accounts, error] of files) {
      it(`${error === null ? 'may have' : 'is refused for'} ${what}`, async (t) => {
        const file = join(tempDir(t), 'accounts.conf')
        writeFileSync(file, `accounts { ${accounts.join('\n')} }`)
        const { code, stdout, stderr } = await run(engine.path, ['-t', '-c', file])
        const said = stdout + stderr
        assert.equal(code, error === null ? 0 : 1, said)
        if (error !== null) assert.ok(said.includes(error), said)
      })
    }
  })
}

inEveryWorld('imports of claims that lead back', {}, (world) => {
  it('are left out, and the account goes on with the rest', async (t) => {
    const service = (subject: string) => ({ name: subject, subject, type: 'service' as const })
    const first = await world.account((claims) => (claims.nats.exports = [service('help'), service('other')]))
    const second = await world.account((claims) => (claims.nats.exports = [service('help')]))
    const from = (other: { key: { publicKey: string } }, subject: string): Import => ({
      ...service(subject),
      account: other.key.publicKey,
    })
    first.claims.nats.imports = [from(second, 'help')]
    assert.ok((await world.push(first.claims)).data)
    second.claims.nats.imports = [from(first, 'help'), from(first, 'other')]
    assert.ok((await world.push(second.claims)).data, 'the push itself succeeds')
    const connect = { headers: true, no_responders: true }
    const asker = await world.client(t, second.key, undefined, { connect })
    const responder = await world.client(t, first.key, undefined, { connect })
    asker.say('SUB in 1')
    responder.say('SUB other 1', 'SUB help 2')
    await asker.flush()
    await responder.flush()
    asker.pub('help', '', 'in')
    assert.match(await asker.flush(), /^HMSG in 1 .*\r\nNATS\/1\.0 503/)
    asker.pub('other', '', 'in')
    await asker.flush()
    responder.pub((await responder.message()).reply, 'yes')
    await responder.flush()
    assert.equal(await asker.flush(), wire('MSG in 1 3', 'yes'))
    // The way that was there first still works.
    const answering = await world.client(t, second.key, undefined, { connect })
    answering.say('SUB help 1')
    await answering.flush()
    const back = await RawClient.connect(t, world.server.port)
    back.destroy()
    responder.say('SUB in 3')
    await responder.flush()
    responder.unsub(2)
    responder.pub('help', '', 'in')
    await responder.flush()
    answering.pub((await answering.message()).reply, 'from afar')
    await answering.flush()
    assert.equal(await responder.flush(), wire('MSG in 3 9', 'from afar'))
  })

  it('are left out even where the way back was cut, for who was there first keeps the place', async (t) => {
    const service = (subject: string) => ({ name: subject, subject, type: 'service' as const })
    const [first, second] = [await world.account(), await world.account()]
    const from = (other: typeof first, subject: string): Import => ({
      ...service(subject),
      account: other.key.publicKey,
    })
    second.claims.nats.exports = [service('help')]
    first.claims.nats.exports = [service('help')]
    first.claims.nats.imports = [from(second, 'help')]
    const connect = { headers: true, no_responders: true }
    for (const { claims } of [second, first]) await world.push(claims)
    const answering = await world.client(t, second.key, undefined, { connect })
    const asker = await world.client(t, first.key, undefined, { connect })
    answering.say('SUB help 1')
    asker.say('SUB in 1')
    for (const one of [answering, asker]) await one.flush()
    second.claims.nats.exports = []
    await world.push(second.claims)
    asker.pub('help', '', 'in')
    assert.match(await asker.flush(), /^HMSG in 1 .*\r\nNATS\/1\.0 503/)
    // Not let in for the moment, and still in the way.
    second.claims.nats.imports = [from(first, 'help')]
    await world.push(second.claims)
    answering.say('SUB in 2', 'UNSUB 1')
    asker.say('SUB help 2')
    await asker.flush()
    answering.pub('help', '', 'in')
    assert.match(await answering.flush(), /^HMSG in 2 .*\r\nNATS\/1\.0 503/)
    assert.equal(await asker.flush(), '')
    second.claims.nats.exports = [service('help')]
    await world.push(second.claims)
    answering.say('SUB help 3')
    asker.say('UNSUB 2')
    await answering.flush()
    asker.pub('help', '', 'in')
    await asker.flush()
    assert.equal((await answering.message()).subject, 'help')
  })

  it('are left out alone: what is in force stays, whatever its exporter imports later', async (t) => {
    const service = (subject: string) => ({ name: subject, subject, type: 'service' as const })
    const [first, second] = [await world.account(), await world.account()]
    const from = (other: typeof first, subject: string, local: string): Import => ({
      ...service(subject),
      account: other.key.publicKey,
      local_subject: local,
    })
    first.claims.nats.exports = [service('help.*')]
    second.claims.nats.exports = [service('help.>')]
    second.claims.nats.imports = [from(first, 'help.*', 'help.$1')]
    for (const { claims } of [first, second]) await world.push(claims)
    const answering = await world.client(t, first.key)
    const asker = await world.client(t, second.key)
    answering.say('SUB help.* 1')
    for (const one of [answering, asker]) await one.flush()
    const asked = async (): Promise<void> => {
      asker.pub('help.a', 'x')
      await asker.flush()
      assert.equal((await answering.message()).subject, 'help.a')
    }
    await asked()
    // Seen from the other side, this leads round.
    first.claims.nats.imports = [from(second, 'help.>', 'remote.>')]
    await world.push(first.claims)
    await asked()
  })
})
