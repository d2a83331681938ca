// Every server gets every account, whatever happens in between.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createKeyPair, encode } from '@ngs/identity/node'
import { Engine, enginesUnderTest, freePort, needsPeer, peer, waitFor } from '@ngs/testkit'
import { prepareDataDir, Service } from '../src/index.ts'
import { Owner, TestSystem } from './support.ts'

interface Row {
  account: string
  plan: string
  distributed: boolean
}

const list = async (system: TestSystem): Promise<Row[]> => {
  const { text } = await system.http('GET', '/api/v1/operator/accounts', { bearer: system.operatorToken })
  return (JSON.parse(text) as { accounts: Row[] }).accounts
}
const resolverFile = (system: TestSystem, account: string) =>
  join(system.dataDir, 'accounts', `${account}.jwt`)
const onServer = (system: TestSystem, account: string): string | null => {
  const name = `${account}.jwt`
  const dir = join(system.dataDir, 'accounts')
  return readdirSync(dir).includes(name) ? readFileSync(join(dir, name), 'utf8') : null
}

for (const engine of enginesUnderTest()) {
  describe(`distribution to ${engine.name}`, () => {
    it('lets a client connect right after the push', async (t) => {
      const system = await TestSystem.start(t, { engine: engine.path })
      for (let i = 0; i < 5; i++) {
        const owner = new Owner()
        assert.equal((await system.push(owner.account, owner.sign())).status, 200)
        assert.equal(onServer(system, owner.account), await system.pull(owner.account))
        const nc = await owner.connect(t, system.natsUrl)
        await nc.flush()
      }
    })

    it('brings new limits and revocations to live connections', async (t) => {
      const system = await TestSystem.start(t, { engine: engine.path })
      const owner = new Owner()
      await system.push(owner.account, owner.sign())
      const open = await Promise.all(Array.from({ length: 10 }, () => owner.connect(t, system.natsUrl)))
      // The server may have closed the socket before the client has read why.
      await assert.rejects(owner.connect(t, system.natsUrl), /connections exceeded|EPIPE|ECONNRESET|CLOSED/i)
      const answer = await system.setPlan(owner.account, 'developer')
      assert.equal((JSON.parse(answer.text) as Row).distributed, true)
      const eleventh = await owner.connect(t, system.natsUrl)
      await open[0]!.flush()
      owner.claims.nats.revocations = { '*': Math.floor(Date.now() / 1000) + 5 }
      await system.push(owner.account, owner.sign())
      const errors = await Promise.all([...open, eleventh].map((nc) => nc.closed()))
      for (const error of errors) assert.match(String(error), /revoked|authorization|authentication/i)
    })

    it('takes pushes while the server is down, says so, and delivers when it is back', async (t) => {
      const system = await TestSystem.start(t, { engine: engine.path })
      const owner = new Owner()
      await system.stopEngine()
      const { status, text } = await system.push(owner.account, owner.sign())
      assert.equal(status, 200)
      assert.match(text, /stored; the message servers get it as soon as they answer/)
      assert.equal((await list(system))[0]?.distributed, false)
      assert.deepEqual(JSON.parse((await system.http('GET', '/healthz')).text), {
        status: 'ok',
        message_servers: 'unreachable',
      })
      await system.startEngine()
      await waitFor(async () => (await list(system))[0]?.distributed, {
        what: 'the delivery',
      })
      await (await owner.connect(t, system.natsUrl)).flush()
    })

    it('delivers after a restart what was acknowledged before it', async (t) => {
      const system = await TestSystem.start(t, { engine: engine.path })
      await system.stopEngine()
      const owner = new Owner()
      await system.push(owner.account, owner.sign())
      await system.stopService()
      await system.startEngine()
      assert.equal(onServer(system, owner.account), null)
      await system.startService()
      await waitFor(async () => (await list(system))[0]?.distributed, {
        what: 'the delivery',
      })
      assert.equal(onServer(system, owner.account), await system.pull(owner.account))
    })

    it('mends a server that has lost accounts, or has old or foreign ones', async (t) => {
      const system = await TestSystem.start(t, { engine: engine.path })
      const [lost, outdated, foreign, whole] = [new Owner(), new Owner(), new Owner(), new Owner()]
      for (const owner of [lost, outdated, foreign, whole]) await system.push(owner.account, owner.sign())
      const old = onServer(system, outdated.account)!
      outdated.claims.nats.description = 'new'
      await system.push(outdated.account, outdated.sign())
      const stranger = encode(structuredClone(foreign.claims), createKeyPair('operator'))
      await system.stopEngine()
      rmSync(resolverFile(system, lost.account))
      writeFileSync(resolverFile(system, outdated.account), old)
      writeFileSync(resolverFile(system, foreign.account), stranger)
      await system.startEngine()
      for (const owner of [lost, outdated, foreign, whole]) {
        await waitFor(async () => onServer(system, owner.account) === (await system.pull(owner.account)), {
          what: 'the server to have what the store has',
        })
      }
      await (await foreign.connect(t, system.natsUrl)).flush()
    })

    it('outbids a server that holds a later version than the store, as after a restore', async (t) => {
      const system = await TestSystem.start(t, { engine: engine.path })
      const owner = new Owner()
      await system.push(owner.account, owner.sign())
      const held = await system.claims(owner.account)
      held.nats.description = 'later'
      const later = Number(held.iat) + 1000
      const { keyPairFromSeed } = await import('@ngs/identity/node')
      const signer = keyPairFromSeed(
        readFileSync(join(system.dataDir, 'keys', 'operator-signing.nk'), 'utf8'),
      )
      const token = encode(held, signer, { issuedAt: later })
      await system.stopEngine()
      writeFileSync(resolverFile(system, owner.account), token)
      await system.startEngine()
      await waitFor(async () => Number((await system.claims(owner.account)).iat) >= later, {
        what: 'a version beyond that of the server',
      })
      await waitFor(async () => onServer(system, owner.account) === (await system.pull(owner.account)), {
        what: 'the server to have it',
      })
      assert.equal((await system.claims(owner.account)).nats.description, undefined)
    })

    it('gives a server the demonstration account that it lacks', async (t) => {
      const system = await TestSystem.start(t, { engine: engine.path })
      await system.stopEngine()
      const { demo_account: demo } = JSON.parse(readFileSync(join(system.dataDir, 'ngs.json'), 'utf8')) as {
        demo_account: string
      }
      rmSync(resolverFile(system, demo))
      // As a server of a cluster that was not configured by this service: nothing preloaded but the system account.
      const config = readFileSync(join(system.dataDir, 'server.conf'), 'utf8').replace(
        new RegExp(`^  ${demo}: .*\n`, 'm'),
        '',
      )
      const bare = await Engine.start(t, { engine: engine.path, config })
      await waitFor(() => onServer(system, demo) !== null, {
        what: 'the demonstration account',
      })
      await bare.stop()
    })

    it('answers the lookups of servers from the store', async (t) => {
      const system = await TestSystem.start(t, { engine: engine.path })
      const owner = new Owner()
      await system.push(owner.account, owner.sign())
      rmSync(resolverFile(system, owner.account))
      const nc = await system.connectSystem()
      const answers: string[] = []
      const subscription = nc.subscribe('answers', {
        callback: (_error, msg) => void answers.push(msg.string()),
      })
      nc.publish(`$SYS.REQ.ACCOUNT.${owner.account}.CLAIMS.LOOKUP`, '', { reply: 'answers' })
      const token = await system.pull(owner.account)
      await waitFor(() => answers.includes(token), { what: 'the answer of the service' })
      answers.length = 0
      // Of an account that nobody knows the service says nothing: the one answer is the server's.
      nc.publish(`$SYS.REQ.ACCOUNT.${new Owner().account}.CLAIMS.LOOKUP`, '', { reply: 'answers' })
      nc.publish(`$SYS.REQ.ACCOUNT.${owner.account}.CLAIMS.LOOKUP`, '', { reply: 'answers' })
      await waitFor(() => answers.includes(token), { what: 'the answer to the later question' })
      assert.deepEqual(
        answers.filter((answer) => answer !== token && answer !== ''),
        [],
      )
      subscription.unsubscribe()
    })
  })
}

