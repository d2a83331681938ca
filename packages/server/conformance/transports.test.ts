// Receivers that read late or not at all, inside TLS and WebSocket: what waits for them keeps its order and its frames, or they are cut.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { needsOpenssl, RawClient, RawWebSocket, waitFor } from '@ngs/testkit'
import { serverFiles, trusting } from './certificates.ts'
import { type Bench, closeReason, onEveryEngine, QUIET } from './support.ts'

interface Receiver {
  readonly cid: number
  pause(): void
  resume(): void
  /** The next bytes of the protocol. */
  take(count: number): Promise<string>
}

async function overTls(t: TestContext, { server }: Bench): Promise<Receiver> {
  const client = await RawClient.connect(t, server.port, { tls: trusting() })
  client.say(QUIET, 'SUB a 1')
  await client.pingPong()
  return {
    cid: client.info.client_id,
    pause: () => client.pause(),
    resume: () => client.resume(),
    take: async (count) => (await client.bytes(count)).toString('latin1'),
  }
}

async function overWebSocket(t: TestContext, { server }: Bench): Promise<Receiver> {
  const options = { tls: trusting() }
  const socket = await RawWebSocket.connect(t, server.websocketUrl, options)
  const info = JSON.parse((await socket.until('\r\n')).slice(5))
  socket.say(QUIET, 'SUB a 1', 'PING')
  await socket.until('PONG\r\n')
  let text = ''
  return {
    cid: info.client_id,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    take: async (count) => {
      while (text.length < count)
        text += socket.withoutPings((await socket.read()).payload).toString('latin1')
      const taken = text.slice(0, count)
      text = text.slice(count)
      return taken
    },
  }
}

const HTTP = 'http: "127.0.0.1:-1"\nmax_payload: 1mb\n'
const SIZES = [1, 500, 15_000, 17_000, 70_000, 300_000]
/** More than what the sockets of a connection hold. */
const ROUNDS = 20

function suite(
  name: string,
  config: string,
  open: (t: TestContext, bench: Bench) => Promise<Receiver>,
): void {
  onEveryEngine(name, `${HTTP}${config}\nmax_pending: 256mb`, (bench) => {
    it('gets everything in order when it reads late', async (t) => {
      const receiver = await open(t, bench)
      receiver.pause()
      const sender = await bench.client(t, QUIET)
      let wanted = ''
      for (let round = 0; round < ROUNDS; round++) {
        for (const size of SIZES) {
          const payload = String.fromCharCode(97 + (round % 26)).repeat(size)
          sender.pub('a', payload)
          wanted += `MSG a 1 ${size}\r\n${payload}\r\n`
        }
      }
      await sender.flush()
      receiver.resume()
      assert.ok((await receiver.take(wanted.length)) === wanted, 'the bytes are those that were sent')
    })
  })
  onEveryEngine(`${name} that does not read`, `${HTTP}${config}\nmax_pending: 2mb`, (bench) => {
    it('is cut', async (t) => {
      const receiver = await open(t, bench)
      receiver.pause()
      const sender = await bench.client(t, QUIET)
      const payload = 'x'.repeat(500_000)
      let ended = false
      const reason = closeReason(bench.server, receiver.cid).finally(() => {
        ended = true
      })
      await waitFor(
        async () => {
          sender.pub('a', payload)
          await sender.flush()
          return ended
        },
        { what: 'the receiver to be cut' },
      )
      assert.match(await reason, /^Slow Consumer \(Pending Bytes\)$/)
    })
  })
}

suite('a receiver over WebSocket', 'websocket { listen: "127.0.0.1:-1", no_tls: true }', overWebSocket)
describe('secure receivers', needsOpenssl(), () => {
  suite('a receiver over TLS', `tls { ${serverFiles()} }\nallow_non_tls: true`, overTls)
  suite(
    'a receiver over wss',
    `websocket { listen: "127.0.0.1:-1", tls { ${serverFiles()} } }`,
    overWebSocket,
  )
  suite(
    'a receiver over wss, compressed where it asks',
    `websocket { listen: "127.0.0.1:-1", tls { ${serverFiles()} }, compression: true }`,
    overWebSocket,
  )
})
