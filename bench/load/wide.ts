// Load process: one publisher and many subscribers on one clock. Each round publishes one message and ends when the
// last subscriber has it.
import { type Command, cpuTime, fail, now, report, serve } from './commands.ts'
import { type LoadConnection, openConnection, openConnections } from './connection.ts'
import { deliveryFrame, publishFrame } from './frames.ts'
import { patternOf, StreamVerifier } from './verifier.ts'

let publisher: LoadConnection | null = null
let subscribers: LoadConnection[] = []
let message: Buffer = Buffer.alloc(0)
/** Deliveries of the current round still to come. */
let missing = 0
let roundDone: () => void = () => {}

serve(async (command: Command) => {
  if (command.do === 'wide-ready') await prepare(command)
  else if (command.do === 'wide') await run(command.rounds)
  else if (command.do === 'close') {
    publisher?.close()
    for (const connection of subscribers) connection.close()
    report({ is: 'closed' })
  }
})

async function prepare(command: Command & { do: 'wide-ready' }): Promise<void> {
  const { subject, size, at } = command
  message = publishFrame(subject, size)
  const frame = deliveryFrame(subject, 1, size)
  subscribers = await openConnections(at, command.connections, () => `SUB ${subject} 1\r\n`)
  publisher = await openConnection(at)
  publisher.onGone = fail
  const control = new StreamVerifier(frame, frame)
  control.onPing = () => publisher!.say('PONG\r\n')
  publisher.onChunk = (chunk, length) => control.feed(chunk, length)
  const pattern = patternOf(frame, frame.length)
  subscribers.forEach((connection, index) => {
    const verifier = new StreamVerifier(frame, pattern)
    verifier.onPing = () => connection.say('PONG\r\n')
    connection.onGone = (reason) => fail(`subscriber ${index}: ${reason}`)
    connection.onChunk = (chunk, length) => {
      const before = verifier.frames
      try {
        verifier.feed(chunk, length)
      } catch (error) {
        return fail(error)
      }
      const got = verifier.frames - before
      missing -= got
      if (got > 1 || missing < 0) fail(`subscriber ${index} got a message twice`)
      else if (got === 1 && missing === 0) roundDone()
    }
  })
  report({ is: 'ready' })
}

async function run(rounds: number): Promise<void> {
  const latencies: number[] = []
  const cpu = cpuTime()
  const start = now()
  const connection = publisher!
  await new Promise<void>((resolve) => {
    let began = 0
    const round = (): void => {
      missing = subscribers.length
      began = now()
      connection.write(message)
    }
    roundDone = () => {
      latencies.push((now() - began) / 1000)
      if (latencies.length === rounds) resolve()
      // Leave the poll phase first, so that a round never starts inside the handler of the one before.
      else setImmediate(round)
    }
    round()
  })
  report({ is: 'wide', start, end: now(), latencies, cpu: cpuTime() - cpu })
}
