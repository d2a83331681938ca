// /healthz: does the server take clients?
import type { Server } from '../server.ts'

export function healthz(server: Server): { status: 'ok' | 'error'; error?: string } {
  return server.isListening
    ? { status: 'ok' }
    : { status: 'error', error: 'failed to be ready for connections after 1ms: server' }
}
