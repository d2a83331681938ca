// Frames and upgrade requests on the WebSocket port: refused or served, and the others do not notice.
import { createHash } from 'node:crypto'
import type { Random } from '../random.ts'
import { ServerUnderFire } from '../server.ts'
import { Finding, type Target } from '../target.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
const HEADERS = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  `Sec-WebSocket-Key: ${KEY}`,
  'Sec-WebSocket-Version: 13',
  'Origin: http://evil',
  'Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover',
  'Cookie: a=b; c',
  'Sec-WebSocket-Version: 7',
  'Nats-No-Masking: true',
  'X-Forwarded-For: 1.2.3.4',
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
] as const

function frame(random: Random): Buffer {
  const payload = Buffer.from(
    random.pick([
      'PING\r\n',
      'CONNECT {}\r\n',
      'SUB a 1\r\n',
      'PUB a 1\r\nx\r\n',
      '',
      'x'.repeat(126),
      'x'.repeat(70_000),
      '\u0003\u00e8',
    ]),
    'latin1',
  )
  const opcode = random.pick([0, 1, 2, 2, 2, 2, 3, 8, 9, 10, 15])
  const flags = random.oneIn(6) ? random.below(16) << 4 : 0x80
  const masked = !random.oneIn(6)
  const claimed = random.oneIn(10) ? random.pick([0, 5, 125, 126, 127, 65_535, 2 ** 31]) : payload.length
  const length =
    claimed < 126
      ? Buffer.from([claimed])
      : claimed < 65_536
        ? Buffer.from([126, claimed >> 8, claimed & 255])
        : Buffer.alloc(9)
  if (length.length === 9) {
    length[0] = 127
    length.writeBigUInt64BE(BigInt(claimed), 1)
  }
  if (masked) length[0]! |= 0x80
  const mask = Buffer.from([1, 2, 3, random.below(256)])
  const body = masked ? payload.map((byte, i) => byte ^ mask[i % 4]!) : payload
  return Buffer.concat([Buffer.from([flags | opcode]), length, ...(masked ? [mask] : []), body])
}

export const websocket: Target = {
  name: 'websocket',
  about: 'upgrade requests and frames on the WebSocket port',
  async start() {
    const server = await ServerUnderFire.start(
      'websocket { listen: "127.0.0.1:-1", no_tls: true, compression: true }',
    )
    const port = Number(new URL(server.engine.websocketUrl).port)
    return {
      async one(random) {
        const sound = !random.oneIn(4)
        const lines = sound ? HEADERS.slice(0, 4) : random.list(8, () => random.pick(HEADERS))
        if (sound && random.oneIn(2)) lines.push(HEADERS[5])
        let request = Buffer.from(
          `GET ${random.pick(sound ? ['/', '/a'] : ['/', '/mqtt', '/leafnode', '*'])} HTTP/1.1\r\nHost: h\r\n${lines.join('\r\n')}\r\n\r\n`,
        )
        if (!sound && random.oneIn(2)) request = Buffer.from(random.damage(request))
        const frames = Buffer.concat(random.list(6, () => frame(random)))
        const bytes = random.oneIn(3) ? random.damage(frames) : frames
        const cut = random.below(bytes.length + 1)
        const parts = [bytes.subarray(0, cut), bytes.subarray(cut)]
        // Some do not wait for the answer to the upgrade, which the server may take amiss.
        const said = sound
          ? await server.send(port, [request], parts)
          : await server.send(port, [request, ...parts])
        if (sound && !said.includes(ACCEPT))
          throw new Finding(`a sound upgrade was answered ${JSON.stringify(said.slice(0, 300))}`, request)
      },
      check: () => server.check(),
      stop: () => server.stop(),
    }
  },
}
