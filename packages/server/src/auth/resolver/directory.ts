// One file per account, `<dir>/<public key>.jwt`, the bare token, 0600 in a folder that is 0700: the layout of the official server,
// so that either may open the other's folder. Files appear whole: a temporary name, synced, renamed. What happens to one account
// happens in the order of the calls, without holding up the process. The index in memory keeps what is needed to compare and to
// expire, not the tokens.
//
// FULL holds every account; CACHE makes room for new ones by dropping the one that was used longest ago.
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isPublicKey, unverifiedDecode } from '@ngs/identity/node'
import { ServerError } from '../../errors.ts'
import type { AccountStore, Resolver, StoreOutcome } from './resolver.ts'

interface Entry {
  readonly path: string
  /** SHA-256 of the file's content. */
  readonly hash: Buffer
  readonly iat: number
  readonly jti: string
  /** Unix seconds, 0 for never. */
  readonly exp: number
  /** ms; of caches. */
  usedAt: number
}

export interface DirectoryOptions {
  /** Most accounts; 0 for no limit. */
  limit: number
  /** At the limit the account used longest ago makes room; else nothing new is taken. */
  evict: boolean
  /** Unused for so long (ms) an account goes; 0 for never. */
  ttlMs: number
  /** Deleting removes the file; else it is renamed to `.deleted`. */
  hardDelete: boolean
}

export const FULL: DirectoryOptions = { limit: 0, evict: false, ttlMs: 0, hardDelete: false }

const SWEEP_MS = 60_000
const TEMPORARY = /\.jwt\.[0-9a-f]{12}\.tmp$/

export class DirectoryResolver implements Resolver, AccountStore {
  readonly complete: boolean
  readonly store = this
  readonly #dir: string
  readonly #options: DirectoryOptions
  /** In the order of use, the longest unused first. */
  readonly #entries = new Map<string, Entry>()
  readonly #hash = Buffer.alloc(32)
  /** The last task of each account that has one under way. */
  readonly #tasks = new Map<string, Promise<unknown>>()
  readonly #sweeper: NodeJS.Timeout
  /** New accounts whose file is being written. */
  #arriving = 0

  /** Reads the folder, making it if need be. @throws ServerError that names the folder. */
  constructor(dir: string, options: DirectoryOptions) {
    this.#dir = dir
    this.#options = options
    this.complete = !options.evict
    try {
      this.#read()
    } catch (error) {
      throw new ServerError(
        'resolver',
        `the account store ${dir} cannot be used: ${(error as Error).message}; resolver.dir has to be a folder that this user may read and write`,
      )
    }
    const every = options.ttlMs > 0 ? Math.min(options.ttlMs / 2, SWEEP_MS) : SWEEP_MS
    this.#sweeper = setInterval(() => void this.sweep(), every).unref()
  }

