// Who a WebSocket client is: cookies, credentials of the websocket block, connection types, certificates, times of its own.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { needsOpenssl, RawWebSocket, type RawWebSocketOptions } from '@ngs/testkit'
import { alice, caFile, serverFiles, stranger, trusting } from './certificates.ts'
import { type Bench, onEveryEngine, QUIET } from './support.ts'

const LISTEN = 'listen: "127.0.0.1:-1"'
const CLEAR = `${LISTEN}, no_tls: true`

/** What the server says to CONNECT with these fields. */
async function says(
  t: TestContext,
  bench: Bench,
  fields: object,
  options: RawWebSocketOptions = {},
): Promise<string> {
  const socket = await RawWebSocket.connect(t, bench.server.websocketUrl, options)
  await socket.until('\r\n')
  socket.say(`CONNECT ${JSON.stringify({ verbose: false, ...fields })}`, 'PING')
  return (await socket.until('\r\n')).trim()
}
const VIOLATION = "-ERR 'Authorization Violation'"

onEveryEngine(
  'cookies of a WebSocket',
  `authorization { users: [ { user: u, password: p }, { user: w, password: q } ] }
websocket { ${CLEAR}, user_cookie: "me", pass_cookie: "word" }`,
  (bench) => {
    it('fill what CONNECT leaves out', async (t) => {
      const cookie = (text: string) => ({ headers: { Cookie: text } })
      assert.equal(await says(t, bench, {}), VIOLATION)
      assert.equal(await says(t, bench, {}, cookie('a=b; me=u; word=p')), 'PONG')
      assert.equal(await says(t, bench, {}, cookie('me="u"; word=p')), 'PONG')
      assert.equal(await says(t, bench, {}, cookie('Me=u; word=p')), VIOLATION)
      assert.equal(await says(t, bench, { user: 'w' }, cookie('me=u; word=q')), 'PONG')
      assert.equal(await says(t, bench, { user: 'w', pass: 'q' }, cookie('me=u; word=p')), 'PONG')
      assert.equal(await says(t, bench, { pass: 'x' }, cookie('me=u; word=p')), VIOLATION)
    })
    it('count where they are ones, the last of a name', async (t) => {
      const cookie = (text: string) => ({ headers: { Cookie: text } })
      assert.equal(await says(t, bench, {}, cookie('me=w; word=p; me=u')), 'PONG')
      assert.equal(await says(t, bench, {}, cookie('me=u; word=p; me')), VIOLATION)
      for (const none of ['me=\xfc', 'me="', 'me="u"w', 'me=u\\'])
        assert.equal(await says(t, bench, {}, cookie(`me=u; word=p; ${none}`)), 'PONG')
      assert.equal(await says(t, bench, {}, cookie('me= u; word=p')), VIOLATION)
      assert.equal(await says(t, bench, {}, cookie('me =u ; word=p')), 'PONG')
    })
  },
)
onEveryEngine(
  'the token cookie of a WebSocket',
  `authorization { token: s3cret }\nwebsocket { ${CLEAR}, token_cookie: "auth" }`,
  (bench) => {
    it('stands for the token', async (t) => {
      assert.equal(await says(t, bench, {}, { headers: { Cookie: 'auth=s3cret' } }), 'PONG')
      assert.equal(await says(t, bench, {}, { headers: { Cookie: 'auth=other' } }), VIOLATION)
    })
  },
)

