// Load process: subscribes and counts, proving every byte (see verifier.ts).
import { type Command, cpuTime, fail, now, report, serve } from './commands.ts'
import { CHUNK, type LoadConnection, openConnections } from './connection.ts'
import { deliveryFrame } from './frames.ts'
import { subjectsOf, subscriptionOf } from './subjects.ts'
import { FrameCounter, patternOf, StreamVerifier } from './verifier.ts'

/** How many bytes the slowest subscriber gets between two reports of progress. */
const PROGRESS = 2 * 1024 * 1024

/** Subscription ids have a fixed width, as subjects have. */
const FIRST_SID = 10_000_000
const SUBS_PER_WRITE = 2000

let connections: LoadConnection[] = []
let settle: () => void = () => {}
let expectShared: (messages: number) => void = () => {}

serve(async (command: Command) => {
  if (command.do === 'subscribe') await subscribe(command)
  else if (command.do === 'spread') await spread(command)
  else if (command.do === 'expect') expectShared(command.messages)
  else if (command.do === 'settle') settle()
  else if (command.do === 'close') {
    for (const connection of connections) connection.close()
    report({ is: 'closed' })
  }
})

/** Every connection gets every message. */
async function subscribe(command: Command & { do: 'subscribe' }): Promise<void> {
  const { expect, queue } = command
  const sub = `SUB ${command.subject} ${queue === undefined ? '' : `${queue} `}1\r\n`
  connections = await openConnections(command.at, command.connections, () => sub)
  const frame = deliveryFrame(command.subject, 1, command.size)
  const pattern = patternOf(frame, CHUNK)
  const verifiers = connections.map(() => new StreamVerifier(frame, pattern))
  if (queue !== undefined) {
    share(verifiers, frame.length)
    expectShared(expect)
    report({ is: 'ready' })
    return
  }
  const step = Math.max(1, Math.floor(PROGRESS / frame.length))
  const cpu = cpuTime()
  let complete = 0
  let reported = 0
  let answered = 0
  const progress = (): void => {
    let slowest = Number.POSITIVE_INFINITY
    for (const verifier of verifiers) if (verifier.frames < slowest) slowest = verifier.frames
    if (slowest < reported + step) return
    reported = slowest
    report({ is: 'progress', received: slowest })
  }
  connections.forEach((connection, index) => {
    const verifier = verifiers[index]!
    verifier.onPing = () => connection.say('PONG\r\n')
    connection.onGone = (reason) =>
      fail(`subscriber ${index} with ${verifier.frames} of ${expect}: ${reason}`)
    connection.onChunk = (chunk, length) => {
      const before = verifier.frames
      try {
        verifier.feed(chunk, length)
      } catch (error) {
        fail(error)
        return connection.close()
      }
      if (verifier.frames > expect) {
        fail(`subscriber ${index} got ${verifier.frames} messages, more than ${expect}`)
        return connection.close()
      }
      if (before < expect && verifier.frames === expect && ++complete === connections.length) {
        const each = connections.map(() => expect)
        report({ is: 'received', end: now(), messages: complete * expect, cpu: cpuTime() - cpu, each })
      }
      if (verifier.pongs === 1) {
        verifier.pongs = 0
        if (verifier.frames < expect)
          fail(`subscriber ${index} lost ${expect - verifier.frames} of ${expect} messages`)
        else if (++answered === connections.length) report({ is: 'settled' })
      } else if (verifier.frames - reported >= step && verifier.frames < expect) progress()
    }
  })
  // Sent when the server has taken in every message: the PONG then comes behind all deliveries to this connection, so
  // what is missing by then is lost, and a message too many has come before.
  settle = () => {
    for (const connection of connections) connection.say('PING\r\n')
  }
  report({ is: 'ready' })
}

/** Each message goes to one connection; together they get all of them. */
function share(verifiers: readonly (StreamVerifier | FrameCounter)[], frame: number): void {
  const step = Math.max(1, Math.floor(PROGRESS / frame))
  let expect = 0
  let cpu = 0
  let sum = 0
  let reported = 0
  let answered = 0
  /** What each had before this run. */
  let before: number[] = []
  connections.forEach((connection, index) => {
    const verifier = verifiers[index]!
    verifier.onPing = () => connection.say('PONG\r\n')
    connection.onGone = (reason) => fail(`subscriber ${index} with ${verifier.frames} messages: ${reason}`)
    connection.onChunk = (chunk, length) => {
      const had = verifier.frames
      try {
        verifier.feed(chunk, length)
      } catch (error) {
        fail(error)
        return connection.close()
      }
      const got = verifier.frames - had
      sum += got
      if (sum > expect) fail(`the subscribers got ${sum} messages, more than ${expect}`)
      else if (got > 0 && sum === expect) {
        const each = verifiers.map(({ frames }, i) => frames - before[i]!)
        report({ is: 'received', end: now(), messages: sum, cpu: cpuTime() - cpu, each })
      } else if (sum - reported >= step) {
        reported = sum
        report({ is: 'progress', received: sum })
      }
      if (verifier.pongs > 0) {
        verifier.pongs = 0
        if (++answered < connections.length) return
        if (sum < expect) fail(`the subscribers lost ${expect - sum} of ${expect} messages`)
        else report({ is: 'settled' })
      }
    }
  })
  expectShared = (messages) => {
    expect = messages
    cpu = cpuTime()
    sum = 0
    reported = 0
    answered = 0
    before = verifiers.map(({ frames }) => frames)
  }
  settle = () => {
    for (const connection of connections) connection.say('PING\r\n')
  }
}

/** Very many subscriptions on few connections, or one on each of many. */
async function spread(command: Command & { do: 'spread' }): Promise<void> {
  const { subjects, size } = command
  connections = await openConnections(command.at, command.connections)
  const own = subjects.kind === 'own'
  const total = own
    ? command.connections
    : subjects.kind === 'deep' || subjects.kind === 'rules'
      ? 1
      : subjects.count
  const first = own ? 1 : FIRST_SID
  const sample = subjectsOf(subjects)[0]!
  const frame = deliveryFrame(sample, first, size).length
  const counters = connections.map(() => new FrameCounter(frame))
  share(counters, frame)
  await Promise.all(
    connections.map(async (connection, index) => {
      const from = Math.floor((index * total) / connections.length)
      const to = Math.floor(((index + 1) * total) / connections.length)
      for (let at = from; at < to; at += SUBS_PER_WRITE) {
        let lines = ''
        for (let i = at; i < Math.min(to, at + SUBS_PER_WRITE); i++)
          lines += `SUB ${subscriptionOf(subjects, i)} ${own ? 1 : FIRST_SID + i}\r\n`
        await new Promise<void>((resolve) => connection.write(connection.wrap(Buffer.from(lines)), resolve))
      }
    }),
  )
  await new Promise<void>((resolve) => {
    let left = connections.length
    connections.forEach((connection, index) => {
      const counter = counters[index]!
      const later = connection.onChunk
      connection.onChunk = (chunk, length) => {
        counter.feed(chunk, length)
        if (counter.pongs === 0) return
        counter.pongs = 0
        connection.onChunk = later
        if (--left === 0) resolve()
      }
      connection.say('PING\r\n')
    })
  })
  report({ is: 'ready' })
}
