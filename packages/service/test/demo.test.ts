// The demonstration services, as any client of any account meets them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { headers } from '@nats-io/nats-core'
import { DEADLINE_MS, enginesUnderTest, waitFor } from '@ngs/testkit'
import type { AccountStatus, ActiveMessage } from '../src/index.ts'
import { Owner, TestSystem } from './support.ts'

for (const engine of enginesUnderTest()) {
  describe(`the demonstration services on ${engine.name}`, () => {
    it('answer every account, each about itself', async (t) => {
      const system = await TestSystem.start(t, { engine: engine.path, service: { activeIntervalMs: 100 } })
      const [first, second] = [new Owner('First'), new Owner('Second')]
      for (const owner of [first, second]) await system.push(owner.account, owner.sign())
      await system.setPlan(second.account, 'developer')
      const one = await first.connect(t, system.natsUrl)
      const two = await second.connect(t, system.natsUrl)

      // ngs.echo: the place and the very bytes, also concurrently and when they are no text.
      const echoes = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          (i % 2 ? one : two).request('ngs.echo', `${i}`, { timeout: DEADLINE_MS }),
        ),
      )
      assert.deepEqual(
        echoes.map((msg) => msg.string()),
        Array.from({ length: 50 }, (_, i) => `[Test-1]: "${i}"`),
      )
      const bytes = Uint8Array.of(0, 255, 10, 13, 34)
      const echo = await one.request('ngs.echo', bytes, { timeout: DEADLINE_MS })
      assert.deepEqual(
        Buffer.from(echo.data),
        Buffer.concat([Buffer.from('[Test-1]: "'), bytes, Buffer.from('"')]),
      )
      assert.equal((await one.request('ngs.echo', '', { timeout: DEADLINE_MS })).string(), '[Test-1]: ""')
      await one.request('ngs.echo', new Uint8Array(1024), { timeout: DEADLINE_MS })

      // ngs.usage: readable, or JSON when the header or the body says so.
      const text = (await one.request('ngs.usage', '', { timeout: DEADLINE_MS })).string()
      assert.match(
        text,
        new RegExp(`^account First \\(${first.account}\\)\nplan Free, active\nconnections: 1 of 10\n`),
      )
      assert.match(text, /data: [\d.]+ k?B of 1\.0 GB a month/)
      const h = headers()
      h.set('Accept', 'application/json')
      for (const [nc, owner, plan] of [
        [one, first, 'Free'],
        [two, second, 'Developer'],
      ] as const) {
        for (const options of [{ timeout: DEADLINE_MS, headers: h }, { timeout: DEADLINE_MS }]) {
          const status = (
            await nc.request('ngs.usage', 'headers' in options ? '' : 'json', options)
          ).json<AccountStatus>()
          assert.deepEqual(
            [status.account, status.name, status.plan.name],
            [owner.account, owner.claims.name, plan],
          )
          assert.equal(status.connections, 1)
          assert.ok(status.usage!.received.messages > 0)
        }
      }

      // ngs.active: a message per server, of which there is one, again and again.
      const active: ActiveMessage[] = []
      one.subscribe('ngs.active', { callback: (_error, msg) => void active.push(msg.json<ActiveMessage>()) })
      await waitFor(() => active.length >= 3, { what: 'three messages on ngs.active' })
      const { version, ...rest } = active[0]!
      assert.deepEqual(rest, { server: 'one', region: 'Test-1', location: 'Testville', cluster: '' })
      assert.match(version, /^\d+\.\d+/)
    })

    it('do not tell one account about another, and let nobody speak for them', async (t) => {
      const system = await TestSystem.start(t, { engine: engine.path, service: { activeIntervalMs: 100 } })
      const [curious, other] = [new Owner('Curious'), new Owner('Other')]
      for (const owner of [curious, other]) await system.push(owner.account, owner.sign())
      const demo = (await system.claims(curious.account)).nats.imports![0]!.account!
      // An import that names somebody else's account is replaced by the account's own.
      curious.claims.nats.imports = [
        {
          name: 'spy',
          subject: `ngs.usage.${other.account}`,
          local_subject: 'spy',
          account: demo,
          type: 'service',
        },
      ]
      assert.equal((await system.push(curious.account, curious.sign())).status, 200)
      const nc = await curious.connect(t, system.natsUrl)
      await assert.rejects(nc.request('spy', '', { timeout: DEADLINE_MS }), /no responders/i)
      assert.match(
        (await nc.request('ngs.usage', '', { timeout: DEADLINE_MS })).string(),
        /^account Curious /,
      )
      // What an account publishes on ngs.active stays with it.
      const neighbour = await other.connect(t, system.natsUrl)
      const heard: string[] = []
      neighbour.subscribe('ngs.active', { callback: (_error, msg) => void heard.push(msg.string()) })
      await neighbour.flush()
      nc.publish('ngs.active', 'forged')
      await nc.flush()
      await waitFor(() => heard.length >= 2, { what: 'two messages after the forged one' })
      assert.ok(!heard.includes('forged'))
    })

    it('are there again after the server was', async (t) => {
      const system = await TestSystem.start(t, { engine: engine.path })
      const owner = new Owner()
      await system.push(owner.account, owner.sign())
      system.engine!.kill('SIGKILL')
      await system.engine!.exited
      await system.stopEngine()
      await system.startEngine()
      const nc = await owner.connect(t, system.natsUrl)
      const echoed = await waitFor(
        () => nc.request('ngs.echo', 'back', { timeout: 1000 }).catch(() => null),
        {
          what: 'an echo',
        },
      )
      assert.equal(echoed.string(), '[Test-1]: "back"')
    })
  })
}
