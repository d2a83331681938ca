// The reload of the trusted proxies: who came through one that is not trusted any more has to go.
import { type Effect, quotedList, type Reload } from './rule.ts'

export function reloadProxies(before: string[], after: string[], _reload: Reload): Effect {
  const removed = before.filter((key) => !after.includes(key))
  const added = after.filter((key) => !before.includes(key))
  return {
    apply: (server) => {
      for (const client of [...server.clients.values()])
        if (removed.includes(client.user.proxyKey ?? '')) client.distrustProxy()
      if (removed.length > 0)
        server.log.info(`Reloaded: proxies trusted keys ${quotedList(removed)} were removed`)
      if (added.length > 0) server.log.info(`Reloaded: proxies trusted keys ${quotedList(added)} were added`)
    },
    rebuilds: ['authorization'],
  }
}
