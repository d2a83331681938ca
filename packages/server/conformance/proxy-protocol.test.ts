// The PROXY protocol on the client port: whom a proxy speaks for, and headers that cannot be used.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Engine, needsOpenssl, RawClient } from '@ngs/testkit'
import { serverFiles, trusting } from './certificates.ts'
import { closeReason, onEveryEngine } from './support.ts'

const HTTP = 'http: "127.0.0.1:-1"\n'
const CONNECT = 'CONNECT {"verbose":false,"protocol":1}\r\n'
const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n'

/** A header of version 2. */
function binary(
  versionAndCommand: number,
  familyAndProtocol: number,
  data: number[],
  length = data.length,
): string {
  const head = [versionAndCommand, familyAndProtocol, length >> 8, length & 0xff, ...data]
  return SIGNATURE + String.fromCharCode(...head)
}
const V4 = [1, 2, 3, 4, 9, 9, 9, 9, 0x30, 0x39, 0x10, 0x7e]
const V6 = [
  0x20,
  1,
  0xd,
  0xb8,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  1,
  ...Array(16).fill(9),
  0x30,
  0x39,
  0x10,
  0x7e,
]
const MAPPED = [...Array(10).fill(0), 0xff, 0xff, 1, 2, 3, 4, ...Array(16).fill(9), 0x30, 0x39, 0x10, 0x7e]

/** The address that INFO and /connz have for a client that came like this. */
async function addressOf(t: TestContext, server: Engine, header: string): Promise<string> {
  const client = await RawClient.connect(t, server.port)
  assert.equal(client.info['client_ip'], undefined)
  client.send(`${header}${CONNECT}PING\r\n`)
  await client.expect('PONG')
  const { client_ip: ip } = await client.expectInfo()
  const { connections } = await server.monitor<{ connections: Record<string, unknown>[] }>('/connz')
  const mine = connections.find(({ cid }) => cid === client.info.client_id)!
  assert.equal(mine['ip'], ip)
  return `${ip} ${mine['port'] === client.localPort ? 'own port' : mine['port']}`
}

