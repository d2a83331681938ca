// Queries of the monitoring port: an answer of 200 is JSON (or the page), anything else is a clear refusal; nothing takes down the server.
import { ServerUnderFire } from '../server.ts'
import { Finding, type Target } from '../target.ts'

const PATHS = [
  '/',
  '/varz',
  '/connz',
  '/subsz',
  '/accountz',
  '/accstatz',
  '/healthz',
  '/routez',
  '/gatewayz',
  '/leafz',
  '/jsz',
  '/expvarz',
  '/subscriptionsz',
  '/ipqueuesz',
  '/raftz',
  '/nothing',
  '//',
  '/..',
  '/connz/x',
] as const
const NAMES = [
  'sort',
  'limit',
  'offset',
  'subs',
  'auth',
  'state',
  'cid',
  'user',
  'acc',
  'filter_subject',
  'test',
  'unused',
  'js-enabled-only',
  'js-server-only',
  'callback',
  'subject',
  'x',
] as const
const VALUES = [
  '1',
  '0',
  '-1',
  'true',
  'detail',
  'cid',
  'stop',
  'closed',
  'any',
  'x',
  '',
  '99999999999999999999',
  '1e9',
  '%00',
  '%zz',
  'foo.*',
  '>',
  '<script>',
  'a%20b',
  '1.5',
  'NaN',
] as const
/** 307: the path is cleaned first. */
const REFUSALS = new Set([307, 400, 404, 405, 414, 431])

export const http: Target = {
  name: 'http',
  about: 'queries of the monitoring endpoints',
  async start() {
    const server = await ServerUnderFire.start('http: "127.0.0.1:-1"')
    const port = Number(new URL(server.engine.monitoringUrl).port)
    return {
      async one(random) {
        const query = random
          .list(4, () => `${random.pick(NAMES)}=${random.pick(VALUES)}`)
          .join(random.pick(['&', '&', ';']))
        const target = `${random.pick(PATHS)}${query === '' ? '' : `?${query}`}`
        const sound = !random.oneIn(5)
        let request = Buffer.from(`GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`)
        if (!sound) request = Buffer.from(random.damage(request))
        const said = await server.send(port, [request])
        if (!sound) return
        const status = Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1] ?? 0)
        if (status !== 200) {
          // An unhealthy answer of /healthz is one, too.
          if (!REFUSALS.has(status) && !target.startsWith('/healthz'))
            throw new Finding(`status ${status}: ${said.slice(0, 300)}`, request)
          return
        }
        if (!/^content-type: application\/json/im.test(said)) return
        const body = said.slice(said.indexOf('\r\n\r\n') + 4)
        try {
          if (!/^transfer-encoding: chunked/im.test(said)) JSON.parse(body)
        } catch (error) {
          throw new Finding(`no JSON: ${body.slice(0, 300)}`, request, { cause: error })
        }
      },
      check: () => server.check(),
      stop: () => server.stop(),
    }
  },
}
