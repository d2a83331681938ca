// All accounts of a server, and the links between them.

import { isSubsetMatch, localPattern, Renaming, RenamingError } from '@ngs/identity/node'
import { fromWire, hasWildcard } from '../subject/subject.ts'
import { Account } from './account.ts'
import type { LatencyReports } from './latency.ts'
import { accept, authorised, latencyRefusal, newSharer, unfit } from './rules.ts'
import { ServiceImport, StreamImport } from './sharing.ts'
import {
  type AccountSpec,
  DEFAULT_RESPONSE_THRESHOLD,
  EMPTY_SPEC,
  type ExportSpec,
  type ImportSpec,
} from './spec.ts'

/** The account of connections without one. */
export const GLOBAL = '$G'

export class AccountRegistry {
  readonly #accounts = new Map<string, Account>()
  /** By exporter, whether there is such an account or not. */
  readonly #importers = new Map<string, Set<Account>>()
  /** What the log already knows. */
  readonly #refused = new Map<Account, ReadonlySet<string>>()
  #reports: LatencyReports | null = null
  /** This server's, for mappings that depend on it. */
  cluster = ''
  readonly global: Account
  system: Account | null = null
  /** Where accounts come from that are not known yet; null when all are configured. */
  fetch: ((name: string) => Promise<Account | null>) | null = null
  /** Told about imports that do not work, for the log. */
  onRefusedImport: (importer: Account, spec: ImportSpec, why: string) => void = () => {}
  /** Told about services whose times cannot be told. */
  onRefusedLatency: (exporter: Account, spec: ExportSpec, why: string) => void = () => {}
  /** Imports every account gets besides its own. */
  automatic: (account: Account) => ImportSpec[] = () => []
  /** Exports of the system account besides its own. */
  systemExports: ExportSpec[] = []

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
      account.reports = this.#reports
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

  /** Takes an account out that nobody imports from any more. */
  remove(account: Account): void {
    this.#take(account, EMPTY_SPEC)
    account.link([], [])
    this.#refused.delete(account)
    this.#accounts.delete(account.name)
  }

