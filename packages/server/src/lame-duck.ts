// Lame duck mode: a server that is about to stop tells its clients, lets them go one by one, and stops when the last has gone.
import type { Client } from './connection/client.ts'
import { timerDelay } from './deadline.ts'
import type { Server } from './server.ts'

/** Longest wait between two closed connections. */
const LONGEST_STEP_MS = 1_000
/** Shortest step a timer keeps; more connections than steps are closed in batches. */
const SHORTEST_STEP_MS = 1

/** Ends when the server has stopped. `signal` cuts the waiting short: somebody else stops the server. */
export async function lameDuck(server: Server, signal: AbortSignal): Promise<void> {
  const { options, log } = server
  await server.stopAccepting()
  if (server.clients.size > 0 && !signal.aborted) {
    const clients = shuffled([...server.clients.values()])
    for (const client of clients) client.announceLameDuck()
    await pause(options.lameDuckGracePeriod, signal)
    if (!signal.aborted) {
      log.info('Closing existing clients')
      await closeInTurn(clients, options.lameDuckDuration - options.lameDuckGracePeriod, signal)
    }
  }
  await server.stop()
}

async function closeInTurn(clients: Client[], duration: number, signal: AbortSignal): Promise<void> {
  const step = Math.min(LONGEST_STEP_MS, Math.max(SHORTEST_STEP_MS, duration / clients.length))
  const batch = Math.max(1, Math.floor((clients.length * step) / duration))
  for (const [i, client] of clients.entries()) {
    if (signal.aborted) return
    client.close('Server Shutdown')
    if (i < clients.length - 1 && i % batch === 0)
      await pause(Math.max(step / 2, Math.random() * step), signal)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, timerDelay(ms))
    signal.addEventListener('abort', end)
  })
}

function shuffled<T>(list: T[]): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[list[i], list[j]] = [list[j]!, list[i]!]
  }
  return list
}
