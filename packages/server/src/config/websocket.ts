// The `websocket` block, and what only a server that starts refuses it for.

import { guestProblem } from '../auth/guest.ts'
import { parseOrigin } from '../connection/upgrade.ts'
import type { Options, WebSocketOptions } from '../options.ts'
import { quoteText } from '../quote.ts'
import { ConfigError, type ConfigValue } from './language.ts'
import { readTls } from './tls.ts'
import {
  asBoolean,
  asDuration,
  asInteger,
  asListen,
  asMap,
  asString,
  durationOf,
  eachEntry,
  fail,
  goType,
  isInteger,
  isString,
  type Problems,
  stringList,
} from './values.ts'

export function readWebSocket(block: ConfigValue, options: Options, problems: Problems): void {
  const ws = options.websocket
  if (!(block.value instanceof Map)) fail(block, `Expected websocket to be a map, got ${goType(block)}`)
  eachEntry(block.value, problems, (key, value) => {
    switch (key) {
      case 'listen': {
        const { host, port } = asListen(value)
        ws.host = host
        ws.port = port
        return true
      }
      case 'host':
      case 'net':
        ws.host = asString(value)
        return true
      case 'port':
        ws.port = asInteger(value)
        return true
      case 'advertise':
        ws.advertise = asString(value)
        return true
      case 'no_tls':
        ws.noTls = asBoolean(value)
        return true
      case 'tls':
        ws.tls = readTls(value)
        return true
      case 'same_origin':
        ws.sameOrigin = asBoolean(value)
        return true
      case 'allowed_origins':
      case 'allowed_origin':
      case 'allow_origins':
      case 'allow_origin':
      case 'origins':
      case 'origin':
        ws.allowedOrigins = stringList(value, 'allowed origins', problems) ?? []
        return true
      case 'compression':
      case 'compress':
        ws.compression = asBoolean(value)
        return true
      case 'handshake_timeout':
        if (isInteger(value)) ws.handshakeTimeoutMs = Number(value.value) * 1000
        else if (isString(value)) ws.handshakeTimeoutMs = durationOf(value)
        else fail(value, `error parsing handshake timeout: unsupported type ${goType(value)}`)
        return true
      case 'authorization':
      case 'authentication':
        readOverride(value, ws, problems)
        return true
      case 'no_auth_user':
        ws.noAuthUser = asString(value)
        return true
      case 'jwt_cookie':
        ws.jwtCookie = asString(value)
        return true
      case 'user_cookie':
        ws.userCookie = asString(value)
        return true
      case 'pass_cookie':
        ws.passCookie = asString(value)
        return true
      case 'token_cookie':
        ws.tokenCookie = asString(value)
        return true
      case 'headers':
        readHeaders(value, ws, problems)
        return true
      case 'ping_interval':
        ws.pingIntervalMs = asDuration(value, 'ping_interval', problems)
        return true
    }
    return false
  })
}

/** Credentials for WebSocket clients alone. */
function readOverride(block: ConfigValue, ws: WebSocketOptions, problems: Problems): void {
  eachEntry(asMap(block), problems, (key, value) => {
    switch (key) {
      case 'user':
      case 'username':
        ws.user = asString(value)
        return true
      case 'pass':
      case 'password':
        ws.password = asString(value)
        return true
      case 'token':
        ws.token = asString(value)
        return true
      case 'timeout':
        // As there, what is no number stands for a second.
        ws.authTimeoutMs =
          typeof value.value === 'number' || typeof value.value === 'bigint'
            ? Number(value.value) * 1000
            : 1000
        return true
    }
    return false
  })
}

function readHeaders(block: ConfigValue, ws: WebSocketOptions, problems: Problems): void {
  if (!(block.value instanceof Map)) fail(block, `error parsing headers: unsupported type ${goType(block)}`)
  ws.headers = {}
  for (const [name, value] of block.value) {
    if (isString(value)) ws.headers[name] = value.value
    else problems.error(value, `error parsing header key ${name}: unsupported type ${goType(value)}`)
  }
}

/** Fields of the answer to an upgrade that the server writes itself. */
const OWN_HEADERS = ['host', 'content-length', 'connection', 'upgrade', 'nats-no-masking']

/** @throws ConfigError. */
export function validateWebSocket(options: Options): void {
  const { websocket: ws, operators, users } = options
  const refuse = (text: string): never => {
    throw new ConfigError(text)
  }
  if (ws.port === 0) return
  if (ws.tls === null && !ws.noTls) refuse('websocket requires TLS configuration')
  for (const text of ws.allowedOrigins) {
    const quoted = quoteText(text)
    const origin = parseOrigin(text)
    if (origin === null)
      return refuse(`unable to parse allowed origin: parse ${quoted}: invalid URI for request`)
    if (origin.scheme !== 'http' && origin.scheme !== 'https') {
      refuse(
        `unable to parse allowed origin ${quoted}: allowed origins must be absolute URLs with http or https scheme`,
      )
    }
    if (origin.host === '') refuse(`unable to parse allowed origin ${quoted}: host is required`)
  }
  const guest = guestProblem({ ...options, noAuthUser: ws.noAuthUser })
  if (ws.noAuthUser !== '' && operators.length > 0)
    refuse('no_auth_user not compatible with Trusted Operator')
  if (guest !== null) refuse(guest)
  if (users.length > 0) {
    if (ws.user !== '')
      refuse('websocket authentication username not compatible with presence of users/nkeys')
    if (ws.token !== '') refuse('websocket authentication token not compatible with presence of users/nkeys')
  }
  if (ws.jwtCookie !== '' && operators.length === 0) {
    refuse(
      `trusted operators or trusted keys configuration is required for JWT authentication via cookie "${ws.jwtCookie}"`,
    )
  }
  for (const [name, value] of Object.entries(ws.headers)) {
    if (OWN_HEADERS.includes(name.toLowerCase()))
      refuse(`websocket: invalid header ${quoteText(name)} not allowed`)
    if (name.toLowerCase().startsWith('sec-websocket-'))
      refuse(`websocket: invalid header ${quoteText(name)}, "Sec-WebSocket-" prefix not allowed`)
    if (/[\r\n]/.test(name + value)) refuse(`websocket: header ${quoteText(name)} has more than one line`)
  }
}
