// Brings every account token to every message server. The outbox in the store says what is still to be done, so that a
// crash between the commit and the delivery loses nothing; a server that joins is compared with the store.
import type { Msg } from '@nats-io/nats-core'
import { decodeAccount } from '@ngs/identity/node'
import type { Logger } from 'pino'
import { reasonOf } from '../errors.ts'
import { type Fleet, readJson, readServer } from '../operator/fleet.ts'
import { allAccounts, findAccount } from '../store/accounts.ts'
import { dueEntries, enqueue, hurry, markDelivered, nextDueAt, postpone } from '../store/outbox.ts'
import type { Store } from '../store/store.ts'

/** Tokens on their way, and comparisons, at one time. */
const parallel = 16
const answerWithinMs = 2_000
const firstBackoffMs = 250
const longestBackoffMs = 30_000

interface Waiter {
  version: number
  resolve: (delivered: boolean) => void
}

export class Distributor {
  readonly #store: Store
  readonly #log: Logger
  readonly #ownTokens: ReadonlyMap<string, string>
  /** Signs an account beyond a version that a server holds and the store does not know. */
  readonly #surpass: (account: string, version: number) => Promise<void>
  readonly #waiters = new Map<string, Set<Waiter>>()
  #fleet: Fleet | null = null
  #stopped = false
  #wake: () => void = () => {}
  #running: Promise<void> = Promise.resolve()
  #comparing: Promise<void> | null = null
  #compareAgain = false

  constructor(parts: {
    store: Store
    log: Logger
    ownTokens: ReadonlyMap<string, string>
    surpass: (account: string, version: number) => Promise<void>
  }) {
    this.#store = parts.store
    this.#log = parts.log
    this.#ownTokens = parts.ownTokens
    this.#surpass = parts.surpass
  }

  /** Starts working, as soon as the fleet has servers. */
  start(fleet: Fleet): void {
    this.#fleet = fleet
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake()
    await this.#running
    await this.#comparing
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.resolve(false)
    this.#waiters.clear()
  }

  /** Something was enqueued. */
  notify(): void {
    this.#wake()
  }

