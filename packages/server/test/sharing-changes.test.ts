// What ngs-server does otherwise than the official server while JWTs change: see the differences in docs/server.md.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Import } from '@ngs/identity/node'
import { ngsServer } from '@ngs/testkit'
import { wire } from '../conformance/support.ts'
import { World } from '../conformance/world.ts'

describe('when JWTs change', () => {
  const world = new World()
  before(() => world.start(ngsServer))
  after(() => world.stop())
  const service = (subject: string) => ({ name: subject, subject, type: 'service' as const })
  const from = (other: { key: { publicKey: string } }, subject: string): Import => ({
    ...service(subject),
    account: other.key.publicKey,
  })

  it('responses that are owed still reach who waits, even when the service is exported no more', async (t) => {
    const exporter = await world.account((claims) => (claims.nats.exports = [service('help')]))
    const importer = await world.account((claims) => (claims.nats.imports = [from(exporter, 'help')]))
    const responder = await world.client(t, exporter.key)
    const asker = await world.client(t, importer.key)
    responder.say('SUB help 1')
    asker.say('SUB in.* 1')
    for (const one of [responder, asker]) await one.flush()
    const replies: string[] = []
    for (const reply of ['in.1', 'in.2']) {
      asker.pub('help', '', reply)
      await asker.flush()
      replies.push((await responder.message()).reply)
    }
    exporter.claims.nats.description = 'changed'
    await world.push(exporter.claims)
    responder.pub(replies[0]!, 'yes')
    await responder.flush()
    assert.equal(await asker.flush(), wire('MSG in.1 1 3', 'yes'))
    exporter.claims.nats.exports = []
    await world.push(exporter.claims)
    responder.pub(replies[1]!, 'yes')
    await responder.flush()
    assert.equal(await asker.flush(), wire('MSG in.2 1 3', 'yes'))
  })

  it('an import that was refused is tried again each time its exporter changes', async (t) => {
    const exporter = await world.account()
    const importer = await world.account((claims) => (claims.nats.imports = [from(exporter, 'help')]))
    const responder = await world.client(t, exporter.key)
    const asker = await world.client(t, importer.key)
    responder.say('SUB help 1')
    for (const one of [responder, asker]) await one.flush()
    for (const description of ['once', 'twice']) {
      exporter.claims.nats.description = description
      await world.push(exporter.claims)
    }
    exporter.claims.nats.exports = [service('help')]
    await world.push(exporter.claims)
    asker.pub('help', 'x')
    await asker.flush()
    assert.equal((await responder.message()).payload, 'x')
  })
})
