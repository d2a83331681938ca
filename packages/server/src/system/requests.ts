// Requests to servers: to all of them, `$SYS.REQ.SERVER.PING.<what>`, or to one, `$SYS.REQ.SERVER.<id>.<what>`. The answers are those of
// monitoring.
import { gatewayz, jsz, leafz, NotLeader, routez } from '../monitor/absent.ts'
import { accountz } from '../monitor/accountz.ts'
import { type ConnzOptions, connz } from '../monitor/connz.ts'
import { healthz } from '../monitor/healthz.ts'
import { expvarz } from '../monitor/process.ts'
import { statsz } from '../monitor/statsz.ts'
import { type SubszOptions, subsz } from '../monitor/subsz.ts'
import { varz } from '../monitor/varz.ts'
import type { Server } from '../server.ts'
import type { Events } from './events.ts'
import { BadRequest, RequestOptions } from './options.ts'
import { DONE, Refusal, type Request } from './request.ts'
import type { System } from './system.ts'

type Endpoint = (server: Server, options: RequestOptions) => unknown

/** What would choose from what is not there has to be well formed all the same. */
const checkFlags = (options: RequestOptions, ...keys: string[]): void => {
  for (const key of keys) options.flag(key)
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  VARZ: (server) => varz(server),
  CONNZ: (server, options) => connz(server, connzOptions(options)),
  SUBSZ: (server, options) => subsz(server, subszOptions(options)),
  ROUTEZ(server, options) {
    checkFlags(options, 'subscriptions', 'subscriptions_detail')
    return routez(server)
  },
  GATEWAYZ(server, options) {
    checkFlags(options, 'subscriptions', 'subscriptions_detail', 'accounts')
    return gatewayz(server)
  },
  LEAFZ(server, options) {
    checkFlags(options, 'subscriptions')
    return leafz(server)
  },
  ACCOUNTZ: (server, options) => accountz(server, options.text('account')),
  JSZ(server, options) {
    try {
      return jsz(server, options.flag('leader_only'))
    } catch (error) {
      if (error instanceof NotLeader) return undefined
      throw error
    }
  },
  HEALTHZ(server, options) {
    const { code, health } = healthz(server, {
      account: options.text('account'),
      stream: options.text('stream'),
      consumer: options.text('consumer'),
      details: options.flag('details'),
    })
    const { status, ...faults } = health
    return { status, status_code: code, ...faults }
  },
  async PROFILEZ(_server, options) {
    const { profilez } = await import('../monitor/profilez.ts')
    return profilez(options.text('name'), options.int('duration'))
  },
  EXPVARZ: () => expvarz(),
  IPQUEUESZ: () => ({}),
  RAFTZ: () => ({}),
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
      system.send(reply, { name: server.name, host: server.advertised().host, id: server.id }),
    )
  }
  answerCommands(system, us)
}

function answerCommands(system: System, us: string): void {
  const { server } = system
  system.onRequest(`${us}.RELOAD`, async () => {
    try {
      await server.reload()
    } catch (error) {
      throw new Refusal((error as Error).message)
    }
    return DONE
  })
  const onConnection = (command: string, act: (cid: number) => void): void =>
    system.onRequest(
      `${us}.${command}`,
      (options) => {
        act(options.uint('cid'))
        return DONE
      },
      namesConnection,
    )
  onConnection('KICK', (cid) => {
    const client = server.clients.get(cid)
    if (client === undefined) throw new Refusal('no such client or leafnode id')
    client.refuse('kicked')
  })
  onConnection('LDM', (cid) => {
    const client = server.clients.get(cid)
    if (client === undefined) throw new Refusal('no such client id')
    if (client.announceLameDuck()) return
    throw new Refusal('client does not support Lame Duck Mode or is not ready to receive the notification')
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

/** Who sends anything else gets no answer. */
function namesConnection({ text }: Request): boolean {
  if (text === '') return false
  try {
    new RequestOptions(text).uint('cid')
    return true
  } catch {
    return false
  }
}

const STATES = ['open', 'closed', 'all'] as const

export function connzOptions(options: RequestOptions): ConnzOptions {
  return {
    sort: options.text('sort'),
    auth: options.flag('auth'),
    subscriptions: options.flag('subscriptions'),
    subscriptionsDetail: options.flag('subscriptions_detail'),
    offset: options.int('offset'),
    limit: options.int('limit'),
    cid: options.uint('cid'),
    state: STATES[options.int('state')] ?? 'none',
    user: options.text('user'),
    account: options.text('acc'),
    mqttClient: options.text('mqtt_client'),
    filterSubject: options.text('filter_subject'),
  }
}

export function subszOptions(options: RequestOptions): SubszOptions {
  return {
    subscriptions: options.flag('subscriptions'),
    offset: options.int('offset'),
    limit: options.int('limit'),
    account: options.text('account'),
    test: options.text('test'),
  }
}
