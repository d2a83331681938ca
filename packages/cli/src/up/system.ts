// The running system: a message server (unless an existing cluster is managed) and the service.
import { join } from 'node:path'
import type { PreparedDataDir, ServerSettings } from '@ngs/service'
import { listenError, type Ports, publicHost, resolvePorts, type Urls } from './addresses.ts'
import { ensureDataDir } from './data-dir.ts'
import { ignoreLateWrites } from './late-writes.ts'
import { DataDirLock } from './lock.ts'
import { ServerChild } from './server-child.ts'

export interface UpOptions {
  dataDir: string
  /** Address to listen on. */
  host: string
  /** 0 = any free. */
  ports: Ports
  region?: string
  location?: string
  plansFile?: string
  publicUrl?: string
  /** Executable of another message server that takes the same file and flags. */
  engine?: string
  /** Manages this cluster and starts no server. */
  cluster?: { url: string; systemCreds: string }
  /** Called once the data directory is ours, before anything starts; what it throws ends the start. */
  locked: () => void
  /** Gets each line of the server's log. */
  serverLog: (line: string) => void
  /** Gets what a person at the terminal should know while the system runs. */
  note: (text: string) => void
}

export interface System {
  readonly urls: Urls
  readonly dataDir: string
  /** Stops service and server; resolves when both have ended. */
  stop(): Promise<void>
}

/**
 * Starts everything; resolves when clients can connect and the service answers. When `signal` is aborted before, what
 * has been started is stopped and the promise rejects.
 * @throws CliError and ServiceError, each one line; nothing keeps running then
 */
export async function startSystem(options: UpOptions, signal: AbortSignal): Promise<System> {
  // Loaded while the rest is prepared: it is most of what a start costs.
  const loading = import('@ngs/service')
  loading.catch(() => {})
  const { dataDir, host, cluster } = options
  ensureDataDir(dataDir)
  const lock = await DataDirLock.acquire(dataDir)
  const undo: (() => void | Promise<void>)[] = [() => lock.release(), ignoreLateWrites()]
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    options.locked()
    const { http, ...serverPorts } = options.ports
    const ports = await resolvePorts(host, cluster === undefined ? { ...serverPorts, http } : { http })
    const urls = urlsOf(options, ports)
    const { prepareDataDir, Service } = await loading
    const publicUrl = options.publicUrl ?? urls.http
    const prepared = prepareDataDir({
      dataDir,
      publicUrl,
      natsUrls: [publishedNatsUrl(options, urls)],
      ...(cluster === undefined ? { server: serverSettings(options, ports) } : {}),
    })
    signal.throwIfAborted()
    if (cluster === undefined) {
      const server = await startServer(options, prepared, lock, signal)
      undo.push(() => server.stop())
      signal.throwIfAborted()
    }
    const service = await Service.start({
      dataDir,
      natsUrls: [cluster?.url ?? `nats://${loopback(host)}:${ports.nats}`],
      ...(cluster === undefined ? {} : { systemCreds: cluster.systemCreds }),
      publicUrl,
      publicNatsUrls: [publishedNatsUrl(options, urls)],
      http: { host, port: ports.http! },
      ...(options.plansFile === undefined ? {} : { plansFile: options.plansFile }),
    }).catch((error: NodeJS.ErrnoException) => {
      // Taken by somebody else since it was found free.
      throw error.syscall === 'listen' ? listenError(error, host, ports.http!, 'http') : error
    })
    undo.push(() => service.stop())
    signal.throwIfAborted()
    return { urls, dataDir, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function startServer(
  options: UpOptions,
  prepared: PreparedDataDir,
  lock: DataDirLock,
  signal: AbortSignal,
): Promise<ServerChild> {
  const { note } = options
  return ServerChild.start(
    {
      config: prepared.serverConfig!,
      runDir: join(options.dataDir, 'run'),
      ...(options.engine === undefined ? {} : { engine: options.engine }),
      log: options.serverLog,
      onProcess: (pid) => lock.setServer(pid),
      onRestart: (how) => note(`the message server has ended (${how}); starting it again`),
      onBack: () => note('the message server is back'),
    },
    signal,
  )
}

function serverSettings({ host, region, location }: UpOptions, ports: Partial<Ports>): ServerSettings {
  return {
    host,
    port: ports.nats!,
    websocketPort: ports.websocket!,
    monitoringPort: ports.monitoring!,
    ...(region === undefined ? {} : { region }),
    ...(location === undefined ? {} : { location }),
  }
}

function urlsOf({ host, cluster }: UpOptions, ports: Partial<Ports>): Urls {
  const name = publicHost(host)
  const http = `http://${name}:${ports.http}`
  if (cluster !== undefined) return { nats: cluster.url, http }
  return {
    nats: `nats://${name}:${ports.nats}`,
    websocket: `ws://${name}:${ports.websocket}`,
    monitoring: `http://${name}:${ports.monitoring}`,
    http,
  }
}

/** What signed tokens tell clients to connect to: the machine of the public URL, when there is one. */
function publishedNatsUrl({ publicUrl, cluster }: UpOptions, urls: Urls): string {
  if (cluster !== undefined || publicUrl === undefined || !URL.canParse(publicUrl)) return urls.nats
  return `nats://${new URL(publicUrl).hostname}:${new URL(urls.nats).port}`
}

/** Where this machine reaches a server of its own that listens on `host`. */
function loopback(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
