// The routes that nsc knows: the operator token, and account tokens to push and pull. Texts end with a newline, tokens
// are bare. The shape is that of the official account server; what differs on purpose is in docs/api.md.
import { decodeAccount, unverifiedDecode } from '@ngs/identity/node'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { App, Context } from './context.ts'
import { asServiceError, errorText, statusOf, textType } from './errors.ts'

/** How long a push waits for the message servers, so that a client can connect right after it. */
const deliveryWaitMs = 2_000

const jwtType = 'application/jwt'

const Text = (description: string) => ({ description, content: { 'text/plain': { schema: Type.String() } } })
const Token = (description: string) => ({ description, content: { [jwtType]: { schema: Type.String() } } })

/** Query flags are set by the word true, in any case. */
const Flag = (description: string) => Type.Optional(Type.String({ description: `true: ${description}` }))
const isSet = (flag: string | undefined): boolean => flag?.toLowerCase() === 'true'

const AccountParams = Type.Object({ account: Type.String({ description: 'Public key of the account' }) })

const help = `GET  /jwt/v1/operator             the operator token (?text=true, ?decode=true); also at /jwt/v2/operator
GET  /jwt/v1/accounts/            200 when account tokens are served here
GET  /jwt/v1/accounts/ACCOUNT     an account token (?text=true, ?decode=true, ?check=true)
POST /jwt/v1/accounts/ACCOUNT     push an account token, as nsc push does
The whole API: /openapi.json
`