  #read(): void {
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 })
    for (const file of readdirSync(this.#dir, { recursive: true, encoding: 'utf8' })) {
      const path = join(this.#dir, file)
      if (TEMPORARY.test(file)) {
        // A process that ended in the middle of a write left it; the file it was meant for is whole.
        rmSync(path, { force: true })
        continue
      }
      const account = /([A-Z2-7]{56})\.jwt$/.exec(file)?.[1]
      if (account === undefined || !isPublicKey(account, 'account')) continue
      this.#index(account, path, readFileSync(path, 'utf8'))
    }
  }

  // Index ----------------------------------------------------------------------------------------------------------------------

  #index(account: string, path: string, token: string): void {
    this.#forget(account)
    const entry = describe(path, token)
    if (entry === null) return
    this.#entries.set(account, entry)
    this.#mix(entry.hash)
  }
  #forget(account: string): void {
    const entry = this.#entries.get(account)
    if (entry === undefined) return
    this.#mix(entry.hash)
    this.#entries.delete(account)
  }
  #mix(hash: Buffer): void {
    for (let i = 0; i < 32; i++) this.#hash[i]! ^= hash[i]!
  }
  #touch(account: string, entry: Entry): void {
    entry.usedAt = Date.now()
    this.#entries.delete(account)
    this.#entries.set(account, entry)
  }

  /** Runs after everything that was asked for this account before. */
  #inTurn<T>(account: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tasks.get(account)
    const running = before === undefined ? task() : before.then(task, task)
    this.#tasks.set(account, running)
    const done = (): void => {
      if (this.#tasks.get(account) === running) this.#tasks.delete(account)
    }
    running.then(done, done)
    return running
  }

  // Resolver and store ---------------------------------------------------------------------------------------------------------

  async fetch(account: string): Promise<string | null> {
    const entry = this.#entries.get(account)
    if (entry === undefined) return null
    if (this.#options.evict) this.#touch(account, entry)
    try {
      return (await readFile(entry.path, 'utf8')).trim()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
  }

  save(account: string, token: string): Promise<StoreOutcome> {
    return this.#inTurn(account, () => this.#save(account, token))
  }

  merge(account: string, token: string): Promise<boolean> {
    return this.#inTurn(account, async () => {
      const known = this.#entries.get(account)
      if (known !== undefined) {
        const offered = describe('', token)
        if (offered === null || known.jti === offered.jti || known.iat > offered.iat) return false
      }
      return (await this.#save(account, token)).ok
    })
  }

  async #save(account: string, token: string): Promise<StoreOutcome> {
    const known = this.#entries.get(account)
    const { limit, evict } = this.#options
    if (known === undefined && limit > 0 && this.#entries.size + this.#arriving >= limit) {
      const [oldest] = this.#entries.keys()
      if (!evict || oldest === undefined) return { ok: false, reason: 'jwt store is full' }
      await this.#inTurn(oldest, () => this.#remove(oldest))
    }
    const path = known?.path ?? join(this.#dir, `${account}.jwt`)
    if (known === undefined) this.#arriving++
    try {
      await writeWhole(path, token)
      this.#index(account, path, token)
      return { ok: true }
    } catch (error) {
      return { ok: false, reason: (error as Error).message }
    } finally {
      if (known === undefined) this.#arriving--
    }
  }

  list(): string[] {
    return [...this.#entries.keys()]
  }

  delete(account: string): Promise<void> {
    return this.#inTurn(account, async () => {
      const entry = this.#entries.get(account)
      if (entry === undefined) return
      if (this.#options.hardDelete) return this.#remove(account)
      await rename(entry.path, `${entry.path}.deleted`)
      this.#forget(account)
    })
  }

  async #remove(account: string): Promise<void> {
    const entry = this.#entries.get(account)
    if (entry === undefined) return
    await rm(entry.path, { force: true })
    this.#forget(account)
  }

  hash(): Buffer {
    return Buffer.from(this.#hash)
  }

  /** Takes away what has expired, and what a cache has not used for long. */
  async sweep(now = Date.now()): Promise<void> {
    const { ttlMs } = this.#options
    const isOver = (entry: Entry): boolean =>
      ttlMs > 0 ? now - entry.usedAt >= ttlMs : entry.exp !== 0 && entry.exp * 1000 <= now
    for (const [account, entry] of [...this.#entries]) {
      if (!isOver(entry)) continue
      await this.#inTurn(account, async () => {
        const current = this.#entries.get(account)
        if (current !== undefined && isOver(current)) await this.#remove(account)
      }).catch(() => {})
    }
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper)
    await Promise.allSettled(this.#tasks.values())
  }
}

function describe(path: string, token: string): Entry | null {
  try {
    const { payload } = unverifiedDecode(token.trim())
    return {
      path,
      hash: createHash('sha256').update(token).digest(),
      iat: Number(payload['iat'] ?? 0),
      jti: String(payload['jti'] ?? ''),
      exp: Number(payload['exp'] ?? 0),
      usedAt: Date.now(),
    }
  } catch {
    return null
  }
}

async function writeWhole(path: string, content: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  }
  // Without this a power cut could undo the rename. Windows cannot open folders and needs no such thing.
  if (process.platform === 'win32') return
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
