// Plain options that a reload changes, and what becomes of connections that are there.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { RawClient, waitFor } from '@ngs/testkit'
import { serverFiles } from './certificates.ts'
import { refused, reload, request } from './reloading.ts'
import { answers, exactly, onEveryEngine, QUIET, wire } from './support.ts'

/** A line of the file, the line of the log that says so. */
const SAID: readonly [string, string][] = [
  ['client_advertise: "a.example:4222"', 'Reload: client_advertise = a.example:4222'],
  ['max_control_line: 2kb', 'Reloaded: max_control_line = 2048'],
  ['max_payload: 2000', 'Reloaded: max_payload = 2000'],
  ['max_connections: 100', 'Reloaded: max_connections = 100'],
  ['max_traced_msg_len: 10', 'Reloaded: max_traced_msg_len = 10'],
  ['ping_interval: "90s"', 'Reloaded: ping_interval = 1m30s'],
  ['ping_max: 7', 'Reloaded: ping_max = 7'],
  ['write_deadline: "1500ms"', 'Reloaded: write_deadline = 1.5s'],
  ['connect_error_reports: 5', 'Reloaded: connect_error_reports = 5'],
  ['reconnect_error_reports: 6', 'Reloaded: reconnect_error_reports = 6'],
  ['no_fast_producer_stall: true', 'Reloaded: fast producers will not be stalled'],
  ['server_tags: [a, b]', 'Reloaded: tags'],
  ['server_metadata { k: v }', 'Reloaded: metadata'],
  ['authorization { timeout: 3 }', 'Reloaded: authorization timeout = 3'],
  ['prof_block_rate: 3', 'Reloaded: prof_block_rate = 3'],
]

