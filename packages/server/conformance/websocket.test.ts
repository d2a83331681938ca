// Frames of a WebSocket: pieces of every kind, control frames, close codes, compression, what browsers get.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { encodeFrame, RawWebSocket, type RawWebSocketOptions } from '@ngs/testkit'
import { type Bench, closeReason, onEveryEngine } from './support.ts'

const LISTEN = 'listen: "127.0.0.1:-1", no_tls: true'
const HTTP = 'http: "127.0.0.1:-1"\n'
const QUIET = 'CONNECT {"verbose":false,"pedantic":false}\r\n'
const [TEXT, BINARY, CLOSE, PING, PONG] = [1, 2, 8, 9, 10]

const deflated = (text: string): Buffer =>
  deflateRawSync(Buffer.from(text, 'latin1'), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
const inflated = (bytes: Buffer): string =>
  inflateRawSync(Buffer.concat([bytes, Buffer.from([0, 0, 0xff, 0xff])]), {
    finishFlush: constants.Z_SYNC_FLUSH,
  }).toString('latin1')

/** A connection that has read INFO and sent CONNECT. */
async function open(
  t: TestContext,
  bench: Bench,
  options: RawWebSocketOptions = {},
): Promise<RawWebSocket & { cid: number }> {
  const socket = await RawWebSocket.connect(t, bench.server.websocketUrl, options)
  const { payload, rsv1 } = await socket.read()
  const info = JSON.parse((rsv1 ? inflated(payload) : payload.toString()).slice(5))
  socket.frame(BINARY, QUIET)
  return Object.assign(socket, { cid: info.client_id as number })
}

onEveryEngine('WebSocket frames', `${HTTP}websocket { ${LISTEN} }`, (bench) => {
  it('carry operations in pieces of every kind', async (t) => {
    const socket = await open(t, bench)
    socket.frame(BINARY, 'SUB a 1\r\nPUB a 1\r\nx\r\nPU')
    socket.frame(TEXT, 'B a 1\r\n\xff\r\nPI', { fin: false })
    socket.frame(0, 'N', { fin: false })
    socket.frame(PING, 'between')
    socket.frame(0, '', { fin: false })
    socket.frame(0, 'G\r\n')
    let heard = ''
    let pong = ''
    while (!heard.endsWith('PONG\r\n') || pong === '') {
      const { opcode, payload } = await socket.read()
      if (opcode === PONG) pong = payload.toString()
      else heard += payload.toString('latin1')
    }
    assert.equal(heard, 'MSG a 1 1\r\nx\r\nMSG a 1 1\r\n\xff\r\nPONG\r\n')
    assert.equal(pong, 'between')
  })
  it('may be split at every byte, and several come in one piece', async (t) => {
    const socket = await open(t, bench)
    const frames = Buffer.concat([
      encodeFrame(BINARY, 'SUB a 1\r\n'),
      encodeFrame(PONG, 'nobody asked'),
      encodeFrame(BINARY, `PUB a 200\r\n${'y'.repeat(200)}\r\n`, { fin: false }),
      encodeFrame(0, 'PING\r\n'),
    ])
    for (const byte of frames) socket.send(Buffer.from([byte]))
    const expected = `MSG a 1 200\r\n${'y'.repeat(200)}\r\nPONG\r\n`
    assert.equal(await socket.until('PONG\r\n'), expected)
    socket.send(frames)
    assert.equal(await socket.until('PONG\r\n'), expected)
  })
  it('carry large payloads both ways', async (t) => {
    const socket = await open(t, bench)
    for (const size of [125, 126, 65_535, 65_536, 1_000_000]) {
      const payload = 'z'.repeat(size)
      socket.say('SUB a 1', `PUB a ${size}`, payload, 'UNSUB 1', 'PING')
      assert.equal(await socket.until('PONG\r\n'), `MSG a 1 ${size}\r\n${payload}\r\nPONG\r\n`)
    }
  })
  it('bring a batch of messages in one frame', async (t) => {
    const socket = await open(t, bench)
    socket.say('SUB a 1', 'PING')
    await socket.until('PONG\r\n')
    // No more than what both engines read at once from a new connection.
    socket.say(...Array(20).fill('PUB a 1\r\nx'))
    const { payload } = await socket.read()
    assert.equal(payload.toString(), 'MSG a 1 1\r\nx\r\n'.repeat(20))
  })
  it('that break the rules end the connection', async (t) => {
    const cases: [string, Buffer][] = [
      ['mask bit missing', encodeFrame(BINARY, 'PING\r\n', { mask: false })],
      ['RSV2 and RSV3 must be clear', encodeFrame(BINARY, 'PING\r\n', { rsv: 0x20 })],
      [
        'compressed frame received without negotiated permessage-deflate',
        encodeFrame(BINARY, 'x', { rsv: 0x40 }),
      ],
      ['unknown opcode 3', encodeFrame(3, 'x')],
      ['invalid continuation frame', encodeFrame(0, 'x')],
      ['control frame does not have final bit set', encodeFrame(PING, 'x', { fin: false })],
      ['control frame length bigger than maximum allowed of 125 bytes', encodeFrame(PING, 'x'.repeat(126))],
      [
        'new message started before final frame for previous message was received',
        Buffer.concat([encodeFrame(BINARY, 'PI', { fin: false }), encodeFrame(BINARY, 'NG')]),
      ],
      ['invalid 64-bit payload length', Buffer.concat([Buffer.from([0x82, 0xff, 0x80]), Buffer.alloc(11)])],
      ['close frame payload cannot be 1 byte', encodeFrame(CLOSE, 'x')],
      ['invalid close status code 1005', encodeFrame(CLOSE, '\x03\xed')],
      ['invalid close status code 2999', encodeFrame(CLOSE, '\x0b\xb7')],
    ]
    for (const [why, bytes] of cases) {
      const socket = await open(t, bench)
      socket.send(bytes)
      await socket.ended()
      assert.equal(await closeReason(bench.server, socket.cid), 'Read Error', why)
      await bench.server.waitForLog(new RegExp(`wid:${socket.cid} - .*read error: ${why}`))
    }
  })
})

onEveryEngine('the end of a WebSocket', `${HTTP}websocket { ${LISTEN} }\nmax_payload: 100`, (bench) => {
  it('is echoed to a client that closes', async (t) => {
    for (const [payload, echo] of [
      ['\x03\xe8bye', '1000 bye'],
      ['\x0f\xa0', '4000 '],
      ['\x03\xe8\xff\xfe', '1007 invalid utf8 body in close frame'],
      ['', ''],
    ] as const) {
      const socket = await open(t, bench)
      socket.frame(CLOSE, payload)
      assert.equal(await socket.closing(), echo)
      assert.equal(await closeReason(bench.server, socket.cid), 'Client Closed')
    }
  })
  it('has the reason in its close frame, after the -ERR', async (t) => {
    for (const [lines, text, closing] of [
      ['PUB a 101', 'Maximum Payload Violation', '1009 Maximum Message Payload Exceeded'],
      [`SUB ${'a'.repeat(5000)} 1`, 'maximum control line exceeded', '1008 Maximum Control Line Exceeded'],
      ['CONNECT {"protocol":7}', 'invalid client protocol', '1002 Bad Client Protocol Version'],
      [
        'CONNECT {"no_responders":true}',
        'no responders requires headers support',
        '1011 No Responders Requires Headers',
      ],
    ] as const) {
      const socket = await open(t, bench)
      socket.say(lines)
      assert.equal(await socket.until('\r\n'), `-ERR '${text}'\r\n`)
      assert.equal(await socket.closing(), closing)
    }
  })
  it('is a read error for what is no protocol', async (t) => {
    for (const line of ['BOGUS', 'PUB a', 'SUB']) {
      const socket = await open(t, bench)
      socket.say(line)
      await socket.ended()
      assert.equal(await closeReason(bench.server, socket.cid), 'Read Error')
    }
  })
  it('comes without a close frame from a client that goes away', async (t) => {
    const socket = await open(t, bench)
    socket.say('PING')
    await socket.until('PONG\r\n')
    socket.destroy()
    assert.equal(await closeReason(bench.server, socket.cid), 'Client Closed')
  })
})

onEveryEngine('WebSocket clients when the server stops', `websocket { ${LISTEN} }`, (bench) => {
  it('are told that it goes away', async (t) => {
    const socket = await open(t, bench)
    socket.say('PING')
    await socket.until('PONG\r\n')
    bench.server.kill('SIGTERM')
    assert.equal(await socket.closing(), '1001 Server Shutdown')
  })
})

onEveryEngine(
  'WebSocket compression',
  `${HTTP}websocket { ${LISTEN}, compression: true }\nmax_payload: 2000`,
  (bench) => {
    const OFFER = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }
    it('is agreed on in these words', async (t) => {
      const socket = await open(t, bench, { headers: OFFER })
      assert.equal(
        socket.answer.headers.get('sec-websocket-extensions'),
        'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
      )
      const without = await open(t, bench)
      assert.equal(without.answer.headers.get('sec-websocket-extensions'), undefined)
    })
    it('leaves short messages alone and makes each of the others anew', async (t) => {
      const socket = await open(t, bench, { headers: OFFER })
      const payload = 'abc'.repeat(300)
      const lines = `PUB a ${payload.length}\r\n${payload}\r\n`
      socket.frame(BINARY, deflated('SUB a 1\r\n'), { rsv: 0x40 })
      for (let i = 0; i < 2; i++) {
        socket.frame(BINARY, deflated(lines), { rsv: 0x40 })
        const frame = await socket.read()
        assert.deepEqual([frame.fin, frame.rsv1, frame.opcode], [true, true, BINARY])
        assert.equal(inflated(frame.payload), `MSG a 1 ${payload.length}\r\n${payload}\r\n`)
        assert.ok(frame.payload.length < 100)
      }
      socket.frame(BINARY, 'PING\r\n')
      const pong = await socket.read()
      assert.deepEqual([pong.rsv1, pong.payload.toString()], [false, 'PONG\r\n'])
    })
    it('takes a message in fragments, with a ping between them', async (t) => {
      const socket = await open(t, bench, { headers: OFFER })
      const message = deflated('SUB a 1\r\nPUB a 2\r\nhi\r\n')
      socket.frame(BINARY, message.subarray(0, 3), { rsv: 0x40, fin: false })
      socket.frame(PING, 'p')
      socket.frame(0, message.subarray(3, 5), { fin: false })
      socket.frame(0, message.subarray(5))
      assert.equal((await socket.read()).opcode, PONG)
      assert.equal(await socket.until('hi\r\n'), 'MSG a 1 2\r\nhi\r\n')
    })
    it('ends a client whose message grows beyond a payload, or is none', async (t) => {
      for (const bytes of [deflated('PING\r\n'.repeat(1_000)), Buffer.from([0xff, 0xff, 0xff, 0xff])]) {
        const socket = await open(t, bench, { headers: OFFER })
        socket.frame(BINARY, bytes, { rsv: 0x40 })
        assert.equal(await closeReason(bench.server, socket.cid), 'Read Error')
      }
    })
    it('refuses a second fragment that says that it is compressed', async (t) => {
      const socket = await open(t, bench, { headers: OFFER })
      socket.frame(BINARY, deflated('PING\r\n'), { rsv: 0x40, fin: false })
      socket.frame(0, '', { rsv: 0x40 })
      assert.equal(await closeReason(bench.server, socket.cid), 'Read Error')
    })

    const random = Array.from({ length: 1_900 }, (_, i) =>
      String.fromCharCode(33 + ((i * 7919 + (i >> 3)) % 90)),
    ).join('')
    const five = `PUB a ${random.length}\r\n${random}\r\n`.repeat(10)
    for (const [name, agent, whole] of [
      ['in pieces to a browser', 'Mozilla/5.0 Chrome/1 Safari/1', false],
      ['in one piece to Safari', 'Mozilla/5.0 Version/1 Safari/1', true],
    ] as const) {
      it(`goes ${name}`, async (t) => {
        const socket = await open(t, bench, { headers: { ...OFFER, 'User-Agent': agent } })
        socket.frame(BINARY, `SUB a 1\r\n${five}`)
        const wanted = `MSG a 1 ${random.length}\r\n${random}\r\n`.repeat(10)
        let heard = ''
        let message = Buffer.alloc(0)
        while (heard.length < wanted.length) {
          const frame = await socket.read()
          if (!whole) assert.ok(frame.payload.length <= 4096)
          assert.equal(frame.opcode, message.length === 0 ? BINARY : 0)
          message = Buffer.concat([message, frame.payload])
          if (whole) assert.ok(frame.fin)
          if (frame.fin) {
            heard += inflated(message)
            message = Buffer.alloc(0)
          }
        }
        assert.equal(heard, wanted)
      })
    }
  },
)

onEveryEngine('a browser', `websocket { ${LISTEN} }`, (bench) => {
  it('gets messages of 4096 bytes at most', async (t) => {
    const socket = await open(t, bench, { headers: { 'User-Agent': 'Mozilla/5.0 (X11)' } })
    const payload = 'q'.repeat(10_000)
    socket.say('SUB a 1', `PUB a ${payload.length}`, payload)
    const wanted = `MSG a 1 ${payload.length}\r\n${payload}\r\n`
    let heard = ''
    while (heard.length < wanted.length) {
      const frame = await socket.read()
      assert.deepEqual([frame.fin, frame.opcode], [true, BINARY])
      assert.ok(frame.payload.length <= 4096)
      heard += frame.payload.toString()
    }
    assert.equal(heard, wanted)
  })
})
