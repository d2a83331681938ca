// The JSON API: plans for everybody, sign-in and status for owners, accounts and plan changes for the operator.
import { decodeAccount } from '@ngs/identity/node'
import { Type } from 'typebox'
import type { AccountSummary } from '../accounts/accounts.ts'
import { AccountStatus, accountStatus, timeText, UsageReport, usageReport } from '../accounts/status.ts'
import { ServiceError } from '../errors.ts'
import { PlanFile, PlanLimits } from '../plans/catalogue.ts'
import { bearerOf, sameSecret } from './bearer.ts'
import type { App, Context } from './context.ts'
import { ErrorBody } from './errors.ts'

/** How long a plan change waits for the message servers before it answers. */
const deliveryWaitMs = 2_000

const refused = { '4xx': ErrorBody, '5xx': ErrorBody }
const ownerOnly = [{ session: [] }]
const operatorOnly = [{ operatorToken: [] }]

const AccountEntry = Type.Object({
  account: Type.String({ description: 'Public key' }),
  name: Type.String(),
  plan: Type.String({ description: 'Id of its plan' }),
  state: Type.String({ description: 'active or cancelled' }),
  distributed: Type.Boolean({ description: 'Whether every known message server has its newest token' }),
  created_at: Type.String({ description: 'RFC 3339' }),
  updated_at: Type.String({ description: 'RFC 3339' }),
})

const entryOf = (summary: AccountSummary) => ({
  account: summary.account,
  name: summary.name,
  plan: summary.plan,
  state: summary.state,
  distributed: summary.distributed,
  created_at: timeText(summary.createdAt),
  updated_at: timeText(summary.updatedAt),
})

export function publicRoutes(app: App, { catalogue, connected }: Context): void {
  app.get(
    '/healthz',
    {
      schema: {
        tags: ['public'],
        summary: 'Whether the service works',
        response: {
          200: Type.Object({
            status: Type.Literal('ok'),
            message_servers: Type.Union([Type.Literal('connected'), Type.Literal('unreachable')]),
          }),
        },
      },
    },
    () => ({
      status: 'ok' as const,
      message_servers: connected() ? ('connected' as const) : ('unreachable' as const),
    }),
  )
  app.get(
    '/api/v1/plans',
    { schema: { tags: ['public'], summary: 'The plans on offer', response: { 200: PlanFile } } },
    () => catalogue.file,
  )
}

export function ownerRoutes(app: App, context: Context): void {
  const { accounts, ownership, writes } = context
  const tags = ['owner']
  const stored = async (account: string) => {
    const row = await accounts.find(account)
    if (row === undefined) {
      throw new ServiceError(
        'unknown-account',
        `there is no account "${account}" here; push it with nsc first`,
      )
    }
    return row
  }
  const signedIn = (header: string | undefined) => stored(ownership.authenticate(bearerOf(header)))

  app.post(
    '/api/v1/auth/challenge',
    {
      schema: {
        tags,
        summary: 'A nonce for the owner of an account to sign',
        body: Type.Object({ account: Type.String({ description: 'Public key' }) }),
        response: {
          200: Type.Object({
            nonce: Type.String({
              description: 'Begins with ngs-auth: (sign no other); good once, for a minute',
            }),
            expires_at: Type.String({ description: 'RFC 3339' }),
          }),
          ...refused,
        },
      },
    },
    async (request) => {
      writes.spend(request.ip)
      const row = await stored(request.body.account)
      const { nonce, expiresAt } = ownership.challenge(row.public_key)
      return { nonce, expires_at: timeText(expiresAt) }
    },
  )

  app.post(
    '/api/v1/auth/session',
    {
      schema: {
        tags,
        summary: 'A short-lived bearer token for a signed nonce',
        body: Type.Object({
          account: Type.String({ description: 'Public key' }),
          nonce: Type.String({ maxLength: 512 }),
          signature: Type.String({
            maxLength: 128,
            description:
              'base64url, over the text of the nonce, by the account key or a plain signing key of the account',
          }),
        }),
        response: {
          200: Type.Object({ token: Type.String(), expires_at: Type.String({ description: 'RFC 3339' }) }),
          ...refused,
        },
      },
    },
    async (request) => {
      writes.spend(request.ip)
      const { account, nonce, signature } = request.body
      const row = await stored(account)
      const session = ownership.open(decodeAccount(row.signed_token), nonce, signature)
      return { token: session.token, expires_at: timeText(session.expiresAt) }
    },
  )

  app.get(
    '/api/v1/account',
    {
      schema: {
        tags,
        security: ownerOnly,
        summary: 'How the account stands: plan, limits, usage',
        response: { 200: AccountStatus, ...refused },
      },
    },
    async (request) => {
      const row = await signedIn(request.headers.authorization)
      const usage = await context.usage(row.public_key)
      return accountStatus(row, accounts.planOf(row), context.demoAccount, usage)
    },
  )

  app.get(
    '/api/v1/account/usage',
    {
      schema: {
        tags,
        security: ownerOnly,
        summary: 'What the account uses, beside what it may use',
        response: {
          200: Type.Object({ account: Type.String(), usage: UsageReport, limits: PlanLimits }),
          ...refused,
        },
      },
    },
    async (request) => {
      const row = await signedIn(request.headers.authorization)
      const usage = await context.usage(row.public_key)
      if (usage === null) {
        throw new ServiceError(
          'not-connected',
          'no message server can be asked at the moment; try again in a minute',
        )
      }
      return {
        account: row.public_key,
        usage: usageReport(row, context.demoAccount, usage),
        limits: accounts.planOf(row).limits,
      }
    },
  )
}

export function operatorRoutes(app: App, context: Context): void {
  const { accounts, distributor } = context
  const tags = ['operator']

  app.addHook('onRequest', async (request) => {
    if (!sameSecret(bearerOf(request.headers.authorization), context.bearerToken)) {
      throw new ServiceError(
        'unauthenticated',
        'this is not the operator token; it is in operator.token of the data directory',
      )
    }
  })

  app.get(
    '/api/v1/operator/accounts',
    {
      schema: {
        tags,
        security: operatorOnly,
        summary: 'Every account',
        response: { 200: Type.Object({ accounts: Type.Array(AccountEntry) }), ...refused },
      },
    },
    async () => ({ accounts: (await accounts.list()).map(entryOf) }),
  )

  app.put(
    '/api/v1/operator/accounts/:account/plan',
    {
      schema: {
        tags,
        security: operatorOnly,
        summary: 'Put an account on another plan; connections get its limits within seconds',
        params: Type.Object({
          account: Type.String({ description: 'Public key, or a name that only one account has' }),
        }),
        body: Type.Object({ plan: Type.String({ description: 'Id or name of a plan' }) }),
        response: { 200: AccountEntry, ...refused },
      },
    },
    async (request) => {
      const { summary, version } = await accounts.changePlan(
        request.params.account,
        request.body.plan,
        context.usage,
      )
      if (version === null) return entryOf(summary)
      const distributed = await distributor.whenDelivered(summary.account, version, deliveryWaitMs)
      return entryOf({ ...summary, distributed })
    },
  )
}