export function jwtRoutes(app: App, context: Context): void {
  const { accounts, distributor, limits } = context
  const tags = ['nsc']

  // Whatever content type a client names, the body is a token.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('Access-Control-Allow-Origin', '*')
  })
  app.setErrorHandler((thrown, request, reply) => {
    const error = asServiceError(thrown, limits.bodyBytes)
    if (error.code === 'internal') request.log.error({ err: thrown }, 'request failed')
    else request.log.info({ code: error.code, path: request.url }, error.message)
    return reply.code(statusOf[error.code]).type(textType).send(errorText(error))
  })

  const operatorSchema = {
    tags,
    summary: 'The operator token, for nsc init and nsc add operator',
    querystring: Type.Object({ text: Flag('as text/plain'), decode: Flag('its parts, readable') }),
    response: { 200: Token('The bare token') },
  }
  for (const version of ['v1', 'v2']) {
    app.get(`/jwt/${version}/operator`, { schema: operatorSchema }, async (request, reply) => {
      const token = context.operatorToken()
      if (isSet(request.query.text)) return reply.type(textType).send(token)
      if (isSet(request.query.decode)) return reply.type(textType).send(readable(token))
      return reply.type(jwtType).header('Cache-Control', 'no-cache').send(token)
    })
  }

  app.get(
    '/jwt/v1/help',
    { schema: { tags, summary: 'These routes, in short', response: { 200: Text('Help') } } },
    async (_request, reply) => reply.type(textType).send(help),
  )

  // A server with a URL resolver asks for the base path before it starts, and needs a 200.
  for (const path of ['/jwt/v1/accounts', '/jwt/v1/accounts/']) {
    const schema = {
      tags,
      summary: 'Empty; says that account tokens are served here',
      response: { 200: Text('Nothing') },
    }
    app.get(path, { schema: { ...schema, hide: path.endsWith('/') } }, async (_request, reply) =>
      reply
        .header('Cache-Control', 'no-cache, no-store, must-revalidate')
        .header('Pragma', 'no-cache')
        .header('Expires', '0')
        .type(textType)
        .send(''),
    )
  }

  app.get(
    '/jwt/v1/accounts/:account',
    {
      schema: {
        tags,
        summary: 'The newest token of an account, as the operator has signed it',
        params: AccountParams,
        querystring: Type.Object({
          text: Flag('as text/plain'),
          decode: Flag('its parts, readable'),
          check: Flag('404 once it has expired'),
          jti: Type.Optional(Type.String({ description: 'Versions by id are not kept: 501' })),
        }),
        headers: Type.Object({
          'if-none-match': Type.Optional(Type.String({ description: 'The jti, quoted' })),
        }),
        response: {
          200: Token('The bare token'),
          304: { description: 'It is the one of If-None-Match', type: 'null' },
          404: Text('No such account'),
          501: Text('Versions by id are not kept'),
        },
      },
    },
    async (request, reply) => {
      const { text, decode, check, jti } = request.query
      if (jti !== undefined) return reply.code(501).type(textType).send('tokens by jti are not kept\n')
      const token = await accounts.token(request.params.account)
      if (token === null) return reply.code(404).type(textType).send('no matching account JWT\n')
      if (isSet(text)) return reply.type(textType).send(token)
      if (isSet(decode)) return reply.type(textType).send(readable(token))
      const claims = decodeAccount(token)
      const expires = Number(claims.exp ?? 0)
      if (isSet(check) && expires > 0 && expires <= Date.now() / 1000)
        return reply.code(404).type(textType).send('')
      reply.header('Etag', `"${claims.jti}"`)
      if (request.headers['if-none-match']?.includes(`"${claims.jti}"`)) return notModified(reply)
      // Owners read what they have just written: nothing in between may keep a copy without asking.
      return reply.type(jwtType).header('Cache-Control', 'no-cache').send(token)
    },
  )

  app.post(
    '/jwt/v1/accounts/:account',
    {
      bodyLimit: limits.bodyBytes,
      // No body at all is read as an empty one: the refusal then says what the body has to be.
      preValidation: async (request) => {
        request.body ??= ''
      },
      schema: {
        tags,
        summary:
          'Push an account token: it is checked, signed under the account’s plan, stored and distributed',
        params: AccountParams,
        consumes: [jwtType],
        body: Type.String({
          description:
            'The bare token, signed by the account, or by a plain signing key of the stored account',
        }),
        response: {
          200: Text('Stored. The text, often empty, is for people'),
          '4xx': Text('Refused: the reasons, one a line, and what to do'),
        },
      },
    },
    async (request, reply) => {
      context.writes.spend(request.ip)
      const pushed = await accounts.push(request.params.account, request.body, () =>
        context.newAccounts.spend(request.ip),
      )
      const lines = [...pushed.notes]
      if (pushed.created) lines.unshift(`the account is on plan ${context.catalogue.defaultPlan.name}`)
      if (pushed.version !== null) {
        const delivered = await distributor.whenDelivered(pushed.account, pushed.version, deliveryWaitMs)
        if (!delivered) lines.push('stored; the message servers get it as soon as they answer')
      }
      return reply.type(textType).send(lines.map((line) => `${line}\n`).join(''))
    },
  )

  app.options('/jwt/*', { schema: { hide: true } }, async (_request, reply) =>
    reply
      .code(204)
      .header('Access-Control-Allow-Methods', 'GET, POST')
      .header('Access-Control-Allow-Headers', 'Content-Type')
      .send(),
  )
}

function notModified(reply: FastifyReply): FastifyReply {
  return reply.code(304).send()
}

/** Header, payload and signature of a token, for people: what ?decode=true shows. */
function readable(token: string): string {
  const { header, payload } = unverifiedDecode(token)
  const json = (value: unknown) =>
    JSON.stringify(value, (_key, one) => (typeof one === 'bigint' ? Number(one) : one), 4)
  const dated = json(payload).replace(/^ {4}"(?:iat|exp)": (\d+)/gm, (line, time: string) => {
    // Claims have room for times that no calendar has.
    const date = new Date(Number(time) * 1000)
    return Number.isNaN(date.getTime()) ? line : `${line} (${date.toISOString().slice(0, 10)})`
  })
  return `${json(header)}\n\r\n${dated}\n\r\n${token.split('.')[2]}`
}
