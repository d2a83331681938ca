// What the official server answers about routes, gateways, leaf nodes, JetStream and Raft groups that are not configured.
import type { Server } from '../server.ts'
import { utc } from '../time.ts'
import { QueryError } from './query.ts'

type Answer = Record<string, unknown>

export const routez = (server: Server): Answer => ({
  server_id: server.id,
  server_name: server.name,
  now: utc(),
  num_routes: 0,
  routes: [],
})

export const gatewayz = (server: Server): Answer => ({
  server_id: server.id,
  now: utc(),
  outbound_gateways: {},
  inbound_gateways: {},
})

export const leafz = (server: Server): Answer => ({
  server_id: server.id,
  now: utc(),
  leafnodes: 0,
  leafs: [],
})

/** Nobody is the leader of what is not there; over the system account such a request gets no answer. */
export class NotLeader extends QueryError {
  constructor() {
    super('filtered response: not leader')
  }
}

/** @throws NotLeader. */
export function jsz(server: Server, leaderOnly: boolean): Answer {
  if (leaderOnly) throw new NotLeader()
  return {
    memory: 0,
    storage: 0,
    reserved_memory: 0,
    reserved_storage: 0,
    accounts: 0,
    ha_assets: 0,
    api: { level: 0, total: 0, errors: 0 },
    server_id: server.id,
    now: utc(),
    disabled: true,
    config: { max_memory: 0, max_storage: 0 },
    streams: 0,
    consumers: 0,
    messages: 0,
    bytes: 0,
    total: 0,
  }
}

export const NO_RAFT = 'No Raft nodes registered'