onEveryEngine('the PROXY protocol', `${HTTP}proxy_protocol: true`, (bench) => {
  it('is announced in the log', async () => {
    await bench.server.waitForLog(/PROXY protocol enabled for client connections/)
  })
  it('tells where a client comes from', async (t) => {
    for (const [header, address] of [
      ['PROXY TCP4 1.2.3.4 9.9.9.9 12345 4222\r\n', '1.2.3.4 12345'],
      ['PROXY TCP6 2001:db8:0:0::1 2001:db8::2 12345 4222\r\n', '2001:db8::1 12345'],
      ['PROXY TCP6 ::ffff:1.2.3.4 ::ffff:9.9.9.9 12345 4222\r\n', '1.2.3.4 12345'],
      ['PROXY UNKNOWN\r\n', '127.0.0.1 own port'],
      ['PROXY UNKNOWN 1.2.3.4 9.9.9.9 12345 4222\r\n', '127.0.0.1 own port'],
      [binary(0x21, 0x11, V4), '1.2.3.4 12345'],
      [binary(0x21, 0x11, [...V4, 4, 0, 1, 7]), '1.2.3.4 12345'],
      [binary(0x21, 0x21, V6), '2001:db8::1 12345'],
      [binary(0x21, 0x21, MAPPED), '1.2.3.4 12345'],
      [binary(0x21, 0x01, []), '127.0.0.1 own port'],
      [binary(0x20, 0x00, []), '127.0.0.1 own port'],
      [binary(0x20, 0x11, V4), '127.0.0.1 own port'],
      ['', '127.0.0.1 own port'],
    ] as const)
      assert.equal(await addressOf(t, bench.server, header), address, JSON.stringify(header))
  })
  it('may come in pieces', async (t) => {
    for (const header of ['PROXY TCP4 1.2.3.4 9.9.9.9 12345 4222\r\n', binary(0x21, 0x11, V4)]) {
      const client = await RawClient.connect(t, bench.server.port)
      for (const byte of `${header}${CONNECT}PING\r\n`) {
        client.send(byte)
        // A turn of the loop, so that the bytes leave in more than one piece.
        await new Promise((resolve) => setImmediate(resolve))
      }
      await client.expect('PONG')
      assert.equal((await client.expectInfo())['client_ip'], '1.2.3.4')
    }
  })
  it('ends a connection whose header cannot be used, and says why in the log', async (t) => {
    const INVALID = 'invalid PROXY protocol header'
    for (const [header, why] of [
      [`PROXY TCP4 ${'1'.repeat(110)}`, `${INVALID}: v1 line too long`],
      ['PROXY \r\n', `${INVALID}: invalid v1 format`],
      ['PROXY TCP4 1.2.3.4\r\n', `${INVALID}: invalid v1 format`],
      ['PROXY TCP4 1.2.3.x 9.9.9.9 1 2\r\n', `${INVALID}: invalid address`],
      ['PROXY TCP4 ::1 9.9.9.9 1 2\r\n', `${INVALID}: TCP4 with IPv6 address`],
      ['PROXY TCP6 1.2.3.4 ::1 1 2\r\n', `${INVALID}: TCP6 with IPv4 address`],
      ['PROXY UDP4 1.2.3.4 9.9.9.9 1 2\r\n', `${INVALID}: invalid protocol UDP4`],
      [
        'PROXY TCP4 1.2.3.4 9.9.9.9 x 2\r\n',
        'invalid source port: strconv.ParseUint: parsing "x": invalid syntax',
      ],
      [
        'PROXY TCP4 1.2.3.4 9.9.9.9 1 65536\r\n',
        'invalid dest port: strconv.ParseUint: parsing "65536": value out of range',
      ],
      [`\r\n\r\n\0\rXQUIT\n${'x'.repeat(20)}`, `${INVALID}: invalid signature`],
      [binary(0x11, 0x11, V4), `${INVALID}: invalid version 0x10`],
      [binary(0x22, 0x11, V4), 'unknown PROXY protocol command: 0x02'],
      [binary(0x21, 0x12, V4), 'unsupported PROXY protocol feature: only STREAM protocol supported'],
      [binary(0x21, 0x31, V4), 'unsupported PROXY protocol feature: unsupported address family 0x30'],
      [binary(0x21, 0x11, V4.slice(0, 8)), 'IPv4 address data too short: 8 bytes'],
      [binary(0x21, 0x21, V4), 'IPv6 address data too short: 12 bytes'],
    ] as const) {
      const client = await RawClient.connect(t, bench.server.port)
      const pattern = `127.0.0.1:${client.localPort}: ${why}`.replaceAll('.', '\\.')
      client.send(header)
      assert.equal(await client.closed(), '', JSON.stringify(header))
      assert.equal(await closeReason(bench.server, client.info.client_id), 'Protocol Violation')
      await bench.server.waitForLog(
        new RegExp(`\\[WRN\\] Error reading PROXY protocol header from ${pattern}`),
      )
    }
  })
  it('does not wait for ever for the rest of a header', async (t) => {
    const client = await RawClient.connect(t, bench.server.port, { deadline: 15_000 })
    client.send('PROXY TCP4 1.2.3.4')
    assert.equal(await client.closed(), '')
    assert.equal(await closeReason(bench.server, client.info.client_id), 'Protocol Violation')
  })
  it('ends a client that leaves before it has said six bytes', async (t) => {
    const client = await RawClient.connect(t, bench.server.port)
    client.send('PING')
    client.end()
    assert.equal(await client.closed(), '')
    assert.equal(await closeReason(bench.server, client.info.client_id), 'Protocol Violation')
  })
})

describe('the PROXY protocol and TLS', needsOpenssl(), () => {
  const header = 'PROXY TCP4 1.2.3.4 9.9.9.9 12345 4222\r\n'
  for (const [name, more] of [
    ['required', ''],
    ['or clear text', 'allow_non_tls: true'],
  ] as const) {
    onEveryEngine(
      `a PROXY header before TLS, ${name}`,
      `tls { ${serverFiles()} }\nproxy_protocol: true\n${more}`,
      (bench) => {
        it('is read, and then the handshake', async (t) => {
          const client = await RawClient.connect(t, bench.server.port)
          client.send(header)
          await client.startTls(trusting())
          client.send(`${CONNECT}PING\r\n`)
          await client.expect('PONG')
          assert.equal((await client.expectInfo())['client_ip'], '1.2.3.4')
        })
        if (more !== '') {
          it('is read, and then clear text', async (t) => {
            const client = await RawClient.connect(t, bench.server.port)
            client.send(`${header}${CONNECT}PING\r\n`)
            await client.expect('PONG')
            assert.equal((await client.expectInfo())['client_ip'], '1.2.3.4')
          })
        }
      },
    )
  }
})