onEveryEngine('reload of plain options', 'http: "127.0.0.1:-1"', (bench) => {
  const base = 'http: "127.0.0.1:-1"\n'
  const to = (config: string): Promise<string[]> => reload(bench.server, base + config)

  it('every change is a line of the log, and accounts are always said to be reloaded', async () => {
    for (const [line, said] of SAID) {
      const lines = await to(line)
      assert.ok(lines.includes(`[INF] ${said}`), `${line}: ${lines.join('\n')}`)
      assert.ok(
        lines.includes('[INF] Reloaded: accounts') && lines.includes('[INF] Reloaded: authorization users'),
      )
      assert.match(lines.at(-1)!, /^\[INF\] Reloaded server configuration \(sha256:[0-9a-f]{64}\)$/)
      await to('')
    }
  })

  it('max_payload holds at once for connections that are there, and new ones are told', async (t) => {
    const before = await bench.client(t, QUIET)
    await to('max_payload: 10')
    await answers(before, ['PUB a 10', '0123456789'], '')
    before.say('PUB a 11', '01234567890')
    assert.match(await before.closed(), /^-ERR 'Maximum Payload Violation'\r\n$/)
    assert.equal((await bench.client(t)).info.max_payload, 10)
    await to('')
  })

  it('max_control_line holds at once', async (t) => {
    const before = await bench.client(t, QUIET)
    await to('max_control_line: 10')
    await answers(before, ['SUB a 1'], '')
    before.say('SUB aaaaaaaaaa 2')
    assert.match(await before.closed(), /^-ERR 'maximum control line exceeded'\r\n$/)
    await to('')
  })

  it('a lower max_connections closes as many as are too many', async (t) => {
    const clients = await Promise.all([1, 2, 3].map(() => bench.client(t, QUIET)))
    for (const client of clients) await client.flush()
    const lines = await to('max_connections: 1')
    const closed = lines.indexOf('[INF] Closed 2 connections to fall within max_connections')
    assert.equal(lines[closed + 1], '[INF] Reloaded: max_connections = 1')
    // Which one stays is chance.
    for (const client of clients) client.say('PING')
    const heard = await Promise.all(clients.map((client) => client.line()))
    const full = "-ERR 'maximum connections exceeded'"
    assert.deepEqual(heard.toSorted(), [full, full, 'PONG'])
    await to('')
  })

  it('ping_interval and ping_max are asked at the next tick', async (t) => {
    await to('ping_interval: "2s"')
    const client = await RawClient.connect(t, bench.server.port, { pings: true })
    client.say(QUIET)
    await to('ping_interval: "50ms"\nping_max: 1')
    // The first comes when it was due; what follows is by the new interval, and the second that is not answered is one too many.
    await exactly(client, wire('PING'))
    assert.equal(await client.closed(), wire("-ERR 'Stale Connection'"))
    await to('')
  })

  it('client_advertise is what new connections are told', async (t) => {
    await to('client_advertise: "public.example:7777"')
    const { info } = await bench.client(t)
    assert.deepEqual([info['host'], info['port']], ['public.example', 7777])
    await to('')
    assert.equal((await bench.client(t)).info['port'], bench.server.port)
  })

  it('a random port is kept', async (t) => {
    await to('max_payload: 5000')
    await RawClient.connect(t, bench.server.port)
    await to('')
  })

  it('trace begins and ends on connections that are there', async (t) => {
    const client = await bench.client(t, QUIET)
    await client.flush()
    await to('trace: true')
    await answers(client, ['PUB traced.subject 2', 'ok'], '')
    await to('trace: false')
    await answers(client, ['PUB untraced.subject 2', 'ok'], '')
    await to('')
    assert.match(bench.server.log(), /\[TRC\] .* <<- \[PUB traced.subject 2\]\n/)
    assert.doesNotMatch(bench.server.log(), /untraced/)
  })

  it('debug begins and ends', async (t) => {
    await to('debug: true')
    const client = await bench.client(t)
    await bench.server.waitForLog(new RegExp(`cid:${client.info.client_id} - Client connection created`))
    await to('')
    const silent = await bench.client(t, QUIET)
    await silent.flush()
    await to('')
    assert.doesNotMatch(bench.server.log(), new RegExp(`cid:${silent.info.client_id} `))
  })

  it('the log moves to a file and back, and its times go and come', async () => {
    const { server } = bench
    const file = join(server.dir, 'moved.log')
    const moved = (pattern: RegExp): Promise<unknown> =>
      waitFor(() => existsSync(file) && pattern.test(readFileSync(file, 'utf8')), {
        what: `${pattern} in the new log`,
      })
    request(server, `${base}log_file: "${file}"\nlogtime: false\n`)
    await server.waitForLog(/Reloaded: log_file = .*moved\.log\n/)
    await moved(new RegExp(`^\\[${server.pid}\\] \\[INF\\] Reloaded server configuration`, 'm'))
    server.kill('SIGUSR1')
    await moved(/File log re-opened/)
    const lines = await to('')
    assert.match(lines.at(-1)!, /Reloaded server configuration/)
    await moved(/\[INF\] Reloaded: log_file = \n/)
  })

  it('a new pid file is written and the old one stays', async () => {
    const path = (name: string): string => join(bench.server.dir, name)
    await to(`pid_file: "${path('one.pid')}"`)
    await to(`pid_file: "${path('two.pid')}"`)
    for (const name of ['one.pid', 'two.pid'])
      assert.equal(readFileSync(path(name), 'utf8'), `${bench.server.pid}`)
    const lines = await to('')
    assert.doesNotMatch(lines.join('\n'), /pid/)
  })

  it('the time for CONNECT follows the handshake, which is said', async () => {
    const lines = await to(`tls { ${serverFiles()} }`)
    assert.ok(lines.includes('[INF] Reloaded: authorization timeout = 3'), lines.join('\n'))
    assert.ok((await to('')).includes('[INF] Reloaded: authorization timeout = 2'))
  })

  it('varz has the digest and the time of the last reload that was good', async () => {
    type Varz = { config_digest: string; config_load_time: string; max_payload: number }
    const read = (): Promise<Varz> => bench.server.monitor<Varz>('/varz')
    const before = await read()
    const outcome = (await to('max_payload: 3000')).at(-1)!
    const after = await read()
    assert.equal(after.config_digest, /sha256:[0-9a-f]+/.exec(outcome)![0])
    assert.notEqual(after.config_digest, before.config_digest)
    assert.ok(Date.parse(after.config_load_time) > Date.parse(before.config_load_time))
    assert.equal(after.max_payload, 3000)
    await refused(bench.server, `${base}max_pending: 10000000`)
    const same = await read()
    assert.deepEqual(
      [same.config_digest, same.config_load_time],
      [after.config_digest, after.config_load_time],
    )
    await to('')
  })
})
