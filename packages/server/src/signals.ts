// What the signals of the operating system do to a running server.
import { openProblem } from './file-problem.ts'
import type { Log } from './log.ts'
import type { Server } from './server.ts'

/** Names as logs show them, which are Go's. */
const SIGNALS = {
  SIGINT: 'interrupt',
  SIGTERM: 'terminated',
  SIGHUP: 'hangup',
  SIGUSR1: 'user defined signal 1',
  SIGUSR2: 'user defined signal 2',
} as const

/** Takes the signals of this process for the server; the process ends with code 0 when one of them has stopped it. */
export function handleSignals(server: Server, log: Log): void {
  const exit = (): void => process.exit(0)
  const actions: { readonly [S in keyof typeof SIGNALS]: () => unknown } = {
    SIGINT: () => server.stop().then(exit),
    // A server that is leaving in its own time is not hurried.
    SIGTERM: () => (server.isLameDuck ? undefined : server.stop().then(exit)),
    SIGHUP: () =>
      server
        .reload()
        .catch((error: Error) => log.error(`Failed to reload server configuration: ${error.message}`)),
    SIGUSR1: () => {
      try {
        log.reopen()
      } catch (error) {
        const { logFile } = server.options
        log.error(`File log not re-opened: ${openProblem(error as NodeJS.ErrnoException, logFile)}`)
      }
    },
    SIGUSR2: () => server.enterLameDuck()?.then(exit),
  }
  for (const [signal, action] of Object.entries(actions)) {
    process.on(signal, () => {
      log.info(`Trapped "${SIGNALS[signal as keyof typeof SIGNALS]}" signal`)
      action()
    })
  }
}