describe('distribution to a cluster of official servers', { skip: needsPeer('nats-server').skip }, () => {
  it('waits for all of them, and brings one that joins late or was away up to date', async (t) => {
    const system = await TestSystem.start(t, { engine: peer('nats-server') })
    await system.stopService()
    await system.stopEngine()
    const routes = [await freePort(), await freePort()]
    const ports = [system.port, await freePort()]
    const config = (index: number): string => {
      const text = readFileSync(join(system.dataDir, 'server.conf'), 'utf8')
        .replace(/^port: .*/m, `port: ${ports[index]}`)
        .replace(/^server_name: .*/m, `server_name: "n${index}"`)
        .replace(/^ {2}dir: .*/m, `  dir: "%DIR%/accounts"`)
        // So that the servers do not help each other.
        .replace(/interval: ".*"/, 'interval: "1h"')
      return `${text}\ncluster { name: c, host: 127.0.0.1, port: ${routes[index]}, routes: ["nats://127.0.0.1:${routes[1 - index]}"] }\n`
    }
    const start = (index: number) => Engine.start(t, { engine: peer('nats-server'), config: config(index) })
    const held = (one: Engine, account: string): string | null => {
      const dir = join(one.dir, 'accounts')
      return readdirSync(dir).includes(`${account}.jwt`)
        ? readFileSync(join(dir, `${account}.jwt`), 'utf8')
        : null
    }
    const first = await start(0)
    let second = await start(1)
    await system.startService()
    const known = async () => {
      const nc = await owner0.connect(t, system.natsUrl)
      const names = new Set<string>()
      const active = nc.subscribe('ngs.active', {
        callback: (_error, msg) => void names.add(msg.json<{ server: string }>().server),
      })
      await waitFor(() => names.size === 2, { what: 'both servers on ngs.active' })
      active.unsubscribe()
      await nc.close()
    }
    const owner0 = new Owner()
    await system.push(owner0.account, owner0.sign())
    await known()

    const owner = new Owner()
    assert.equal((await system.push(owner.account, owner.sign())).text, 'the account is on plan Free\n')
    const token = await system.pull(owner.account)
    for (const server of [first, second]) assert.equal(held(server, owner.account), token)

    second.kill('SIGKILL')
    await second.exited
    await second.stop()
    const late = new Owner()
    await system.push(late.account, late.sign())
    second = await start(1)
    await waitFor(async () => held(second, late.account) === (await system.pull(late.account)), {
      what: 'the server that was away to have the account',
    })
  })

  it('manages an existing cluster with other system credentials', async (t) => {
    const system = await TestSystem.start(t, { engine: peer('nats-server') })
    await system.stopService()
    const creds = join(system.dataDir, 'system.creds')
    const copy = join(system.dataDir, '..', 'elsewhere.creds')
    writeFileSync(copy, readFileSync(creds))
    const service = await Service.start({ ...system.serviceOptions(), systemCreds: copy })
    t.after(() => service.stop())
    assert.equal((await fetch(`${service.url}/healthz`)).status, 200)
  })
})

