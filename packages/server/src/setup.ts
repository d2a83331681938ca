// From options to a server that can accept: accounts, the authenticator, and the listeners that are asked for. What is not used is not loaded.
import { isOperatorMode } from './auth/operators.ts'
import type { Server } from './server.ts'
import type { TlsAcceptor } from './tls/acceptor.ts'

export async function setUp(server: Server): Promise<void> {
  const { options, accounts } = server
  accounts.onRefusedImport = (importer, _spec, why) => server.log.warn(`account [${importer.name}]: ${why}`)
  accounts.onRefusedLatency = ({ name }, { subject }, why) =>
    server.log.debug(
      `Error adding latency tracking for service export to account [${name}]: ${subject}: ${why}`,
    )
  if (isOperatorMode(options)) {
    const { operatorMode } = await import('./auth/jwt.ts')
    server.authenticator = await operatorMode(server)
  } else {
    await useConfiguredAccounts(server)
    if (accounts.system !== null && options.systemAccount === '')
      server.log.debug(`Created system account: "${accounts.system.name}"`)
  }
  if (accounts.system !== null) {
    const { startSystem } = await import('./system/system.ts')
    await startSystem(server, accounts.system)
    if (options.traceVerbose) (await import('./system/verbose.ts')).traceSystem(server)
  }
  await useTls(server, null)
  if (options.tls !== null) {
    const { reportRejected, TlsAcceptor } = await import('./tls/acceptor.ts')
    await useTls(server, new TlsAcceptor(options.tls))
    if (options.tls.rateLimit > 0) reportRejected(server)
  }
  if (options.httpPort !== 0 || options.httpsPort !== 0) {
    const { startMonitoring } = await import('./monitor/monitor.ts')
    server.listeners.monitoring = await startMonitoring(server)
  }
  if (options.websocket.port !== 0) {
    const { startWebSocket } = await import('./connection/websocket-listener.ts')
    server.listeners.websocket = await startWebSocket(server)
  }
}

/** Makes the client port speak TLS, or clear text with null, for connections from now on. */
export async function useTls(server: Server, tls: TlsAcceptor | null): Promise<void> {
  server.tls = tls
  const plain = tls === null && !server.options.proxyProtocol
  server.open = plain ? null : (await import('./connection/opening.ts')).openConnection
}

/** After a reload: accounts and authentication as the options have them now. */
export async function rebuildAuthenticator(server: Server): Promise<void> {
  if (isOperatorMode(server.options)) {
    await server.authenticator.reload?.()
    return
  }
  await useConfiguredAccounts(server)
}

async function useConfiguredAccounts(server: Server): Promise<void> {
  const { configuredAccounts, ConfigAuthenticator, webSocketAuthenticator } = await import('./auth/config.ts')
  configuredAccounts(server)
  const authenticator = new ConfigAuthenticator(server)
  authenticator.reportCallout()
  server.authenticator = authenticator
  server.websocketAuthenticator = webSocketAuthenticator(server)
}
