// /healthz: does the server take clients? There is no JetStream whose health could be asked for.
import type { Server } from '../server.ts'

export interface HealthzOptions {
  stream: string
  consumer: string
  account: string
  /** Errors as a list with their types. */
  details: boolean
}

interface Fault {
  type: 'BAD_REQUEST' | 'CONNECTION'
  error: string
}

export interface Health {
  status: 'ok' | 'error'
  error?: string
  errors?: Fault[]
}

/** `code` is the status of the HTTP answer. */
export function healthz(server: Server, options: HealthzOptions): { code: number; health: Health } {
  const fail = (code: number, type: Fault['type'], error: string): { code: number; health: Health } => ({
    code,
    health: options.details ? { status: 'error', errors: [{ type, error }] } : { status: 'error', error },
  })
  if (options.account === '' && options.stream !== '')
    return fail(400, 'BAD_REQUEST', '"account" must not be empty when checking stream health')
  if (options.stream === '' && options.consumer !== '')
    return fail(400, 'BAD_REQUEST', '"stream" must not be empty when checking consumer health')
  const closed = closedListeners(server)
  if (closed.length > 0)
    return fail(500, 'CONNECTION', `failed to be ready for connections after 1ms: ${closed.join(', ')}`)
  return { code: 200, health: { status: 'ok' } }
}

/** Of those that there should be: at the start, and in lame duck mode. */
function closedListeners({ isListening, options, listeners }: Server): string[] {
  const names = isListening ? [] : ['server']
  if (options.websocket.port !== 0 && (listeners.websocket === null || !isListening)) names.push('websocket')
  return names
}
