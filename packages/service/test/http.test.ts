// The HTTP surface as strangers see it, and its two descriptions: docs/api.md and /openapi.json.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { decodeAccount, decodeOperator, encodeBase64Url, isBlocking, validate } from '@ngs/identity/node'
import { statusOf } from '../src/http/errors.ts'
import type { AccountStatus, PlanFile, UsageReport } from '../src/index.ts'
import { errorCodes } from '../src/index.ts'
import { nowSeconds, Owner, TestSystem } from './support.ts'

const cleanup: (() => void | Promise<void>)[] = []
const scope = { after: (task: () => void | Promise<void>) => void cleanup.unshift(task) }
let system: TestSystem
before(async () => {
  system = await TestSystem.start(scope)
})
after(async () => {
  for (const task of cleanup) await task()
})

interface Described {
  paths: Record<string, Record<string, { security?: Record<string, string[]>[]; summary?: string }>>
}
const describedRoutes = async (): Promise<
  Map<string, { security?: Record<string, string[]>[]; summary?: string }>
> => {
  const { paths } = JSON.parse((await system.http('GET', '/openapi.json')).text) as Described
  return new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, what]) => [`${method.toUpperCase()} ${path}`, what] as const),
    ),
  )
}

describe('the description of the API', () => {
  it('is the same in docs/api.md and /openapi.json', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/api.md'), 'utf8')
    const written = [...page.matchAll(/^\| `((?:GET|POST|PUT|DELETE|PATCH) \/\S+)` \|/gm)].map(
      (match) => match[1]!,
    )
    const described = await describedRoutes()
    assert.ok(written.length > 10)
    assert.deepEqual([...written].sort(), [...described.keys()].sort())
  })

  it('has a summary for every route, and names the secret it needs', async () => {
    for (const [route, { summary, security }] of await describedRoutes()) {
      assert.ok(summary, route)
      const secret = route.includes('/operator/')
        ? 'operatorToken'
        : route.includes('/api/v1/account')
          ? 'session'
          : undefined
      assert.equal(Object.keys(security?.[0] ?? {})[0], secret, route)
    }
  })

  it('describes only routes that are there', async () => {
    for (const route of (await describedRoutes()).keys()) {
      const [method, path] = route.split(' ') as [string, string]
      const { status, text } = await system.http(method, path.replace(/\{\w+\}/, 'x'))
      assert.ok(!text.includes('there is nothing at'), `${route} ${status} ${text}`)
    }
  })

  it('gives every error a status', () => {
    assert.deepEqual(Object.keys(statusOf).sort(), Object.keys(errorCodes).sort())
  })
})

