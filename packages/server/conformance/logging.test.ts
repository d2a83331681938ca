// What the log says and how: lines, files, rotation, and protocol lines without secrets.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { Engine, enginesUnderTest, RawClient, waitFor } from '@ngs/testkit'
import { texts } from './reloading.ts'

const LINE = /^\[\d+\] \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} \[(INF|DBG|WRN|ERR|FTL|TRC)\] /

for (const { name, path } of enginesUnderTest()) {
  const start = (t: TestContext, config: string, args: string[] = []): Promise<Engine> =>
    Engine.start(t, { engine: path, config, args })

  describe(`log lines [${name}]`, () => {
    it('have the process, the time to the microsecond and the level', async (t) => {
      const server = await start(t, '')
      await server.waitForLog(/Server is ready\n/)
      const lines = server.log().split('\n').slice(0, -1)
      for (const line of lines) assert.match(line, LINE)
      assert.ok(lines.every((line) => line.startsWith(`[${server.pid}] `)))
    })

    it('are in the zone of the machine, or in UTC', async (t) => {
      for (const [config, zone] of [
        ['', 'Asia/Kolkata'],
        ['logtime_utc: true', 'UTC'],
      ]) {
        const before = process.env['TZ']
        process.env['TZ'] = 'Asia/Kolkata'
        const server = await start(t, config!).finally(() => {
          if (before === undefined) delete process.env['TZ']
          else process.env['TZ'] = before
        })
        await server.waitForLog(/Server is ready\n/)
        const [, date, time] = /^\[\d+\] (\S+) (\S+)/.exec(server.log())!
        const offset = zone === 'UTC' ? 'Z' : '+05:30'
        const moment = Date.parse(`${date!.replaceAll('/', '-')}T${time!.slice(0, 12)}${offset}`)
        assert.ok(Math.abs(moment - Date.now()) < 60_000, `${zone}: ${date} ${time}`)
        await server.stop()
      }
    })

    it('do without the time when they are told to', async (t) => {
      const server = await start(t, 'logtime: false')
      await server.waitForLog(/\n/)
      assert.match(server.log(), /^\[\d+\] \[INF\] Starting /)
    })

    it('begin with who the server is and end with that it is ready', async (t) => {
      const config =
        'server_name: N\nauthorization { user: u, password: p }\nhttp: "127.0.0.1:-1"\nmax_payload: 9000000\n'
      const server = await start(t, config)
      await server.waitForLog(/Server is ready/)
      const shown = texts(server.log()).map((line) =>
        line
          .replace(/N[A-Z2-7]{55}/, 'ID')
          .replace(/(sha256:)?[0-9a-f]{64}/, 'HASH')
          .replace(/127.0.0.1:\d+/, 'ADDRESS'),
      )
      assert.deepEqual(shown.slice(1), [
        '[INF]   Version:  2.15.2',
        shown[2]!,
        '[INF]   Name:     N',
        '[INF]   ID:       ID',
        '[WRN] Plaintext passwords detected, use nkeys or bcrypt',
        `[INF] Using configuration file: ${server.configFile} (HASH)`,
        '[WRN] Maximum payloads over 8.00 MB are generally discouraged and could lead to poor performance',
        '[INF] Starting http monitor on ADDRESS',
        '[INF] Listening for client connections on ADDRESS',
        '[INF] Server is ready',
      ])
      assert.match(shown[0]!, /^\[INF\] Starting (nats|ngs)-server$/)
      assert.match(shown[2]!, /^\[INF\] {3}Git: {6}\[.+\]$/)
    })

    it('show feature flags that are configured', async (t) => {
      const server = await start(
        t,
        'feature_flags { js_ack_fc_v2: true, js_raft_delete_range: false, other: true }',
      )
      await server.waitForLog(/Server is ready\n/)
      const lines = texts(server.log())
      const at = lines.indexOf('[INF]   Feature flags:')
      assert.deepEqual(lines.slice(at + 1, at + 3), [
        '[INF]     Configured:    js_ack_fc_v2 (opt-in), js_raft_delete_range (opt-out)',
        '[INF]     Unsupported:   other',
      ])
    })
  })

  describe(`log files [${name}]`, () => {
    it('are private, get everything, and are opened anew by SIGUSR1', async (t) => {
      const server = await start(t, 'log_file: "%DIR%/a.log"')
      const file = join(server.dir, 'a.log')
      await waitFor(() => readFileSync(file, 'utf8').includes('Server is ready'), { what: 'the log file' })
      assert.equal(server.log(), '')
      assert.equal(statSync(file).mode & 0o777, 0o640)
      renameSync(file, `${file}.old`)
      server.kill('SIGUSR1')
      await waitFor(() => existsSync(file) && readFileSync(file, 'utf8').includes('File log re-opened'), {
        what: 'the new log file',
      })
      assert.match(readFileSync(`${file}.old`, 'utf8'), /Trapped "user defined signal 1" signal\n$/)
    })

    it('are not re-opened where there are none', async (t) => {
      const server = await start(t, '')
      server.kill('SIGUSR1')
      await server.waitForLog(/\[INF\] File log re-open ignored, not a file logger\n/)
    })

    it('are rotated when they are full, and only so many are kept', async (t) => {
      const server = await start(
        t,
        'log_file: "%DIR%/r.log"\nlog_size_limit: 2000\nlog_max_num: 3\ntrace: true\n',
      )
      const backups = (): string[] =>
        readdirSync(server.dir).filter((entry) => /^r\.log\.\d{4}(\.\d\d){5}\.\d{9}$/.test(entry))
      const client = await RawClient.connect(t, server.port)
      client.say('CONNECT {"verbose":false}')
      const seen = new Set<string>()
      for (let i = 0; i < 100 && seen.size < 4; i++) {
        client.pub('a', 'x'.repeat(100))
        await client.flush()
        for (const backup of backups()) seen.add(backup)
      }
      assert.ok(seen.size >= 4)
      assert.equal(backups().length, 2)
      const newest = readFileSync(join(server.dir, 'r.log'), 'utf8')
      assert.match(newest, /\[INF\] Rotated log, backup saved as "[^"]*r\.log\.\d{4}[.\d]+"\r?\n/)
      assert.match(newest, /\[INF\] Purged log file "r\.log\.\d{4}[.\d]+"\r?\n/)
    })
  })

  describe(`protocol lines in the log [${name}]`, () => {
    /** PINGs of the server are not answered: nothing that the test did not send is in the log. */
    const connect = (t: TestContext, server: Engine): Promise<RawClient> =>
      RawClient.connect(t, server.port, { pings: true })
    /** What the log says of this connection, without its name. */
    const traced = (server: Engine, client: RawClient): string[] =>
      texts(server.log())
        .filter((line) => line.includes(` - cid:${client.info.client_id} - `))
        .map((line) => line.replace(/ [\d.:]+ - cid:\d+ -( "[^"]*" -)*/, ''))
        .filter((line) => line !== '[TRC] ->> [PING]')

    async function until(server: Engine, client: RawClient, last: string): Promise<string[]> {
      await waitFor(() => traced(server, client).includes(last), {
        what: () => `${last} in the log:\n${server.log()}`,
      })
      return traced(server, client)
    }

    it('are what came and what went, one by one', async (t) => {
      const server = await start(t, '', ['-V'])
      const client = await connect(t, server)
      client.say(
        'CONNECT {"verbose":false,"pedantic":false,"headers":true}',
        'SUB  foo   1',
        'UNSUB 1 2',
        'PUB foo  4',
      )
      client.send(Buffer.from([0x68, 0xff, 0x22, 0x0a, 0x0d, 0x0a]))
      client.hpub('foo', ['A: b'], 'hi', 'r.s')
      client.say('PUB nobody 0', '', 'PONG', 'PING')
      const lines = await until(server, client, '[TRC] ->> [PONG]')
      assert.deepEqual(lines, [
        '[TRC] <<- [CONNECT {"verbose":false,"pedantic":false,"headers":true}]',
        '[TRC] <<- [SUB foo   1]',
        '[TRC] <<- [UNSUB 1 2]',
        '[TRC] <<- [PUB foo  4]',
        '[TRC] <<- MSG_PAYLOAD: ["h\\xff\\"\\n"]',
        '[TRC] ->> [MSG foo 1 4]',
        '[TRC] ->> MSG_PAYLOAD: ["h\\xff\\"\\n"]',
        '[TRC] <<- [HPUB foo r.s 18 20]',
        '[TRC] <<- MSG_PAYLOAD: ["NATS/1.0\\r\\nA: b\\r\\n\\r\\nhi"]',
        '[TRC] ->> [HMSG foo 1 r.s 18 20]',
        '[TRC] ->> MSG_PAYLOAD: ["NATS/1.0\\r\\nA: b\\r\\n\\r\\nhi"]',
        '[TRC] <-> [DELSUB 1]',
        '[TRC] <<- [PUB nobody 0]',
        '[TRC] <<- [PONG]',
        '[TRC] <<- [PING]',
        '[TRC] ->> [PONG]',
      ])
    })

    it('are acknowledged and refused', async (t) => {
      const server = await start(t, 'max_payload: 5', ['-V'])
      const client = await connect(t, server)
      client.say('CONNECT {"verbose":true}', 'PUB a 6')
      await client.closed()
      const lines = await until(server, client, '[TRC] ->> [-ERR Maximum Payload Violation]')
      assert.deepEqual(lines, [
        '[TRC] <<- [CONNECT {"verbose":true}]',
        '[TRC] ->> [OK]',
        '[TRC] <<- [PUB a 6]',
        '[ERR] maximum payload exceeded: 6 vs 5',
        '[TRC] ->> [-ERR Maximum Payload Violation]',
      ])
    })

    it('do not tell secrets', async (t) => {
      const server = await start(t, '', ['-DV'])
      const client = await connect(t, server)
      const said =
        '{"user":"me","pass":"s3cret","auth_token": "s3cret","sig":"s3cret","nkey":"UABC","password":"s3cret","proxy_sig":"s3cret","name":"n"}'
      client.say(`CONNECT ${said}`, 'PING')
      const lines = await until(server, client, '[TRC] ->> [PONG]')
      assert.equal(
        lines.find((line) => line.includes('CONNECT')),
        '[TRC] <<- [CONNECT {"user":"me","pass":"[REDACTED]","auth_token": "[REDACTED]","sig":"[REDACTED]","nkey":"[REDACTED]","password":"[REDACTED]","proxy_sig":"[REDACTED]","name":"n"}]',
      )
      assert.doesNotMatch(server.log(), /s3cret/)
    })

    it('say why a connection was closed that asked for what cannot be', async (t) => {
      const server = await start(t, '')
      for (const [said, line] of [
        ['CONNECT {"protocol":7}', 'invalid client protocol'],
        ['CONNECT {"no_responders":true}', 'no responders requires headers support'],
        ["-ERR  'my own trouble'", "Client Error 'my own trouble'"],
      ] as const) {
        const client = await RawClient.connect(t, server.port)
        client.say(said)
        assert.deepEqual(await until(server, client, `[ERR] ${line}`), [`[ERR] ${line}`])
      }
    })

    it('are cut where they are told to, or show headers alone', async (t) => {
      for (const [config, inbound] of [
        ['max_traced_msg_len: 12\ntrace: true', '[TRC] <<- MSG_PAYLOAD: ["NATS/1.0\\r\\nA:..."]'],
        ['trace_headers: true', '[TRC] <<- MSG_PAYLOAD: ["NATS/1.0\\r\\nA: b"]'],
      ]) {
        const server = await start(t, config!)
        const client = await connect(t, server)
        client.say('CONNECT {"verbose":false,"headers":true}')
        client.hpub('foo', ['A: b'], 'hi')
        client.say('PUB foo 3', 'abc', 'PING')
        const lines = await until(server, client, '[TRC] ->> [PONG]')
        assert.ok(lines.includes(inbound!), lines.join('\n'))
        const plain = '[TRC] <<- MSG_PAYLOAD: ["abc"]'
        assert.equal(lines.includes(plain), config!.startsWith('max'))
        await server.stop()
      }
    })

    it('of the system account are told when that is asked for', async (t) => {
      const accounts = 'accounts { "$SYS" { users: [{user: s, password: s}] } }\n'
      for (const [args, told] of [
        [['-V'], false],
        [['-VV'], true],
      ] as const) {
        const server = await start(t, accounts, [...args])
        const client = await connect(t, server)
        client.connect({ verbose: false, user: 's', pass: 's' })
        client.say('SUB answer 1', 'PUB $SYS.REQ.SERVER.PING.IDZ answer 0', '')
        const { payload } = await client.message()
        await server.waitForLog(new RegExp(`->> \\[MSG answer 1 +${payload.length}\\]\n`))
        const lines = texts(server.log())
        assert.equal(lines.includes(`[TRC] SYSTEM - <<- [PUB answer  ${payload.length}]`), told)
        const shown = `[TRC] SYSTEM - <<- MSG_PAYLOAD: [${JSON.stringify(payload)}]`
        assert.equal(lines.includes(shown), told)
        await server.stop()
      }
    })

    it('name the client, its user and account once these are known', async (t) => {
      const server = await start(t, 'accounts { A { users: [{user: u, password: p}] } }', ['-DV'])
      const client = await connect(t, server)
      const { client_id: cid } = client.info
      client.connect({ verbose: false, user: 'u', pass: 'p', name: 'my "app"', lang: 'ts', version: '1.2' })
      await client.flush()
      const from = `127\\.0\\.0\\.1:${client.localPort} - cid:${cid}`
      await server.waitForLog(new RegExp(`${from} - Client connection created\n`))
      await server.waitForLog(new RegExp(`${from} - <<- \\[CONNECT `))
      await server.waitForLog(
        new RegExp(`${from} - "v1\\.2:ts:my \\\\"app\\\\"" - "A/user:u" - <<- \\[PING\\]\n`),
      )
      client.destroy()
      await server.waitForLog(/"A\/user:u" - Client connection closed: Client Closed\n/)
    })

    it('do not repeat what a stranger can cause at will', async (t) => {
      const TIMES = 200
      const repeated = (server: Engine, text: string): number => server.log().split(text).length - 1
      const server = await start(t, 'max_subscriptions: 1\ndebug: true\n')
      const client = await RawClient.connect(t, server.port)
      client.connect({ verbose: false })
      client.say(...Array.from({ length: TIMES }, (_, i) => `SUB a ${i}`))
      await client.flush()
      client.destroy()
      await server.waitForLog(/Client connection closed/)
      const full = 'maximum subscriptions exceeded'
      assert.ok(repeated(server, full) > 0 && repeated(server, full) < TIMES / 2, server.log())

      const closed = await start(t, 'max_connections: 0\ndebug: true\n')
      for (let i = 0; i < TIMES; i += 10) {
        const some = Array.from({ length: 10 }, () => RawClient.connect(t, closed.port))
        await Promise.all((await Promise.all(some)).map((refused) => refused.closed()))
      }
      await waitFor(() => repeated(closed, 'Client connection closed') === TIMES, {
        what: 'the last one to go',
      })
      const crowded = 'maximum connections exceeded'
      assert.ok(repeated(closed, crowded) > 0 && repeated(closed, crowded) < TIMES / 2)
    })

    it('say who was refused', async (t) => {
      const server = await start(
        t,
        'authorization { users: [{user: u, password: p, permissions: {publish: ok, subscribe: ok}}] }',
      )
      const login = async (fields: Record<string, unknown>): Promise<RawClient> => {
        const client = await connect(t, server)
        client.connect({ verbose: false, pedantic: false, ...fields })
        return client
      }
      const wrong = await login({ user: 'u', pass: 'wrong' })
      assert.deepEqual(await until(server, wrong, '[ERR] authentication error - User "u"'), [
        '[ERR] authentication error - User "u"',
      ])
      const nobody = await login({})
      await until(server, nobody, '[ERR] authentication error')
      const user = await login({ user: 'u', pass: 'p' })
      user.say('PUB no 0', '', 'SUB no 1', 'SUB no q 2')
      await user.flush()
      assert.deepEqual(
        await until(server, user, '[ERR] Subscription Violation - Subject "no", Queue: "q", SID 2'),
        [
          '[ERR] Publish Violation - Subject "no"',
          '[ERR] Subscription Violation - Subject "no", SID 1',
          '[ERR] Subscription Violation - Subject "no", Queue: "q", SID 2',
        ],
      )
    })
  })
}
