// The official command line and what nats-top asks, pointed at both engines: it shows the same of both.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import {
  type Cleanup,
  Engine,
  enginesUnderTest,
  needsPeer,
  type Outcome,
  peer,
  RawClient,
  run,
  tempDir,
  waitFor,
} from '@ngs/testkit'
import { shape, TRAFFIC } from './shape.ts'
import { closeReason } from './support.ts'

const CONFIG = `
server_name: alpha
http: "127.0.0.1:-1"
server_tags: [ "blue" ]
accounts {
  A { users: [ { user: a, password: a } ] }
  $SYS { users: [ { user: sys, password: sys } ] }
}
`

/** What a person reads, without what is the moment's: numbers with their units, keys, how wide the columns are. */
function meaning({ code, stdout, stderr }: Outcome): string {
  const lines = (stdout + stderr)
    .replaceAll(/\bN[A-Z2-7]{55}\b/g, '<id>')
    .replaceAll(/\bsha256:[0-9a-f]{64}/g, '<digest>')
    .replaceAll(/\b(go1|nodev)[\d.]+/g, '<runtime>')
    .replaceAll(/\d+(\.\d+)*(e[-+]\d+)?\s?([kMGT]?i?B\b|ns\b|µs\b|ms\b|[smhd]\b|%)?/g, '#')
    .replaceAll(/(#\s?)+/g, '#')
    .replaceAll(/[─╭╮╰╯├┤┬┴┼═▏▎▍▌▋▊▉█]+/g, '-')
    .replaceAll(/-[-\s]*-/g, '-')
    .split('\n')
    .map((line) =>
      line
        .replaceAll(/\s+/g, ' ')
        .replaceAll(/\s*│\s*/g, '│')
        .trim(),
    )
  return [`exit code ${code}`, ...lines].filter((line) => line !== '' && line !== '-').join('\n')
}

/** The documents of JSON in an output, one a line. */
const documents = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))

const SHOWN = [
  'server list',
  'server ping --count 1',
  'server info',
  'server info alpha',
  'server report connections',
  'server report connections --account A --sort in-msgs',
  'server report accounts',
  'server report health',
  'server report cpu',
  'server report mem',
  // The machine may be slow.
  'server check connection --connect-warn 30s --connect-critical 60s --rtt-warn 30s --rtt-critical 60s --req-warn 30s --req-critical 60s',
  'server check server --name alpha',
  'server check server --name alpha --conn-critical 1 --subs-critical 100',
  'rtt',
  'account info',
]
const PRINTED = [
  'connections',
  'variables',
  'subscriptions',
  'accounts',
  'accounts --account A',
  'routes',
  'leafnodes',
  'gateways',
  'jetstream',
  'jetstream-health',
  'raft',
]
const VOLATILE = [...TRAFFIC, 'subscriptions', 'num_subscriptions', 'pending_bytes', 'total_connections']

const needs = needsPeer('nats').skip === false ? needsPeer('nats-server') : needsPeer('nats')

