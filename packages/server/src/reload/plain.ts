// The reload of plain options: the option table says which may change, and here is what that does to what runs already.
import { goDuration } from '../duration.ts'
import { removePortsFile, writePidFile, writePortsFile } from '../files.ts'
import { parseAdvertised } from '../listen.ts'
import type { OptionRow, PlainField } from '../option-table.ts'
import type { Options } from '../options.ts'
import type { Server } from '../server.ts'
import { type Effect, type Reload, ReloadRefused, refuse } from './rule.ts'

/** A value as logs show it. */
function shown(row: OptionRow, value: unknown): string {
  return row.type === 'duration' || row.type === 'durationText'
    ? goDuration((value as number) * 1e6)
    : `${value}`
}

/** What a change does besides being read at its next use. */
const EFFECTS: { readonly [F in PlainField]?: (reload: Reload) => Effect } = {
  trace: () => ({ rebuilds: ['logging', 'tracing'] }),
  traceVerbose: () => ({ rebuilds: ['logging', 'tracing'] }),
  traceHeaders: () => ({ rebuilds: ['logging', 'tracing'] }),
  debug: () => ({ rebuilds: ['logging'] }),
  logtime: () => ({ rebuilds: ['logging'] }),
  logtimeUtc: () => ({ rebuilds: ['logging'] }),
  logFile: () => ({ rebuilds: ['logging'] }),
  clientAdvertise: ({ after: { clientAdvertise, port } }) => {
    try {
      if (clientAdvertise !== '') parseAdvertised(clientAdvertise, port)
    } catch (error) {
      throw new ReloadRefused(
        `invalid ClientAdvertise value of ${clientAdvertise}, err=${(error as Error).message}`,
      )
    }
    // Without the d, in the official server too.
    return { says: [`Reload: client_advertise = ${clientAdvertise}`] }
  },
  noFastProducerStall: ({ after: { noFastProducerStall } }) => ({
    says: [`Reloaded: fast producers will ${noFastProducerStall ? 'not ' : ''}be stalled`],
  }),
  maxPayload: () => ({ apply: reloadLimits }),
  maxControlLine: () => ({ apply: reloadLimits }),
  maxConnections: ({ after: { maxConnections } }) => ({
    says: [],
    apply: (server) => {
      closeBeyond(server, maxConnections)
      server.log.info(`Reloaded: max_connections = ${maxConnections}`)
    },
  }),
  pidFile: ({ after: { pidFile } }) => ({
    ...(pidFile === '' ? { says: [] } : {}),
    apply: (server) => {
      if (pidFile === '') return
      try {
        writePidFile(pidFile)
      } catch (error) {
        server.log.error(`Failed to write pidfile: ${(error as Error).message}`)
      }
    },
  }),
  portsFileDir: () => ({
    apply: (server, before) => {
      if (before.portsFileDir !== '') removePortsFile(before.portsFileDir)
      if (server.options.portsFileDir !== '') writePortsFile(server)
    },
  }),
}

function reloadLimits(server: Server): void {
  for (const client of server.clients.values()) client.reloadLimits()
}

/** Random connections go until the rest fits. */
function closeBeyond(server: Server, limit: number): void {
  const surplus = server.clients.size - Math.max(0, limit)
  if (surplus <= 0) return
  const clients = [...server.clients.values()]
  for (let i = 0; i < surplus; i++) {
    const [client] = clients.splice(Math.floor(Math.random() * clients.length), 1)
    client!.refuse('maxConnections')
  }
  server.log.info(`Closed ${surplus} connections to fall within max_connections`)
}

/** Judges the change of a row's value. @throws ReloadRefused. */
export function judge(row: OptionRow, reload: Reload): Effect {
  const [before, after] = [reload.before[row.field], reload.after[row.field]]
  if (!row.reloadable) {
    if (row.field === 'noAuthUser' && mayDrop(before as string, after as string, reload.after)) return {}
    if (row.field === 'systemAccount' && before === '$SYS' && after === '') return {}
    refuse(row.official, shown(row, before), shown(row, after))
  }
  const effect = EFFECTS[row.field as PlainField]?.(reload) ?? {}
  return { says: [`Reloaded: ${row.key} = ${shown(row, after)}`], ...effect }
}

/** The guest may go, together with the user it stood for. */
const mayDrop = (before: string, after: string, { users }: Options): boolean =>
  before !== '' && after === '' && !users.some((user) => user.user === before)
