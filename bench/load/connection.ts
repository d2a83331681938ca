// A raw NATS connection of the load generator: handshake first, then bytes go to a sink function without any parsing.
import { connect, type Socket } from 'node:net'
import { connect as secure } from 'node:tls'
import { loadUsers, type Sign } from './users.ts'
import { upgradeRequest, WebSocketReader, wrapBinary } from './websocket.ts'

/** Where and how to connect. */
export interface Endpoint {
  readonly port: number
  /** TCP when absent. */
  readonly transport?: 'tls' | 'websocket'
  /** User name, which is the password too. */
  readonly user?: string
  /** A file of users with JWTs (see users.ts), which the connections are in turn. */
  readonly users?: string
}

const FIELDS = {
  verbose: false,
  pedantic: false,
  lang: 'ngs-bench',
  version: '1.0.0',
  // Wants no INFO later on: nothing but messages and PING may come after the handshake.
  protocol: 0,
  headers: true,
  no_responders: true,
}

/** The most bytes one read brings. */
export const CHUNK = 256 * 1024

/**
 * Where all sockets of this process read into. One buffer serves them all because a chunk is consumed before the next
 * read; it is small enough to stay in the processor's second-level cache.
 */
const shared = Buffer.allocUnsafeSlow(CHUNK)

/** Consumes `chunk[0..length)` of one connection. */
export type ChunkHandler = (chunk: Buffer, length: number) => void

export interface LoadConnection {
  /** Bytes that wait in the stream. */
  readonly queued: number
  /** Set after the handshake; every byte from then on goes there. */
  onChunk: ChunkHandler
  /** Set by the owner: the connection failed or the server closed it. */
  onGone: (reason: string) => void
  /** Protocol text or bytes that {@link LoadConnection.wrap} has made ready. */
  write(bytes: Buffer, done?: () => void): void
  say(text: string): void
  /** Bytes as the transport sends them: the same but for WebSocket frames. */
  wrap(bytes: Buffer): Buffer
  close(): void
}

/**
 * Connects, sends CONNECT, `extra` (SUB lines) and PING, and resolves when the PONG is there: the server then knows
 * everything that was sent. Rejects with the server's -ERR, or when the connection ends before.
 */
export function openConnection(at: Endpoint, extra = '', sign?: Sign): Promise<LoadConnection> {
  return new Promise((resolve, reject) => {
    let text = ''
    let asked = false
    let state: 'handshake' | 'open' | 'closed' = 'handshake'
    const web = at.transport === 'websocket'
    const reader = web
      ? new WebSocketReader((chunk, from, to) => take(chunk.subarray(from, to), to - from))
      : null
    let socket: Socket = connect({
      port: at.port,
      host: '127.0.0.1',
      noDelay: true,
      ...(at.transport === 'tls'
        ? {}
        : {
            onread: {
              buffer: shared,
              callback(length: number): boolean {
                if (reader === null) take(shared, length)
                else reader.feed(shared, length)
                return true
              },
            },
          }),
    })
    const connection: LoadConnection = {
      get queued() {
        return socket.writableLength
      },
      onChunk: () => {},
      onGone: () => {},
      write: (bytes, done) => void socket.write(bytes, done),
      say: (line) => void socket.write(connection.wrap(Buffer.from(line))),
      wrap: web ? wrapBinary : (bytes) => bytes,
      close() {
        state = 'closed'
        socket.destroy()
      },
    }
    function take(chunk: Buffer, length: number): void {
      if (state === 'open') connection.onChunk(chunk, length)
      else if (state === 'handshake') handshake(chunk, length)
    }
    function handshake(chunk: Buffer, length: number): void {
      text += chunk.toString('latin1', 0, length)
      const info = /^INFO (.*)\r\n/.exec(text)?.[1]
      if (!asked && info !== undefined) {
        asked = true
        if (at.transport === 'tls') upgrade(info)
        else answer(info)
      }
      if (text.includes('-ERR')) {
        gone(`the server refused the connection: ${text.slice(text.indexOf('-ERR')).trim()}`)
      } else if (/PONG\r\n(?:INFO .*\r\n)*$/.test(text)) {
        state = 'open'
        resolve(connection)
      }
    }
    function answer(info: string): void {
      const user = at.user === undefined ? {} : { user: at.user, pass: at.user }
      const fields = { ...FIELDS, ...user, ...sign?.(JSON.parse(info)) }
      connection.say(`CONNECT ${JSON.stringify(fields)}\r\n${extra}PING\r\n`)
    }
    function upgrade(info: string): void {
      socket.removeAllListeners('data')
      // Of a certificate made for this run there is nothing to learn.
      const inner = secure({ socket, rejectUnauthorized: false }, () => answer(info))
      watch(inner)
      inner.on('data', (chunk: Buffer) => take(chunk, chunk.length))
      socket = inner
    }
    function gone(reason: string): void {
      const before = state
      state = 'closed'
      socket.destroy()
      if (before === 'handshake') reject(new Error(reason))
      else if (before === 'open') connection.onGone(reason)
    }
    function watch(one: Socket): void {
      one.on('error', (error) => gone(`connection failed: ${error.message}`))
      one.on('close', () => gone('the server closed the connection'))
    }
    watch(socket)
    if (at.transport === 'tls') socket.on('data', (chunk: Buffer) => take(chunk, chunk.length))
    if (web) socket.write(upgradeRequest(at.port))
  })
}

/** Opens `count` connections, a few at a time so that the listen backlog is never the limit; with `users`, each as the next of them. */
export async function openConnections(
  at: Endpoint,
  count: number,
  extra: (index: number) => string = () => '',
): Promise<LoadConnection[]> {
  const signers = at.users === undefined ? [] : loadUsers(at.users)
  const open: LoadConnection[] = []
  while (open.length < count) {
    const batch = Math.min(50, count - open.length)
    const first = open.length
    open.push(
      ...(await Promise.all(
        Array.from({ length: batch }, (_, i) =>
          openConnection(at, extra(first + i), signers[(first + i) % Math.max(1, signers.length)]),
        ),
      )),
    )
  }
  return open
}
