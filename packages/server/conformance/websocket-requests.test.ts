// Requests for a WebSocket that are odd, or no good HTTP: which are answered like any other, and which end the connection.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { it, type TestContext } from 'node:test'
import { RawWebSocket } from '@ngs/testkit'
import { type Bench, onEveryEngine } from './support.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const GET = 'GET / HTTP/1.1'

interface Request {
  line?: string
  /** Instead of the usual ones, or besides them; null leaves one out. */
  fields?: Record<string, string | null>
  /** Behind all others. */
  more?: readonly string[]
}

function written({ line = GET, fields = {}, more = [] }: Request): string {
  const all: Record<string, string | null> = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': KEY,
    'Sec-WebSocket-Version': '13',
    ...fields,
  }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : `${name}: ${value}`))
  return `${[line, ...lines, ...more].join('\r\n')}\r\n\r\n`
}

/** The first line of the answer, and the whole text when the connection ends behind it. */
function ask(t: TestContext, { server }: Bench, request: Request): Promise<{ first: string; whole: string }> {
  const { hostname, port } = new URL(server.websocketUrl)
  const socket = connect(Number(port), hostname)
  t.after(() => socket.destroy())
  socket.write(written(request))
  return new Promise((resolve, reject) => {
    let text = ''
    const done = (): void => resolve({ first: text.slice(0, text.indexOf('\r\n')), whole: text })
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
      if (text.startsWith('HTTP/1.1 101') && text.includes('\r\n\r\n')) done()
      if (/content-length: /i.test(text) && !/connection: close/i.test(text)) done()
    })
    // Whoever is still writing may be told by a reset that nobody reads on.
    socket.on('end', done).on('error', (error) => (text.includes('\r\n\r\n') ? done() : reject(error)))
  })
}

onEveryEngine('odd requests', 'websocket { listen: "127.0.0.1:-1", no_tls: true }', (bench) => {
  const upgraded: [string, Request][] = [
    ['names the server in its target, as one to a proxy does', { line: 'GET http://h/chat HTTP/1.1' }],
    ['has two keys', { more: [`Sec-WebSocket-Key: ${KEY}`] }],
    [
      'has a key whose last character says more than it has to',
      { fields: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZR==' } },
    ],
    ['has a hundred kilobytes of cookies', { fields: { Cookie: `j=${'x'.repeat(100_000)}` } }],
    ['has three thousand fields', { more: Array.from({ length: 3_000 }, (_, i) => `X-${i}: y`) }],
  ]
  for (const [what, request] of upgraded) {
    it(`takes one that ${what}`, async (t) => {
      assert.equal((await ask(t, bench, request)).first, 'HTTP/1.1 101 Switching Protocols')
    })
  }

  const refused: [string, string, Request][] = [
    ['has no Host', '400 Bad Request: missing required Host header', { fields: { Host: null } }],
    ['has a Host that is none', '400 Bad Request: malformed Host header', { fields: { Host: 'a b' } }],
    ['has a Host with a user', '400 Bad Request: malformed Host header', { fields: { Host: 'user@h' } }],
    ['has two Hosts', '400 Bad Request', { more: ['Host: other'] }],
    ['has an escape in its path that is none', '400 Bad Request', { line: 'GET /%zz HTTP/1.1' }],
    ['asks for no path', '400 Bad Request', { line: 'GET * HTTP/1.1' }],
    ['says no version', '400 Bad Request', { line: 'GET /' }],
    [
      'is of another version',
      '505 HTTP Version Not Supported: unsupported protocol version',
      { line: 'GET / HTTP/2.0' },
    ],
    ['has fields that are none', '400 Bad Request', { more: ['no colon'] }],
    ['has its body in another coding', '501 Not Implemented', { fields: { 'Transfer-Encoding': 'gzip' } }],
    ['expects what nobody knows', '417 Expectation Failed', { fields: { Expect: 'more' } }],
    [
      'has megabytes of fields',
      '431 Request Header Fields Too Large',
      { fields: { Cookie: `j=${'x'.repeat(2_000_000)}` } },
    ],
  ]
  for (const [what, status, request] of refused) {
    it(`ends one that ${what}`, async (t) => {
      const { first, whole } = await ask(t, bench, request)
      assert.equal(first, `HTTP/1.1 ${status}`)
      assert.match(whole, /^connection: close\r$/im)
    })
  }

  it('says where else a path is that is not in its shortest form', async (t) => {
    const socket = await RawWebSocket.connect(t, bench.server.websocketUrl, { path: '/a/../b?c' })
    assert.deepEqual([socket.answer.status, socket.answer.headers.get('location')], [307, '/b?c'])
    assert.equal(await socket.body(), '<a href="/b?c">Temporary Redirect</a>.\n\n')
  })

  it('says goodbye to a client that ends without a word', async (t) => {
    const { hostname, port } = new URL(bench.server.websocketUrl)
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    t.after(() => socket.destroy())
    socket.write(written({}))
    let heard = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk])
      if (heard.includes('INFO ')) socket.end()
    })
    await new Promise<void>((resolve, reject) => {
      socket.on('end', resolve).on('error', reject)
    })
    const goodbye = Buffer.from('\x88\x0f\x03\xe8Client Closed', 'latin1')
    assert.deepEqual(heard.subarray(-goodbye.length), goodbye)
  })
})
