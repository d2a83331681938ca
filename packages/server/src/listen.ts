// Opening listeners.
import type { AddressInfo, Server as NetServer } from 'node:net'
import { ServerError } from './errors.ts'

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
  explain = (cause: string): string => `Error listening on port: ${hostPort(host, port)}, "${cause}"`,
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const why =
        error.code === 'EADDRINUSE'
          ? 'address already in use'
          : error.code === 'EACCES'
            ? 'permission denied'
            : error.message
      reject(new ServerError('listen', explain(`listen tcp ${hostPort(host, port)}: bind: ${why}`)))
    }
    server.once('error', failed)
    server.listen(port === -1 ? 0 : port, host, () => {
      server.off('error', failed)
      resolve(server.address() as AddressInfo)
    })
  })
}
