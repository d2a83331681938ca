// Ten thousand connections come, authenticate, stay idle and go: what they took is given back.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import {
  createKeyPair,
  encode,
  encodeBase64Url,
  newAccountClaims,
  newOperatorClaims,
  newUserClaims,
} from '@ngs/identity/node'
import { Engine, waitFor } from '@ngs/testkit'

const CONNECTIONS = 10_000
/** Opened at a time: fewer than the listener's backlog holds. */
const AT_ONCE = 200
const DESCRIPTORS_BESIDE = 500

/** Soft limit of open files, which the server inherits. */
function openFiles(): number {
  const text = readFileSync('/proc/self/limits', 'utf8')
  return Number(/^Max open files\s+(\d+)/m.exec(text)?.[1] ?? 0)
}
const skip =
  process.platform !== 'linux'
    ? 'memory is read from /proc, which only Linux has'
    : openFiles() < CONNECTIONS + DESCRIPTORS_BESIDE
      ? `needs ${CONNECTIONS + DESCRIPTORS_BESIDE} open files (ulimit -n), there are ${openFiles()}`
      : false

describe('ten thousand connections', { skip }, () => {
  it('authenticated by JWT leave nothing behind when they have gone', async (t) => {
    const operator = createKeyPair('operator')
    const account = createKeyPair('account')
    const user = createKeyPair('user')
    const jwt = encode(newUserClaims(user.publicKey, 'U'), account)
    const server = await Engine.start(t, {
      config: `
        http: "127.0.0.1:-1"
        operator: ${encode(newOperatorClaims(operator.publicKey, 'O'), operator)}
        resolver: MEMORY
        authorization { timeout: 60 }
        resolver_preload { ${account.publicKey}: ${encode(newAccountClaims(account.publicKey, 'A'), operator)} }`,
    })
    const sockets: Socket[] = []
    t.after(() => {
      for (const socket of sockets) socket.destroy()
    })

    /** One connection whose CONNECT was accepted. */
    const open = (): Promise<void> =>
      new Promise((resolve, reject) => {
        const socket = connect(server.port, '127.0.0.1')
        sockets.push(socket)
        let said = ''
        let greeted = false
        socket.setEncoding('latin1').on('error', reject)
        socket.on('data', (text: string) => {
          said += text
          if (!greeted && said.includes('\r\n')) {
            greeted = true
            const { nonce } = JSON.parse(said.slice('INFO '.length)) as { nonce: string }
            const sig = encodeBase64Url(user.sign(Buffer.from(nonce)))
            socket.write(
              `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, jwt, sig })}\r\nPING\r\n`,
            )
          } else if (said.includes('PONG\r\n')) resolve()
          else if (said.includes('-ERR')) reject(new Error(said))
        })
      })
    const connections = async (): Promise<number> =>
      (await server.monitor<{ connections: number }>('/varz')).connections
    const memory = (): number =>
      Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]) / 1024
    /** Comes and goes; the memory while all were there. */
    const round = async (): Promise<number> => {
      while (sockets.length < CONNECTIONS) await Promise.all(Array.from({ length: AT_ONCE }, open))
      assert.equal(await connections(), CONNECTIONS)
      const peak = memory()
      for (const socket of sockets.splice(0)) socket.destroy()
      await waitFor(async () => (await connections()) === 0, { timeout: 120_000, what: 'no connections' })
      return peak
    }

    // The first round fills what is kept on purpose: compiled code, pools, and the record of closed connections.
    const peak = await round()
    await waitFor(() => memory() < peak * 0.8, {
      timeout: 120_000,
      what: () =>
        `the memory of ${CONNECTIONS} connections to be given back: ${memory()} MB after ${peak} MB`,
    })
    const before = memory()
    await round()
    await waitFor(() => memory() <= before * 1.1, {
      timeout: 120_000,
      what: () => `${memory()} MB to become ${before} MB again, give or take 10 %`,
    })
    const { total } = await server.monitor<{ total: number }>('/connz?state=closed&limit=1')
    assert.equal(total, CONNECTIONS)
  })
})
