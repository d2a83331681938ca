// The HTTP request that asks for a WebSocket: what it is answered, and what the connection takes from it.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { needsOpenssl, RawClient, RawWebSocket, type RawWebSocketOptions } from '@ngs/testkit'
import { serverFiles, trusting } from './certificates.ts'
import { onEveryEngine } from './support.ts'

const LISTEN = 'listen: "127.0.0.1:-1"'
type Headers = RawWebSocketOptions['headers'] & {}

onEveryEngine(
  'a WebSocket upgrade',
  `websocket { ${LISTEN}, no_tls: true, headers { X-Own: "a b" } }`,
  (bench) => {
    const ask = (t: TestContext, options: RawWebSocketOptions = {}): Promise<RawWebSocket> =>
      RawWebSocket.connect(t, bench.server.websocketUrl, options)

    it('is answered in these lines, with INFO in the first frame', async (t) => {
      const socket = await ask(t)
      assert.equal(
        socket.answer.head,
        [
          'HTTP/1.1 101 Switching Protocols',
          'Upgrade: websocket',
          'Connection: Upgrade',
          'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
          'X-Own: a b',
        ].join('\r\n'),
      )
      const { fin, opcode, payload } = await socket.read()
      assert.deepEqual([fin, opcode], [true, 2])
      const info = JSON.parse(payload.toString().slice(5))
      const url = new URL(bench.server.websocketUrl)
      assert.deepEqual([info.host, info.port], [url.hostname, Number(url.port)])
      assert.deepEqual(
        [info.tls_required, info.tls_available, info.connect_urls],
        [undefined, undefined, undefined],
      )
    })
    it('may have other paths, and tokens in lists and in any case', async (t) => {
      const socket = await ask(t, {
        path: '/chat/room?x=1',
        headers: {
          Upgrade: 'h2c, WebSocket',
          Connection: 'keep-alive, upgrade',
          'Sec-WebSocket-Version': '8, 13',
        },
      })
      assert.equal(socket.answer.status, 101)
    })
    it('is refused with the status that fits', async (t) => {
      const cases: [number, string, RawWebSocketOptions][] = [
        [404, 'Not Found', { path: '/mqtt' }],
        [404, 'Not Found', { path: '/a/mqtt' }],
        [405, 'Method Not Allowed', { method: 'POST' }],
        [400, 'Bad Request', { headers: { Upgrade: undefined } }],
        [400, 'Bad Request', { headers: { Upgrade: 'h2c' } }],
        [400, 'Bad Request', { headers: { Connection: 'keep-alive' } }],
        [400, 'Bad Request', { headers: { 'Sec-WebSocket-Key': undefined } }],
        [400, 'Bad Request', { headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZ' } }],
        [400, 'Bad Request', { headers: { 'Sec-WebSocket-Key': 'AAAA' } }],
        [400, 'Bad Request', { headers: { 'Sec-WebSocket-Version': '12' } }],
      ]
      for (const [status, text, options] of cases) {
        const socket = await ask(t, options)
        assert.equal(socket.answer.status, status, JSON.stringify(options))
        assert.equal(socket.answer.headers.get('sec-websocket-version'), '13')
        assert.equal(await socket.body(), `${text}\n`)
      }
    })
    it('may be asked for again on the same connection', async (t) => {
      const socket = await ask(t, { headers: { 'Sec-WebSocket-Version': '12' } })
      await socket.body()
      assert.equal((await socket.ask('127.0.0.1')).status, 101)
      assert.match(await socket.until('\r\n'), /^INFO /)
    })
    it('is sent elsewhere when its path is not in its shortest form', async (t) => {
      const socket = await ask(t, { path: '/a/../b' })
      assert.equal(socket.answer.status, 307)
      assert.equal(socket.answer.headers.get('location'), '/b')
    })
    it('ends a client that sends frames before the answer', async (t) => {
      await assert.rejects(ask(t, { early: 'x' }), /the connection ended/)
    })
    it('ends a leaf node, for which there is no port, right after the answer', async (t) => {
      const socket = await ask(t, { path: '/leafnode' })
      assert.equal(socket.answer.status, 101)
      await socket.ended()
      await bench.server.waitForLog(/\[ERR\] Not configured to accept leaf node connections/)
    })
    it('lets a client leave out masks that asks for it', async (t) => {
      const socket = await ask(t, { headers: { 'Nats-No-Masking': 'true' } })
      assert.equal(socket.answer.headers.get('nats-no-masking'), 'true')
      await socket.until('\r\n')
      socket.frame(2, 'CONNECT {"verbose":false}\r\nPING\r\n', { mask: false })
      assert.equal(await socket.until('PONG\r\n'), 'PONG\r\n')
    })
    it('is not compressed where that is not configured', async (t) => {
      const socket = await ask(t, { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } })
      assert.equal(socket.answer.headers.get('sec-websocket-extensions'), undefined)
    })
    it('shows in the log whom a proxy spoke for, if that is one address', async (t) => {
      for (const [header, prefix] of [
        ['1.2.3.4', '1.2.3.4/127.0.0.1:'],
        ['::5', '[::5]/127.0.0.1:'],
        ['1.2.3.4, 5.6.7.8', '127.0.0.1:'],
      ]) {
        const socket = await ask(t, { headers: { 'X-Forwarded-For': header } })
        const { client_id: cid, client_ip: ip } = JSON.parse((await socket.until('\r\n')).slice(5))
        assert.equal(ip, '127.0.0.1')
        socket.say('PUB')
        await bench.server.waitForLog(
          new RegExp(`\\[ERR\\] ${prefix!.replaceAll(/[[\].]/g, '\\$&')}\\d+ - wid:${cid} - `),
        )
      }
    })
    it('logs why it refuses', async () => {
      await bench.server.waitForLog(/\[ERR\] 127.0.0.1:\d+ - websocket handshake error: invalid version/)
      await bench.server.waitForLog(
        /\[ERR\] 127.0.0.1:\d+ - websocket handshake error: request method must be GET/,
      )
    })
  },
)

const origins = (name: string, options: string, cases: (url: URL) => [number, Headers][]): void =>
  onEveryEngine(
    `the origin of a WebSocket, ${name}`,
    `websocket { ${LISTEN}, no_tls: true, ${options} }`,
    (bench) => {
      it('is judged', async (t) => {
        for (const [status, headers] of cases(new URL(bench.server.websocketUrl))) {
          const socket = await RawWebSocket.connect(t, bench.server.websocketUrl, { headers })
          assert.equal(socket.answer.status, status, JSON.stringify(headers))
        }
      })
    },
  )

origins('which has to be the same', 'same_origin: true', ({ host, port }) => [
  [101, {}],
  [101, { Origin: `http://${host}` }],
  [101, { Origin: `HTTP://${host}` }],
  [403, { Origin: `https://${host}` }],
  [403, { Origin: 'http://127.0.0.1' }],
  [403, { Origin: `http://localhost:${port}` }],
  [403, { Origin: 'http://elsewhere.example' }],
  [403, { Origin: 'null' }],
  [403, { 'Sec-WebSocket-Origin': 'http://elsewhere.example' }],
  [101, { Host: 'x.example', Origin: 'http://X.example:80' }],
  [101, { Host: 'x.example:80', Origin: 'http://x.example' }],
])
origins(
  'which has to be in the list',
  'allowed_origins: ["http://a.example", "https://b.example:444"]',
  () => [
    [101, {}],
    [101, { Origin: 'http://A.example' }],
    [101, { Origin: 'http://a.example:80' }],
    [101, { Origin: 'https://b.example:444' }],
    [403, { Origin: 'https://a.example' }],
    [403, { Origin: 'http://a.example:81' }],
    [403, { Origin: 'https://b.example' }],
    [403, { Origin: 'null' }],
  ],
)
origins('which has to be both', 'same_origin: true, allowed_origin: "http://a.example"', ({ host }) => [
  [403, { Origin: `http://${host}` }],
  [403, { Origin: 'http://a.example' }],
  [101, { Host: 'a.example', Origin: 'http://a.example' }],
])

onEveryEngine(
  'a WebSocket upgrade that takes its time',
  `websocket { ${LISTEN}, no_tls: true, handshake_timeout: "200ms" }`,
  (bench) => {
    it('is not waited for', async (t) => {
      const client = await RawClient.connect(t, bench.server.websocketUrl, { readInfo: false })
      client.say('GET / HTTP/1.1', 'Host: x')
      assert.equal(await client.closed(), '')
    })
  },
)

describe('wss', needsOpenssl(), () => {
  onEveryEngine(
    'a WebSocket with TLS',
    `websocket { ${LISTEN}, tls { ${serverFiles()} }, same_origin: true }\nhttp: "127.0.0.1:-1"`,
    (bench) => {
      it('says so in INFO and in /connz', async (t) => {
        const { host } = new URL(bench.server.websocketUrl)
        assert.match(bench.server.websocketUrl, /^wss:/)
        const headers = { Origin: `https://${host}` }
        const socket = await RawWebSocket.connect(t, bench.server.websocketUrl, { tls: trusting(), headers })
        const info = JSON.parse((await socket.until('\r\n')).slice(5))
        assert.deepEqual([info.tls_required, info.tls_available], [true, true])
        socket.say('CONNECT {"verbose":false}', 'PING')
        await socket.until('PONG\r\n')
        const { connections } = await bench.server.monitor<{ connections: Record<string, unknown>[] }>(
          '/connz',
        )
        const mine = connections.find(({ cid }) => cid === info.client_id)!
        assert.deepEqual([mine['type'], mine['tls_version']], ['websocket', '1.3'])
      })
      it('refuses a page that came without', async (t) => {
        const headers = { Origin: `http://${new URL(bench.server.websocketUrl).host}` }
        const socket = await RawWebSocket.connect(t, bench.server.websocketUrl, { tls: trusting(), headers })
        assert.equal(socket.answer.status, 403)
      })
      it('has nothing for a client without', async (t) => {
        await assert.rejects(
          RawWebSocket.connect(t, bench.server.websocketUrl.replace('wss', 'ws')).then((socket) => {
            assert.notEqual(socket.answer.status, 101)
            throw new Error('refused')
          }),
        )
      })
    },
  )
})
