// The four ports of a system: which are taken, which are chosen, and the URLs they give.
import { createServer } from 'node:net'
import { CliError, reasonOf, usageError } from '../errors.ts'

/** Ports by use; 0 stands for any free one. */
export interface Ports {
  nats: number
  websocket: number
  monitoring: number
  http: number
}

/** What `--ports-file` holds. The first three are missing when an existing cluster is managed. */
export interface Urls {
  nats: string
  websocket?: string
  monitoring?: string
  http: string
}

const USES: Record<keyof Ports, { flag: string; use: string }> = {
  nats: { flag: '--port', use: 'clients' },
  websocket: { flag: '--ws-port', use: 'WebSocket clients' },
  monitoring: { flag: '--monitor-port', use: 'monitoring' },
  http: { flag: '--http-port', use: 'the service' },
}

export const DEFAULT_PORTS: Readonly<Ports> = { nats: 4222, websocket: 4280, monitoring: 8222, http: 8228 }

/**
 * Turns 0 into ports that are free now, and makes sure that the named ones are, so that nothing is started or written
 * when one is not. The configuration file gets concrete numbers because clients learn them from signed tokens.
 * @throws CliError port-in-use, naming the port, its use and the flag that changes it
 */
export async function resolvePorts(host: string, wanted: Partial<Ports>): Promise<Partial<Ports>> {
  const names = (Object.keys(USES) as (keyof Ports)[]).filter((name) => wanted[name] !== undefined)
  const owner = new Map<number, keyof Ports>()
  for (const name of names) {
    const port = wanted[name]!
    const other = owner.get(port)
    if (port !== 0 && other !== undefined) {
      throw usageError(`${USES[other].flag} and ${USES[name].flag} are both ${port}; give each its own port`)
    }
    owner.set(port, name)
  }
  // Named ports first, and all of them held until the last is known: no free port is given out twice.
  const held: { close: () => Promise<void> }[] = []
  const ports: Partial<Ports> = {}
  try {
    for (const name of names.sort((a, b) => Number(wanted[a] === 0) - Number(wanted[b] === 0))) {
      const { port, close } = await hold(host, wanted[name]!, name)
      held.push({ close })
      ports[name] = port
    }
  } finally {
    await Promise.all(held.map(({ close }) => close()))
  }
  return ports
}

/**
 * Below the ports that systems give to outgoing connections and to listeners which ask for any: until the one that was
 * chosen is listened on, nobody gets it by chance.
 */
const FREE_FROM = 10_000
const FREE_COUNT = 20_000
const ATTEMPTS = 50

function hold(
  host: string,
  wanted: number,
  name: keyof Ports,
): Promise<{ port: number; close: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    let attempts = 0
    const attempt = (): void => {
      const port =
        wanted === 0 && attempts++ < ATTEMPTS ? FREE_FROM + Math.floor(Math.random() * FREE_COUNT) : wanted
      server.listen({ host, port, exclusive: true })
    }
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (wanted === 0 && error.code === 'EADDRINUSE' && attempts <= ATTEMPTS) attempt()
      else reject(listenError(error, host, wanted, name))
    })
    server.on('listening', () => {
      const { port } = server.address() as { port: number }
      resolve({ port, close: () => new Promise((done) => server.close(() => done())) })
    })
    attempt()
  })
}

/** Why a port cannot be had, in one line. */
export function listenError(
  error: NodeJS.ErrnoException,
  host: string,
  port: number,
  name: keyof Ports,
): CliError {
  const { flag, use } = USES[name]
  switch (error.code) {
    case 'EADDRINUSE':
      return new CliError(
        'port-in-use',
        `port ${port} (${use}) is in use; stop what uses it, or choose another with ${flag} N (0 = any free)`,
      )
    case 'EACCES':
      return new CliError(
        'port-denied',
        `port ${port} (${use}) needs rights this user does not have; choose one above 1023 with ${flag} N`,
      )
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new CliError(
        'bad-host',
        `this machine has no address ${host}; name one of its addresses with --host (0.0.0.0 = all)`,
      )
    default:
      return new CliError(
        'port-unusable',
        `cannot listen on ${host}:${port} (${use}): ${reasonOf(error)}; choose another with ${flag} N`,
      )
  }
}

/** How this machine calls itself when it listens on `host`. */
export function publicHost(host: string): string {
  if (host === '0.0.0.0' || host === '::' || host === '127.0.0.1' || host === '::1') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

/** A port number of a flag. @throws CliError usage */
export function parsePort(flag: string, text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) {
    throw usageError(`${flag} ${text}: a port is a number from 1 to 65535, or 0 for any free one`)
  }
  return Number(text)
}
