import fs from 'node:fs'
import path from 'node:path'
import { createKeyPair, formatCreds, type KeyPair } from '@ngs/identity/node'
import type { Sandbox } from './sandbox.ts'

/**
 * A token of the first format: other names in the header, the payload alone is signed, the type and what is now inside
 * `nats` stand at the top.
 */
function oldToken(issuer: KeyPair, claims: object): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const payload = part({ jti: 'X', iat: 1_600_000_000, iss: issuer.publicKey, ...claims })
  const signature = Buffer.from(issuer.sign(Buffer.from(payload))).toString('base64url')
  return `${part({ typ: 'jwt', alg: 'ed25519' })}.${payload}.${signature}`
}

const NO_LIMITS = { subs: -1, conn: -1, leaf: -1, imports: -1, exports: -1, data: -1, payload: -1 }

/**
 * Fills a home with the store of an operator `Old` as the first versions of nsc made it, with its keys: accounts A, which
 * exports, and B, which imports with a token, and user `u` of A. The files are the same in every home they are put in.
 */
export class OldStore {
  private readonly files = new Map<string, string>()
  readonly operator = createKeyPair('operator')

  constructor() {
    const { operator } = this
    const [operatorSigner, a, signer, b] = [
      createKeyPair('operator'),
      createKeyPair('account'),
      createKeyPair('account'),
      createKeyPair('account'),
    ]
    const user = createKeyPair('user')
    for (const key of [operator, operatorSigner, a, signer, b, user]) this.key(key)
    const store = '.local/share/nats/nsc/stores/Old'
    this.files.set(`${store}/.nsc`, '{"managed":false,"name":"Old","kind":"operator","version":"1"}')
    this.files.set(
      `${store}/Old.jwt`,
      oldToken(operator, {
        name: 'Old',
        sub: operator.publicKey,
        tags: ['old'],
        type: 'operator',
        nats: {
          identity: [{ id: 'x', proof: 'y' }],
          signing_keys: [operatorSigner.publicKey],
          operator_service_urls: ['nats://localhost:4222'],
          system_account: a.publicKey,
        },
      }),
    )
    this.files.set(
      `${store}/accounts/A/A.jwt`,
      oldToken(operatorSigner, {
        name: 'A',
        sub: a.publicKey,
        exp: 4_000_000_000,
        tags: ['t'],
        type: 'account',
        nats: {
          exports: [
            { subject: 'lat', type: 'service', service_latency: { sampling: 50, results: 'res' } },
            { name: 'e', subject: 'str.>', type: 'stream' },
            { name: 's', subject: 'svc', type: 'service', token_req: true, response_type: 'Stream' },
          ],
          identity: [{ id: 'i', proof: 'p' }],
          limits: { ...NO_LIMITS, conn: 10, imports: 3, wildcards: true },
          signing_keys: [signer.publicKey],
          revocations: { [createKeyPair('user').publicKey]: 1_600_000_000 },
        },
      }),
    )
    const userToken = oldToken(signer, {
      name: 'u',
      sub: user.publicKey,
      tags: ['ut'],
      type: 'user',
      nats: {
        pub: { allow: ['p.>'] },
        sub: { deny: ['d'] },
        resp: { max: 2, ttl: 1_000_000_000 },
        max: 100,
        payload: 200,
        src: '10.0.0.0/8,192.168.0.0/16',
        times: [{ start: '08:00:00', end: '09:00:00' }],
        bearer_token: true,
      },
      issuer_account: a.publicKey,
    })
    this.files.set(`${store}/accounts/A/users/u.jwt`, userToken)
    this.files.set('.local/share/nats/nsc/keys/creds/Old/A/u.creds', formatCreds(userToken, user.seed))
    const activation = oldToken(a, {
      name: 'svc',
      sub: b.publicKey,
      type: 'activation',
      nats: { subject: 'svc', type: 'service' },
    })
    this.files.set('activation.jwt', activation)
    const imports = [
      { name: 'i2', subject: 'mine', account: a.publicKey, token: activation, to: 'svc', type: 'service' },
      { name: 'i1', subject: 'str.a', account: a.publicKey, to: 'pre', type: 'stream' },
    ]
    this.files.set(
      `${store}/accounts/B/B.jwt`,
      oldToken(operator, {
        name: 'B',
        sub: b.publicKey,
        type: 'account',
        nats: { imports, limits: { ...NO_LIMITS, wildcards: true } },
      }),
    )
  }

  putInto(sandbox: Sandbox): void {
    for (const [name, content] of this.files) {
      const file = sandbox.path(name)
      fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
      fs.writeFileSync(file, content, { mode: 0o600 })
    }
  }

  private key({ publicKey, seed }: KeyPair): void {
    const [kind, shard] = [publicKey.slice(0, 1), publicKey.slice(1, 3)]
    this.files.set(`.local/share/nats/nsc/keys/keys/${kind}/${shard}/${publicKey}.nk`, seed)
  }
}
