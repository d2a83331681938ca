// All accounts of a server, and the links between them.

import { isSubsetMatch, subjectsOverlap } from '@ngs/identity/node'
import { hasWildcard } from '../subject/subject.ts'
import { Transform, TransformError } from '../subject/transform.ts'
import { Account } from './account.ts'
import type { ServiceImport, StreamImport } from './sharing.ts'
import type { AccountSpec, ExportSpec, ImportSpec } from './spec.ts'

/** The account of connections without one. */
export const GLOBAL = '$G'

export class AccountRegistry {
  readonly #accounts = new Map<string, Account>()
  readonly global: Account
  system: Account | null = null
  /** Where accounts come from that are not known yet; null when all are configured. */
  fetch: ((name: string) => Promise<Account | null>) | null = null
  /** Told about imports that do not work, for the log. */
  onRefusedImport: (importer: Account, spec: ImportSpec, why: string) => void = () => {}
  /** Imports every account gets besides its own. */
  automatic: (account: Account) => ImportSpec[] = () => []

  constructor() {
    this.global = this.ensure(GLOBAL)
  }

  get(name: string): Account | undefined {
    return this.#accounts.get(name)
  }
  ensure(name: string): Account {
    let account = this.#accounts.get(name)
    if (account === undefined) {
      account = new Account(name)
      this.#accounts.set(name, account)
    }
    return account
  }
  all(): IterableIterator<Account> {
    return this.#accounts.values()
  }
  get size(): number {
    return this.#accounts.size
  }

  /** The account, from where accounts come when it is not here yet; null when nobody knows it. */
  getOrFetch(name: string): Account | Promise<Account | null> | null {
    return this.#accounts.get(name) ?? this.fetch?.(name) ?? null
  }

  /** Takes an account out that nobody imports from any more. */
  remove(account: Account): void {
    account.link([], [])
    this.#accounts.delete(account.name)
  }

  setSystem(account: Account): void {
    this.system = account
    account.isSystem = true
  }

  /** Makes the account what the spec says, live: imports of it and of everybody who imports from it are linked anew. */
  apply(account: Account, spec: AccountSpec): void {
    account.spec = spec
    account.updatedAt = new Date()
    this.link(account)
    for (const other of this.#accounts.values()) {
      if (other !== account && other.spec.imports.some((item) => item.account === account.name))
        this.link(other)
    }
  }

  /** Checks the account's imports and puts those that hold in force. */
  link(account: Account): void {
    const streams: StreamImport[] = []
    const services: ServiceImport[] = []
    for (const spec of [...account.spec.imports, ...this.automatic(account)]) {
      const exporter = this.#accounts.get(spec.account)
      if (exporter === undefined) {
        this.onRefusedImport(
          account,
          spec,
          `Can't locate account [${spec.account}] for import of [${spec.subject}] ${spec.kind}`,
        )
        continue
      }
      const found = authorised(exporter, account, spec)
      if (typeof found === 'string') {
        this.onRefusedImport(account, spec, found)
        continue
      }
      try {
        if (spec.kind === 'stream') {
          if (streams.some((other) => other.exporter === exporter && other.spec.subject === spec.subject))
            throw new TransformError('stream import already exists')
          streams.push({ spec, exporter, transform: new Transform(spec.subject, spec.to) })
        } else {
          if (!spec.system && this.#formsCycle(account, spec))
            throw new TransformError('import forms a cycle')
          services.push(serviceImport(spec, exporter, found))
        }
      } catch (error) {
        if (!(error instanceof TransformError)) throw error
        this.onRefusedImport(
          account,
          spec,
          `Error adding ${spec.kind} import "${spec.subject}": ${error.message}`,
        )
      }
    }
    account.link(streams, services)
  }

  /** True when requests to the import could come back to the account over the services its exporter imports. */
  #formsCycle(account: Account, spec: ImportSpec): boolean {
    const visited = new Set([account.name])
    const walk = (name: string, subject: string): boolean => {
      if (visited.has(name)) return true
      if (visited.size > 1024) return true
      visited.add(name)
      for (const next of this.#accounts.get(name)?.spec.imports ?? []) {
        if (next.kind !== 'service' || next.account === name) continue
        if (!subjectsOverlap(next.to.replace(/\$\d+/g, '*'), subject)) continue
        if (walk(next.account, next.subject)) return true
      }
      visited.delete(name)
      return false
    }
    return spec.account !== account.name && walk(spec.account, spec.subject.replace(/\$\d+/g, '*'))
  }
}

/** The export that lets the import in, or why none does. */
function authorised(exporter: Account, importer: Account, spec: ImportSpec): ExportSpec | string {
  const candidates = exporter.spec.exports.filter((item) => item.kind === spec.kind)
  const found =
    candidates.find((item) => item.subject === spec.subject) ??
    candidates.find((item) => isSubsetMatch(spec.subject, item.subject))
  if (spec.system) return found ?? automaticExport(spec)
  if (found === undefined)
    return `${spec.kind} import not authorized: account ${exporter.name} has no export for "${spec.subject}"`
  if (found.accountTokenPosition > 0) {
    const token = spec.subject.split('.')[found.accountTokenPosition - 1]
    return token === importer.name
      ? found
      : `${spec.kind} import not authorized: token ${found.accountTokenPosition} of "${spec.subject}" is not ${importer.name}`
  }
  if (found.accounts !== null && !found.accounts.has(importer.name))
    return `${spec.kind} import not authorized`
  const refusal = found.authorize?.(importer.name, spec) ?? null
  return refusal === null ? found : `${spec.kind} import not authorized: ${refusal}`
}

function automaticExport(spec: ImportSpec): ExportSpec {
  return {
    kind: 'service',
    subject: spec.subject,
    accounts: null,
    authorize: null,
    responseType: 'Stream',
    responseThreshold: 120_000,
    accountTokenPosition: 0,
  }
}

function serviceImport(spec: ImportSpec, exporter: Account, found: ExportSpec): ServiceImport {
  // A literal remote answers whatever local name (fan-in); otherwise every wildcard has to be used.
  if (!hasWildcard(spec.subject)) {
    return { spec, exporter, export: found, local: spec.to.replace(/\$\d+/g, '*'), transform: null }
  }
  const transform = new Transform(spec.subject, spec.to)
  const stars = spec.subject.split('.').filter((token) => token === '*').length
  if (transform.references < stars) {
    throw new TransformError(
      `failed to create mapping transform for service import subject from "${spec.subject}" to "${spec.to}": not using all of the token wildcard(s)`,
    )
  }
  return { spec, exporter, export: found, local: transform.toPattern, transform }
}
