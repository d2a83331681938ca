// A raw NATS connection of the load generator: handshake first, then bytes go to a sink function without any parsing.
import { connect, type Socket } from 'node:net'

const CONNECT = `CONNECT ${JSON.stringify({
  verbose: false,
  pedantic: false,
  lang: 'ngs-bench',
  version: '1.0.0',
  // Wants no INFO later on: nothing but messages and PING may come after the handshake.
  protocol: 0,
  headers: true,
  no_responders: true,
})}\r\n`

/** The most bytes one read brings. */
export const CHUNK = 256 * 1024

/**
 * Where all sockets of this process read into. One buffer serves them all because a chunk is consumed before the next
 * read; it is small enough to stay in the processor's second-level cache.
 */
const shared = Buffer.allocUnsafeSlow(CHUNK)

/** Consumes `shared[0..length)` of one connection. */
export type ChunkHandler = (chunk: Buffer, length: number) => void

export interface LoadConnection {
  readonly socket: Socket
  /** Set after the handshake; every byte from then on goes there. */
  onChunk: ChunkHandler
  /** Set by the owner: the connection failed or the server closed it. */
  onGone: (reason: string) => void
  close(): void
}

/**
 * Connects, sends CONNECT, `extra` (SUB lines) and PING, and resolves when the PONG is there: the server then knows
 * everything that was sent. Rejects with the server's -ERR, or when the connection ends before.
 */
export function openConnection(port: number, extra = ''): Promise<LoadConnection> {
  return new Promise((resolve, reject) => {
    let text = ''
    let asked = false
    let state: 'handshake' | 'open' | 'closed' = 'handshake'
    const socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: shared,
        callback(length: number): boolean {
          if (state === 'open') connection.onChunk(shared, length)
          else handshake(length)
          return true
        },
      },
    })
    const connection: LoadConnection = {
      socket,
      onChunk: () => {},
      onGone: () => {},
      close() {
        state = 'closed'
        socket.destroy()
      },
    }
    function handshake(length: number): void {
      text += shared.toString('latin1', 0, length)
      if (!asked && text.includes('\r\n')) {
        asked = true
        socket.write(`${CONNECT}${extra}PING\r\n`)
      }
      if (text.includes('-ERR')) {
        gone(`the server refused the connection: ${text.slice(text.indexOf('-ERR')).trim()}`)
      } else if (/PONG\r\n(?:INFO .*\r\n)*$/.test(text)) {
        state = 'open'
        resolve(connection)
      }
    }
    function gone(reason: string): void {
      const before = state
      state = 'closed'
      socket.destroy()
      if (before === 'handshake') reject(new Error(reason))
      else if (before === 'open') connection.onGone(reason)
    }
    socket.on('error', (error) => gone(`connection failed: ${error.message}`))
    socket.on('close', () => gone('the server closed the connection'))
  })
}

/** Opens `count` connections, a few at a time so that the listen backlog is never the limit. */
export async function openConnections(
  port: number,
  count: number,
  extra: (index: number) => string,
): Promise<LoadConnection[]> {
  const open: LoadConnection[] = []
  while (open.length < count) {
    const batch = Math.min(50, count - open.length)
    const first = open.length
    open.push(
      ...(await Promise.all(Array.from({ length: batch }, (_, i) => openConnection(port, extra(first + i))))),
    )
  }
  return open
}