describe('the official command line on both engines', needs, () => {
  let ours: Engine
  let official: Engine
  let env: NodeJS.ProcessEnv
  const ids = new Map<Engine, string>()
  const ends: (() => unknown)[] = []
  const t: Cleanup = { after: (end) => void ends.unshift(end) }
  before(async () => {
    const home = tempDir(t)
    env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home }
    ours = await Engine.start(t, { engine: enginesUnderTest()[0]!.path, config: CONFIG })
    official = await Engine.start(t, { engine: peer('nats-server'), config: CONFIG })
    for (const server of [ours, official]) {
      const client = await RawClient.connect(t, server.port)
      ids.set(server, client.info.server_id)
      client.connect({ verbose: false, user: 'a', pass: 'a', name: 'app', lang: 'raw', version: '1.0' })
      client.say('SUB work.> 1', 'SUB jobs q 2', 'PUB x 2', 'hi')
      await client.flush()
    }
  })
  after(async () => {
    for (const end of ends) await end()
  })

  const args = (server: Engine, user: string): string[] => [
    '-s',
    server.url,
    '--user',
    user,
    '--password',
    user,
  ]
  const nats = (server: Engine, command: string, user = 'sys'): Promise<Outcome> =>
    run(peer('nats'), [...args(server, user), ...command.split(' ')], { env })
  /** The tools before are gone: the application alone is connected. */
  const alone = async (): Promise<void> => {
    for (const server of [ours, official]) {
      const connections = async (): Promise<number> =>
        (await server.monitor<{ num_connections: number }>('/connz')).num_connections
      await waitFor(async () => (await connections()) === 1, { what: 'the tools to be gone' })
    }
  }
  const both = async (command: string): Promise<[Outcome, Outcome]> => {
    await alone()
    return Promise.all([nats(ours, command), nats(official, command)])
  }

  for (const command of SHOWN) {
    it(`shows the same: nats ${command}`, async () => {
      const [a, b] = await both(command)
      assert.equal(meaning(a), meaning(b))
    })
  }
  for (const what of PRINTED) {
    it(`prints the same: nats server request ${what}`, async () => {
      const [a, b] = (await both(`server request ${what}`)).map(({ stdout, stderr }) => {
        const found = documents(stdout)
        assert.equal(found.length, 1, stdout + stderr)
        return shape(found[0], { volatile: VOLATILE })
      })
      assert.equal(a, b)
    })
  }
  it('shows an ordinary user its own account', async () => {
    const [a, b] = await Promise.all([nats(ours, 'account info', 'a'), nats(official, 'account info', 'a')])
    assert.match(a.stdout, /Account: A/)
    assert.equal(meaning(a), meaning(b))
    const denied = await Promise.all([nats(ours, 'server list', 'a'), nats(official, 'server list', 'a')])
    assert.equal(meaning(denied[0]), meaning(denied[1]))
  })
  it('kicks a client', async (t) => {
    for (const server of [ours, official]) {
      const client = await RawClient.connect(t, server.port)
      client.connect({ verbose: false, user: 'a', pass: 'a' })
      await client.flush()
      const { client_id, server_id } = client.info
      const { code, stdout, stderr } = await nats(server, `server request kick ${client_id} ${server_id}`)
      assert.equal(code, 0, stdout + stderr)
      await client.closed()
      assert.equal(await closeReason(server, client_id), 'Kicked')
    }
  })
  it('reloads the configuration', async () => {
    const [a, b] = await Promise.all(
      [ours, official].map((server) => nats(server, `server config reload ${ids.get(server)} --force`)),
    )
    assert.equal(a!.code, b!.code)
    for (const server of [ours, official]) await server.waitForLog(/Reloaded server configuration/)
  })
  it('follows events', async (t) => {
    const followed = await Promise.all(
      [ours, official].map(async (server) => {
        const events = spawn(peer('nats'), [...args(server, 'sys'), 'events', '--all'], { env })
        t.after(() => events.kill())
        let shown = ''
        events.stdout.setEncoding('utf8').on('data', (text: string) => {
          shown += text
        })
        events.stderr.setEncoding('utf8').on('data', (text: string) => {
          shown += text
        })
        // Until it listens, nobody would be heard.
        await waitFor(
          async () => {
            const client = await RawClient.connect(t, server.port)
            client.connect({ verbose: false, user: 'a', pass: 'a', name: 'guest-of-honour' })
            await client.flush()
            client.end()
            await client.closed()
            return /Disconnection[\s\S]*Client Closed/i.test(shown)
          },
          { what: () => `events:\n${shown}` },
        )
        return shown
      }),
    )
    const kinds = followed.map((shown) =>
      ['guest-of-honour', 'Client Connection', 'Client Closed'].map((word) => shown.includes(word)),
    )
    assert.deepEqual(kinds[0], kinds[1])
  })
  it('has what nats-top asks for', async () => {
    await alone()
    const sorts = ['cid', 'subs', 'pending', 'msgs_to', 'msgs_from', 'bytes_to', 'bytes_from', 'idle', 'last']
    for (const sort of [...sorts, 'start', 'uptime', 'rtt']) {
      const [a, b] = await Promise.all(
        [ours, official].map(async (server) => {
          const answer = await server.monitor(`/connz?limit=1024&sort=${sort}&subs=1`)
          return shape(answer, { volatile: [...VOLATILE, 'total', 'num_connections'] })
        }),
      )
      assert.equal(a, b)
    }
  })
})
