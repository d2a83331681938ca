// HTTP monitoring as HTTP: paths, statuses, headers, texts of refusals, TLS.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { get as getSecure, type RequestOptions } from 'node:https'
import { describe, it } from 'node:test'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import { Engine, enginesUnderTest, needsOpenssl, RawClient, run, waitFor } from '@ngs/testkit'
import { authority, caFile, localhost, serverFiles } from './certificates.ts'
import { onEveryEngine } from './support.ts'

interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** Paths go as they are written. */
function ask(base: string, path: string, method = 'GET'): Promise<Answer> {
  const { hostname, port } = new URL(base)
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, path, method }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }))
    })
    outgoing.on('error', reject).end()
  })
}

const ENDPOINTS = [
  'varz',
  'connz',
  'routez',
  'gatewayz',
  'leafz',
  'subsz',
  'subscriptionsz',
  'accountz',
  'accstatz',
  'jsz',
  'healthz',
  'ipqueuesz',
  'stacksz',
]

onEveryEngine('monitoring over HTTP', 'http: "127.0.0.1:-1"', (bench) => {
  const get = (path: string, method?: string): Promise<Answer> =>
    ask(bench.server.monitoringUrl, path, method)

  it('answers with JSON that pages of other sites may read', async () => {
    for (const name of ENDPOINTS) {
      const { status, headers, body } = await get(`/${name}`)
      assert.equal(status, 200, name)
      assert.equal(headers['content-type'], 'application/json', name)
      assert.equal(headers['access-control-allow-origin'], '*', name)
      assert.ok(body.length > 0)
    }
    const vars = await get('/debug/vars')
    assert.equal(vars.headers['content-type'], 'application/json; charset=utf-8')
    assert.equal(vars.headers['access-control-allow-origin'], undefined)
    assert.deepEqual(Object.keys(JSON.parse(vars.body)), ['cmdline', 'memstats'])
  })
  it('has a page with links to them', async () => {
    const { status, headers, body } = await get('/')
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    const links = [...body.matchAll(/<a href="?\.(\/[^ ">]+)/g)].map((match) => match[1])
    assert.deepEqual(links, [
      '/varz',
      '/jsz',
      '/connz',
      '/accountz',
      '/accstatz',
      '/subsz',
      '/routez',
      '/leafz',
      '/gatewayz',
      '/raftz',
      '/healthz',
      '/debug/vars',
    ])
  })
  it('says of what it does not have that it is not found', async () => {
    for (const path of [
      '/nowhere',
      '/varz/',
      '/varz/more',
      '/metrics',
      '/__proto__',
      '/constructor',
      '/debug',
      '/debug/pprof/',
    ]) {
      const { status, headers, body } = await get(path)
      assert.equal(status, 404, path)
      assert.equal(headers['content-type'], 'text/plain; charset=utf-8')
      assert.equal(body, '404 page not found\n')
    }
    const raft = await get('/raftz')
    assert.deepEqual([raft.status, raft.body], [404, 'No Raft nodes registered'])
  })
  it('sends whoever writes a path in a roundabout way to the plain one', async () => {
    for (const [path, plain] of [
      ['//varz', '/varz'],
      ['/x/../varz?a=1&b=2', '/varz?a=1&b=2'],
      ['/./connz', '/connz'],
    ] as const) {
      const { status, headers, body } = await get(path)
      assert.deepEqual([status, headers['location']], [307, plain])
      assert.equal(body, `<a href="${plain.replaceAll('&', '&amp;')}">Temporary Redirect</a>.\n\n`)
    }
    const posted = await get('//varz', 'POST')
    assert.deepEqual([posted.status, posted.headers['location'], posted.body], [307, '/varz', ''])
    assert.equal(posted.headers['content-type'], undefined)
    assert.equal((await get('http://somewhere.example')).headers['location'], '/')
  })
  it('takes the form of requests through a proxy', async () => {
    const { status, body } = await get('http://somewhere.example/healthz?details=1')
    assert.deepEqual([status, body], [200, '{"status":"ok"}'])
  })
  it('serves every method, and HEAD without a body', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      assert.equal((await get('/healthz', method)).body, '{"status":"ok"}')
    const head = await get('/healthz', 'HEAD')
    assert.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', '15'])
  })
  it('refuses what it cannot read in a query with 400 and says what it is', async () => {
    const bool = (name: string, text: string) =>
      `Error decoding boolean for '${name}': strconv.ParseBool: parsing "${text}": invalid syntax`
    const number = (kind: string, name: string, text: string, why = 'invalid syntax') =>
      `Error decoding ${kind} for '${name}': strconv.${kind === 'int' ? 'Atoi' : 'ParseUint'}: parsing "${text}": ${why}`
    for (const [path, text] of [
      ['/connz?subs=maybe', bool('subs', 'maybe')],
      ['/connz?auth=yes', bool('auth', 'yes')],
      ['/connz?offset=x', number('int', 'offset', 'x')],
      ['/connz?limit=1.5', number('int', 'limit', '1.5')],
      ['/connz?limit=%22%00%5c%C3%A9%07', number('int', 'limit', '\\"\\x00\\\\é\\a')],
      [
        '/connz?limit=99999999999999999999',
        number('int', 'limit', '99999999999999999999', 'value out of range'),
      ],
      ['/connz?cid=-1', number('uint64', 'cid', '-1')],
      ['/connz?state=odd', 'Error decoding state for odd'],
      ['/connz?sort=bogus', 'invalid sorting option: bogus'],
      ['/connz?sort=__proto__', 'invalid sorting option: __proto__'],
      ['/connz?sort=stop', 'sort by stop only valid on closed connections'],
      ['/connz?sort=reason&state=any', 'sort by reason only valid on closed connections'],
      ['/subsz?test=a.*', 'invalid test subject, must be valid publish subject: a.*'],
      ['/subsz?subs=2', bool('subs', '2')],
      ['/routez?subs=2', bool('subs', '2')],
      ['/gatewayz?accs=2', bool('accs', '2')],
      ['/leafz?subs=detail', bool('subs', 'detail')],
      ['/accountz?acc=NOBODY', 'Account NOBODY does not exist'],
      ['/accstatz?unused=2', bool('unused', '2')],
      ['/jsz?raft=2', bool('raft', '2')],
      ['/jsz?limit=x', number('int', 'limit', 'x')],
      ['/jsz?leader-only=1', 'filtered response: not leader'],
      ['/healthz?details=2', bool('details', '2')],
      ['/ipqueuesz?all=2', bool('all', '2')],
    ] as const) {
      const { status, headers, body } = await get(path)
      assert.deepEqual([status, body], [400, text], path)
      assert.equal(headers['content-type'], 'text/plain; charset=utf-8', path)
    }
  })
  it('reads queries as Go does', async () => {
    const page = async (query: string) =>
      JSON.parse((await get(`/connz?${query}`)).body) as { limit: number; offset: number }
    for (const [query, limit, offset] of [
      ['limit=3&limit=4', 3, 0],
      ['limit=%33', 3, 0],
      ['limit=%zz', 1024, 0],
      ['limit=3;offset=1', 1024, 0],
      ['limit=%2B3', 3, 0],
      ['limit=-1&offset=-1', 1024, 0],
      ['limit=0', 1024, 0],
      ['callback=f&limit=2', 2, 0],
    ] as const) {
      const answer = await page(query)
      assert.deepEqual([answer.limit, answer.offset], [limit, offset], query)
    }
    assert.match((await get('/varz?callback=f')).body, /^\{/)
  })
  it('counts requests by path', async () => {
    const stats = async () =>
      (await bench.server.monitor<{ http_req_stats: Record<string, number> }>('/varz')).http_req_stats
    const before = await stats()
    await get('/subscriptionsz')
    await get('/')
    await get('/stacksz')
    const after = await stats()
    const grown = Object.keys(after).filter((path) => after[path] !== before[path])
    assert.deepEqual(grown, ['/', '/subsz', '/varz'])
  })
  it('tells what is wrong with a question about health', async () => {
    for (const [query, status, body] of [
      ['', 200, '{"status":"ok"}'],
      ['?js-enabled=1&js-enabled-only=1&js-server-only=1&js-meta-only=1', 200, '{"status":"ok"}'],
      ['?account=A&stream=S', 200, '{"status":"ok"}'],
      [
        '?stream=S',
        400,
        '{"status":"error","error":"\\"account\\" must not be empty when checking stream health"}',
      ],
      [
        '?consumer=C&details=1',
        400,
        '{"status":"error","errors":[{"type":"BAD_REQUEST","error":"\\"stream\\" must not be empty when checking consumer health"}]}',
      ],
    ] as const) {
      const answer = await get(`/healthz${query}`)
      assert.deepEqual([answer.status, answer.body], [status, body])
      assert.equal(answer.headers['content-type'], 'application/json')
    }
    await bench.server.waitForLog(/\[WRN\] Healthcheck failed: "\\"account\\" must not be empty/)
    await bench.server.waitForLog(/\[WRN\] Healthcheck: js-enabled deprecated, use js-enabled-only instead/)
  })
})

