// When the server looks for messages instead of sleeping: in a conversation, and in nothing else.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { BusyPoll } from '../src/busy-poll.ts'
import type { Outbox } from '../src/connection/outbox.ts'
import { Server } from '../src/index.ts'

const WAIT = 0.15
const connection = (): Outbox => ({ spokenTo: 0 }) as Outbox
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A poll by a clock of its own; `says` is one batch that goes from one connection to others, `after` ms after the last one. */
function at(t: TestContext, possible = true) {
  let time = 0
  // Its time would stand still for ever.
  const pass = (ms: number): void => {
    time += ms
  }
  t.after(() => pass(1000))
  const poll = new BusyPoll(possible, () => time)
  const says = (from: Outbox, to: Outbox[], after = 0.05, wait = WAIT): void => {
    pass(after)
    for (const one of to) poll.spokenTo(one)
    poll.spoke(from, wait)
  }
  const talk = (rounds: number, after?: number, wait?: number): void => {
    const [a, b] = [connection(), connection()]
    for (let i = 0; i < rounds; i++) {
      says(a, [b], after, wait)
      says(b, [a], after, wait)
    }
  }
  return { poll, says, talk, pass }
}

describe('polling', () => {
  it('begins when two connections answer each other', (t) => {
    const { poll, talk } = at(t)
    talk(4)
    assert.equal(poll.polling, false)
    talk(20)
    assert.equal(poll.polling, true)
  })
  it('ends when nothing has come for its time', async (t) => {
    const { poll, talk, pass } = at(t)
    talk(20)
    pass(WAIT - 0.01)
    await turn()
    assert.equal(poll.polling, true)
    pass(0.02)
    await turn()
    assert.equal(poll.polling, false)
  })
  it('does not begin for answers that come late', (t) => {
    const { poll, talk } = at(t)
    talk(200, WAIT * 1.1)
    assert.equal(poll.polling, false)
  })
  it('does not begin for those who are told nothing', (t) => {
    const { poll, says } = at(t)
    const [publisher, subscriber] = [connection(), connection()]
    for (let i = 0; i < 200; i++) says(publisher, [subscriber])
    assert.equal(poll.polling, false)
  })
  it('does not begin in a crowd, where each speaks again after many others', (t) => {
    const { poll, says } = at(t)
    const service = connection()
    const crowd = Array.from({ length: 20 }, connection)
    for (let i = 0; i < 400; i++) {
      says(crowd[i % 20]!, [service])
      says(service, [crowd[i % 20]!])
    }
    assert.equal(poll.polling, false)
  })
  it('does not begin where one in four is late', (t) => {
    const { poll, says } = at(t)
    const [a, b] = [connection(), connection()]
    for (let i = 0; i < 400; i++) says(i % 2 === 0 ? a : b, [i % 2 === 0 ? b : a], i % 4 === 0 ? 0.9 : 0.05)
    assert.equal(poll.polling, false)
  })
  it('does not begin with the option 0', (t) => {
    const { poll, talk } = at(t)
    talk(200, 0.05, 0)
    assert.equal(poll.polling, false)
  })
  it('does not begin on one processor, where those it waits for could not run', (t) => {
    const { poll, talk } = at(t, false)
    talk(200)
    assert.equal(poll.polling, false)
  })
  it('leaves a server asleep whose clients have fallen silent', async () => {
    const server = await Server.start({ port: 0 })
    const nc = await connect({ servers: server.url })
    nc.subscribe('echo', { callback: (_, message) => void message.respond() })
    for (let i = 0; i < 500; i++) await nc.request('echo')
    const before = process.cpuUsage()
    await new Promise((resolve) => setTimeout(resolve, 500))
    const { user, system } = process.cpuUsage(before)
    assert.ok(user + system < 250_000, `${user + system} us of processor time in silence`)
    await nc.close()
    await server.stop()
  })
})
