// What a configuration file may not say about sharing and tracing, in the words of the official server; and reloads of it.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Engine, enginesUnderTest, RawClient, run, tempDir } from '@ngs/testkit'
import { reload } from './reloading.ts'
import { wire } from './support.ts'

const exporting = (entry: string): string => `accounts { A { exports: [ ${entry} ] } }`
const importing = (entry: string): string =>
  `accounts { A { exports: [ { stream: s }, { service: q } ] }, B { imports: [ ${entry} ] } }`
const tracing = (value: string): string => `accounts { A { msg_trace: ${value} } }`

const REFUSED: [config: string, error: string][] = [
  [exporting('{ stream: s, response: stream }'), 'Detected response directive on non-service'],
  [exporting('{ stream: s, latency: x }'), 'Detected latency directive on non-service'],
  [exporting('{ stream: s, allow_trace: true }'), 'Detected allow_trace directive on non-service'],
  [exporting('{ service: s, response: twice }'), 'Unknown response type: "twice"'],
  [
    exporting('{ service: s, threshold: soon }'),
    'Expected response threshold to be a parseable time duration, got "soon"',
  ],
  [
    importing('{ service: { account: A, subject: q }, allow_trace: true }'),
    'Detected allow_trace directive on a non-stream',
  ],
  [importing('{ stream: { account: A } }'), 'Expect an account name and a subject'],
  [tracing('"a.*"'), 'Trace destination "a.*" is not valid'],
  [tracing('5'), 'Expected account message trace "msg_trace" to be a string or a map/struct, got int64'],
  [tracing('{ dest: 5 }'), 'Field "dest" should be a string, got int64'],
  [
    tracing('{ dest: a, sampling: 101 }'),
    'Ttrace destination sampling value 101 is invalid, needs to be [1..100]',
  ],
  [tracing('{ dest: a, sampling: "x%" }'), 'Invalid trace destination sampling value "x%"'],
  [
    tracing('{ dest: a, sampling: true }'),
    'Trace destination sampling field "sampling" should be an integer or a percentage, got bool',
  ],
  [
    tracing('{ dest: a, other: 1 }'),
    'Unknown field "other" parsing account message trace map/struct "msg_trace"',
  ],
]

for (const engine of enginesUnderTest()) {
  describe(`a configuration file is refused [${engine.name}]`, () => {
    for (const [config, error] of REFUSED) {
      it(`for ${config.slice(11, -2)}: ${error}`, async (t) => {
        const file = join(tempDir(t), 'sharing.conf')
        writeFileSync(file, config)
        const { code, stdout, stderr } = await run(engine.path, ['-t', '-c', file])
        assert.equal(code, 1)
        assert.ok((stdout + stderr).includes(error), stdout + stderr)
      })
    }
  })

  describe(`a reload [${engine.name}]`, () => {
    const config = (mappings: string, exported: string, imported: string): string => `
mappings { ${mappings} }
accounts {
  A { users: [ { user: a, password: x } ], exports: [ ${exported} ] }
  B { users: [ { user: b, password: x } ], imports: [ ${imported} ] }
  G { users: [ { user: g, password: x } ], mappings { ${mappings} } }
}`
    const both = '{ stream: "s.>" }, { service: "q.*" }'
    const all = '{ stream: { account: A, subject: "s.>" } }, { service: { account: A, subject: "q.*" } }'
    const connect = async (
      t: Parameters<typeof tempDir>[0],
      server: Engine,
      user: string,
      ...lines: string[]
    ): Promise<RawClient> => {
      const one = await RawClient.connect(t, server.port)
      one.connect({ verbose: false, headers: true, no_responders: true, user, pass: 'x' })
      one.say(...lines)
      await one.flush()
      return one
    }

    it('changes mappings for those who are connected', async (t) => {
      const server = await Engine.start(t, { engine: engine.path, config: config('foo: bar', both, all) })
      const one = await connect(t, server, 'g', 'SUB > 1')
      const delivered = async (): Promise<string> => {
        one.pub('foo')
        return /MSG (\S+)/.exec(await one.flush())![1]!
      }
      assert.equal(await delivered(), 'bar')
      await reload(server, config('foo: baz', both, all))
      assert.equal(await delivered(), 'baz')
      await reload(server, config('', both, all))
      assert.equal(await delivered(), 'foo')
    })

    it('with a lower limit closes as many connections of the account as are too many', async (t) => {
      const limited = (limits: string): string =>
        `accounts { A { users: [ { user: a, password: x } ], limits { ${limits} } } }`
      const server = await Engine.start(t, { engine: engine.path, config: limited('max_connections: 3') })
      const clients: RawClient[] = []
      for (let i = 0; i < 3; i++) clients.push(await connect(t, server, 'a'))
      await reload(server, limited('max_connections: 1, max_subs: 2'))
      // Which of them, is nowhere said.
      const ends = await Promise.allSettled(clients.map((one) => one.flush()))
      assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 1)
      for (const [i, { status }] of ends.entries())
        if (status === 'rejected')
          assert.equal(await clients[i]!.closed(), wire("-ERR 'maximum account active connections exceeded'"))
      const rest = clients[ends.findIndex(({ status }) => status === 'fulfilled')]!
      rest.say('SUB a 1', 'SUB b 2', 'SUB c 3')
      assert.equal(await rest.flush(), wire("-ERR 'maximum subscriptions exceeded'"))
    })

    it('lets requests that are on their way be answered', async (t) => {
      const server = await Engine.start(t, { engine: engine.path, config: config('', both, all) })
      const responder = await connect(t, server, 'a', 'SUB q.* 1')
      const asker = await connect(t, server, 'b', 'SUB in 1', 'SUB s.> 2')
      asker.pub('q.x', '', 'in')
      await asker.flush()
      const { reply } = await responder.message()
      await reload(
        server,
        config('', `${both}, { stream: more }`, `${all}, { stream: { account: A, subject: more } }`),
      )
      responder.pub(reply, 'yes')
      responder.pub('s.x')
      await responder.flush()
      assert.equal(await asker.flush(), wire('MSG in 1 3', 'yes', 'MSG s.x 2 0', ''))
    })
  })
}
