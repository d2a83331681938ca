// ngs up as a person runs it: a process with a server process below it, real ports, real signals.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { enginesUnderTest, needsPeer, peer, tempDir, waitFor } from '@ngs/testkit'
import { environment, greeting, ngs, Up } from './support.ts'

const engines = enginesUnderTest().map(({ name, path }) => ({
  name,
  // Ours is what ngs up runs by itself.
  args: name === 'ngs-server' ? [] : ['--engine', path],
}))

function alive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

const portArgs = (urls: {
  nats: string
  websocket?: string
  monitoring?: string
  http: string
}): string[] => {
  const port = (url: string | undefined) => new URL(url!).port
  return [
    '--port',
    port(urls.nats),
    '--ws-port',
    port(urls.websocket),
    '--monitor-port',
    port(urls.monitoring),
    '--http-port',
    port(urls.http),
  ]
}

for (const engine of engines) {
  describe(`ngs up on ${engine.name}`, () => {
    const extra = engine.args

    it('is ready when the ports file is there, and leaves nothing behind when it is stopped', async (t) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        const up = await Up.start(t, join(tempDir(t), 'ngs'), [
          ...extra,
          '--region',
          'r1',
          '--location',
          'Town',
        ])
        const { urls } = up
        assert.match((await greeting(urls.nats)) ?? '', /^INFO /)
        assert.equal((await fetch(`${urls.monitoring}/healthz`)).status, 200)
        const upgrade = await fetch(urls.websocket!.replace('ws:', 'http:'))
        assert.equal(upgrade.status, 400, 'the WebSocket port speaks HTTP and wants an upgrade')
        assert.deepEqual(await (await fetch(`${urls.http}/healthz`)).json(), {
          status: 'ok',
          message_servers: 'connected',
        })
        await waitFor(() => up.stdout.includes('Ctrl-C'), { what: 'the banner' })
        for (const url of Object.values(urls)) assert.ok(up.stdout.includes(url), url)
        for (const line of [
          `export NGS_URL=${urls.http}`,
          'nsc init -o ngs -n First',
          'nsc tool req ngs.echo hello',
          'ngs status',
        ]) {
          assert.match(up.stdout, new RegExp(`^  ${line}$`, 'm'))
        }
        const pid = up.serverPid!
        assert.ok(alive(pid))
        assert.equal(statSync(up.dataDir).mode & 0o777, 0o700)

        assert.equal(await up.stop(signal), 0)
        const ours = up.stderr.split('\n').filter((line) => !line.startsWith('server: '))
        assert.deepEqual(ours, [''], 'nothing to say besides what the server logs')
        assert.equal(alive(pid), false)
        assert.equal(await greeting(urls.nats), null)
        assert.equal(existsSync(up.portsFile), false)
        assert.equal(existsSync(join(up.dataDir, 'up.lock')), false)
      }
    })

    it('starts the server again when it dies, and the service finds it', async (t) => {
      const dir = tempDir(t)
      const up = await Up.start(t, join(dir, 'ngs'), [...extra, '--region', 'r1'])
      const env = environment(dir, { NGS_URL: up.urls.http })
      assert.equal((await ngs(['signup', '--name', 'First'], env)).code, 0)
      const first = up.serverPid!
      process.kill(first, 'SIGKILL')
      await waitFor(() => up.stderr.includes('the message server is back'), {
        what: 'the restart',
      })
      assert.match(up.stderr, /^ngs: the message server has ended \(SIGKILL\); starting it again$/m)
      assert.notEqual(up.serverPid, first)
      const echo = await waitFor(
        async () => {
          const { stdout } = await ngs(['tool', 'req', 'ngs.echo', 'again'], env)
          return stdout.includes('[r1]: "again"') ? stdout : null
        },
        { what: 'an echo through the new server' },
      )
      assert.match(echo, /again/)
      assert.equal(await up.stop(), 0)
    })

    it('recovers from its own kill -9: the server it left behind goes, the same ports come back', async (t) => {
      const dir = tempDir(t)
      const dataDir = join(dir, 'ngs')
      const killed = await Up.start(t, dataDir, extra)
      const env = environment(dir, { NGS_URL: killed.urls.http })
      assert.equal((await ngs(['signup', '--name', 'First'], env)).code, 0)
      const { urls } = killed
      const orphan = killed.serverPid!
      killed.child.kill('SIGKILL')
      await once(killed.child, 'exit')
      assert.ok(alive(orphan), 'a server does not notice that its parent has gone')

      const up = await Up.start(t, dataDir, [...extra, ...portArgs(urls)])
      assert.deepEqual(up.urls, urls)
      assert.equal(alive(orphan), false)
      const { code, stdout } = await ngs(['status', '--json'], env)
      assert.equal(code, 0)
      assert.equal(JSON.parse(stdout).name, 'First')
      assert.equal(await up.stop(), 0)
    })
  })
}

