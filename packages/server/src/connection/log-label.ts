// How log lines name a connection and its user.
import { quoteText } from '../quote.ts'
import type { Client } from './client.ts'

/** `IP:port - cid:N`, before the connection has said who it is. */
export function firstLabel({ transport, cid }: Client): string {
  const { remoteAddress, remotePort, forwardedFor } = transport
  const kind = transport.type === 'WEBSOCKET' ? 'wid' : 'cid'
  const from = forwardedFor === '' ? '' : `${bracketed(forwardedFor)}/`
  return `${from}${bracketed(remoteAddress)}:${remotePort} - ${kind}:${cid}`
}
const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** With what CONNECT has told: `IP:port - cid:N - "vVERSION:LANG:NAME" - "ACCOUNT/user:NAME"`, as far as it is known. */
export function fullLabel(client: Client): string {
  const { name, lang, version } = client.options
  const program = [version === '' ? '' : `v${version}`, lang, name].filter((part) => part !== '').join(':')
  const user = userLabel(client)
  const { account } = client
  const place = account.label === account.name ? account.name : `${account.name}/${account.label}`
  const parts = [program, user === '' ? '' : `${place}/${user}`].filter((part) => part !== '')
  return [firstLabel(client), ...parts.map((part) => quoteText(part))].join(' - ')
}

function userLabel({ options, user }: Client): string {
  if (options.nkey !== '') return `nkey:${options.nkey}`
  // A guest is the user that it stands for.
  const name = options.user !== '' ? options.user : user.kind === 'user' ? user.user : ''
  if (name !== '') return `user:${name}`
  if (user.kind === 'jwt') return `jwt:${user.user}`
  // Nobody has verified whose it is.
  if (options.jwt !== '') return ''
  return options.auth_token === '' ? '' : 'token'
}

export const NO_USER = 'User "N/A"'

/** The same for lines about what a user may not do. */
export function userName(client: Client): string {
  const label = userLabel(client)
  if (label === '') return NO_USER
  if (label === 'token') return 'Token "[REDACTED]"'
  const colon = label.indexOf(':')
  const kinds: Readonly<Record<string, string>> = { nkey: 'Nkey', user: 'User', jwt: 'JWT User' }
  return `${kinds[label.slice(0, colon)]} ${quoteText(label.slice(colon + 1))}`
}
