// The HTTP server: puts the routes together, maps errors, publishes the OpenAPI document.
import swagger from '@fastify/swagger'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import type { Logger } from 'pino'
import type { ServiceError } from '../errors.ts'
import { operatorRoutes, ownerRoutes, publicRoutes } from './api-routes.ts'
import type { App, Context } from './context.ts'
import { asServiceError, errorBody, errorText, notFound, statusOf, textType } from './errors.ts'
import { jwtRoutes } from './jwt-routes.ts'

export async function buildApp(context: Context, log: Logger, trustProxy: boolean): Promise<App> {
  const { limits } = context
  const app = Fastify({
    loggerInstance: log,
    // Headers hold bearer tokens; what is worth a line is logged where it happens.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    trustProxy,
    // A stranger who sends a byte now and then does not hold a connection for ever.
    requestTimeout: 30_000,
    return503OnClosing: true,
    // Names of accounts may stand in a path.
    routerOptions: { maxParamLength: 1024 },
    // What the router itself refuses, such as a path that is no URL, looks like every other refusal.
    frameworkErrors: (error, request, reply) =>
      refuse(asServiceError(error, limits.bodyBytes), request, reply),
    // A number is not a text: what has the wrong type is refused, not bent.
    ajv: { customOptions: { coerceTypes: false } },
  }).withTypeProvider<TypeBoxTypeProvider>()

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'NGS',
        description:
          'The control plane of NGS: account tokens for nsc, plans, the status of an account, the operator’s side.',
        version: '1',
      },
      components: {
        securitySchemes: {
          session: { type: 'http', scheme: 'bearer', description: 'From /api/v1/auth/session' },
          operatorToken: {
            type: 'http',
            scheme: 'bearer',
            description: 'operator.token of the data directory',
          },
        },
      },
    },
  })

  app.setErrorHandler((thrown, request, reply) => {
    const error = asServiceError(thrown, limits.bodyBytes)
    if (error.code === 'internal') request.log.error({ err: thrown }, 'request failed')
    if (error.code === 'unauthenticated') reply.header('WWW-Authenticate', 'Bearer')
    return reply.code(statusOf[error.code]).send(errorBody(error))
  })
  app.setNotFoundHandler((request, reply) => refuse(notFound(request.method, request.url), request, reply))

  await app.register(async (scope) => jwtRoutes(scope as App, context))
  await app.register(async (scope) => publicRoutes(scope as App, context))
  await app.register(async (scope) => ownerRoutes(scope as App, context))
  await app.register(async (scope) => operatorRoutes(scope as App, context))
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
  await app.ready()
  return app as unknown as App
}

/** Refuses a request that no route has seen: as JSON below /api, as text elsewhere. */
function refuse(error: ServiceError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.code(statusOf[error.code])
  return request.url.startsWith('/api/')
    ? reply.send(errorBody(error))
    : reply.type(textType).send(errorText(error))
}