describe('ngs up', () => {
  it('refuses a data directory that another one uses, which goes on', async (t) => {
    const up = await Up.start(t, join(tempDir(t), 'ngs'))
    const second = Up.launch(t, up.dataDir)
    assert.equal(await second.ended, 1)
    assert.equal(
      second.stderr,
      `ngs: ${up.dataDir} is in use by another ngs up (process ${up.child.pid}); stop that one, or choose another directory with --data-dir\n`,
    )
    assert.equal((await fetch(`${up.urls.http}/healthz`)).status, 200)
    assert.equal(await up.stop(), 0)
  })

  it('names a busy port, its use and its flag, and starts nothing', async (t) => {
    const dir = tempDir(t)
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    t.after(() => taken.close())
    const { port } = taken.address() as { port: number }
    for (const [flag, use] of [
      ['--port', 'clients'],
      ['--ws-port', 'WebSocket clients'],
      ['--monitor-port', 'monitoring'],
      ['--http-port', 'the service'],
    ] as const) {
      const up = Up.launch(t, join(dir, 'ngs'), [flag, `${port}`])
      assert.equal(await up.ended, 1)
      assert.equal(
        up.stderr,
        `ngs: port ${port} (${use}) is in use; stop what uses it, or choose another with ${flag} N (0 = any free)\n`,
      )
      assert.equal(existsSync(join(dir, 'ngs/up.lock')), false)
      assert.equal(existsSync(join(dir, 'ngs/run')), false)
    }
  })

  it('names a directory it cannot use', async (t) => {
    const dir = tempDir(t)
    writeFileSync(join(dir, 'file'), '')
    for (const path of [join(dir, 'file'), join(dir, 'file/below'), '/proc/nowhere']) {
      const up = Up.launch(t, path, ['--ports-file', join(dir, 'ports.json')])
      assert.equal(await up.ended, 1)
      assert.match(
        up.stderr,
        new RegExp(`^ngs: cannot use the data directory ${path}: .*; name one .* with --data-dir\\n$`),
      )
    }
  })

  it('names a bad catalogue, a bad URL, a bad engine, a bad ports file, each in one line', async (t) => {
    const dir = tempDir(t)
    const plans = join(dir, 'plans.json')
    writeFileSync(plans, '{}')
    for (const [args, says] of [
      [['--plans', plans], /plan catalogue .*plans\.json/],
      [['--plans', join(dir, 'none')], /cannot read the plan catalogue .*none: no such file or directory\n$/],
      [['--public-url', 'example'], /public URL "example" must look like/],
      [['--engine', join(dir, 'none')], /there is no such file; .*--engine/],
      [['--ports-file', join(dir, 'no/such/ports.json')], /cannot write the ports file .*--ports-file/],
      [['--host', '192.0.2.1'], /no address 192\.0\.2\.1; .*--host/],
    ] as const) {
      const up = Up.launch(t, join(dir, 'ngs'), args)
      assert.equal(await up.ended, 1, up.stderr)
      assert.match(up.stderr, says)
      assert.match(up.stderr, /^ngs: .*\n$/)
      assert.equal(existsSync(join(dir, 'ngs/up.lock')), false)
    }
  })

  it('stops cleanly while it is still starting, and takes two signals for one', async (t) => {
    const dir = tempDir(t)
    const lock = join(dir, 'ngs/up.lock')
    const up = Up.launch(t, join(dir, 'ngs'))
    await waitFor(() => existsSync(lock), { what: 'the lock' })
    up.child.kill('SIGINT')
    up.child.kill('SIGTERM')
    assert.equal(await up.ended, 0)
    assert.equal(existsSync(lock), false)

    const ready = await Up.start(t, join(dir, 'ngs'))
    ready.child.kill('SIGINT')
    ready.child.kill('SIGINT')
    assert.equal(await ready.ended, 0)
  })

  it('prints one line of JSON when asked for JSON', async (t) => {
    const up = await Up.start(t, join(tempDir(t), 'ngs'), ['--json'])
    await waitFor(() => up.stdout.endsWith('\n'), { what: 'the line' })
    assert.deepEqual(JSON.parse(up.stdout), { ...up.urls, data_dir: up.dataDir })
    assert.equal(await up.stop(), 0)
  })

  it('publishes the machine of --public-url in signed tokens', async (t) => {
    const up = await Up.start(t, join(tempDir(t), 'ngs'), ['--public-url', 'http://ngs.example.com:8000/'])
    const token = await (await fetch(`${up.urls.http}/jwt/v1/operator`)).text()
    const { nats } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
    assert.equal(nats.account_server_url, 'http://ngs.example.com:8000/jwt/v1')
    assert.deepEqual(nats.operator_service_urls, [`nats://ngs.example.com:${new URL(up.urls.nats).port}`])
    assert.equal(await up.stop(), 0)
  })

  it('manages a cluster that runs already', needsPeer('nats-server'), async (t) => {
    const dir = tempDir(t)
    const dataDir = join(dir, 'ngs')
    // A first start writes the configuration that the cluster then runs on by itself.
    const first = await Up.start(t, dataDir, ['--engine', peer('nats-server')])
    const { nats } = first.urls
    assert.equal(await first.stop(), 0)
    const server = spawn(peer('nats-server'), ['-c', join(dataDir, 'server.conf')], { stdio: 'ignore' })
    t.after(async () => {
      server.kill('SIGKILL')
      await once(server, 'exit')
    })
    const up = await Up.start(t, dataDir, [
      '--nats-url',
      nats,
      '--system-creds',
      join(dataDir, 'system.creds'),
    ])
    assert.deepEqual(Object.keys(up.urls), ['nats', 'http'])
    assert.equal(up.urls.nats, nats)
    const env = environment(dir, { NGS_URL: up.urls.http })
    assert.equal((await ngs(['signup', '--name', 'First'], env)).code, 0)
    assert.match((await ngs(['tool', 'req', 'ngs.echo', 'hi'], env)).stdout, /: "hi"/)
    assert.equal(await up.stop(), 0)
    assert.match((await greeting(nats)) ?? '', /^INFO /, 'the cluster is not ours to stop')
  })
})
