// What a callout service answers: JWTs with odd members, damaged, sealed or not, for this client or another.
import {
  createKeyPair,
  curveKeyPairFromSeed,
  decodeAuthorizationRequest,
  encodeBase64Url,
  newUserClaims,
} from '@ngs/identity/node'
import type { Random } from '../random.ts'
import { ServerUnderFire } from '../server.ts'
import type { Target } from '../target.ts'
import { account, user } from '../world.ts'

const curve = curveKeyPairFromSeed('SXAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H74KM')
const VALUES = [true, null, 0, -1, 1e99, '', 'x', [], {}, [null], { a: [1] }, '\u0000', '\ud800'] as const
const MEMBERS = ['sub', 'aud', 'exp', 'nbf', 'iat', 'name', 'nats', 'jti'] as const
const BODY = [
  'jwt',
  'error',
  'issuer_account',
  'type',
  'version',
  'pub',
  'sub',
  'times',
  'src',
  'resp',
] as const

/** Signed by the issuer, whatever it holds. */
function token(claims: Record<string, unknown>): string {
  const text = (value: unknown): string => encodeBase64Url(Buffer.from(JSON.stringify(value)))
  const signed = `${text({ typ: 'JWT', alg: 'ed25519-nkey' })}.${text({ ...claims, iss: account.publicKey })}`
  return `${signed}.${encodeBase64Url(account.sign(Buffer.from(signed)))}`
}

function twisted(random: Random, claims: Record<string, unknown>): Record<string, unknown> {
  const nats = { ...(claims['nats'] as Record<string, unknown>) }
  const made: Record<string, unknown> = { ...claims, nats }
  if (random.oneIn(2)) nats[random.pick(BODY)] = random.pick(VALUES)
  if (random.oneIn(3)) made[random.pick(MEMBERS)] = random.pick(VALUES)
  return made
}

function answer(random: Random, request: ReturnType<typeof decodeAuthorizationRequest>): Buffer {
  const { user_nkey, server_id } = request.nats
  const subject = random.oneIn(10) ? createKeyPair('user').publicKey : user_nkey
  const inner = twisted(random, { ...newUserClaims(subject, 'U'), aud: random.pick(['$G', 'A', '']) })
  const outer = twisted(random, {
    sub: subject,
    aud: server_id.id,
    nats: { jwt: token(inner), type: 'authorization_response', version: 2 },
  })
  let bytes = Buffer.from(token(outer))
  if (random.oneIn(3)) bytes = Buffer.from(curve.seal(bytes, server_id.xkey ?? ''))
  return random.oneIn(3) ? Buffer.from(random.damage(bytes)) : bytes
}

export const callout: Target = {
  name: 'callout',
  about: 'answers of an auth callout service',
  async start() {
    const server = await ServerUnderFire.start(
      `accounts { A {} }
       authorization {
         timeout: 0.5
         users: [ { user: auth, password: p } ]
         auth_callout { issuer: ${account.publicKey}, auth_users: [ auth ], xkey: ${curve.publicKey} }
       }`,
      { user: 'auth', pass: 'p' },
    )
    let random: Random | null = null
    server.good.subscribe('$SYS.REQ.USER.AUTH', {
      callback: (_error, message) => {
        const opened = curve.open(message.data, message.headers?.get('Nats-Server-Xkey') ?? '')
        const request = decodeAuthorizationRequest(Buffer.from(opened).toString())
        if (random !== null) message.respond(answer(random, request))
      },
    })
    await server.good.flush()
    return {
      async one(given) {
        random = given
        await server.send(server.engine.port, [
          `CONNECT ${JSON.stringify({ verbose: false, user: given.pick(['joe', '', user.publicKey]), nkey: '' })}\r\n`,
          'SUB > 1\r\nPUB a 1\r\nx\r\nPING\r\n',
        ])
      },
      check: () => server.check(),
      stop: () => server.stop(),
    }
  },
}
