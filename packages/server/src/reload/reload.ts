// A reload: reads the options anew, judges every change, and applies all of them or none.
import { isDeepStrictEqual } from 'node:util'
import { openProblem } from '../file-problem.ts'
import { Log } from '../log.ts'
import { OPTION_ROWS } from '../option-table.ts'
import type { Options } from '../options.ts'
import type { Server } from '../server.ts'
import { traceSystem } from '../system/verbose.ts'
import { reloadAuthorization } from './authorization.ts'
import { ALWAYS, BLOCK_RULES } from './blocks.ts'
import { judge } from './plain.ts'
import { type Effect, REBUILDS, type Rebuild, type Reload, type Rule } from './rule.ts'

/** Makes these options the server's. @throws ReloadRefused when one of them needs a restart; then nothing has changed. */
export async function reloadOptions(server: Server, after: Options): Promise<void> {
  // A random port is no change: whoever was given one keeps it.
  if (after.port === -1) after.port = server.options.port
  const before = { ...server.options }
  const effects = changes({ server, before, after })
  Object.assign(server.options, after)
  const rebuilds = new Set<Rebuild>()
  for (const { says, apply, rebuilds: asked } of effects) {
    await apply?.(server, before)
    for (const line of says ?? []) server.log.info(line)
    for (const rebuild of asked ?? []) rebuilds.add(rebuild)
  }
  for (const rebuild of REBUILDS) if (rebuilds.has(rebuild)) await REBUILD[rebuild](server)
  server.configLoadTime = new Date()
  server.log.info(
    `Reloaded server configuration ${after.configDigest === '' ? '' : `(${after.configDigest})`}`,
  )
}

const REBUILD: { readonly [R in Rebuild]: (server: Server) => void | Promise<void> } = {
  logging: (server) => {
    if (!(server.log instanceof Log)) return
    try {
      server.log.configure(server.options)
    } catch (error) {
      const { logFile } = server.options
      server.log.error(`The log stays where it is: ${openProblem(error as NodeJS.ErrnoException, logFile)}`)
    }
  },
  tracing: (server) => {
    for (const client of server.clients.values()) client.traceProtocol()
    traceSystem(server)
  },
  authorization: reloadAuthorization,
  statsz: (server) => {
    for (const observer of server.observers) observer.stateChanged?.()
  },
}

function changes(reload: Reload): Effect[] {
  const { before, after } = reload
  const effects: Effect[] = []
  for (const row of OPTION_ROWS)
    if (!isDeepStrictEqual(before[row.field], after[row.field])) effects.push(judge(row, reload))
  for (const [name, rule] of Object.entries(BLOCK_RULES)) {
    const field = name as keyof typeof BLOCK_RULES
    if (!ALWAYS.has(field) && isDeepStrictEqual(before[field], after[field])) continue
    effects.push((rule as Rule<typeof field>)(before[field], after[field], reload))
  }
  return effects
}
