// The command line, the ports file, monitoring, WebSocket.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { wsconnect } from '@nats-io/nats-core'
import { DEADLINE_MS, Engine, enginesUnderTest, run, tempDir } from '@ngs/testkit'
import { FULL, onEveryEngine } from './support.ts'

for (const { name, path } of enginesUnderTest()) {
  describe(`the command [${name}]`, () => {
    it('prints its version', async () => {
      for (const args of [['-v'], ['--version'], ['version']]) {
        const { code, stdout } = await run(path, args)
        assert.equal(code, 0)
        assert.match(stdout, /^(nats|ngs)-server: v\d+\.\d+\.\d+\n$/)
      }
    })
    it('refuses words and flags it does not know in its own ways', async () => {
      const word = await run(path, ['foo'])
      assert.equal(word.code, 1)
      assert.match(word.stderr, /unrecognized command: "foo"/)
      const flag = await run(path, ['-bogus'])
      assert.equal(flag.code, 0)
      assert.match(flag.stderr, /flag provided but not defined: -bogus/)
      assert.match(flag.stdout, /Server Options/)
    })
    it('checks a configuration file', async (t) => {
      const file = join(tempDir(t), 'x.conf')
      const check = async (text: string) => {
        writeFileSync(file, text)
        return run(path, ['-t', '-c', file])
      }
      const good = await check(
        'port: -1 # any\nauthorization { user: a, password: $PW }\n'.replace('$PW', '"x"'),
      )
      assert.equal(good.code, 0)
      assert.match(good.stderr, /is valid \(sha256:[0-9a-f]{64}\)/)
      for (const [text, pattern] of [
        ['bogus: 1\n', /x\.conf:1:0: unknown field "bogus"/],
        ['port: "x"\n', /interface conversion: interface {} is string, not int64/],
        ['write_deadline: 5\n', /write_deadline should be converted to a duration/],
        ['a = \n', /./],
        ['port: 4222 }x\n', /./],
        ['', /config has no values or is empty/],
        ['authorization { users: [ { user: a }, { user: a } ] }\n', /Duplicate user "a" detected/],
        ['x: $NOT_DEFINED_ANYWHERE\n', /variable reference for 'NOT_DEFINED_ANYWHERE'/],
      ] as const) {
        const bad = await check(text)
        assert.equal(bad.code, 1, `${JSON.stringify(text)} should be refused`)
        assert.match(bad.stderr, pattern)
      }
      const without = await run(path, ['-t'])
      assert.equal(without.code, 1)
    })
    it('leaves the pid file and takes the ports file with it on SIGTERM', async (t) => {
      const pid = join(tempDir(t), 'pid')
      const engine = await Engine.start(t, { engine: path, args: ['-P', pid] })
      assert.equal(readFileSync(pid, 'utf8'), `${engine.pid}`)
      assert.ok(readdirSync(engine.dir).some((file) => file.endsWith('.ports')))
      engine.kill('SIGTERM')
      const { code } = await engine.exited
      assert.ok(code === 0 || code === 1, `exit code ${code}`)
      assert.ok(existsSync(pid))
      assert.ok(!readdirSync(engine.dir).some((file) => file.endsWith('.ports')))
    })
    it('ends when the port is taken', async (t) => {
      const engine = await Engine.start(t, { engine: path })
      const { code, stderr } = await run(path, ['-a', '127.0.0.1', '-p', `${engine.port}`])
      assert.equal(code, 1)
      assert.match(stderr, /address already in use/)
    })
  })
}

