// node bench/experiments/cores.ts: what more than one process could bring. Written up in docs/performance.md under "More than one core".
//
// Measured: what a message costs one server process, and how connections spread over two processes behind one port. Derived from that: what
// a message costs that enters at one process and leaves at the other.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEngine } from '../lib/engine.ts'
import { openStream } from '../lib/stream.ts'

const RUNS = 5
const MESSAGES = 500_000
const CONNECTS = 1000

if (process.argv[2] === 'listen') {
  const server = createServer((socket) => {
    process.send?.('accepted')
    socket.on('error', () => {})
  })
  server.listen({ port: Number(process.argv[3]), host: '127.0.0.1', reusePort: true }, () =>
    process.send?.((server.address() as { port: number }).port),
  )
  process.on('disconnect', () => process.exit(0))
} else {
  await costOfMessages()
  await spreadOfConnections()
}

/** The least processor time of a message that nobody wants, and of one with a receiver, in one process. */
async function costOfMessages(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'ngs-cores-'))
  const config = join(dir, 'server.conf')
  writeFileSync(config, 'host: 127.0.0.1\nport: -1\n')
  const path = join(import.meta.dirname, '../../packages/server/bin/ngs-server')
  const server = await startEngine({ name: 'ours', path }, config, dir)
  for (const size of [16, 1024]) {
    const least: number[] = []
    for (const subscribers of [0, 1]) {
      const load = openStream({ publishers: 1, subscribers, size })
      const costs: number[] = []
      for (let i = 0; i <= RUNS; i++) {
        const { serverCpu, work } = await load.run(server, MESSAGES)
        if (i > 0) costs.push(serverCpu / work)
      }
      await load.close()
      least.push(Math.min(...costs))
    }
    const [intake, both] = least as [number, number]
    const line = (what: string, cost: number): void =>
      console.log(`  ${what.padEnd(44)}${cost.toFixed(3)} us, ${(1 / cost).toFixed(2)} M/s on one core`)
    console.log(`${size} B`)
    line('taken in', intake)
    line('taken in and delivered in one process', both)
    console.log(
      `  ${'crossing to a second process (derived)'.padEnd(44)}${(2 * both).toFixed(3)} us, half of it on each core`,
    )
  }
  await server.stop()
  rmSync(dir, { recursive: true, force: true })
}

/** Two processes listen on one port (SO_REUSEPORT): who gets how many of a thousand connections. */
async function spreadOfConnections(): Promise<void> {
  const counts = [0, 0]
  const children = []
  let port = 0
  for (const i of [0, 1]) {
    const child = fork(import.meta.filename, ['listen', `${port}`])
    const [answer] = (await once(child, 'message')) as [number]
    port = answer
    child.on('message', () => counts[i]!++)
    children.push(child)
  }
  const sockets = []
  for (let i = 0; i < CONNECTS; i++) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    sockets.push(socket)
  }
  while (counts[0]! + counts[1]! < CONNECTS) await new Promise((resolve) => setImmediate(resolve))
  console.log(`${CONNECTS} connections to one port of two processes: ${counts.join(' and ')}`)
  for (const socket of sockets) socket.destroy()
  for (const child of children) child.kill()
}