describe('a service without a message server', () => {
  it('says which one it cannot reach', async (t) => {
    const system = await TestSystem.start(t)
    await system.stopService()
    await system.stopEngine()
    prepareDataDir({ dataDir: system.dataDir })
    await assert.rejects(Service.start({ ...system.serviceOptions(), connectWithinMs: 300 }), {
      code: 'not-connected',
      message: /cannot connect to a message server at nats:\/\/127\.0\.0\.1:\d+ as ngs service: /,
    })
  })

  it('says so when its HTTP port is taken, and leaves nothing behind', async (t) => {
    const system = await TestSystem.start(t)
    await system.stopService()
    const squatter = createServer()
    await new Promise<void>((resolve) => squatter.listen(system.httpPort, '127.0.0.1', resolve))
    await assert.rejects(Service.start(system.serviceOptions()), { syscall: 'listen', code: 'EADDRINUSE' })
    await new Promise((resolve) => squatter.close(resolve))
    await system.startService()
  })

  it('refuses a data directory that another one uses', async (t) => {
    const system = await TestSystem.start(t)
    await assert.rejects(Service.start({ ...system.serviceOptions(), http: { port: 0 } }), {
      code: 'data-dir-in-use',
      message: /ngs\.db is in use by another process/,
    })
  })
})
