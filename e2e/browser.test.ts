// The official browser client in a real Chromium: publishes, subscribes and asks over ws and wss.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { Authority, Engine, enginesUnderTest, needsOpenssl, tempFolder } from '@ngs/testkit'
import { build } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // The authority of the test is nobody's.
  '--ignore-certificate-errors',
]

function needsChromium(): { skip: string | false } {
  if (existsSync(CHROMIUM)) return needsOpenssl()
  if (process.env['CI'] === 'true') throw new Error(`CI needs ${CHROMIUM}`)
  return { skip: `${CHROMIUM} is not installed` }
}

/** Runs in the page. */
async function talk({ url, token }: { url: string; token?: string }): Promise<string[]> {
  const { nats } = globalThis as unknown as { nats: typeof import('@nats-io/nats-core') }
  const heard: string[] = []
  const nc = await nats.wsconnect({ servers: url, ...(token === undefined ? {} : { token }) })
  nc.subscribe('service', {
    callback: (_error, message) => void message.respond(`${message.data.length} bytes`),
  })
  const words = nc.subscribe('words.>', { max: 3 })
  for (const word of ['one', 'two', 'three']) nc.publish(`words.${word}`, word.repeat(1_000))
  for await (const message of words) heard.push(`${message.subject} ${message.data.length}`)
  for (const size of [0, 4_090, 500_000]) {
    const reply = await nc.request('service', new Uint8Array(size), { timeout: 30_000 })
    heard.push(reply.string())
  }
  await nc.drain()
  return heard
}
const HEARD = [
  'words.one 3000',
  'words.two 3000',
  'words.three 5000',
  '0 bytes',
  '4090 bytes',
  '500000 bytes',
]

describe('a browser', needsChromium(), () => {
  const folder = tempFolder()
  const certificate = new Authority(folder.path).issue({
    subject: '/CN=localhost',
    names: ['DNS:localhost', 'IP:127.0.0.1'],
  })
  const http = createHttp()
  const https = createHttps({ cert: certificate.cert, key: certificate.key })
  let browser: Browser
  /** Of the pages: one in clear text, one with TLS. */
  let origin: string
  let secureOrigin: string

  before(async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: "import * as nats from '@nats-io/nats-core'; globalThis.nats = nats",
        resolveDir: import.meta.dirname,
      },
      bundle: true,
      format: 'iife',
      write: false,
    })
    const page = `<!doctype html><title>page</title><script>${outputFiles[0]!.text.replaceAll('</script', '<\\/script')}</script>`
    for (const server of [http, https]) {
      server.on('request', (request, response) => {
        if (request.url === '/login') response.setHeader('Set-Cookie', 'auth=s3cret; Path=/')
        response.setHeader('Content-Type', 'text/html').end(page)
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    }
    origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
    secureOrigin = `https://127.0.0.1:${(https.address() as AddressInfo).port}`
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGS })
  })
  after(async () => {
    await browser?.close()
    for (const server of [http, https]) server.close()
    folder.remove()
  })

  async function open(url: string): Promise<Page> {
    const page = await browser.newPage({ ignoreHTTPSErrors: true })
    await page.goto(url)
    return page
  }

  for (const { name, path } of enginesUnderTest()) {
    it(`talks over ws, and is refused from elsewhere [${name}]`, async (t) => {
      const websocket = `websocket { listen: "127.0.0.1:-1", no_tls: true, allowed_origins: ["${origin}"] }`
      const engine = await Engine.start(t, { engine: path, config: websocket })
      const page = await open(origin)
      assert.deepEqual(await page.evaluate(talk, { url: engine.websocketUrl }), HEARD)
      await page.goto(origin.replace('127.0.0.1', 'localhost'))
      await assert.rejects(page.evaluate(talk, { url: engine.websocketUrl }))
      await page.close()
    })
    it(`talks over wss, compressed, with the token of a cookie [${name}]`, async (t) => {
      const { certFile, keyFile } = certificate
      const tls = `tls { cert_file: "${certFile}", key_file: "${keyFile}" }`
      const engine = await Engine.start(t, {
        engine: path,
        config: `authorization { token: s3cret }\nwebsocket { listen: "127.0.0.1:-1", ${tls}, compression: true, token_cookie: "auth" }`,
      })
      const page = await open(secureOrigin)
      await assert.rejects(page.evaluate(talk, { url: engine.websocketUrl }))
      await page.goto(`${secureOrigin}/login`)
      assert.deepEqual(await page.evaluate(talk, { url: engine.websocketUrl }), HEARD)
      await page.close()
    })
  }
})
