// Load process: subscribes and counts, proving every byte (see verifier.ts).
import { type Command, cpuTime, fail, now, report, serve } from './commands.ts'
import { CHUNK, type LoadConnection, openConnections } from './connection.ts'
import { deliveryFrame } from './frames.ts'
import { patternOf, StreamVerifier } from './verifier.ts'

/** How many bytes the slowest subscriber gets between two reports of progress. */
const PROGRESS = 2 * 1024 * 1024

let connections: LoadConnection[] = []
let settle: () => void = () => {}

serve(async (command: Command) => {
  if (command.do === 'subscribe') await subscribe(command)
  else if (command.do === 'settle') settle()
  else if (command.do === 'close') {
    for (const connection of connections) connection.close()
    report({ is: 'closed' })
  }
})

async function subscribe(command: Command & { do: 'subscribe' }): Promise<void> {
  const { expect } = command
  connections = await openConnections(command.port, command.connections, () => `SUB ${command.subject} 1\r\n`)
  const frame = deliveryFrame(command.subject, 1, command.size)
  const step = Math.max(1, Math.floor(PROGRESS / frame.length))
  const pattern = patternOf(frame, CHUNK)
  const verifiers = connections.map(() => new StreamVerifier(frame, pattern))
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
    verifier.onPing = () => connection.socket.write('PONG\r\n')
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
        report({ is: 'received', end: now(), messages: complete * expect, cpu: cpuTime() - cpu })
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
    for (const connection of connections) connection.socket.write('PING\r\n')
  }
  report({ is: 'ready' })
}