describe('the routes for nsc', () => {
  it('serve the operator, bare, at both paths', async () => {
    for (const path of ['/jwt/v1/operator', '/jwt/v2/operator']) {
      const { status, text, headers } = await system.http('GET', path)
      assert.equal(status, 200)
      assert.equal(headers.get('content-type'), 'application/jwt')
      const operator = decodeOperator(text)
      assert.equal(operator.nats.account_server_url, `${system.url}/jwt/v1`)
      assert.deepEqual(operator.nats.operator_service_urls, [system.natsUrl])
      assert.equal(isBlocking(validate(operator), { includeTime: true }), false)
      assert.match(
        (await system.http('GET', `${path}?text=TRUE`)).headers.get('content-type')!,
        /^text\/plain/,
      )
      const readable = (await system.http('GET', `${path}?decode=true`)).text
      assert.match(readable, /^\{\n {4}"typ": "JWT",\n {4}"alg": "ed25519-nkey"\n\}\n\r\n\{\n/)
      assert.match(readable, /"iat": \d+ \(\d{4}-\d\d-\d\d\)/)
      assert.ok(readable.endsWith(text.split('.')[2]!))
    }
  })

  it('serve accounts: token, flags, Etag, 304, 404, 501', async () => {
    const owner = new Owner('Weather')
    await system.push(owner.account, owner.sign())
    const path = `/jwt/v1/accounts/${owner.account}`
    const { text: token, headers } = await system.http('GET', path)
    const claims = decodeAccount(token)
    assert.equal(headers.get('content-type'), 'application/jwt')
    assert.equal(headers.get('etag'), `"${claims.jti}"`)
    assert.equal(headers.get('cache-control'), 'no-cache')
    assert.equal(headers.get('access-control-allow-origin'), '*')
    const unchanged = await system.http('GET', path, {
      headers: { 'if-none-match': `W/"x", "${claims.jti}"` },
    })
    assert.deepEqual([unchanged.status, unchanged.text], [304, ''])
    assert.equal((await system.http('GET', path, { headers: { 'if-none-match': '"other"' } })).status, 200)
    const asText = await system.http('GET', `${path}?text=true`)
    assert.deepEqual([asText.text, asText.headers.get('content-type')], [token, 'text/plain; charset=utf-8'])
    assert.match((await system.http('GET', `${path}?decode=true`)).text, /"name": "Weather"/)
    assert.equal((await system.http('GET', `${path}?jti=x`)).status, 501)
    assert.equal((await system.http('GET', `${path}?check=true`)).status, 200)
    for (const unknown of [new Owner().account, 'nonsense', '%00', "'; drop table accounts"]) {
      const { status, text } = await system.http('GET', `/jwt/v1/accounts/${encodeURIComponent(unknown)}`)
      assert.deepEqual([status, text], [404, 'no matching account JWT\n'])
    }
    assert.equal((await fetch(`${system.url}${path}`, { method: 'HEAD' })).status, 200)
  })

  it('serve an expired account, unless asked to check', async () => {
    const owner = new Owner()
    const exp = nowSeconds() - 30
    const leaving = owner.sign({
      issuedAt: nowSeconds() - 90,
      change: (claims) => Object.assign(claims, { exp }),
    })
    assert.equal((await system.push(owner.account, leaving)).status, 200)
    const path = `/jwt/v1/accounts/${owner.account}`
    assert.equal((await system.http('GET', path)).status, 200)
    const { status, text } = await system.http('GET', `${path}?check=true`)
    assert.deepEqual([status, text], [404, ''])
  })

  it('serve the operator’s own accounts', async () => {
    const { nats } = decodeOperator((await system.http('GET', '/jwt/v1/operator')).text)
    assert.equal((await system.claims(nats.system_account!)).name, 'SYS')
  })

  it('say that accounts are served here, and help', async () => {
    for (const path of ['/jwt/v1/accounts', '/jwt/v1/accounts/']) {
      const { status, text, headers } = await system.http('GET', path)
      assert.deepEqual([status, text], [200, ''])
      assert.equal(headers.get('cache-control'), 'no-cache, no-store, must-revalidate')
    }
    assert.match((await system.http('GET', '/jwt/v1/help')).text, /POST \/jwt\/v1\/accounts\/ACCOUNT/)
    assert.equal((await system.http('OPTIONS', '/jwt/v1/accounts/x')).status, 204)
  })

  it('take a push of any content type, or of none', async () => {
    const types = [
      'application/jwt',
      'text/plain',
      'application/json',
      'application/x-www-form-urlencoded',
      'no/such; charset=x',
    ]
    for (const type of types) {
      const owner = new Owner()
      const headers = { 'content-type': type }
      const { status, text } = await system.http('POST', `/jwt/v1/accounts/${owner.account}`, {
        body: owner.sign(),
        headers,
      })
      assert.equal(status, 200, `${type} ${text}`)
    }
    const owner = new Owner()
    const body = owner.sign()
    const answer = await raw(
      `POST /jwt/v1/accounts/${owner.account} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    assert.match(answer, /^HTTP\/1\.1 200 /)
  })

  it('answer 404 to everything else, and never redirect', async () => {
    for (const path of [
      '/',
      '/jwt',
      '/jwt/v1',
      '/jwt/v2/accounts/x',
      '/jwt/v3/operator',
      '/api/v1',
      '/api/v1/x',
      '/jwt/v1/pack',
      '/jwt/v1/activations',
    ]) {
      for (const method of ['GET', 'POST']) {
        const { status, text } = await system.http(method, path)
        assert.equal(status, 404, `${method} ${path}`)
        assert.match(text, new RegExp(`there is nothing at ${path} for ${method}; see /jwt/v1/help`))
      }
    }
    assert.equal((await system.http('DELETE', `/jwt/v1/accounts/${new Owner().account}`)).status, 404)
  })

  it('refuse a path that is no URL as they refuse everything else', async () => {
    const text = await raw('GET /%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    assert.match(
      text,
      /^HTTP\/1\.1 400 [\s\S]*text\/plain[\s\S]*\r\n\r\n'\/%ff' is not a valid url component\n$/,
    )
    const json = await raw('GET /api/v1/%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    const { code, message } = JSON.parse(json.split('\r\n\r\n')[1]!)
    assert.equal(code, 'bad-request')
    assert.match(message, /is not a valid url component/)
  })

  it('say what a push without a body lacks', async () => {
    const { status, text } = await system.http('POST', `/jwt/v1/accounts/${new Owner().account}`)
    assert.equal(status, 400)
    assert.match(
      text,
      /^cannot read the account JWT: .*the body must be one account token, as nsc push sends it\n$/,
    )
  })

  it('survive garbage', async () => {
    const bodies = ['\0\0\0', '\u{1F600}'.repeat(100), 'a.'.repeat(1000), 'eyJ.eyJ.eyJ', 'x'.repeat(200_000)]
    for (const body of bodies) {
      const { status, text } = await system.http('POST', '/jwt/v1/accounts/x', { body })
      assert.equal(status, 400, text)
    }
    assert.match(await raw('GARBAGE\r\n\r\n'), /^HTTP\/1\.1 400 /)
    const long = await raw('POST /jwt/v1/accounts/x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n')
    assert.match(long, /^HTTP\/1\.1 413 [\s\S]*the body is larger than the 262144 bytes that are taken\n$/)
    assert.equal((await system.http('GET', '/healthz')).status, 200)
  })
})

function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(system.httpPort, '127.0.0.1', () => socket.write(bytes))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
}

describe('the JSON routes', () => {
  const json = <T>(answer: { text: string }): T => JSON.parse(answer.text) as T
  const signIn = async (owner: Owner): Promise<string> => {
    const challenge = json<{ nonce: string; expires_at: string }>(
      await system.http('POST', '/api/v1/auth/challenge', { body: { account: owner.account } }),
    )
    assert.ok(challenge.nonce.startsWith('ngs-auth:'))
    assert.ok(Date.parse(challenge.expires_at) > Date.now())
    const signature = encodeBase64Url(owner.key.sign(new TextEncoder().encode(challenge.nonce)))
    const body = { account: owner.account, nonce: challenge.nonce, signature }
    const session = await system.http('POST', '/api/v1/auth/session', { body })
    assert.equal(session.status, 200, session.text)
    const again = await system.http('POST', '/api/v1/auth/session', { body })
    assert.deepEqual([again.status, json<{ code: string }>(again).code], [401, 'bad-challenge'])
    return json<{ token: string }>(session).token
  }

  it('show the plans', async () => {
    const { plans, currency } = json<PlanFile>(await system.http('GET', '/api/v1/plans'))
    assert.equal(currency, 'USD')
    assert.deepEqual(
      plans.map((plan) => plan.id),
      ['free', 'developer', 'project', 'business'],
    )
  })

  it('let an owner sign in and see plan, limits, and what is used', async (t) => {
    const owner = new Owner('Weather')
    owner.claims.nats.exports = [{ name: 'e', subject: 'e', type: 'stream' }]
    await system.push(owner.account, owner.sign())
    const [one, two] = [await owner.connect(t, system.natsUrl), await owner.connect(t, system.natsUrl)]
    two.subscribe('news')
    await two.flush()
    one.publish('news', new Uint8Array(100))
    await one.flush()
    const bearer = await signIn(owner)
    const status = json<AccountStatus>(await system.http('GET', '/api/v1/account', { bearer }))
    assert.equal(status.account, owner.account)
    assert.equal(status.name, 'Weather')
    assert.equal(status.plan.name, 'Free')
    assert.equal(status.state, 'active')
    assert.equal(status.connections, 2)
    assert.equal(status.limits.connections, 10)
    assert.deepEqual([status.usage?.imports, status.usage?.exports], [0, 1])
    const { usage, limits, account } = json<{ account: string; usage: UsageReport; limits: unknown }>(
      await system.http('GET', '/api/v1/account/usage', { bearer }),
    )
    assert.equal(account, owner.account)
    assert.deepEqual(limits, status.limits)
    assert.deepEqual(usage.received, { messages: 1, bytes: 100 })
    assert.deepEqual(usage.sent, { messages: 1, bytes: 100 })
    assert.equal(usage.data, 200)
    assert.equal(usage.connections, 2)
  })

  it('let nobody in without a session, with another one, or with the operator’s token', async () => {
    for (const bearer of [undefined, 'x', system.operatorToken]) {
      for (const path of ['/api/v1/account', '/api/v1/account/usage']) {
        const answer = await system.http('GET', path, bearer === undefined ? {} : { bearer })
        assert.equal(answer.status, 401, answer.text)
        assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
        assert.equal(json<{ code: string }>(answer).code, 'unauthenticated')
      }
    }
    const owner = new Owner()
    await system.push(owner.account, owner.sign())
    const session = await signIn(owner)
    for (const bearer of [undefined, 'x', session, `${system.operatorToken}x`]) {
      const answer = await system.http(
        'GET',
        '/api/v1/operator/accounts',
        bearer === undefined ? {} : { bearer },
      )
      assert.equal(answer.status, 401, answer.text)
    }
    const plan = await system.http('PUT', `/api/v1/operator/accounts/${owner.account}/plan`, {
      body: { plan: 'business' },
      bearer: session,
    })
    assert.equal(plan.status, 401)
    assert.equal((await system.claims(owner.account)).nats.limits.conn, 10)
  })

  it('challenge only accounts that exist, and want the documented shape', async () => {
    const challenge = (body: object | string) => system.http('POST', '/api/v1/auth/challenge', { body })
    assert.deepEqual(
      json<{ code: string }>(await challenge({ account: new Owner().account })).code,
      'unknown-account',
    )
    for (const body of [{}, { account: 1 }, '']) assert.equal((await challenge(body)).status, 400)
    const bad = await system.http('POST', '/api/v1/auth/session', {
      body: '{',
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(bad.status, 400)
    assert.equal(json<{ code: string }>(bad).code, 'bad-request')
  })

  it('let the operator see accounts and change plans, by key or by name', async () => {
    const owner = new Owner(`Only ${Date.now()}`)
    await system.push(owner.account, owner.sign())
    const { accounts } = json<{ accounts: { account: string; plan: string; distributed: boolean }[] }>(
      await system.http('GET', '/api/v1/operator/accounts', { bearer: system.operatorToken }),
    )
    const entry = accounts.find((one) => one.account === owner.account)!
    assert.deepEqual([entry.plan, entry.distributed], ['free', true])
    const changed = await system.setPlan(encodeURIComponent(owner.claims.name!), 'Project')
    assert.equal(changed.status, 200, changed.text)
    assert.equal(json<{ plan: string }>(changed).plan, 'project')
    const { limits } = (await system.claims(owner.account)).nats
    assert.deepEqual([limits.conn, limits.payload, limits.imports, limits.leaf], [100, 262144, 28, 10])
    const version = (await system.claims(owner.account)).iat
    assert.equal((await system.setPlan(owner.account, 'project')).status, 200)
    assert.equal((await system.claims(owner.account)).iat, version, 'the same plan again changes nothing')
    const unknown = json<{ code: string; message: string }>(await system.setPlan(owner.account, 'gold'))
    assert.deepEqual([unknown.code, /choose one of free/.test(unknown.message)], ['unknown-plan', true])
    assert.equal((await system.setPlan(new Owner().account, 'free')).status, 404)
  })

  it('do not guess between accounts of one name', async () => {
    const twins = [new Owner('Twin'), new Owner('Twin')]
    for (const owner of twins) await system.push(owner.account, owner.sign())
    const answer = await system.setPlan('Twin', 'developer')
    assert.equal(answer.status, 409)
    const { code, remedy } = json<{ code: string; remedy: string[] }>(answer)
    assert.equal(code, 'ambiguous-account')
    assert.deepEqual([...remedy].sort(), twins.map((owner) => owner.account).sort())
  })

  it('refuse a plan that an account does not fit, listing what to remove', async (t) => {
    const owner = new Owner()
    await system.push(owner.account, owner.sign())
    await system.setPlan(owner.account, 'developer')
    const exporter = new Owner()
    exporter.claims.nats.exports = [{ name: 'e', subject: 'a.b', type: 'stream' }]
    await system.push(exporter.account, exporter.sign())
    owner.claims.nats.imports = [{ subject: 'a.b', account: exporter.account, type: 'stream' }]
    await system.push(owner.account, owner.sign())
    await Promise.all(Array.from({ length: 12 }, () => owner.connect(t, system.natsUrl)))
    const answer = await system.setPlan(owner.account, 'free')
    assert.equal(answer.status, 409)
    const { code, remedy } = json<{ code: string; remedy: string[] }>(answer)
    assert.equal(code, 'does-not-fit')
    assert.deepEqual(remedy, [
      'remove this import:',
      `  stream import "a.b" of account ${exporter.account}`,
      'close 2 of 12 connections (the plan allows 10)',
    ])
    assert.equal((await system.claims(owner.account)).nats.limits.conn, 50)
  })
})