onEveryEngine('monitoring', 'http: "127.0.0.1:-1"\nserver_name: mon', (bench) => {
  it('shows the server', async () => {
    const varz = await bench.server.monitor('/varz')
    for (const key of [
      'server_id',
      'version',
      'proto',
      'host',
      'port',
      'max_connections',
      'ping_interval',
      'max_payload',
      'start',
      'now',
      'uptime',
      'mem',
      'cores',
      'cpu',
      'connections',
      'total_connections',
      'in_msgs',
      'out_bytes',
      'slow_consumers',
      'subscriptions',
      'http_req_stats',
      'config_load_time',
      'config_digest',
      'slow_consumer_stats',
      'cluster',
      'websocket',
      'jetstream',
    ]) {
      assert.ok(key in varz, `varz has ${key}`)
    }
    assert.equal(varz['server_name'], 'mon')
    assert.equal(varz['ping_interval'], 120_000_000_000)
    assert.deepEqual(await bench.server.monitor('/healthz'), { status: 'ok' })
  })
  it('counts and lists connections', async (t) => {
    const one = await bench.client(
      t,
      FULL.replace('}', ',"name":"me","lang":"test"}'),
      'SUB foo 1',
      'PUB foo 2',
      'hi',
    )
    await one.flush()
    interface Connz {
      num_connections: number
      connections: Record<string, unknown>[]
    }
    const { connections } = await bench.server.monitor<Connz>('/connz?subs=1')
    const mine = connections.find((item) => item['cid'] === one.info['client_id'])!
    assert.deepEqual(
      [
        mine['in_msgs'],
        mine['out_msgs'],
        mine['in_bytes'],
        mine['out_bytes'],
        mine['subscriptions'],
        mine['name'],
        mine['lang'],
        mine['kind'],
        mine['type'],
      ],
      [1, 1, 2, 2, 1, 'me', 'test', 'Client', 'nats'],
    )
    assert.deepEqual(mine['subscriptions_list'], ['foo'])
    for (const [query, status] of [
      ['sort=bogus', 400],
      ['sort=stop', 400],
      ['subs=maybe', 400],
      ['limit=x', 400],
      ['state=odd', 400],
      ['sort=uptime&limit=1&state=all', 200],
    ] as const) {
      const response = await fetch(`${bench.server.monitoringUrl}/connz?${query}`)
      assert.equal(response.status, status, query)
      await response.text()
    }
    assert.equal((await fetch(`${bench.server.monitoringUrl}/nowhere`)).status, 404)
  })
})

onEveryEngine(
  'WebSocket',
  'websocket { listen: "127.0.0.1:-1", no_tls: true, same_origin: true }',
  (bench) => {
    it('carries the official client', async () => {
      const nc = await wsconnect({ servers: bench.server.websocketUrl })
      const subscription = nc.subscribe('echo', {
        callback: (_error, message) => void message.respond(message.data),
      })
      for (const size of [0, 1, 200, 70_000]) {
        const reply = await nc.request('echo', new Uint8Array(size).fill(7), { timeout: DEADLINE_MS })
        assert.equal(reply.data.length, size)
      }
      subscription.unsubscribe()
      await nc.close()
    })
    it('takes several operations in one message and one in several', async (t) => {
      const socket = new WebSocket(bench.server.websocketUrl)
      t.after(() => socket.close())
      socket.binaryType = 'arraybuffer'
      let heard = ''
      const until = (wanted: RegExp): Promise<void> =>
        new Promise((resolve) => {
          socket.onmessage = ({ data }) => {
            heard += Buffer.from(data as ArrayBuffer).toString('latin1')
            if (wanted.test(heard)) resolve()
          }
        })
      await until(/^INFO .*\r\n$/)
      heard = ''
      const done = until(/PONG/)
      socket.send(Buffer.from('CONNECT {"verbose":false}\r\nSUB a 1\r\nPUB a 1\r\nx\r\nPU'))
      socket.send(Buffer.from('B a 1\r\ny\r\nPI'))
      socket.send(Buffer.from('NG\r\n'))
      await done
      assert.equal(heard, 'MSG a 1 1\r\nx\r\nMSG a 1 1\r\ny\r\nPONG\r\n')
    })
    it('refuses a page from elsewhere', async () => {
      const url = bench.server.websocketUrl.replace('ws:', 'http:')
      const headers = {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        Origin: 'http://elsewhere.example',
      }
      const { request } = await import('node:http')
      const status = await new Promise((resolve, reject) => {
        const outgoing = request(url, { headers })
        outgoing.on('response', (response) => resolve(response.statusCode))
        outgoing.on('upgrade', (_response, socket) => {
          socket.destroy()
          resolve(101)
        })
        outgoing.on('error', reject)
        outgoing.end()
      })
      assert.equal(status, 403)
    })
  },
)
