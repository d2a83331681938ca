import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { parsePort, publicHost, resolvePorts } from '../src/up/addresses.ts'

function listen(): Promise<{ port: number; close: () => Promise<void> }> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      resolve({ port, close: () => new Promise((done) => server.close(() => done())) })
    })
  })
}

describe('ports', () => {
  it('0 becomes a free one, and no two are the same', async () => {
    const ports = await resolvePorts('127.0.0.1', { nats: 0, websocket: 0, monitoring: 0, http: 0 })
    const values = Object.values(ports)
    assert.equal(values.length, 4)
    assert.equal(new Set(values).size, 4)
    for (const port of values) assert.ok(port > 0)
  })

  it('a free one is none that somebody gets by chance before it is listened on', async (t) => {
    if (process.platform !== 'linux') return t.skip('needs /proc')
    const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1')
    const [first, last] = range.split(/\s+/).map(Number) as [number, number]
    const { nats } = await resolvePorts('127.0.0.1', { nats: 0 })
    assert.ok(nats! < first || nats! > last, `${nats} in ${range}`)
  })

  it('only those asked for are looked at', async () => {
    assert.deepEqual(Object.keys(await resolvePorts('127.0.0.1', { http: 0 })), ['http'])
  })

  it('one in use is named with its use and its flag', async () => {
    const taken = await listen()
    try {
      await assert.rejects(resolvePorts('127.0.0.1', { nats: 0, monitoring: taken.port }), {
        code: 'port-in-use',
        exitCode: 1,
        message: `port ${taken.port} (monitoring) is in use; stop what uses it, or choose another with --monitor-port N (0 = any free)`,
      })
    } finally {
      await taken.close()
    }
    await resolvePorts('127.0.0.1', { monitoring: taken.port })
  })

  it('the same one twice is a mistake of the command line', async () => {
    await assert.rejects(resolvePorts('127.0.0.1', { nats: 5000, http: 5000 }), {
      code: 'usage',
      exitCode: 2,
      message: /--port and --http-port are both 5000/,
    })
  })

  it('an address of another machine is refused with what to name instead', async () => {
    await assert.rejects(resolvePorts('192.0.2.1', { nats: 0 }), { code: 'bad-host', message: /--host/ })
  })

  it('a flag takes 0 to 65535 and nothing else', () => {
    assert.equal(parsePort('--port', '0'), 0)
    assert.equal(parsePort('--port', '65535'), 65535)
    for (const text of ['65536', '-1', '1.5', '', 'x', '1e3', '0x10']) {
      assert.throws(() => parsePort('--port', text), { code: 'usage', message: /--port/ }, text)
    }
  })
})

describe('the name of this machine in URLs', () => {
  it('is localhost for all addresses and for the loopback, else the address', () => {
    for (const host of ['0.0.0.0', '::', '127.0.0.1', '::1']) assert.equal(publicHost(host), 'localhost')
    assert.equal(publicHost('10.1.2.3'), '10.1.2.3')
    assert.equal(publicHost('fd00::1'), '[fd00::1]')
    assert.equal(publicHost('ngs.example.com'), 'ngs.example.com')
  })
})
