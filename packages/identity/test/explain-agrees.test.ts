// Explain foretells what servers do. For random sets of accounts it is compared with what really arrives, on both engines.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jwtAuthenticator, type NatsConnection } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { Engine, enginesUnderTest } from '@ngs/testkit'
import fc from 'fast-check'
import {
  createKeyPair,
  type Explanation,
  encode,
  explain,
  type KeyPair,
  newAccountClaims,
  newOperatorClaims,
  newUserClaims,
} from '../src/node.ts'
import { type Built, type BuiltUser, build, caseArbitrary, type Plan } from './support/random-accounts.ts'

/** How many sets, and how long at most, per engine; more of them, or others, by these variables. */
const RUNS = Number(process.env['NGS_EXPLAIN_RUNS'] ?? 240)
const SECONDS = Number(process.env['NGS_EXPLAIN_SECONDS'] ?? 30)
const SEED = Number(process.env['NGS_EXPLAIN_SEED'] ?? 20260)
const BATCH = 12

/** A server that takes accounts while it runs, and the operator that it trusts. */
class World {
  readonly operatorKey: KeyPair
  readonly operator: ReturnType<typeof newOperatorClaims>
  readonly #url: string
  readonly #system: NatsConnection

  constructor(operatorKey: KeyPair, operator: World['operator'], url: string, system: NatsConnection) {
    this.operatorKey = operatorKey
    this.operator = operator
    this.#url = url
    this.#system = system
  }

  static async start(t: { after: (work: () => unknown) => void }, engine: string): Promise<World> {
    const operatorKey = createKeyPair('operator')
    const system = createKeyPair('account')
    const user = createKeyPair('user')
    const operator = newOperatorClaims(operatorKey.publicKey, 'O')
    operator.nats.system_account = system.publicKey
    const account = encode(newAccountClaims(system.publicKey, 'SYS'), operatorKey)
    const { url } = await Engine.start(t, {
      engine,
      // Busy machines take their time.
      config: `authorization { timeout: 30 }
      operator: ${encode(operator, operatorKey)}
      system_account: ${system.publicKey}
      resolver { type: full, dir: "%DIR%/jwt" }
      resolver_preload { ${system.publicKey}: ${account} }`,
    })
    const authenticator = jwtAuthenticator(
      encode(newUserClaims(user.publicKey, 'sys'), system),
      new TextEncoder().encode(user.seed),
    )
    const connection = await connect({ servers: url.replace('nats://', ''), authenticator })
    t.after(() => connection.close())
    return new World(operatorKey, operator, url, connection)
  }

