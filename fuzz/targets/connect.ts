// What a stranger says first: CONNECT with odd fields and JWTs, and bytes around it. The server refuses or serves it and goes on.

import { credsAuthenticator } from '@nats-io/transport-node'
import { encodeBase64Url, formatCreds, newUserClaims } from '@ngs/identity/node'
import type { Random } from '../random.ts'
import { ServerUnderFire } from '../server.ts'
import type { Target } from '../target.ts'
import { account, accountToken, operatorToken, user, userToken } from '../world.ts'

const FIELDS = [
  'verbose',
  'pedantic',
  'jwt',
  'sig',
  'nkey',
  'user',
  'pass',
  'auth_token',
  'name',
  'lang',
  'version',
  'protocol',
  'echo',
  'headers',
  'no_responders',
  'account',
  'tls_required',
  '__proto__',
] as const
const VALUES = [
  true,
  false,
  null,
  0,
  1,
  -1,
  1e99,
  '',
  'x',
  'x'.repeat(500),
  [],
  {},
  { a: [1] },
  '\u0000',
  '\ud800',
] as const

function token(random: Random): string {
  if (random.oneIn(2))
    return random
      .damage(Buffer.from(userToken))
      .toString('latin1')
      .replace(/["\\\r\n]/g, '')
  const claims: Record<string, unknown> = { ...newUserClaims(user.publicKey, 'U') }
  claims[random.pick(['sub', 'iss', 'exp', 'nbf', 'nats', 'jti', 'name', 'iat'])] = random.pick(VALUES)
  const signed = `${userToken.split('.')[0]}.${encodeBase64Url(Buffer.from(JSON.stringify({ ...claims, iss: account.publicKey })))}`
  return `${signed}.${encodeBase64Url(account.sign(Buffer.from(signed)))}`
}

export const connect: Target = {
  name: 'connect',
  about: 'CONNECT and user JWTs, on a server in operator mode',
  async start() {
    const server = await ServerUnderFire.start(
      `operator: ${operatorToken}
       resolver: MEMORY
       resolver_preload { ${account.publicKey}: ${accountToken} }`,
      { authenticator: credsAuthenticator(Buffer.from(formatCreds(userToken, user.seed))) },
    )
    return {
      async one(random) {
        const fields: Record<string, unknown> = random.oneIn(4)
          ? {}
          : {
              jwt: token(random),
              nkey: random.pick([user.publicKey, '', 'U']),
              sig: encodeBase64Url(user.sign(Buffer.from('x'))),
            }
        for (let i = random.below(5); i > 0; i--) fields[random.pick(FIELDS)] = random.pick(VALUES)
        let line = Buffer.from(`CONNECT ${JSON.stringify(fields)}\r\n`)
        if (random.oneIn(3)) line = Buffer.from(random.damage(line))
        const before = random.oneIn(8)
          ? random.pick(['PING\r\n', 'SUB a 1\r\n', '\r\n', 'PUB a 0\r\n\r\n'])
          : ''
        const cut = random.below(line.length + 1)
        await server.send(server.engine.port, [
          before,
          line.subarray(0, cut),
          line.subarray(cut),
          'SUB > 1\r\nPUB a 1\r\nx\r\nPING\r\n',
        ])
      },
      check: () => server.check(),
      stop: () => server.stop(),
    }
  },
}