onEveryEngine(
  'credentials of the websocket block',
  `authorization { user: tcp, password: one }
websocket { ${CLEAR}, authorization { user: ws, password: two } }`,
  (bench) => {
    it('stand instead of those of the server', async (t) => {
      assert.equal(await says(t, bench, { user: 'ws', pass: 'two' }), 'PONG')
      assert.equal(await says(t, bench, { user: 'tcp', pass: 'one' }), VIOLATION)
      const client = await bench.client(t, 'CONNECT {"verbose":false,"user":"tcp","pass":"one"}')
      await client.pingPong()
    })
  },
)
onEveryEngine(
  'the timeout of the websocket block',
  `authorization { user: tcp, password: one, timeout: 60 }
websocket { ${CLEAR}, authorization { user: ws, password: two, timeout: 0.5 } }`,
  (bench) => {
    it('is its own', async (t) => {
      const socket = await RawWebSocket.connect(t, bench.server.websocketUrl)
      await socket.until('\r\n')
      assert.equal(await socket.until('\r\n'), "-ERR 'Authentication Timeout'\r\n")
      assert.equal(await socket.closing(), '1008 Authentication Timeout')
    })
  },
)
onEveryEngine(
  'a token of the websocket block',
  `websocket { ${CLEAR}, authorization { token: t0 } }`,
  (bench) => {
    it('is asked for there alone', async (t) => {
      assert.equal(await says(t, bench, { auth_token: 't0' }), 'PONG')
      assert.equal(await says(t, bench, {}), VIOLATION)
      await (await bench.client(t, 'CONNECT {"verbose":false}')).pingPong()
    })
  },
)
onEveryEngine(
  'a guest of the websocket block',
  `authorization { users: [ { user: u, password: p }, { user: guest, password: g } ] }
websocket { ${CLEAR}, no_auth_user: guest }`,
  (bench) => {
    it('stands for clients without credentials, though INFO asks for them', async (t) => {
      const socket = await RawWebSocket.connect(t, bench.server.websocketUrl)
      assert.equal(JSON.parse((await socket.until('\r\n')).slice(5)).auth_required, true)
      assert.equal(await says(t, bench, {}), 'PONG')
      assert.equal(await says(t, bench, { user: 'u', pass: 'p' }), 'PONG')
      assert.equal(await says(t, bench, { user: 'u', pass: 'x' }), VIOLATION)
      const client = await bench.client(t, 'CONNECT {"verbose":false}')
      assert.equal(await client.closed(), `${VIOLATION}\r\n`)
    })
  },
)
onEveryEngine(
  'connection types',
  `authorization { users: [ { user: u, password: p, allowed_connection_types: [WEBSOCKET] }, { user: v, password: p, allowed_connection_types: [STANDARD] } ] }
websocket { ${CLEAR} }`,
  (bench) => {
    it('tell WebSocket from others', async (t) => {
      assert.equal(await says(t, bench, { user: 'u', pass: 'p' }), 'PONG')
      assert.equal(await says(t, bench, { user: 'v', pass: 'p' }), VIOLATION)
      const client = await bench.client(t, 'CONNECT {"verbose":false,"user":"u","pass":"p"}')
      assert.equal(await client.closed(), `${VIOLATION}\r\n`)
    })
  },
)
onEveryEngine(
  'the ping interval of the websocket block',
  `websocket { ${CLEAR}, ping_interval: "200ms" }\nping_max: 1`,
  (bench) => {
    it('is its own', async (t) => {
      const socket = await RawWebSocket.connect(t, bench.server.websocketUrl, { pings: true })
      await socket.until('\r\n')
      socket.say('CONNECT {"verbose":false}')
      assert.equal(await socket.until("Connection'\r\n"), "PING\r\n-ERR 'Stale Connection'\r\n")
      assert.equal(await socket.closing(), '1001 Stale Connection')
    })
  },
)
onEveryEngine('WebSocket and max_connections', `websocket { ${CLEAR} }\nmax_connections: 1`, (bench) => {
  it('count like others', async (t) => {
    // Whoever was answered is counted.
    await (await bench.client(t, QUIET)).pingPong()
    const socket = await RawWebSocket.connect(t, bench.server.websocketUrl)
    await socket.until('\r\n')
    assert.equal(await socket.until('\r\n'), "-ERR 'maximum connections exceeded'\r\n")
    assert.equal(await socket.closing(), '1008 Maximum Connections Exceeded')
  })
})

describe('client certificates of WebSocket', needsOpenssl(), () => {
  onEveryEngine(
    'verify_and_map of a WebSocket',
    `authorization { users: [ { user: "alice@acme.example" }, { user: u, password: p } ] }
websocket { ${LISTEN}, tls { ${serverFiles()}, ${caFile}, verify_and_map: true } }`,
    (bench) => {
      it('takes the user from the certificate', async (t) => {
        assert.equal(await says(t, bench, {}, { tls: trusting(alice) }), 'PONG')
        await assert.rejects(says(t, bench, { user: 'u', pass: 'p' }, { tls: trusting() }))
        await assert.rejects(says(t, bench, {}, { tls: trusting(stranger) }))
      })
      it('leaves such a user no other way in', async (t) => {
        const client = await bench.client(t, 'CONNECT {"verbose":false,"user":"alice@acme.example"}')
        assert.equal(await client.closed(), `${VIOLATION}\r\n`)
      })
    },
  )
})
