// One buffer that every connection reads into, TLS included. By itself Node allocates 64 KB for each read of each connection and cuts them to
// what came, which for short chunks costs more than the protocol does, and leaves the rest to the garbage collector.
//
// `net.connect` has this as its option `onread`; sockets that a server accepts have no such option, only the same two fields behind
// symbols. They are found on a socket that was made with the option; should a Node have none, reading goes through the stream.
import { Socket } from 'node:net'

/** The most bytes one read brings. */
const SIZE = 128 * 1024

/** What the last read of any connection brought; the next one overwrites it. */
export const sharedRead = Buffer.allocUnsafeSlow(SIZE)

/** How often it has been filled. */
let reads = 0
/** The bytes of it that were made to last most lately. */
const last = { reads: -1, start: 0, end: 0, copy: sharedRead }

/** Bytes of the buffer as ones that last; the receivers of one message get the same copy. */
export function lasting(bytes: Buffer): Buffer {
  const start = bytes.byteOffset
  const end = start + bytes.length
  if (last.reads !== reads || last.end !== end || last.start > start) {
    last.reads = reads
    last.start = start
    last.end = end
    last.copy = Buffer.from(bytes)
  }
  return last.copy.subarray(start - last.start)
}

interface Fields {
  [field: symbol]: unknown
}
interface Handle {
  useUserBuffer?(buffer: Buffer): void
}

function findFields(): { buffer: symbol; callback: symbol } | null {
  const callback = (): boolean => true
  const socket = new Socket({ onread: { buffer: sharedRead, callback } }) as unknown as Fields
  const symbols = Object.getOwnPropertySymbols(socket)
  const buffer = symbols.find((symbol) => socket[symbol] === sharedRead)
  const called = symbols.find((symbol) => socket[symbol] === callback)
  return buffer === undefined || called === undefined ? null : { buffer, callback: called }
}
const fields = findFields()

/**
 * From now on `take` is called with what comes in, which is gone when it returns. False when this socket cannot do that: bytes
 * wait in its stream, or it belongs to another Node than the ones known.
 */
export function readShared(socket: Socket, take: (chunk: Buffer) => void): boolean {
  const handle = (socket as unknown as { _handle?: Handle })._handle
  if (fields === null || typeof handle?.useUserBuffer !== 'function') return false
  // What waits in the stream would come after what is read next.
  if (socket.readableLength > 0) return false
  const own = socket as unknown as Fields
  own[fields.buffer] = sharedRead
  own[fields.callback] = (length: number): boolean => {
    reads++
    take(sharedRead.subarray(0, length))
    return true
  }
  handle.useUserBuffer(sharedRead)
  return true
}
