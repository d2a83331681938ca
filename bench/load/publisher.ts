// Load process: publishes prepared blocks of messages as fast as the server takes them, or at a given rate.
import { type Command, cpuTime, fail, now, report, serve } from './commands.ts'
import { type LoadConnection, openConnections } from './connection.ts'
import { publishFrame, repeatFrame } from './frames.ts'
import { SERIAL, type Subjects, subjectsOf } from './subjects.ts'
import { StreamVerifier } from './verifier.ts'

/** Bytes per write: some thousand short messages for one system call. */
const BLOCK = 128 * 1024
/** Bytes that may wait in one socket's stream; more only costs memory. */
const QUEUED = 4 * BLOCK

let connections: LoadConnection[] = []
/** Bytes of one frame. */
let frame = 0
let block: Buffer = Buffer.alloc(0)
/** The block as the transport sends it. */
let wrapped: Buffer = Buffer.alloc(0)
/** Where each frame of the block holds its serial number; -1 for none. */
let serialAt = -1
let serial = 0
/** Copies of the block whose numbers may be written anew. */
const free: Buffer[] = []
/** Messages the slowest subscriber has. */
let received = 0
let pump: () => void = () => {}

serve(async (command: Command) => {
  if (command.do === 'publish-ready') {
    prepare(command.subjects, command.size)
    connections = await openConnections(command.at, command.connections)
    for (const connection of connections) connection.onGone = fail
    wrapped = connections[0]!.wrap(block)
    report({ is: 'ready' })
  } else if (command.do === 'publish') {
    await publish(command.messages, command.window, command.rate)
  } else if (command.do === 'progress') {
    received = Math.max(received, command.received)
    pump()
  } else if (command.do === 'close') {
    for (const connection of connections) connection.close()
    report({ is: 'closed' })
  }
})

function prepare(subjects: Subjects | string, size: number): void {
  const names = typeof subjects === 'string' ? [subjects] : subjectsOf(subjects)
  const round = Buffer.concat(names.map((name) => publishFrame(name, size)))
  frame = round.length / names.length
  block = repeatFrame(round, Math.max(BLOCK, round.length))
  serialAt = round.subarray(0, frame).indexOf(SERIAL)
  free.length = 0
}

/** The block with numbers that never came before. */
function numbered(frames: number): Buffer {
  const bytes = free.pop() ?? Buffer.from(block)
  for (let i = 0; i < frames; i++) {
    let value = ++serial
    for (let at = i * frame + serialAt + SERIAL.length - 1; at >= i * frame + serialAt; at--) {
      bytes[at] = 48 + (value % 10)
      value = Math.floor(value / 10)
    }
  }
  return bytes
}

/** Publishes `messages` on every connection, never more than `window` in total ahead of the slowest subscriber. */
async function publish(messages: number, window: number, rate?: number): Promise<void> {
  received = 0
  const perBlock = block.length / frame
  const cpu = cpuTime()
  const start = now()
  let published = 0
  /** Most that may have been published by now. */
  let due = rate === undefined ? Number.POSITIVE_INFINITY : 0
  const lanes = connections.map((connection) => {
    let left = messages
    let finish: () => void = () => {}
    const done = new Promise<void>((resolve) => {
      finish = resolve
    })
    const nothing = Buffer.from('MSG ')
    const verifier = new StreamVerifier(nothing, nothing)
    verifier.onPing = () => connection.say('PONG\r\n')
    connection.onChunk = (chunk, length) => {
      verifier.feed(chunk, length)
      if (verifier.pongs === 1) finish()
    }
    const push = (): void => {
      while (left > 0 && connection.queued < QUEUED && published - received < window && published < due) {
        const count = Math.min(left, perBlock, due - published)
        left -= count
        published += count
        if (serialAt >= 0) {
          const bytes = numbered(count)
          connection.write(connection.wrap(bytes.subarray(0, count * frame)), () => {
            free.push(bytes)
            push()
          })
        } else if (count === perBlock) connection.write(wrapped, push)
        else connection.write(connection.wrap(block.subarray(0, count * frame)), push)
        if (left === 0) connection.say('PING\r\n')
      }
    }
    return { push, done }
  })
  pump = () => {
    for (const lane of lanes) lane.push()
  }
  const timer =
    rate === undefined
      ? null
      : setInterval(() => {
          due = Math.floor(((now() - start) / 1e9) * rate)
          pump()
        }, 1)
  pump()
  await Promise.all(lanes.map((lane) => lane.done))
  if (timer !== null) clearInterval(timer)
  report({ is: 'published', start, end: now(), cpu: cpuTime() - cpu })
}