onEveryEngine(
  'monitoring under a base path',
  'http: "127.0.0.1:-1"\nhttp_base_path: "some/where/"',
  (bench) => {
    it('has everything there and nothing elsewhere', async () => {
      const get = (path: string): Promise<Answer> => ask(bench.server.monitoringUrl, path)
      for (const path of ['/', '/varz', '/some', '/some/where/', '/some/wherevarz'])
        assert.equal((await get(path)).status, 404, path)
      const varz = await get('/some/where/varz')
      assert.equal((JSON.parse(varz.body) as Record<string, unknown>)['http_base_path'], 'some/where/')
      const { status, body } = await get('/some/where')
      assert.equal(status, 200)
      assert.match(body, /href="?\.\/some\/where\/varz/)
    })
  },
)

for (const { name, path } of enginesUnderTest()) {
  describe(`monitoring and the life of a server [${name}]`, () => {
    it('is not well in lame duck mode', async (t) => {
      const server = await Engine.start(t, {
        engine: path,
        config:
          'http: "127.0.0.1:-1"\nlame_duck_grace_period: "4s"\nlame_duck_duration: "30s"\nwebsocket { listen: "127.0.0.1:-1", no_tls: true }',
      })
      const client = await RawClient.connect(t, server.port)
      client.connect()
      await client.flush()
      server.kill('SIGUSR2')
      await waitFor(async () => (await ask(server.monitoringUrl, '/healthz')).status === 500, {
        what: 'status 500',
      })
      const { body } = await ask(server.monitoringUrl, '/healthz?details=1')
      const { status, errors } = JSON.parse(body) as {
        status: string
        errors: { type: string; error: string }[]
      }
      assert.deepEqual([status, errors.length, errors[0]!.type], ['error', 1, 'CONNECTION'])
      const [, names] = /^failed to be ready for connections after 1ms: (.*)$/.exec(errors[0]!.error)!
      assert.deepEqual(names!.split(', ').sort(), ['server', 'websocket'])
      server.kill('SIGINT')
      await server.exited
    })
    it('keeps the server from starting when its port is taken, or when it is asked for twice', async (t) => {
      const server = await Engine.start(t, { engine: path, config: 'http: "127.0.0.1:-1"' })
      const { port } = new URL(server.monitoringUrl)
      const taken = await run(path, ['-a', '127.0.0.1', '-p', '-1', '-m', port])
      assert.equal(taken.code, 1)
      assert.match(
        taken.stderr,
        /\[FTL\] Can't start monitoring: can't listen to the monitor port: listen tcp 127\.0\.0\.1:\d+: bind: address already in use/,
      )
      const twice = await run(path, ['-a', '127.0.0.1', '-p', '-1', '-m', '18001', '-ms', '18002'])
      assert.equal(twice.code, 1)
      assert.match(
        twice.stderr,
        /\[FTL\] Can't start monitoring: can't specify both HTTP \(18001\) and HTTPs \(18002\) ports/,
      )
      const bare = await run(path, ['-a', '127.0.0.1', '-p', '-1', '-ms', '18002'])
      assert.equal(bare.code, 1)
      assert.match(bare.stderr, /\[FTL\] Can't start monitoring: TLS cert and key required for HTTPS/)
    })
  })
}

describe('monitoring over HTTPS', needsOpenssl(), () => {
  const other = authority.issue({ subject: '/CN=other', names: ['DNS:localhost', 'IP:127.0.0.1'] })
  const config = (files: typeof localhost): string =>
    `https: "127.0.0.1:-1"\ntls { ${serverFiles(files)}, ${caFile}, verify: true }\n`

  onEveryEngine('with the certificate of the client port', config(localhost), (bench) => {
    const ask = (
      path: string,
      more: RequestOptions = {},
    ): Promise<{ body: string; certificate: PeerCertificate }> =>
      new Promise((resolve, reject) => {
        getSecure(
          `${bench.server.monitoringUrl}${path}`,
          { ca: authority.ca, agent: false, ...more },
          (response) => {
            const certificate = (response.socket as TLSSocket).getPeerCertificate()
            let body = ''
            response.setEncoding('utf8').on('data', (text: string) => {
              body += text
            })
            response.on('end', () => resolve({ body, certificate }))
          },
        ).on('error', reject)
      })
    it('does not ask for one of the client', async () => {
      assert.match(bench.server.monitoringUrl, /^https:/)
      const { body, certificate } = await ask('/varz')
      assert.equal(certificate.subject.CN, 'localhost')
      const varz = JSON.parse(body) as Record<string, unknown>
      const { tls_required, tls_verify, http_port, tls_timeout } = varz
      assert.deepEqual([tls_required, tls_verify, http_port, tls_timeout], [true, true, 0, 2])
      // As configured.
      assert.equal(varz['https_port'], -1)
      const end = new Date(certificate.valid_to)
      assert.equal(varz['tls_cert_not_after'], end.toISOString().replace('.000Z', 'Z'))
      await assert.rejects(ask('/varz', { ca: [] }))
    })
    it('takes a new certificate at a reload', async () => {
      writeFileSync(bench.server.configFile, `listen: "127.0.0.1:-1"\n${config(other)}`)
      bench.server.kill('SIGHUP')
      await waitFor(async () => (await ask('/healthz')).certificate.subject.CN === 'other', {
        what: () => `the other certificate:\n${bench.server.log()}`,
      })
    })
  })
})
