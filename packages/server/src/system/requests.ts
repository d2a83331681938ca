// Requests to servers: to all of them, `$SYS.REQ.SERVER.PING.<what>`, or to one, `$SYS.REQ.SERVER.<id>.<what>`. The answers are those of
// monitoring.
import { accountz } from '../monitor/accountz.ts'
import { type ConnzQuery, connz } from '../monitor/connz.ts'
import { healthz } from '../monitor/healthz.ts'
import { statsz } from '../monitor/statsz.ts'
import { subsz } from '../monitor/subsz.ts'
import { varz } from '../monitor/varz.ts'
import type { Server } from '../server.ts'
import type { Events } from './events.ts'
import { BadRequest, RequestOptions } from './options.ts'
import type { Request, System } from './system.ts'

type Endpoint = (server: Server, options: RequestOptions) => unknown

const stamp = (server: Server): { server_id: string; now: string } => ({
  server_id: server.id,
  now: new Date().toISOString(),
})

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  VARZ: (server) => varz(server),
  CONNZ: (server, options) => connz(server, connzQuery(options)),
  SUBSZ: (server, options) =>
    subsz(server, {
      subs: options.flag('subscriptions'),
      test: options.text('test'),
      acc: options.text('account'),
      offset: options.int('offset'),
      limit: options.int('limit') || 1024,
    }),
  ACCOUNTZ: (server, options) => accountz(server, options.text('account')),
  HEALTHZ: (server) => {
    const health = healthz(server)
    return { ...health, status_code: health.status === 'ok' ? 200 : 500 }
  },
  ROUTEZ: (server) => ({ ...stamp(server), server_name: server.name, num_routes: 0, routes: [] }),
  GATEWAYZ: (server) => ({ ...stamp(server), outbound_gateways: {}, inbound_gateways: {} }),
  LEAFZ: (server) => ({ ...stamp(server), leafnodes: 0, leafs: [] }),
  JSZ: (server) => ({ ...stamp(server), disabled: true, config: { max_memory: 0, max_storage: 0 } }),
}

export function answerServerRequests(system: System, events: Events): void {
  const { server } = system
  const everybody = '$SYS.REQ.SERVER.PING'
  const us = `$SYS.REQ.SERVER.${server.id}`
  for (const [name, endpoint] of Object.entries(ENDPOINTS))
    for (const who of [everybody, us])
      system.onRequest(`${who}.${name}`, (options) => endpoint(server, options))
  for (const subject of [everybody, `${everybody}.STATSZ`, `${us}.STATSZ`])
    system.on(subject, (request) => answerStatsz(system, events, request))
  for (const who of [everybody, us]) {
    system.on(`${who}.IDZ`, ({ reply }) =>
      system.send(reply, { name: server.name, host: server.options.host, id: server.id }),
    )
  }
  // Who does not wait for the outcome does not reload.
  system.onRequest(`${us}.RELOAD`, (_options, { reply }) => (reply === '' ? undefined : server.reload()))
  system.onRequest(`${us}.KICK`, (options) => {
    const client = server.clients.get(options.int('cid'))
    if (client === undefined) throw new Error('no such client or leafnode id')
    client.refuse('kicked')
    return null
  })
}

/** A state that nobody waits for goes to everybody. */
function answerStatsz(system: System, events: Events, { text, reply }: Request): void {
  try {
    if (!system.isMeant(new RequestOptions(text))) return
    if (reply === '') events.broadcastStatsz()
    else system.answer(reply, { statsz: statsz(system.server) })
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error
    system.answer(reply, { error: { code: 400, description: error.message } })
  }
}

const STATES = ['open', 'closed', 'all'] as const

export function connzQuery(options: RequestOptions): ConnzQuery {
  const state = STATES[options.int('state')]
  if (state === undefined) throw new BadRequest('"state" has to be 0 (open), 1 (closed) or 2 (all)')
  return {
    sort: options.text('sort') || 'cid',
    auth: options.flag('auth'),
    subs: options.flag('subscriptions_detail') ? 'detail' : options.flag('subscriptions'),
    offset: options.int('offset'),
    limit: options.int('limit'),
    cid: options.int('cid'),
    state,
    user: options.text('user'),
    acc: options.text('acc'),
  }
}
