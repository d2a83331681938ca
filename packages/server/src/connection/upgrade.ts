// The HTTP request that asks for a WebSocket: what it is refused for, and what the answer and the connection take from it.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { posix } from 'node:path'
import type { WebSocketOptions } from '../options.ts'
import type { TransportCredentials } from './transport.ts'

/** A refused request: the HTTP status, and why, for the log. */
export interface UpgradeRefusal {
  readonly status: 400 | 403 | 404 | 405 | 417 | 501 | 505
  readonly why: string
}

/** What an accepted request settled. */
export interface Upgrade {
  readonly kind: 'client' | 'leaf'
  /** Frames are compressed (permessage-deflate). */
  readonly compression: boolean
  /** The client sends frames without masks. */
  readonly unmasked: boolean
  /** Messages are cut to the size that browsers like. */
  readonly browser: boolean
  /** A browser that does not take compressed messages in pieces. */
  readonly wholeCompressed: boolean
  /** Whom a proxy spoke for, empty for none. */
  readonly forwardedFor: string
  readonly credentials: TransportCredentials | null
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
/** Sixteen bytes, padded; what the last character has beyond them does not matter. */
const KEY = /^[A-Za-z0-9+/]{22}==$/
const HOST = /^[-\w.~!$&'()*+,;=:[\]%]*$/

/** A header with comma-separated tokens has this one. */
function hasToken(request: IncomingMessage, name: string, token: string): boolean {
  return (request.headersDistinct[name] ?? []).some((line) =>
    line.split(',').some((item) => item.trim().toLowerCase() === token.toLowerCase()),
  )
}

/** Of a request's target the path, without the origin that one to a proxy has in front. Null for what has none. */
function targetOf({ url = '/' }: IncomingMessage): { path: string; rest: string } | null {
  const [, path = '', rest = ''] = /^(?:https?:\/\/[^/?#]*)?([^?#]*)(.*)$/is.exec(url)!
  return path === '' ? { path: '/', rest } : path.startsWith('/') ? { path, rest } : null
}
const pathOf = (request: IncomingMessage): string => targetOf(request)?.path ?? '/'

/** Where the path is not in its shortest form, the address of that; else null. */
export function canonical(request: IncomingMessage): string | null {
  const { path, rest } = targetOf(request)!
  const clean = posix.normalize(path)
  return clean === path ? null : `${clean}${rest}`
}

/** Why a request is no good HTTP, of what Node's parser takes. The connection ends with the answer, and the log hears nothing. */
export function malformed(request: IncomingMessage): UpgradeRefusal | null {
  const refuse = (status: UpgradeRefusal['status'], why = ''): UpgradeRefusal => ({ status, why })
  const { headersDistinct, httpVersionMajor: version } = request
  const hosts = headersDistinct['host'] ?? []
  if (version !== 1) return version < 1 ? refuse(400) : refuse(505, 'unsupported protocol version')
  if (targetOf(request) === null || /%(?![0-9a-f]{2})/i.test(request.url ?? '')) return refuse(400)
  if (hosts.length === 0 && request.httpVersion === '1.1') return refuse(400, 'missing required Host header')
  if (hosts.length > 1) return refuse(400)
  if (!HOST.test(hosts[0] ?? '')) return refuse(400, 'malformed Host header')
  const { expect, 'transfer-encoding': coding } = request.headers
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') return refuse(417)
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return refuse(501)
  return null
}

/** Null when nothing speaks against it. `secure`: the connection has TLS. */
export function refusalOf(
  request: IncomingMessage,
  options: WebSocketOptions,
  secure: boolean,
): UpgradeRefusal | null {
  const refuse = (status: UpgradeRefusal['status'], why: string): UpgradeRefusal => ({ status, why })
  if (pathOf(request).endsWith('/mqtt')) return refuse(404, 'mqtt websocket endpoint not enabled')
  if (request.method !== 'GET') return refuse(405, 'request method must be GET')
  if (!request.headers.host) return refuse(400, "'Host' missing in request")
  if (!hasToken(request, 'upgrade', 'websocket')) return refuse(400, "invalid value for header 'Upgrade'")
  if (!hasToken(request, 'connection', 'upgrade')) return refuse(400, "invalid value for header 'Connection'")
  const key = keyOf(request)
  if (key === '') return refuse(400, 'key missing')
  if (!KEY.test(key)) return refuse(400, 'invalid websocket key')
  if (!hasToken(request, 'sec-websocket-version', '13')) return refuse(400, 'invalid version')
  const problem = originProblem(request, options, secure)
  return problem === null ? null : refuse(403, `origin not allowed: ${problem}`)
}

/** The first, where a request has several. */
const keyOf = (request: IncomingMessage): string => request.headersDistinct['sec-websocket-key']?.[0] ?? ''

interface Origin {
  scheme: string
  host: string
  port: string
}

/** An absolute URL's origin, with the port that its scheme stands for. Null for anything else. */
export function parseOrigin(text: string): Origin | null {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/i.exec(text)
  if (match === null) return null
  const scheme = match[1]!.toLowerCase()
  return { scheme, ...hostAndPort(match[2]!, scheme === 'https') }
}

function hostAndPort(text: string, secure: boolean): { host: string; port: string } {
  const [, host, port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(text) ?? ['', text, undefined]
  return { host: host!.toLowerCase().replace(/^\[|\]$/g, ''), port: port ?? (secure ? '443' : '80') }
}

/** A browser's page must come from here (same_origin) or from the list; clients without Origin are no browsers. */
function originProblem(request: IncomingMessage, options: WebSocketOptions, secure: boolean): string | null {
  if (!options.sameOrigin && options.allowedOrigins.length === 0) return null
  const given = request.headers.origin ?? request.headersDistinct['sec-websocket-origin']?.[0] ?? ''
  if (given === '') return null
  const origin = parseOrigin(given)
  if (origin === null) return `parse ${JSON.stringify(given)}: invalid URI for request`
  if (options.sameOrigin) {
    const own = hostAndPort(request.headers.host ?? '', secure)
    if (origin.host !== own.host || origin.port !== own.port || origin.scheme !== (secure ? 'https' : 'http'))
      return 'not same origin'
  }
  if (options.allowedOrigins.length === 0) return null
  const allowed = options.allowedOrigins
    .map(parseOrigin)
    .some((one) => one?.scheme === origin.scheme && one.host === origin.host && one.port === origin.port)
  return allowed ? null : 'not in the allowed list'
}

/** What an accepted request settles. */
export function settle(request: IncomingMessage, options: WebSocketOptions): Upgrade {
  const { headers, headersDistinct } = request
  const agent = headers['user-agent'] ?? ''
  const compression =
    options.compression &&
    (headersDistinct['sec-websocket-extensions'] ?? []).some((line) =>
      line.split(/[,;]/).some((item) => item.trim().toLowerCase() === 'permessage-deflate'),
    )
  const forwarded = headersDistinct['x-forwarded-for']?.[0] ?? ''
  const client = !pathOf(request).endsWith('/leafnode')
  const browser = client && agent.startsWith('Mozilla/')
  return {
    kind: client ? 'client' : 'leaf',
    compression,
    unmasked: headersDistinct['nats-no-masking']?.[0] === 'true',
    browser,
    // Chromium names Safari too, but no version of it.
    wholeCompressed: browser && agent.includes('Version/') && agent.includes('Safari/'),
    forwardedFor: isIP(forwarded) === 0 ? '' : forwarded,
    credentials: client ? credentials(headers.cookie ?? '', options) : null,
  }
}

/** The answer to an accepted request. */
export function switchingProtocols(
  request: IncomingMessage,
  upgrade: Upgrade,
  options: WebSocketOptions,
): string {
  const accept = createHash('sha1')
    .update(`${keyOf(request)}${GUID}`)
    .digest('base64')
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    ...(upgrade.compression
      ? [
          'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover',
        ]
      : []),
    ...(upgrade.unmasked ? ['Nats-No-Masking: true'] : []),
    ...Object.entries(options.headers).map(([name, value]) => `${name}: ${value}`),
    '\r\n',
  ].join('\r\n')
}

/** Others are no cookies. */
const COOKIE_VALUE = /^[ !#-:<-[\]-~]*$/

function credentials(header: string, options: WebSocketOptions): TransportCredentials | null {
  const cookies = new Map<string, string>()
  for (const pair of header.split(';')) {
    const [, name = '', quoted = ''] = /^([^=]*)=?(.*)$/s.exec(pair.trim())!
    const value = quoted.replace(/^"(.*)"$/s, '$1')
    if (name !== '' && COOKIE_VALUE.test(value)) cookies.set(name.trim(), value)
  }
  const found: TransportCredentials = {}
  const take = (name: string, field: keyof TransportCredentials): void => {
    const value = name === '' ? undefined : cookies.get(name)
    if (value !== undefined) found[field] = value
  }
  take(options.jwtCookie, 'jwt')
  take(options.userCookie, 'user')
  take(options.passCookie, 'pass')
  take(options.tokenCookie, 'token')
  return Object.keys(found).length === 0 ? null : found
}
