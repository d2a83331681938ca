import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import {
  createKeyPair,
  encode,
  encodeBase64Url,
  newAccountClaims,
  newOperatorClaims,
  newUserClaims,
} from '@ngs/identity/node'
import { Engine } from '@ngs/testkit'

const operator = createKeyPair('operator'),
  account = createKeyPair('account'),
  user = createKeyPair('user')
const engine = await Engine.start(null, {
  engine: process.argv[2] === 'nats' ? '.peers/bin/nats-server' : (undefined as never),
  config: `operator: ${encode(newOperatorClaims(operator.publicKey, 'O'), operator)}
resolver: MEMORY
resolver_preload { ${account.publicKey}: ${encode(newAccountClaims(account.publicKey, 'A'), operator)} }`,
})
const jwt = encode(newUserClaims(user.publicKey, 'U'), account)
const rss = () =>
  Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${engine.pid}/status`, 'utf8'))![1]) / 1024)
async function open(): Promise<Socket> {
  const s = connect({ port: engine.port, host: '127.0.0.1' })
  return new Promise((resolve, reject) => {
    let text = ''
    s.setEncoding('latin1')
      .on('error', reject)
      .on('data', (d) => {
        const had = text.includes('\r\n')
        text += d
        if (!had && text.includes('\r\n')) {
          const nonce = JSON.parse(text.slice(5, text.indexOf('\r\n'))).nonce
          s.write(
            `CONNECT ${JSON.stringify({ verbose: false, pedantic: false, jwt, sig: encodeBase64Url(user.sign(Buffer.from(nonce))) })}\r\nPING\r\n`,
          )
        }
        if (text.includes('PONG')) resolve(s)
        if (text.includes('-ERR')) reject(new Error(text))
      })
  })
}
async function round(n: number) {
  const t = Date.now()
  const sockets: Socket[] = []
  for (let i = 0; i < n; i += 100) sockets.push(...(await Promise.all(Array.from({ length: 100 }, open))))
  console.log('open', n, Date.now() - t, 'ms rss', rss())
  const gone = sockets.map((s) => new Promise((r) => s.on('close', r)))
  for (const s of sockets) s.end()
  await Promise.all(gone)
  console.log('closed rss', rss())
  await new Promise((r) => setTimeout(r, 3000))
  console.log('3s later', rss())
}
console.log('start', rss())
await round(1000)
await round(10000)
await round(10000)
await engine.stop()