  async push(tokens: readonly string[]): Promise<void> {
    await Promise.all(
      tokens.map((token) => this.#system.request('$SYS.REQ.CLAIMS.UPDATE', token, { timeout: 10_000 })),
    )
  }

  /** Rejects when the server does not let the user in. */
  async connect(token: string, key: KeyPair): Promise<NatsConnection> {
    const connection = await connect({
      servers: this.#url.replace('nats://', ''),
      authenticator: jwtAuthenticator(token, new TextEncoder().encode(key.seed)),
      reconnect: false,
      timeout: 20_000,
    })
    await flushed(connection)
    return connection
  }
}

/** A connection that the server closes meanwhile would wait for ever. */
async function flushed(connection: NatsConnection): Promise<void> {
  const closed = connection.closed().then(() => {
    throw new Error('the server closed the connection')
  })
  await Promise.race([connection.flush(), closed])
}

interface Outcome {
  arrived: string[]
  answered: boolean
  /** Why nothing was tried, in the words of the server. */
  refused?: string
}

const nothing = (error: unknown): Outcome => ({ arrived: [], answered: false, refused: String(error) })

/** Publishes, and tells under which subjects it arrived and whether an answer came back. */
async function observe(world: World, built: Built, by: Explanation['received']): Promise<Outcome> {
  await world.push(built.tokens)
  const open: NatsConnection[] = []
  const enter = async ({ token, key, noSubscriptions }: BuiltUser) => {
    const connection = await world.connect(token, key)
    open.push(connection)
    if (noSubscriptions) throw new Error(`closed: ${await connection.closed()}`)
    return connection
  }
  try {
    const to = await enter(built.to)
    const from = await enter(built.from)
    return await exchange(from, to, built, by)
  } catch (error) {
    // Not let in, or put out again, as when an account runs out of connections.
    return nothing(error)
  } finally {
    await Promise.all(open.map((connection) => connection.close()))
  }
}

async function exchange(
  from: NatsConnection,
  to: NatsConnection,
  built: Built,
  by: Explanation['received'],
): Promise<Outcome> {
  const arrived: string[] = []
  const replies: string[] = []
  // Whatever the receiver may name: what reaches it at all reaches one of these.
  const wide = ['>', '*', '*.>', '*.*', '*.*.>', '*.*.*', '*.*.*.>', built.subject]
  const own = built.subscriptions.flatMap((entry) => [entry, entry.replace(/\*(?= |$)/, '>')])
  const wanted = new Set([...wide, ...own, ...(by ? [by.queue ? `${by.by} ${by.queue}` : by.by] : [])])
  for (const entry of wanted) {
    const [subject = '', queue] = entry.split(' ')
    to.subscribe(subject, {
      ...(queue ? { queue: queue.replace(/[*>]/g, 'q') } : {}),
      callback: (error, message) => {
        if (error || message.string() !== built.id) return
        arrived.push(message.subject)
        if (message.reply) replies.push(message.reply)
      },
    })
  }
  await flushed(to)
  let answered = false
  const inbox = `_INBOX.${built.id}.1`
  if (built.request)
    from.subscribe(inbox, {
      callback: (error, message) => {
        if (!error && message.string() === 'answer') answered = true
      },
    })
  from.publish(built.subject, built.id, built.request ? { reply: inbox } : {})
  await flushed(from)
  await flushed(to)
  for (const reply of new Set(replies)) to.publish(reply, 'answer')
  await flushed(to)
  await flushed(from)
  return { arrived, answered }
}

for (const engine of enginesUnderTest())
  test(`explain agrees with what happens on ${engine.name}`, {
    timeout: (SECONDS + 60) * 1000,
  }, async (t) => {
    const world = await World.start(t, engine.path)
    const counts = { yes: 0, no: 0, across: 0 }
    const stages = new Map<string, number>()
    const check = async (plan: Plan): Promise<void> => {
      const built = build(plan, world.operatorKey)
      const explained = explain({
        operators: [world.operator],
        accounts: built.accounts,
        from: built.from.claims,
        to: built.to.claims,
        subject: built.subject,
        request: built.request,
      })
      const { arrived, answered, refused } = await observe(world, built, explained.received)
      const happened = built.request ? answered : arrived.length > 0
      const story = () =>
        `${built.request ? 'request' : 'message'} ${built.subject}\n` +
        `${explained.steps.map(({ ok, stage, text }) => `${ok ? 'yes' : 'NO '} ${stage}: ${text}`).join('\n')}\n` +
        `arrived: ${arrived.join(', ')}; answered: ${answered}; refused: ${refused}\n${JSON.stringify([built.accounts, built.from.claims, built.to.claims])}`
      assert.equal(explained.reaches, happened, story())
      if (explained.received) assert.ok(arrived.includes(explained.received.subject), story())
      counts[happened ? 'yes' : 'no']++
      if (happened && explained.steps.some(({ stage }) => stage === 'import')) counts.across++
      const failed = explained.steps.find(({ ok }) => !ok)?.stage ?? 'none'
      stages.set(failed, (stages.get(failed) ?? 0) + 1)
    }
    // Many at once: a server takes seconds to say that it does not know an account.
    const batches = fc.array(caseArbitrary, { minLength: 1, maxLength: 2 * BATCH, size: 'max' })
    const result = await fc.check(
      fc.asyncProperty(batches, async (plans) => {
        await Promise.all(plans.map(check))
      }),
      { seed: SEED, numRuns: Math.ceil(RUNS / BATCH), interruptAfterTimeLimit: SECONDS * 1000 },
    )
    t.diagnostic(
      `${counts.yes} arrived (${counts.across} from another account), ${counts.no} did not; first thing missing: ${JSON.stringify([...stages])}`,
    )
    if (result.failed && result.counterexample !== null)
      assert.fail(`${result.errorInstance}\n${fc.defaultReportMessage(result)}`)
    // On a machine that is too busy for many sets, their mix says nothing.
    const total = counts.yes + counts.no
    if (total < 100) return
    assert.ok(counts.yes > total / 10 && counts.no > total / 10, 'both answers are tested')
    assert.ok(counts.across > counts.yes / 8, 'what crosses accounts is tested')
  })