  /** Lets services tell their times. */
  setReports(reports: LatencyReports): void {
    this.#reports = reports
    for (const account of this.#accounts.values()) account.reports = reports
  }

  setSystem(account: Account): void {
    this.system = account
    account.isSystem = true
  }

  /** Makes the account what the spec says, live: imports of it and of everybody who imports from it are linked anew. */
  apply(account: Account, spec: AccountSpec): void {
    this.#take(account, spec)
    this.link(account)
    for (const other of this.#importers.get(account.name) ?? []) if (other !== account) this.link(other)
  }

  /** All accounts of a configuration file at once: whoever comes first there may import from whoever comes last. */
  applyAll(specs: ReadonlyMap<string, AccountSpec>): void {
    const accounts = [...specs].map(([name, spec]) => {
      const account = this.ensure(name)
      this.#take(account, spec)
      return account
    })
    for (const account of accounts) this.link(account)
  }

  #take(account: Account, spec: AccountSpec): void {
    for (const { account: exporter } of account.spec.imports) this.#importers.get(exporter)?.delete(account)
    for (const { account: exporter } of spec.imports) {
      const importers = this.#importers.get(exporter)
      if (importers === undefined) this.#importers.set(exporter, new Set([account]))
      else importers.add(account)
    }
    account.spec = spec
    account.everHeld.clear()
    account.sharer = newSharer(this.exportsOf(account))
    for (const item of spec.exports) {
      const why = item.latency === null ? null : latencyRefusal(account.sharer, item)
      if (why === null) continue
      // Claims may ask for what cannot be: the service works, its times are not told.
      item.latency = null
      this.onRefusedLatency(account, item, why)
    }
    account.updatedAt = new Date()
    account.map(this.cluster)
  }

  /** An export of the account's own stands before those that it covers. */
  exportsOf({ spec, isSystem }: Account): ExportSpec[] {
    if (!isSystem) return spec.exports
    const isCovered = ({ kind, subject }: ExportSpec): boolean =>
      spec.exports.some((own) => own.kind === kind && isSubsetMatch(subject, own.subject))
    return [...spec.exports, ...this.systemExports.filter((item) => !isCovered(item))]
  }

  /** Checks the account's imports and puts those that hold in force. */
  link(account: Account): void {
    const { sharer } = account
    account.sharer = { ...newSharer([]), exports: sharer.exports }
    const streams: StreamImport[] = []
    const services: ServiceImport[] = []
    const before = this.#refused.get(account)
    const refused = new Set<string>()
    const seen = new Map<string, ImportSpec>()
    for (const spec of [...account.spec.imports, ...this.automatic(account)]) {
      const made = this.#make(account, spec, seen)
      if (typeof made === 'string') {
        refused.add(made)
        if (before?.has(made) !== true) this.onRefusedImport(account, spec, made)
        // What was in force before stands in the way of imports that would go round, and so will find its place again.
        if (account.everHeld.has(spec)) accept(account.sharer, spec)
        continue
      }
      if (made instanceof StreamImport) streams.push(made)
      else services.push(made)
      accept(account.sharer, spec)
    }
    if (refused.size > 0) this.#refused.set(account, refused)
    else this.#refused.delete(account)
    account.link(streams, services)
  }

  /** The import in force, or why there is none. */
  #make(
    account: Account,
    spec: ImportSpec,
    seen: Map<string, ImportSpec>,
  ): StreamImport | ServiceImport | string {
    const { kind, subject, to } = spec
    const exporter = this.#accounts.get(spec.account)
    if (exporter === undefined)
      return `Can't locate account [${spec.account}] for import of [${subject}] ${kind}`
    const found = spec.system
      ? (exporter.sharer.exports.covering(kind, subject)[0] ?? automaticExport(spec))
      : authorised(exporter.sharer, account.name, spec)
    if ('refusal' in found) return `${kind} import not authorized: ${found.refusal}`
    const failed = (why: string): string => `Error adding ${kind} import "${fromWire(subject)}": ${why}`
    // Judged once: what the exporter imports later does not take away what is in force.
    const why =
      spec.system || account.everHeld.has(spec)
        ? null
        : unfit((name) => this.#accounts.get(name)?.sharer, account.name, spec)
    if (why !== null) return failed(why)
    const key = kind === 'stream' ? `${spec.account} ${subject}` : ` ${spec.account} ${to}`
    const same = seen.get(key)
    if (same !== undefined) {
      // The account's own import stands before the server's.
      if (spec.system) return failed('the account has an import of its own')
      return failed(
        kind === 'stream'
          ? 'stream import already exists'
          : `duplicate service import subject "${fromWire(to)}", previously used in import for account "${same.account}", subject "${fromWire(same.subject)}"`,
      )
    }
    seen.set(key, spec)
    try {
      if (kind === 'stream') return new StreamImport(spec, exporter, new Renaming(subject, to))
      // A literal remote answers whatever local name (fan-in).
      return hasWildcard(subject)
        ? serviceImport(spec, exporter, found)
        : new ServiceImport(spec, exporter, found, localPattern(to), null)
    } catch (error) {
      if (error instanceof RenamingError) return failed(error.message)
      throw error
    }
  }
}

function serviceImport(spec: ImportSpec, exporter: Account, found: ExportSpec): ServiceImport {
  const renaming = new Renaming(spec.subject, spec.to)
  return new ServiceImport(spec, exporter, found, renaming.toPattern, renaming)
}

/** What the server itself imports for an account needs no export. */
function automaticExport(spec: ImportSpec): ExportSpec {
  return {
    kind: 'service',
    subject: spec.subject,
    accounts: null,
    authorize: null,
    responseType: 'Stream',
    responseThreshold: DEFAULT_RESPONSE_THRESHOLD,
    accountTokenPosition: 0,
    latency: null,
    allowTrace: false,
  }
}
