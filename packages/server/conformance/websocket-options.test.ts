// What the websocket block is refused for at the start, and what a reload may change of it.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createKeyPair, encode, encodeBase64Url, newUserClaims } from '@ngs/identity/node'
import { enginesUnderTest, needsOpenssl, RawWebSocket, run, tempDir } from '@ngs/testkit'
import { authority, localhost, serverFiles, trusting } from './certificates.ts'
import { onEveryEngine } from './support.ts'
import { inEveryWorld } from './world.ts'

const CLEAR = 'listen: "127.0.0.1:-1", no_tls: true'

for (const { name, path } of enginesUnderTest()) {
  describe(`the websocket block [${name}]`, () => {
    it('is checked as a whole when the server starts', async (t) => {
      const file = join(tempDir(t), 'x.conf')
      for (const [text, problem] of [
        ['websocket { port: -1 }', 'websocket requires TLS configuration'],
        [
          `websocket { ${CLEAR}, allowed_origins: ["foo"] }`,
          'unable to parse allowed origin: parse "foo": invalid URI for request',
        ],
        [
          `websocket { ${CLEAR}, allowed_origins: ["ftp://a"] }`,
          'unable to parse allowed origin "ftp://a": allowed origins must be absolute URLs with http or https scheme',
        ],
        [
          `websocket { ${CLEAR}, jwt_cookie: j }`,
          'trusted operators or trusted keys configuration is required for JWT authentication via cookie "j"',
        ],
        [
          `websocket { ${CLEAR}, no_auth_user: x }`,
          'no_auth_user: "x" present, but users/nkeys are not defined',
        ],
        [
          `authorization { users: [ { user: u, password: p } ] }\nwebsocket { ${CLEAR}, authorization { user: x, password: y } }`,
          'websocket authentication username not compatible with presence of users/nkeys',
        ],
        [
          `authorization { users: [ { user: u, password: p } ] }\nwebsocket { ${CLEAR}, authorization { token: x } }`,
          'websocket authentication token not compatible with presence of users/nkeys',
        ],
        [`websocket { ${CLEAR}, headers { Upgrade: x } }`, 'websocket: invalid header "Upgrade" not allowed'],
        [
          `websocket { ${CLEAR}, headers { Sec-WebSocket-Foo: x } }`,
          'websocket: invalid header "Sec-WebSocket-Foo", "Sec-WebSocket-" prefix not allowed',
        ],
      ] as const) {
        writeFileSync(file, `port: -1\n${text}\n`)
        // -t does not look at it.
        assert.equal((await run(path, ['-t', '-c', file])).code, 0, text)
        const { code, stderr } = await run(path, ['-c', file])
        assert.equal(code, 1)
        assert.equal(stderr.slice(stderr.indexOf(': ') + 2), `${problem}\n`)
      }
    })
    it('is refused for what is not in it, at its place', async (t) => {
      const file = join(tempDir(t), 'x.conf')
      for (const [text, problem] of [
        ['websocket: 1', '1:0: Expected websocket to be a map, got int64'],
        ['websocket { bogus: 1 }', '1:12: unknown field "bogus"'],
        ['websocket { authorization { users: [] } }', '1:28: unknown field "users"'],
        ['websocket { headers: 1 }', '1:12: error parsing headers: unsupported type int64'],
        ['websocket { headers { a: 1 } }', '1:22: error parsing header key a: unsupported type int64'],
        ['websocket { handshake_timeout: "x" }', '1:12: time: invalid duration "x"'],
        ['websocket { tls { bogus: 1 } }', '1:18: error parsing tls config, unknown field "bogus"'],
      ] as const) {
        writeFileSync(file, `${text}\n`)
        const { code, stderr } = await run(path, ['-t', '-c', file])
        assert.equal(code, 1)
        assert.equal(stderr.slice(stderr.indexOf(': ') + 2), `${file}:${problem}\n\n`)
      }
    })
  })
}

describe('a reload', needsOpenssl(), () => {
  const block = (files = localhost, more = ''): string =>
    `websocket { listen: "127.0.0.1:-1", tls { ${serverFiles(files)} }${more} }`
  onEveryEngine('of the websocket block', block(), (bench) => {
    const reload = (text: string): void => {
      writeFileSync(bench.server.configFile, `listen: "127.0.0.1:-1"\n${text}`)
      bench.server.kill('SIGHUP')
    }
    const comesIn = async (t: Parameters<typeof tempDir>[0], servername: string): Promise<RawWebSocket> => {
      const tls = { ...trusting(), servername }
      const socket = await RawWebSocket.connect(t, bench.server.websocketUrl, { tls })
      await socket.until('\r\n')
      return socket
    }
    it('changes the certificate of new connections and leaves the old ones alone', async (t) => {
      const old = await comesIn(t, 'localhost')
      reload(block(authority.issue({ subject: '/CN=other', names: ['DNS:other.example'] })))
      await bench.server.waitForLog(/Reloaded server configuration/)
      await comesIn(t, 'other.example')
      await assert.rejects(comesIn(t, 'localhost'))
      old.say('CONNECT {"verbose":false}', 'PING')
      await old.until('PONG\r\n')
    })
    it('changes nothing else', async () => {
      reload(block(localhost, ', compression: true'))
      await bench.server.waitForLog(/config reload not supported for Websocket: old=/)
    })
  })
})

inEveryWorld('the JWT cookie', { config: `websocket { ${CLEAR}, jwt_cookie: "who" }` }, (world) => {
  it('brings a user, whose signature CONNECT brings, or none where it is a bearer', async (t) => {
    const { key } = await world.account()
    for (const bearer of [true, false]) {
      const user = createKeyPair('user')
      const claims = newUserClaims(user.publicKey, 'U')
      if (bearer) claims.nats.bearer_token = true
      const headers = { Cookie: `who=${encode(claims, key)}` }
      const socket = await RawWebSocket.connect(t, world.server.websocketUrl, { headers })
      const { nonce } = JSON.parse((await socket.until('\r\n')).slice(5))
      const sig = encodeBase64Url(user.sign(Buffer.from(String(nonce))))
      socket.say(`CONNECT ${JSON.stringify({ verbose: false, ...(bearer ? {} : { sig }) })}`, 'PING')
      assert.equal(await socket.until('\r\n'), 'PONG\r\n')
    }
  })
})
