// The endpoints of HTTP monitoring: what each makes of a query.
import type { Server } from '../server.ts'
import { gatewayz, jsz, leafz, NO_RAFT, routez } from './absent.ts'
import { accountz } from './accountz.ts'
import { accountStatz } from './accstatz.ts'
import { connz } from './connz.ts'
import { healthz } from './healthz.ts'
import { toJson } from './json.ts'
import { expvarz, stacksz } from './process.ts'
import type { Query } from './query.ts'
import { subsz } from './subsz.ts'
import { varz } from './varz.ts'

export interface Answer {
  status?: number
  type?: string
  /** A page of another site may read it. */
  shared?: boolean
  body: string
}

/** @throws QueryError for a bad parameter: 400 with its text. */
export type Endpoint = (server: Server, query: Query) => Answer

const json = (value: unknown, indent = 2): Answer => ({ body: toJson(value, indent), shared: true })
export const text = (status: number, body: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body,
})

/** Parameters that only checked for being what they should be: there is nothing here that they could choose from. */
const flags = (query: Query, ...names: string[]): void => {
  for (const name of names) query.flag(name)
}

const subscriptions: Endpoint = (server, query) =>
  json(
    subsz(server, {
      subscriptions: query.flag('subs'),
      offset: query.int('offset'),
      limit: query.int('limit'),
      account: query.text('acc'),
      test: query.text('test'),
    }),
  )

/** Paths without the base path. What is counted in `http_req_stats` has its name there. */
export const ENDPOINTS: Readonly<Record<string, { counted?: string; answer: Endpoint }>> = {
  '/varz': { counted: '/varz', answer: (server) => json(varz(server)) },
  '/connz': {
    counted: '/connz',
    answer: (server, query) =>
      json(
        connz(server, {
          sort: query.text('sort'),
          auth: query.flag('auth'),
          ...query.subscriptions(),
          offset: query.int('offset'),
          limit: query.int('limit'),
          cid: query.uint64('cid'),
          state: query.state(),
          user: query.text('user'),
          account: query.text('acc'),
          mqttClient: query.text('mqtt_client'),
          filterSubject: '',
        }),
      ),
  },
  '/routez': {
    counted: '/routez',
    answer: (server, query) => {
      query.subscriptions()
      return json(routez(server))
    },
  },
  '/gatewayz': {
    counted: '/gatewayz',
    answer: (server, query) => {
      query.subscriptions()
      flags(query, 'accs')
      return json(gatewayz(server))
    },
  },
  '/leafz': {
    counted: '/leafz',
    answer: (server, query) => {
      flags(query, 'subs')
      return json(leafz(server))
    },
  },
  '/subsz': { counted: '/subsz', answer: subscriptions },
  '/subscriptionsz': { counted: '/subsz', answer: subscriptions },
  '/accountz': {
    counted: '/accountz',
    answer: (server, query) => json(accountz(server, query.text('acc'))),
  },
  '/accstatz': {
    counted: '/accstatz',
    answer: (server, query) => json(accountStatz(server, [], query.flag('unused'))),
  },
  '/jsz': {
    counted: '/jsz',
    answer: (server, query) => {
      flags(query, 'accounts', 'streams', 'consumers', 'direct-consumers', 'config')
      query.int('offset')
      query.int('limit')
      const leaderOnly = query.flag('leader-only')
      flags(query, 'raft', 'stream-leader-only')
      return json(jsz(server, leaderOnly))
    },
  },
  '/healthz': {
    counted: '/healthz',
    answer: (server, query) => {
      if (query.flag('js-enabled'))
        server.log.warn('Healthcheck: js-enabled deprecated, use js-enabled-only instead')
      flags(query, 'js-enabled-only', 'js-server-only', 'js-meta-only')
      const { code, health } = healthz(server, {
        account: query.text('account'),
        stream: query.text('stream'),
        consumer: query.text('consumer'),
        details: query.flag('details'),
      })
      if (health.error !== undefined) server.log.warn(`Healthcheck failed: ${JSON.stringify(health.error)}`)
      else if (health.errors !== undefined)
        server.log.warn(`Healthcheck failed: ${health.errors.length} errors`)
      return { ...json(health, 0), status: code }
    },
  },
  '/ipqueuesz': {
    answer: (_server, query) => {
      flags(query, 'all')
      return json({}, 3)
    },
  },
  '/raftz': { answer: () => text(404, NO_RAFT) },
  '/stacksz': { answer: () => ({ body: stacksz(), shared: true }) },
  '/debug/vars': {
    answer: () => {
      const { cmdline, memstats } = expvarz()
      return {
        type: 'application/json; charset=utf-8',
        body: `{\n"cmdline": ${toJson(cmdline)},\n"memstats": ${toJson(memstats)}\n}\n`,
      }
    },
  },
}