  /** A server has come: what it lacks has to be found out, and what waits can go. */
  serverJoined(): void {
    if (this.#stopped) return
    this.#compareAgain = true
    this.#comparing ??= this.#compareWhileNeeded()
  }

  /** True when every known server has this version or a later one, within the time; false when the time is over. */
  whenDelivered(account: string, version: number, withinMs: number): Promise<boolean> {
    if (this.#stopped || this.#fleet?.connected !== true) return Promise.resolve(false)
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(account) ?? new Set()
      this.#waiters.set(account, waiters)
      const settle = (delivered: boolean) => {
        clearTimeout(timer)
        waiters.delete(waiter)
        if (waiters.size === 0 && this.#waiters.get(account) === waiters) this.#waiters.delete(account)
        resolve(delivered)
      }
      const waiter: Waiter = { version, resolve: settle }
      const timer = setTimeout(settle, withinMs, false)
      waiters.add(waiter)
    })
  }

  /** The outbox loop: one at a time reads the store, several deliver. */
  async #run(): Promise<void> {
    while (!this.#stopped) {
      let pause = longestBackoffMs
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      try {
        if (this.#fleet?.connected && this.#fleet.servers.length > 0) {
          const due = await dueEntries(this.#store.db, Date.now(), parallel)
          if (due.length > 0) {
            await Promise.all(
              due.map((entry) => this.#deliver(entry.publicKey, entry.token, entry.version, entry.attempts)),
            )
            continue
          }
          const next = await nextDueAt(this.#store.db)
          if (next !== null) pause = Math.min(pause, Math.max(0, next - Date.now()))
        }
      } catch (error) {
        this.#log.error({ reason: reasonOf(error) }, 'the outbox cannot be worked off')
        pause = 1_000
      }
      const timer = setTimeout(this.#wake, pause)
      await woken
      clearTimeout(timer)
    }
  }

  async #deliver(account: string, token: string, version: number, attempts: number): Promise<void> {
    if (await this.#send(account, token)) {
      await markDelivered(this.#store.db, account, version)
      for (const waiter of this.#waiters.get(account) ?? [])
        if (waiter.version <= version) waiter.resolve(true)
      return
    }
    const backoff = Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(attempts, 16))
    await postpone(this.#store.db, account, version, attempts + 1, Date.now() + backoff)
  }

  /** Sends a token to all servers. @returns true when every server that is known afterwards has taken it */
  async #send(account: string, token: string): Promise<boolean> {
    const fleet = this.#fleet
    if (fleet === null || fleet.servers.length === 0) return false
    const taken = new Set<string>()
    const missing = () => fleet.servers.filter((server) => !taken.has(server.id))
    await fleet.ask(
      '$SYS.REQ.CLAIMS.UPDATE',
      token,
      (answers) => {
        const answer = answers.at(-1)!
        const id = readServer(answer)?.id
        const problem = problemOf(answer)
        if (problem !== null) {
          this.#log.warn({ account, server: id, reason: problem }, 'a message server refused an account')
        } else if (id !== undefined) {
          taken.add(id)
        }
        return missing().length === 0
      },
      answerWithinMs,
    )
    // Those that said nothing may be gone: then nobody waits for them.
    if (missing().length > 0) await fleet.ping()
    return fleet.connected && fleet.servers.length > 0 && missing().length === 0
  }

  async #bringOwnTokens(): Promise<void> {
    for (const [account, token] of this.#ownTokens) {
      if (!(await this.#lookUp(account)).all(token)) await this.#send(account, token)
    }
  }

  async #compareWhileNeeded(): Promise<void> {
    try {
      while (this.#compareAgain && !this.#stopped) {
        this.#compareAgain = false
        await hurry(this.#store.db)
        await this.#bringOwnTokens()
        await this.#compareAll()
        this.#wake()
      }
    } catch (error) {
      this.#log.error({ reason: reasonOf(error) }, 'comparing the message servers with the store failed')
    } finally {
      this.#comparing = null
    }
  }

  /** Enqueues every account of which some server has another version than the store. */
  async #compareAll(): Promise<void> {
    const now = Math.floor(Date.now() / 1000)
    const running = new Set<Promise<void>>()
    for await (const row of allAccounts(this.#store.db)) {
      if (this.#stopped || this.#fleet?.connected !== true) break
      // Servers drop expired accounts by themselves.
      if (row.expires_at > 0 && row.expires_at <= now) continue
      const one: Promise<void> = this.#compare(row.public_key, row.signed_token).finally(() =>
        running.delete(one),
      )
      running.add(one)
      if (running.size >= parallel) await Promise.race(running)
    }
    await Promise.all(running)
  }

  async #compare(account: string, token: string): Promise<void> {
    const held = await this.#lookUp(account)
    if (held.all(token)) return
    // The account may have changed since its row was read; what is in the store now counts.
    const row = await findAccount(this.#store.db, account)
    if (row === undefined || held.all(row.signed_token)) return
    if (held.newest > row.signed_iat) {
      this.#log.warn(
        { account, version: held.newest },
        'a message server holds a version that the store does not have',
      )
      await this.#surpass(account, held.newest)
    } else {
      await enqueue(this.#store.db, account, row.signed_iat)
    }
  }

  /** Which tokens the servers hold for an account. */
  async #lookUp(account: string): Promise<{ all: (token: string) => boolean; newest: number }> {
    const count = this.#fleet?.servers.length ?? 0
    const enough = (answers: readonly Msg[]) => answers.length >= count
    const answers = await this.#fleet?.ask(`$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`, '', enough)
    const tokens = (answers ?? []).map((answer) => answer.string())
    return {
      all: (token) => tokens.length >= Math.max(1, count) && tokens.every((one) => one === token),
      newest: Math.max(0, ...tokens.map(issuedAtOf)),
    }
  }
}

/** Why a server did not take an account; null when it did. */
function problemOf(answer: Msg): string | null {
  const { data, error } = (readJson(answer) ?? {}) as {
    data?: { code?: unknown }
    error?: { description?: unknown }
  }
  if (error === undefined && data?.code === 200) return null
  return typeof error?.description === 'string' ? error.description : 'the answer is not understood'
}

/** iat of an account token, 0 for anything else. */
function issuedAtOf(token: string): number {
  try {
    return Number(decodeAccount(token).iat)
  } catch {
    return 0
  }
}
