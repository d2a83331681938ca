// kill -9 of the service and of the server at any point: what was acknowledged is there afterwards, everywhere.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { decodeAccount } from '@ngs/identity/node'
import { type Cleanup, enginesUnderTest, waitFor } from '@ngs/testkit'
import { Owner, TestSystem } from './support.ts'

interface Child {
  process: ChildProcess
  exited: Promise<void>
}

async function startChild(after: Cleanup, system: TestSystem): Promise<Child> {
  const { logger: _, ...options } = system.serviceOptions()
  const script = join(import.meta.dirname, 'service-process.ts')
  const child = spawn(process.execPath, [script, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  let ended = false
  const exited = new Promise<void>((resolve) =>
    child.on('exit', () => {
      ended = true
      resolve()
    }),
  )
  after.after(() => void child.kill('SIGKILL'))
  await waitFor(() => ended || output.includes('ready '), { what: 'the service process' })
  assert.equal(ended, false, output)
  return { process: child, exited }
}

/** Repeatable randomness: a failure names its seed. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const seed = Number(process.env['NGS_TEST_SEED'] ?? Date.now() % 1_000_000)
const rounds = Number(process.env['NGS_TEST_ROUNDS'] ?? 4)

for (const engine of enginesUnderTest()) {
  it(`nothing acknowledged is lost on ${engine.name} (NGS_TEST_SEED=${seed})`, {
    timeout: 180_000,
  }, async (t) => {
    const system = await TestSystem.start(t, { engine: engine.path })
    await system.stopService()
    const next = random(seed)
    const owners = Array.from({ length: 6 }, (_, i) => new Owner(`Owner ${i}`))
    /** Per account: the last edit that was acknowledged, and the last that was sent. */
    const acknowledged = new Map<string, number>()
    const sent = new Map<string, number>()
    let issuedAt = Math.floor(Date.now() / 1000) - 1000
    let edit = 0

    for (let round = 0; round < rounds; round++) {
      const child = await startChild(t, system)
      let stop = false
      const pushing = owners.map(async (owner) => {
        while (!stop) {
          const number = ++edit
          sent.set(owner.account, number)
          const token = owner.sign({
            issuedAt: ++issuedAt,
            change: (claims) => {
              claims.nats.description = `${number}`
            },
          })
          const answer = await system.push(owner.account, token).catch(() => null)
          if (answer === null) return
          assert.equal(answer.status, 200, answer.text)
          acknowledged.set(owner.account, number)
        }
      })
      const before = acknowledged.size === 0 ? 0 : Math.max(...acknowledged.values())
      await waitFor(
        () => acknowledged.size === owners.length && Math.max(...acknowledged.values()) > before,
        {
          what: 'pushes to be acknowledged',
        },
      )
      // A fault at a random moment; in some rounds the server falls first, or alone.
      await new Promise((resolve) => setTimeout(resolve, next() * 60))
      const engineToo = next() < 0.5
      if (engineToo) {
        system.engine!.kill('SIGKILL')
        await new Promise((resolve) => setTimeout(resolve, next() * 30))
      }
      child.process.kill('SIGKILL')
      stop = true
      await Promise.all([child.exited, ...pushing])
      if (engineToo) {
        await system.engine!.exited
        await system.stopEngine()
        await system.startEngine()
      }
    }
    await system.startService()

    for (const owner of owners) {
      const token = await system.pull(owner.account)
      const number = Number(decodeAccount(token).nats.description)
      assert.ok(
        number >= acknowledged.get(owner.account)!,
        `edit ${acknowledged.get(owner.account)} was acknowledged, ${number} is there`,
      )
      assert.ok(number <= sent.get(owner.account)!)
    }
    const dir = join(system.dataDir, 'accounts')
    for (const owner of owners) {
      await waitFor(
        async () => {
          const name = `${owner.account}.jwt`
          return (
            readdirSync(dir).includes(name) &&
            readFileSync(join(dir, name), 'utf8') === (await system.pull(owner.account))
          )
        },
        { what: 'the server to have what the store has' },
      )
      const nc = await owner.connect(t, system.natsUrl)
      await nc.flush()
      await nc.close()
    }
  })
}

describe('a service that is stopped', () => {
  it('answers what was asked before, and stops', async (t) => {
    const system = await TestSystem.start(t)
    const owners = Array.from({ length: 10 }, () => new Owner())
    const pushes = owners.map((owner) => system.push(owner.account, owner.sign()).catch(() => null))
    await waitFor(async () => (await Promise.race([...pushes, null])) !== null || true, {
      what: 'the pushes to begin',
    })
    await system.stopService()
    const answers = await Promise.all(pushes)
    await system.startService()
    for (const [i, answer] of answers.entries()) {
      if (answer?.status === 200) await system.pull(owners[i]!.account)
    }
  })
})
