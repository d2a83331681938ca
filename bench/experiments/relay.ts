// What request/reply through one process of Node reaches that sleeps between messages: a relay that reads from one socket and writes to
// another, knows no protocol and copies nothing. Whoever forwards requests between two processes does at least that.
//
//   node bench/experiments/relay.ts [seconds]
//
// Processes: one that asks and counts, the relay, one that echoes; as in the rows request-1 and request-50, without the protocol.
import { type ChildProcess, spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Bytes of a request as the rows send it, and about those of its response. */
const SIZE = 70
const [role = 'lead', ...rest] = process.argv.slice(2)

const fdOf = (socket: Socket): number => (socket as unknown as { _handle: { fd: number } })._handle.fd
const onread = (take: (bytes: Buffer) => void) => {
  const buffer = Buffer.allocUnsafeSlow(128 * 1024)
  return {
    buffer,
    callback: (size: number): boolean => {
      take(buffer.subarray(0, size))
      return true
    },
  }
}

if (role === 'relay') {
  const ends: Socket[] = []
  rest.forEach((port, i) => {
    const forward = onread((bytes) => void writeSync(fdOf(ends[1 - i]!), bytes))
    ends.push(connect({ port: Number(port), host: '127.0.0.1', noDelay: true, onread: forward }))
  })
} else if (role === 'echo') {
  listen((socket) => socket.on('data', (bytes) => void writeSync(fdOf(socket), bytes)))
} else if (role === 'ask') {
  const [outstanding, seconds] = rest.map(Number) as [number, number]
  listen((socket) => {
    const block = Buffer.alloc(SIZE * outstanding, 'x')
    const end = performance.now() + seconds * 1000
    const start = performance.now()
    let bytes = 0
    socket.on('data', (chunk) => {
      const whole = Math.floor((bytes + chunk.length) / SIZE) - Math.floor(bytes / SIZE)
      bytes += chunk.length
      if (performance.now() < end) {
        if (whole > 0) writeSync(fdOf(socket), block, 0, whole * SIZE)
        return
      }
      process.send!({ rate: bytes / SIZE / ((performance.now() - start) / 1000) })
      process.exit(0)
    })
    writeSync(fdOf(socket), block)
  })
} else {
  const seconds = Number(role) || 3
  for (const outstanding of [1, 50]) {
    const asker = start('ask', String(outstanding), String(seconds))
    const echo = start('echo')
    const relay = start('relay', String(await port(asker)), String(await port(echo)))
    const rate = await new Promise<number>((resolve) => {
      asker.on('message', (message: { rate?: number }) => {
        if (message.rate !== undefined) resolve(message.rate)
      })
    })
    console.log(`${outstanding} outstanding: ${Math.round(rate)} round trips per second through a bare relay`)
    for (const child of [relay, echo, asker]) child.kill()
  }
}

function listen(serve: (socket: Socket) => void): void {
  const server = createServer({ noDelay: true }, serve)
  server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }))
}

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [import.meta.filename, ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

function port(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.once('message', (message: { port: number }) => resolve(message.port)))
}
