// Opening listeners.
import type { AddressInfo, Server as NetServer } from 'node:net'
import { ServerError } from './errors.ts'
import { quoteText } from './quote.ts'

/** A listener besides the client port: something that can be closed. */
export interface Listener {
  readonly url: string
  /** Takes the certificates and rules of the options for handshakes from now on. Where there is TLS. */
  renewTls?(): void
  close(): Promise<void>
  /** Takes no new connections; those that are there stay. */
  stopAccepting?(): void
}

export function hostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** As Go splits an address; what is wrong with it in Go's words. */
function split(address: string): { host: string; port: string } | { problem: string } {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(address)
  if (match !== null) return { host: match[1] ?? match[2]!, port: match[3]! }
  const isWhole = !address.includes(':') || /^\[[^[\]]*\]$/.test(address)
  return { problem: `address ${address}: ${isWhole ? 'missing port' : 'too many colons'} in address` }
}

/**
 * `host`, `host:port` or `[host]:port` as it is told to clients; without a port, or with 0 or -1, the given one.
 * @throws Error with Go's text.
 */
export function parseAdvertised(address: string, port: number): { host: string; port: number } {
  let parts = split(address)
  if ('problem' in parts && parts.problem.endsWith('missing port in address'))
    parts = split(`${address}:${port}`)
  if ('problem' in parts) throw new Error(parts.problem)
  const text = parts.port.trim()
  if (!/^[-+]?\d+$/.test(text)) throw new Error(`strconv.Atoi: parsing ${quoteText(text)}: invalid syntax`)
  const number = Number(text)
  return { host: parts.host.trim(), port: number === 0 || number === -1 ? port : number }
}

const BIND_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
}
const LARGEST_PORT = 65_535

/** Listens; -1 is any free port. `explain` makes the text of what goes wrong. @throws ServerError that names address and cause. */
export function bind(
  server: {
    listen: NetServer['listen']
    address: NetServer['address']
    once: NetServer['once']
    off: NetServer['off']
  },
  host: string,
  port: number,
  explain?: (cause: string) => string,
): Promise<AddressInfo> {
  const wanted = port === -1 ? 0 : port
  const address = hostPort(host, wanted)
  const refusal = (cause: string): ServerError =>
    new ServerError('listen', explain?.(cause) ?? `Error listening on port: ${address}, "${cause}"`)
  if (wanted < 0 || wanted > LARGEST_PORT)
    return Promise.reject(refusal(`listen tcp: address ${wanted}: invalid port`))
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      reject(
        refusal(
          error.syscall === 'getaddrinfo'
            ? `listen tcp: lookup ${host}: no such host`
            : `listen tcp ${address}: bind: ${BIND_PROBLEMS[error.code ?? ''] ?? error.message}`,
        ),
      )
    server.once('error', failed)
    server.listen(wanted, host, () => {
      server.off('error', failed)
      resolve(server.address() as AddressInfo)
    })
  })
}
