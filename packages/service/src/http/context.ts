// What the routes work with.

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { Accounts } from '../accounts/accounts.ts'
import type { Distributor } from '../accounts/distributor.ts'
import type { Ownership } from '../accounts/ownership.ts'
import type { StrangerLimits } from '../config.ts'
import type { Usage } from '../metering/usage.ts'
import type { Catalogue } from '../plans/catalogue.ts'
import type { RateLimit } from './rate-limit.ts'

export interface Context {
  accounts: Accounts
  distributor: Distributor
  catalogue: Catalogue
  ownership: Ownership
  demoAccount: string
  bearerToken: string
  limits: StrangerLimits
  newAccounts: RateLimit
  writes: RateLimit
  /** The operator token as published now. */
  operatorToken: () => string
  /** Counters of an account; null when no message server can be asked. */
  usage: (account: string) => Promise<Usage | null>
  /** Whether the message servers can be reached. */
  connected: () => boolean
}

/** A scope of the HTTP server whose routes get their types from their schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>
