// /metrics for Prometheus, which the official server does not have.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Engine, ngsServer, RawClient, run, tempDir } from '@ngs/testkit'

const CONFIG = `
http: "127.0.0.1:-1"
server_name: "na\\"me"
accounts { A { users: [ { user: a, password: a } ] }, B { users: [ { user: b, password: b } ] } }
`

/** Value of each series, `name{labels}`. */
function series(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  )
}

describe('/metrics', () => {
  it('is there when it is asked for, in the text format of Prometheus', async (t) => {
    const server = await Engine.start(t, { engine: ngsServer, config: `${CONFIG}metrics: true` })
    const client = await RawClient.connect(t, server.port)
    client.connect({ verbose: false, user: 'a', pass: 'a' })
    client.say('SUB x 1', 'SUB x 2', 'PUB x 3', 'abc')
    await client.flush()
    const response = await fetch(`${server.monitoringUrl}/metrics`)
    assert.equal(response.status, 200)
    assert.match(response.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/)
    const text = await response.text()
    const values = series(text)
    for (const [name, value] of [
      ['ngs_server_connections', 1],
      ['ngs_server_connections_total', 1],
      ['ngs_server_received_messages_total', 1],
      ['ngs_server_received_bytes_total', 3],
      ['ngs_server_sent_messages_total', 2],
      ['ngs_server_sent_bytes_total', 6],
      ['ngs_server_slow_consumers_total', 0],
      ['ngs_server_account_connections{account="A",name="A"}', 1],
      ['ngs_server_account_sent_bytes_total{account="A",name="A"}', 6],
      ['ngs_server_account_connections{account="B",name="B"}', 0],
    ] as const) {
      assert.equal(values.get(name), value, `${name} in\n${text}`)
    }
    assert.ok(values.get('ngs_server_memory_bytes')! > 1e6)
    assert.match(
      text,
      /ngs_server_info\{server_id="N[A-Z2-7]{55}",server_name="na\\"me",version="[\d.]+"\} 1/,
    )
    assert.match(text, /# TYPE ngs_server_sent_messages_total counter/)
    assert.match(text, /# TYPE ngs_server_connections gauge/)
    assert.match(await (await fetch(server.monitoringUrl)).text(), /href="\.\/metrics"/)
    // Each name is in the documents.
    const docs = readFileSync(join(import.meta.dirname, '../../../docs/monitoring.md'), 'utf8')
    for (const key of values.keys()) {
      const name = key.replace(/^ngs_server_/, '').replace(/\{.*/, '')
      assert.ok(docs.includes(`\`${name}\``), `docs/monitoring.md has ${name}`)
    }
  })
  it('is not there when nobody asked, and comes and goes with a reload', async (t) => {
    const server = await Engine.start(t, { engine: ngsServer, config: CONFIG })
    const status = async (): Promise<number> => (await fetch(`${server.monitoringUrl}/metrics`)).status
    assert.equal(await status(), 404)
    writeFileSync(server.configFile, `listen: "127.0.0.1:-1"\n${CONFIG}metrics: true\n`)
    server.kill('SIGHUP')
    await server.waitForLog(/Reloaded: metrics = true[\s\S]*Reloaded server configuration/)
    assert.equal(await status(), 200)
  })
  it('is an option of the configuration file', async (t) => {
    const file = join(tempDir(t), 'x.conf')
    writeFileSync(file, 'metrics: true\n')
    assert.equal((await run(ngsServer, ['-t', '-c', file])).code, 0)
    writeFileSync(file, 'metrics: 1\n')
    assert.match(
      (await run(ngsServer, ['-t', '-c', file])).stderr,
      /x\.conf:1:0: interface conversion: interface \{\} is int64, not bool/,
    )
  })
})
