// How an account changes: one transaction that signs the new version, stores it, notes that it has to be distributed, and
// says in the audit log who did it.
import { type AccountClaims, encode } from '@ngs/identity/node'
import type { Logger } from 'pino'
import { ServiceError } from '../errors.ts'
import type { OwnKeys } from '../operator/keys.ts'
import { type AccountRow, type AuditEntry, appendAudit, saveAccount } from '../store/accounts.ts'
import { enqueue } from '../store/outbox.ts'
import type { Queries, Store } from '../store/store.ts'
import type { Composed } from './compose.ts'
import { digestOf } from './provenance.ts'

/** How often a change is tried again that somebody else has overtaken. */
const attempts = 5

/** A time of a token as the store can hold it: claims have room for 64 bits, of either sign. */
export function seconds(time: number | bigint | undefined): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Number(time ?? 0)))
}

export class Ledger {
  readonly #store: Store
  readonly #keys: OwnKeys
  readonly #log: Logger
  readonly #changed: () => void

  constructor(parts: {
    store: Store
    keys: OwnKeys
    log: Logger /** Called after a commit. */
    changed: () => void
  }) {
    this.#store = parts.store
    this.#keys = parts.keys
    this.#log = parts.log
    this.#changed = parts.changed
  }

  /** Runs a change in a transaction, and again when somebody else has changed the account meanwhile (null). */
  async change<T>(work: (queries: Queries) => Promise<T | null>): Promise<T> {
    for (let i = 0; i < attempts; i++) {
      const result = await this.#store.transaction(work)
      if (result !== null) {
        this.#changed()
        return result
      }
    }
    throw new ServiceError('busy', 'the account is being changed by somebody else; try again')
  }

  /**
   * Signs a version, stores it and puts it into the outbox.
   * @param before what the version follows; null for a new account, of which `change` then has to name the plan
   * @param guard the row as it was read, when that is not `before`
   * @returns the row as stored, or null when the one that was read is out of date
   */
  async sign(
    queries: Queries,
    before: AccountRow | null,
    { claims }: Composed,
    change: Partial<AccountRow>,
    guard = before,
  ): Promise<AccountRow | null> {
    const now = Math.floor(Date.now() / 1000)
    // Each version is later than the one before, also within a second: servers and caches go by iat and jti, and a jti
    // covers nothing but the times and names. Not earlier than the owner's token, or nsc pull takes it for outdated.
    const issuedAt = Math.max(now, seconds(claims.iat), (before?.signed_iat ?? 0) + 1)
    const token = encode(structuredClone(claims), this.#keys.signer, { issuedAt })
    const row: AccountRow = {
      public_key: claims.sub,
      plan: '',
      state: 'active',
      client_token: token,
      client_iat: 0,
      client_digests: '[]',
      created_at: now,
      ...before,
      ...change,
      name: claims.name ?? '',
      signed_token: token,
      signed_iat: issuedAt,
      expires_at: seconds(claims.exp),
      updated_at: now,
    }
    if (!(await saveAccount(queries, guard, row))) return null
    await enqueue(queries, row.public_key, issuedAt)
    return row
  }

  async audit(
    queries: Queries,
    row: AccountRow,
    entry: Pick<AuditEntry, 'actor' | 'action' | 'detail'>,
  ): Promise<void> {
    await appendAudit(queries, {
      ...entry,
      publicKey: row.public_key,
      detail: { ...entry.detail, version: row.signed_iat },
    })
    this.#log.info({ account: row.public_key, name: row.name, actor: entry.actor }, `account ${entry.action}`)
  }
}

/** The columns that remember the owner's last token. */
export function ownersWord(
  row: AccountRow | null,
  claims: AccountClaims,
  token: string,
): Pick<AccountRow, 'client_token' | 'client_iat' | 'client_digests'> {
  const issuedAt = seconds(claims.iat)
  const digest = digestOf(token)
  const sameSecond = row?.client_iat === issuedAt ? (JSON.parse(row.client_digests) as string[]) : []
  const digests = [...sameSecond.filter((one) => one !== digest), digest]
  return { client_token: token, client_iat: issuedAt, client_digests: JSON.stringify(digests) }
}
