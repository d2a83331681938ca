// Lame duck mode: clients are told, the doors are closed, connections end one by one, and then the server ends.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { Engine, enginesUnderTest, RawClient, waitFor } from '@ngs/testkit'
import { texts } from './reloading.ts'

const QUICK = 'lame_duck_duration: "30s"\nlame_duck_grace_period: "300ms"\nhttp: "127.0.0.1:-1"\n'
async function client(t: TestContext, server: Engine, protocol: number, ping = true): Promise<RawClient> {
  const one = await RawClient.connect(t, server.port)
  one.connect({ verbose: false, pedantic: false, protocol })
  if (!ping) return one
  await one.flush()
  if (protocol > 0) await one.expectInfo()
  return one
}

const isRefused = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(false)
    })
    socket.on('error', () => resolve(true))
  })

for (const { name, path } of enginesUnderTest()) {
  describe(`lame duck mode [${name}]`, () => {
    const start = (t: TestContext, config = QUICK, args: string[] = []): Promise<Engine> =>
      Engine.start(t, { engine: path, config, args })

    it('without clients the server ends at once, with code 0', async (t) => {
      const server = await start(t, '')
      server.kill('SIGUSR2')
      assert.deepEqual(await server.exited, { code: 0, signal: null })
      assert.deepEqual(texts(server.log()).slice(-4), [
        '[INF] Trapped "user defined signal 2" signal',
        '[INF] Entering lame duck mode, stop accepting new clients',
        '[INF] Initiating Shutdown...',
        '[INF] Server Exiting..',
      ])
    })

    it('clients that understand are told, and after the grace period all are closed one by one', async (t) => {
      const server = await start(t)
      const clients = await Promise.all([1, 1, 0].map((protocol) => client(t, server, protocol)))
      const unready = await client(t, server, 1, false)
      server.kill('SIGUSR2')
      for (const one of clients.slice(0, 2)) {
        const info = await one.expectInfo()
        assert.equal(info['ldm'], true)
        assert.equal(info.client_id, one.info.client_id)
        assert.ok(!('connect_info' in info) && !('remote_account' in info))
      }
      const rest = await Promise.all([...clients, unready].map((one) => one.closed()))
      for (const text of rest) assert.equal(text, '')
      assert.deepEqual(await server.exited, { code: 0, signal: null })
      assert.ok(texts(server.log()).includes('[INF] Closing existing clients'))
    })

    it('nobody gets in any more, and health is not ok', async (t) => {
      const server = await start(t, QUICK.replace('300ms', '20s'))
      await client(t, server, 1)
      server.kill('SIGUSR2')
      await server.waitForLog(/Entering lame duck mode/)
      await waitFor(() => isRefused(server.port), { what: 'connections to be refused' })
      const health = await fetch(`${server.monitoringUrl}/healthz`)
      assert.equal(health.status, 500)
      server.kill('SIGINT')
      assert.deepEqual(await server.exited, { code: 0, signal: null })
    })

    it('SIGTERM and a second SIGUSR2 do nothing, SIGINT ends the waiting', async (t) => {
      const server = await start(t, QUICK.replace('300ms', '20s'))
      const one = await client(t, server, 1)
      const old = await client(t, server, 0)
      server.kill('SIGUSR2')
      await one.expectInfo()
      server.kill('SIGTERM')
      server.kill('SIGUSR2')
      await server.waitForLog(/Trapped "terminated" signal/)
      await server.waitForLog(/(Trapped "user defined signal 2" signal(.|\n)*){2}/)
      for (const connected of [one, old]) await connected.pingPong()
      assert.equal(server.log().split('Entering lame duck mode').length, 2)
      server.kill('SIGINT')
      assert.equal(await one.closed(), '')
      assert.deepEqual(await server.exited, { code: 0, signal: null })
      assert.ok(!texts(server.log()).includes('[INF] Closing existing clients'))
    })

    it('the system account hears of it', async (t) => {
      const accounts = 'accounts { "$SYS" { users: [{user: s, password: s}] } }\n'
      const server = await start(t, accounts + QUICK)
      const system = await RawClient.connect(t, server.port)
      system.connect({ verbose: false, pedantic: false, user: 's', pass: 's' })
      system.say('SUB $SYS.SERVER.*.LAMEDUCK 1')
      await system.pingPong()
      server.kill('SIGUSR2')
      const { subject, payload } = await system.message()
      assert.equal(subject, `$SYS.SERVER.${system.info.server_id}.LAMEDUCK`)
      assert.equal((JSON.parse(payload) as { id: string }).id, system.info.server_id)
    })
  })
}
