// The one configuration file of the message server, in the language that ngs-server and nats-server share.
import type { ServerSettings } from '../config.ts'
import { ServiceError } from '../errors.ts'

export interface ServerConfig {
  settings: ServerSettings
  operatorToken: string
  systemAccount: string
  /** Account key -> token that the server knows before the service has connected. */
  preload: Readonly<Record<string, string>>
  /** Where the server keeps account tokens. */
  resolverDir: string
}

/** A string of the configuration language; JSON's escapes are a subset of its own, save for the solidus and \u. */
function quote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is refused
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    throw new ServiceError('bad-option', `${JSON.stringify(text)} has control characters; leave them out`)
  }
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

function checkPort(name: string, port: number): number {
  if (!Number.isInteger(port) || port < -1 || port > 65535) {
    throw new ServiceError('bad-option', `the ${name} port must be from 0 to 65535, not ${port}`)
  }
  return port === 0 ? -1 : port
}

const hostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** The text of the file. Operator mode, full resolver, system account, WebSocket and monitoring listeners. */
export function serverConfigText({
  settings,
  operatorToken,
  systemAccount,
  preload,
  resolverDir,
}: ServerConfig): string {
  const host = settings.host ?? '0.0.0.0'
  const websocketPort = checkPort('WebSocket', settings.websocketPort)
  const place = Object.entries({ region: settings.region, location: settings.location }).flatMap(
    ([key, value]) => (value === undefined || value === '' ? [] : [[key, value] as const]),
  )
  const lines = [
    '# Written at each start of the service. Valid for ngs-server and nats-server.',
    `server_name: ${quote(settings.name ?? 'ngs')}`,
    `host: ${quote(host)}`,
    `port: ${checkPort('NATS', settings.port)}`,
    `http: ${quote(hostPort(host, checkPort('monitoring', settings.monitoringPort)))}`,
    '',
    'websocket {',
    `  host: ${quote(host)}`,
    `  port: ${websocketPort}`,
    '  no_tls: true',
    '}',
    '',
    `operator: ${quote(operatorToken)}`,
    `system_account: ${quote(systemAccount)}`,
    'resolver {',
    '  type: full',
    `  dir: ${quote(resolverDir)}`,
    '  allow_delete: false',
    '  interval: "2m"',
    '  timeout: "1.9s"',
    '}',
    'resolver_preload {',
    ...Object.entries(preload).map(([account, token]) => `  ${account}: ${quote(token)}`),
    '}',
    '',
  ]
  if (place.length > 0) {
    // Tags lose their case, so the place is given once more as metadata.
    lines.push(`server_tags: [${place.map(([key, value]) => quote(`${key}:${value}`)).join(', ')}]`)
    lines.push('server_metadata {', ...place.map(([key, value]) => `  ${key}: ${quote(value)}`), '}', '')
  }
  return lines.join('\n')
}
