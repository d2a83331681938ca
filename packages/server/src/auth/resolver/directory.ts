// FULL: one file per account, `<dir>/<public key>.jwt`, the bare token, 0600 in a folder that is 0700. Files appear whole: a temporary
// name, synced, renamed. The index in memory holds what is needed to compare and to expire, not the tokens.
import { createHash } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isPublicKey, unverifiedDecode } from '@ngs/identity/node'
import type { Resolver, StoreOutcome } from './resolver.ts'

interface Entry {
  path: string
  hash: Buffer
  iat: number
  jti: string
  /** Unix seconds, 0 for never. */
  exp: number
}

const SWEEP_MS = 60_000

export class DirectoryResolver implements Resolver {
  readonly writable = true
  readonly #dir: string
  readonly #limit: number
  readonly #hardDelete: boolean
  readonly #entries = new Map<string, Entry>()
  readonly #hash = Buffer.alloc(32)
  readonly #sweeper: NodeJS.Timeout

  /** @throws the error of the file system when the folder cannot be made or read. */
  constructor(dir: string, options: { limit: number; hardDelete: boolean }) {
    this.#dir = dir
    this.#limit = options.limit
    this.#hardDelete = options.hardDelete
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    for (const file of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
      const account = /([A-Z2-7]{56})\.jwt$/.exec(file)?.[1]
      if (account === undefined || !isPublicKey(account, 'account')) continue
      const path = join(dir, file)
      this.#index(account, path, readFileSync(path, 'utf8'))
    }
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS).unref()
  }

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

  async fetch(account: string): Promise<string | null> {
    const entry = this.#entries.get(account)
    if (entry === undefined) return null
    try {
      return (await readFile(entry.path, 'utf8')).trim()
    } catch {
      return null
    }
  }

  save(account: string, token: string): StoreOutcome {
    const known = this.#entries.get(account)
    if (known === undefined && this.#limit > 0 && this.#entries.size >= this.#limit)
      return { ok: false, reason: 'jwt store is full' }
    const path = known?.path ?? join(this.#dir, `${account}.jwt`)
    try {
      writeWhole(path, token)
    } catch (error) {
      return { ok: false, reason: (error as Error).message }
    }
    this.#index(account, path, token)
    return { ok: true }
  }

  /** Keeps the newer one: a stored token with the same id or a later iat stays. */
  merge(account: string, token: string): boolean {
    const known = this.#entries.get(account)
    if (known !== undefined) {
      const offered = describe('', token)
      if (offered === null || known.jti === offered.jti || known.iat > offered.iat) return false
    }
    return this.save(account, token).ok
  }

  list(): string[] {
    return [...this.#entries.keys()]
  }

  delete(account: string): boolean {
    const entry = this.#entries.get(account)
    if (entry === undefined) return true
    if (this.#hardDelete) rmSync(entry.path, { force: true })
    else renameSync(entry.path, `${entry.path}.deleted`)
    this.#forget(account)
    return true
  }

  hash(): Buffer {
    return Buffer.from(this.#hash)
  }

  /** Expired tokens are of no use to anybody. */
  #sweep(): void {
    const now = Date.now() / 1000
    for (const [account, entry] of this.#entries) {
      if (entry.exp === 0 || entry.exp > now) continue
      rmSync(entry.path, { force: true })
      this.#forget(account)
    }
  }

  close(): void {
    clearInterval(this.#sweeper)
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
    }
  } catch {
    return null
  }
}

function writeWhole(path: string, content: string): void {
  const temporary = `${path}.${process.pid}.tmp`
  const descriptor = openSync(temporary, 'w', 0o600)
  try {
    writeSync(descriptor, content)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(temporary, path)
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
