// JWTs of every kind: decoded or refused with an IdentityError; what was decoded can be judged without a crash.
import {
  decode,
  encodeBase64Url,
  IdentityError,
  parseCreds,
  unverifiedDecode,
  validate,
} from '@ngs/identity/node'
import type { Random } from '../random.ts'
import { Finding, type Target } from '../target.ts'
import { account, accountToken, activationToken, operator, operatorToken, userToken } from '../world.ts'

/** A sound token and who signed it. */
const TOKENS = [
  [operatorToken, operator],
  [accountToken, operator],
  [userToken, account],
  [activationToken, account],
] as const
const ODD = [
  null,
  true,
  0,
  -1,
  1e300,
  2 ** 53,
  '',
  'x',
  '*',
  '>',
  [],
  {},
  [null],
  { a: null },
  [[]],
  '9'.repeat(30),
] as const

/** The JSON value with something in it replaced. */
function twisted(random: Random, value: unknown): unknown {
  if (random.oneIn(6) || typeof value !== 'object' || value === null) return random.pick(ODD)
  if (Array.isArray(value)) return [...value, random.pick(ODD)]
  const entries = Object.entries(value)
  if (entries.length === 0 || random.oneIn(8))
    return {
      ...value,
      [random.pick([
        'nats',
        'sub',
        'imports',
        'exports',
        'limits',
        'signing_keys',
        'mappings',
        '__proto__',
        'type',
      ])]: random.pick(ODD),
    }
  const [key, inner] = random.pick(entries)
  return { ...value, [key]: twisted(random, inner) }
}

export const claims: Target = {
  name: 'claims',
  about: 'operator, account, user and activation JWTs, and creds files',
  start: async () => ({
    one(random) {
      const [token, signer] = random.pick(TOKENS)
      let input = token
      if (random.oneIn(4)) input = random.damage(Buffer.from(token)).toString('latin1')
      else {
        const [header, body] = token.split('.') as [string, string]
        let claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString())
        for (let i = 1 + random.below(3); i > 0; i--) claims = twisted(random, claims)
        // Signed anew: a signature that does not hold would end the reading before it began.
        const signed = `${header}.${encodeBase64Url(Buffer.from(JSON.stringify(claims)))}`
        input = `${signed}.${encodeBase64Url(signer.sign(Buffer.from(signed)))}`
      }
      const attempt = (what: string, act: () => unknown): void => {
        try {
          act()
        } catch (error) {
          if (!(error instanceof IdentityError))
            throw new Finding(`${what} threw another error than an IdentityError`, input, { cause: error })
        }
      }
      attempt('decode and validate', () => validate(decode(input)))
      attempt('unverifiedDecode', () => unverifiedDecode(input))
      attempt('parseCreds', () =>
        parseCreds(`-----BEGIN NATS USER JWT-----\n${input}\n------END NATS USER JWT------\n`),
      )
    },
  }),
}
