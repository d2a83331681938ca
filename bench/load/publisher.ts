// Load process: publishes prepared blocks of messages as fast as the server takes them.
import { type Command, cpuTime, fail, now, report, serve } from './commands.ts'
import { type LoadConnection, openConnections } from './connection.ts'
import { publishFrame, repeatFrame } from './frames.ts'
import { StreamVerifier } from './verifier.ts'

/** Bytes per write: some thousand short messages for one system call. */
const BLOCK = 128 * 1024
/** Bytes that may wait in one socket's stream; more only costs memory. */
const QUEUED = 4 * BLOCK

let connections: LoadConnection[] = []
let frame: Buffer = Buffer.alloc(0)
let block: Buffer = Buffer.alloc(0)
/** Messages the slowest subscriber has. */
let received = 0
let pump: () => void = () => {}

serve(async (command: Command) => {
  if (command.do === 'publish-ready') {
    frame = publishFrame(command.subject, command.size)
    block = repeatFrame(frame, BLOCK)
    connections = await openConnections(command.port, command.connections, () => '')
    for (const connection of connections) connection.onGone = fail
    report({ is: 'ready' })
  } else if (command.do === 'publish') {
    await publish(command.messages, command.window)
  } else if (command.do === 'progress') {
    received = Math.max(received, command.received)
    pump()
  } else if (command.do === 'close') {
    for (const connection of connections) connection.close()
    report({ is: 'closed' })
  }
})

/** Publishes `messages` on every connection, never more than `window` in total ahead of the slowest subscriber. */
async function publish(messages: number, window: number): Promise<void> {
  received = 0
  const perBlock = block.length / frame.length
  const cpu = cpuTime()
  const start = now()
  let published = 0
  const lanes = connections.map((connection) => {
    const { socket } = connection
    let left = messages
    let finish: () => void = () => {}
    const done = new Promise<void>((resolve) => {
      finish = resolve
    })
    const verifier = new StreamVerifier(frame, frame)
    verifier.onPing = () => socket.write('PONG\r\n')
    connection.onChunk = (chunk, length) => {
      verifier.feed(chunk, length)
      if (verifier.pongs === 1) finish()
    }
    const push = (): void => {
      while (left > 0 && socket.writableLength < QUEUED && published - received < window) {
        const count = Math.min(left, perBlock)
        left -= count
        published += count
        socket.write(count === perBlock ? block : block.subarray(0, count * frame.length), push)
        if (left === 0) socket.write('PING\r\n')
      }
    }
    return { push, done }
  })
  pump = () => {
    for (const lane of lanes) lane.push()
  }
  pump()
  await Promise.all(lanes.map((lane) => lane.done))
  report({ is: 'published', start, end: now(), cpu: cpuTime() - cpu })
}
