// The server inside another program, as packages/server/README.md shows it.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { headers } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { DEADLINE_MS, RawClient, run, waitFor } from '@ngs/testkit'
import { DIFFERENCES } from '../conformance/differences.ts'
import { defaultOptions, Server, ServerError } from '../src/index.ts'
import { OPTION_ROWS } from '../src/option-table.ts'

describe('the server as a library', () => {
  it('runs the example of its README', async (t) => {
    const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
    const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!
    const file = join(import.meta.dirname, `.readme-${process.pid}.ts`)
    writeFileSync(file, example)
    t.after(() => rmSync(file))
    const { code, stdout, stderr } = await run(process.execPath, [file])
    assert.equal(code, 0, stderr)
    assert.match(stdout, /hello/)
  })
  it('serves the official client', async () => {
    const server = await Server.start({ port: 0 })
    const nc = await connect({ servers: server.url })
    nc.subscribe('svc', {
      queue: 'q',
      callback: (_error, message) => void message.respond(message.data, { headers: message.headers! }),
    })
    const h = headers()
    h.set('A', 'b')
    const payload = new Uint8Array(1024 * 1024 - 200).fill(9)
    const reply = await nc.request('svc', payload, { headers: h, timeout: DEADLINE_MS })
    assert.equal(reply.data.length, payload.length)
    assert.equal(reply.headers?.get('A'), 'b')
    await nc.close()
    await server.stop()
  })
  it('loses nothing between a fast publisher and a reader that keeps up', async () => {
    const server = await Server.start({ port: 0, maxPending: 2 * 1024 * 1024 })
    const [from, to] = await Promise.all([connect({ servers: server.url }), connect({ servers: server.url })])
    const count = 200_000
    let received = 0
    to.subscribe('flood', { callback: () => void received++ })
    await to.flush()
    const payload = new Uint8Array(64)
    for (let i = 0; i < count; i++) {
      from.publish('flood', payload)
      if (i % 5_000 === 0) await from.flush()
    }
    await from.flush()
    await waitFor(() => received === count, { what: 'every message' })
    assert.equal(server.slowConsumers, 0)
    await Promise.all([from.close(), to.close()])
    await server.stop()
  })
  it('takes times that are longer than a timer', async (t) => {
    const year = 365 * 24 * 3_600_000
    const server = await Server.start({
      port: 0,
      pingInterval: year,
      writeDeadline: year,
      authTimeout: year,
      token: 't',
    })
    const waiting = await RawClient.connect(t, server.port)
    const ready = await RawClient.connect(t, server.port)
    ready.connect({ verbose: false, pedantic: false, auth_token: 't' })
    // A timer out of its range would have fired before this was answered.
    for (let i = 0; i < 3; i++) await ready.pingPong()
    waiting.connect({ verbose: false, pedantic: false, auth_token: 't' })
    await waiting.pingPong()
    await server.stop()
  })
  it('says why it cannot listen', async () => {
    const server = await Server.start({ port: 0 })
    await assert.rejects(
      Server.start({ port: server.port }),
      (error) => error instanceof ServerError && /address already in use/.test(error.message),
    )
    await server.stop()
  })
  it('forgets everything about connections that are gone', async () => {
    const server = await Server.start({ port: 0, maxClosedClients: 5 })
    for (let i = 0; i < 20; i++) {
      const nc = await connect({ servers: server.url })
      nc.subscribe('a.>')
      await nc.flush()
      await nc.close()
    }
    await waitFor(() => server.clients.size === 0, { what: 'every connection to be gone' })
    assert.equal(
      server.accounts.global.index.size -
        [...server.accounts.global.index.all()].filter((item) => item.client === null).length,
      0,
    )
    assert.equal(server.closedClients.all().length, 5)
    await server.stop()
  })
})

describe('the options', () => {
  it('are all in docs/server.md, with key, aliases, flags and default, and nothing else is', () => {
    const docs = readFileSync(join(import.meta.dirname, '../../../docs/server.md'), 'utf8')
    const table = docs.slice(docs.indexOf('| key |'), docs.indexOf('<!-- end of options -->'))
    const documented = [...table.matchAll(/^\| `([a-z_]+)`/gm)].map((match) => match[1])
    assert.deepEqual(
      documented,
      OPTION_ROWS.map((row) => row.key),
    )
    const defaults = defaultOptions()
    for (const row of OPTION_ROWS) {
      const line = table.split('\n').find((text) => text.startsWith(`| \`${row.key}\``))!
      for (const alias of row.aliases ?? [])
        assert.ok(line.includes(`\`${alias}\``), `${row.key}: alias ${alias}`)
      for (const flag of row.flags ?? [])
        assert.ok(line.includes(`\`-${flag.length > 1 ? '-' : ''}${flag}\``), `${row.key}: flag ${flag}`)
      assert.ok(line.includes(row.doc), `${row.key}: doc line`)
      assert.ok(
        line.includes(`| ${JSON.stringify(defaults[row.field])} |`) || defaults[row.field] === '',
        `${row.key}: default ${defaults[row.field]}`,
      )
    }
  })
})

describe('the intended differences from the official server', () => {
  it('are in docs/server.md as the conformance suite lists them', () => {
    const docs = readFileSync(join(import.meta.dirname, '../../../docs/server.md'), 'utf8')
    const table = docs.slice(docs.indexOf('## Differences from the official server'))
    assert.deepEqual(
      [...table.matchAll(/^\| (.+) \| (.+) \| (.+) \|$/gm)]
        .map(([, what, here, why]) => ({ what, here, why }))
        .slice(2),
      DIFFERENCES,
    )
  })
})
