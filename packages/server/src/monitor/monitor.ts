// HTTP monitoring: a table of endpoints, each a pure function of the server and the query.
import { createServer } from 'node:http'
import { bind, hostPort, type Listener } from '../listen.ts'
import type { Server } from '../server.ts'
import { accountz } from './accountz.ts'
import { accountStatz } from './accstatz.ts'
import { type ConnzQuery, connz, QueryError } from './connz.ts'
import { healthz } from './healthz.ts'
import { subsz } from './subsz.ts'
import { varz } from './varz.ts'

type Query = URLSearchParams
type Endpoint = (server: Server, query: Query, requests: Record<string, number>) => unknown

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True']
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False']

function bool(query: Query, name: string): boolean {
  const text = query.get(name)
  if (text === null || text === '' || FALSE.includes(text)) return false
  if (TRUE.includes(text)) return true
  throw new QueryError(
    `Error decoding boolean for '${name}': strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
  )
}
function int(query: Query, name: string, type = 'int'): number {
  const text = query.get(name)
  if (text === null || text === '') return 0
  if (/^-?\d+$/.test(text)) return Number(text)
  throw new QueryError(
    `Error decoding ${type} for '${name}': strconv.${type === 'int' ? 'Atoi' : 'ParseUint'}: parsing ${JSON.stringify(text)}: invalid syntax`,
  )
}

function state(query: Query): ConnzQuery['state'] {
  const text = query.get('state')?.toLowerCase() ?? ''
  if (text === '' || text === 'open') return 'open'
  if (text === 'closed') return 'closed'
  if (text === 'any' || text === 'all') return 'all'
  throw new QueryError(`Error decoding state for ${text}`)
}

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/varz': (server, _query, requests) => varz(server, requests),
  '/connz': (server, query) =>
    connz(server, {
      sort: query.get('sort') || 'cid',
      auth: bool(query, 'auth'),
      subs: query.get('subs') === 'detail' ? 'detail' : bool(query, 'subs'),
      offset: int(query, 'offset'),
      limit: int(query, 'limit'),
      cid: int(query, 'cid', 'uint64'),
      state: state(query),
      user: query.get('user') ?? '',
      acc: query.get('acc') ?? '',
    }),
  '/subsz': (server, query) =>
    subsz(server, {
      subs: bool(query, 'subs'),
      test: query.get('test') ?? '',
      acc: query.get('acc') ?? '',
      offset: int(query, 'offset'),
      limit: int(query, 'limit') || 1024,
    }),
  '/accstatz': (server, query) => accountStatz(server, null, bool(query, 'unused')),
  '/accountz': (server, query) => accountz(server, query.get('acc') ?? ''),
  '/healthz': (server) => healthz(server),
}

export async function startMonitoring(server: Server): Promise<Listener> {
  const { options } = server
  const host = options.httpHost || options.host
  const base = `/${options.httpBasePath.split('/').filter(Boolean).join('/')}`.replace(/\/$/, '')
  const requests: Record<string, number> = {}
  const http = createServer({ headersTimeout: 5_000, maxHeaderSize: 1024 * 1024 }, (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const path = url.pathname.startsWith(base) ? url.pathname.slice(base.length) || '/' : ''
    const endpoint = ENDPOINTS[path === '/subscriptionsz' ? '/subsz' : path]
    const text = (status: number, body: string): void => {
      response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(body)
    }
    if (path === '/') {
      requests['/'] = (requests['/'] ?? 0) + 1
      const links = Object.keys(ENDPOINTS).map((name) => `<a href="${base}${name}">${name.slice(1)}</a><br/>`)
      response
        .writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })
        .end(`<!DOCTYPE html><html lang="en"><title>${server.name}</title>${links.join('')}</html>\n`)
      return
    }
    if (endpoint === undefined) return text(404, '404 page not found\n')
    requests[path] = (requests[path] ?? 0) + 1
    try {
      const body = endpoint(server, url.searchParams, requests)
      const healthy = path !== '/healthz' || (body as { status: string }).status === 'ok'
      response
        .writeHead(healthy ? 200 : 500, {
          'Content-Type': 'application/json',
          'Access-Control-Allow-Origin': '*',
        })
        .end(path === '/healthz' ? JSON.stringify(body) : JSON.stringify(body, null, 2))
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      text(400, error.message)
    }
  })
  const { port } = await bind(http, host, options.httpPort)
  server.log.info(`Starting http monitor on ${hostPort(host, port)}`)
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      http.close(() => resolve())
      http.closeAllConnections()
    })
  server.onStop(close)
  return { url: `http://${hostPort(host, port)}`, close }
}
