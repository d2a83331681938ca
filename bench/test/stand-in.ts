// A server with faults, for the tests of the bench: node stand-in.ts -c FILE --ports_file_dir DIR
// FAULT=lose drops one delivery, FAULT=double sends one twice.
import { writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'

const subscribers = new Set<Socket>()
let delivered = 0
const fault = process.env['FAULT']

const server = createServer((socket) => {
  let text = ''
  socket.on('error', () => {})
  socket.on('close', () => subscribers.delete(socket))
  socket.write('INFO {"server_id":"X","max_payload":1048576}\r\n')
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    for (;;) {
      const end = text.indexOf('\r\n')
      if (end < 0) return
      const [verb, subject, size] = text.slice(0, end).split(' ')
      if (verb === 'PUB') {
        const total = end + 2 + Number(size) + 2
        if (text.length < total) return
        const message = `MSG ${subject} 1 ${size}${text.slice(end, total)}`
        text = text.slice(total)
        for (const subscriber of subscribers) {
          delivered++
          if (fault === 'lose' && delivered === 100) continue
          subscriber.write(fault === 'double' && delivered === 100 ? message + message : message)
        }
        continue
      }
      text = text.slice(end + 2)
      if (verb === 'SUB') subscribers.add(socket)
      if (verb === 'PING') socket.write('PONG\r\n')
    }
  })
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number }
  const dir = process.argv[process.argv.indexOf('--ports_file_dir') + 1]!
  writeFileSync(
    join(dir, `stand-in_${process.pid}.ports`),
    JSON.stringify({ nats: [`nats://127.0.0.1:${port}`] }),
  )
})
