// The accounts of the operator: takes what owners push, signs it under their plan, changes plans. Every change is one
// transaction that also notes what has to be distributed; the distributor does the rest.
import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { type AccountClaims, decodeAccount } from '@ngs/identity/node'
import type { Logger } from 'pino'
import type { StrangerLimits } from '../config.ts'
import { ServiceError } from '../errors.ts'
import type { OwnKeys } from '../operator/keys.ts'
import type { Catalogue, Plan } from '../plans/catalogue.ts'
import { excessOf } from '../plans/fit.ts'
import {
  type AccountRow,
  allAccounts,
  countAccounts,
  countByPlan,
  findAccount,
  findAccountsByName,
  readFact,
  writeFact,
} from '../store/accounts.ts'
import { waitingAccounts } from '../store/outbox.ts'
import type { Queries, Store } from '../store/store.ts'
import { type Composed, checkComposed, compose, isDeletion } from './compose.ts'
import { checkImports } from './imports.ts'
import { Ledger, ownersWord, seconds } from './ledger.ts'
import { provenanceOf } from './provenance.ts'
import { readPushedToken } from './read.ts'

/** What became of a push. */
export interface Pushed {
  account: string
  /** Version of the account that the servers are to have; null when nothing was changed. */
  version: number | null
  created: boolean
  /** What the owner should know, one line each. */
  notes: string[]
}

/** Live figures that decide whether an account fits a smaller plan. */
export interface LiveUse {
  connections: number
  leafNodes: number
}

export interface AccountSummary {
  account: string
  name: string
  plan: string
  state: string
  /** Whether every known server has the newest version. */
  distributed: boolean
  createdAt: number
  updatedAt: number
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000)

export class Accounts {
  readonly #store: Store
  readonly #keys: OwnKeys
  readonly #ownTokens: ReadonlyMap<string, string>
  readonly #catalogue: Catalogue
  readonly #limits: StrangerLimits
  readonly #log: Logger
  readonly #ledger: Ledger

  constructor(parts: {
    store: Store
    keys: OwnKeys
    ownTokens: ReadonlyMap<string, string>
    catalogue: Catalogue
    limits: StrangerLimits
    log: Logger
    /** Called after a change was committed. */
    changed: () => void
  }) {
    this.#store = parts.store
    this.#keys = parts.keys
    this.#ownTokens = parts.ownTokens
    this.#catalogue = parts.catalogue
    this.#limits = parts.limits
    this.#log = parts.log
    this.#ledger = new Ledger(parts)
  }

  /**
   * Brings the store in line with the catalogue, the demonstration account and the signing key of today: accounts whose
   * token would come out differently are signed anew.
   * @throws ServiceError bad-plans-file when accounts are on a plan that the catalogue no longer has
   */
  async open(): Promise<void> {
    const orphaned = (await countByPlan(this.#store.db)).filter(({ plan }) => !this.#catalogue.has(plan))
    if (orphaned.length > 0) {
      const list = orphaned
        .map(({ plan, count }) => `"${plan}" (${count} account${count === 1 ? '' : 's'})`)
        .join(', ')
      throw new ServiceError(
        'bad-plans-file',
        `the plan catalogue lacks plans that accounts are on: ${list}; add them again, or move the accounts first`,
      )
    }
    const basis = createHash('sha256')
      .update(JSON.stringify([this.#catalogue.plans, this.#keys.demo.publicKey, this.#keys.signer.publicKey]))
      .digest('hex')
    if ((await readFact(this.#store.db, 'signing-basis')) === basis) return
    for await (const row of allAccounts(this.#store.db)) {
      if (row.state === 'active') await this.refresh(row.public_key)
    }
    await writeFact(this.#store.db, 'signing-basis', basis)
  }

  /** The newest token of an account, or of one of the operator's own; null when there is none. */
  async token(account: string): Promise<string | null> {
    const own = this.#ownTokens.get(account)
    if (own !== undefined) return own
    return (await findAccount(this.#store.db, account))?.signed_token ?? null
  }

  /** As `token`, and null also once it has expired: what servers may be told. */
  async liveToken(account: string): Promise<string | null> {
    const own = this.#ownTokens.get(account)
    if (own !== undefined) return own
    const row = await findAccount(this.#store.db, account)
    if (row === undefined || (row.expires_at > 0 && row.expires_at <= nowSeconds())) return null
    return row.signed_token
  }

  find(account: string): Promise<AccountRow | undefined> {
    return findAccount(this.#store.db, account)
  }

  /** The plan of a stored account. */
  planOf(row: AccountRow): Plan {
    return this.#catalogue.get(row.plan)
  }

  async list(): Promise<AccountSummary[]> {
    const waiting = await waitingAccounts(this.#store.db)
    const list: AccountSummary[] = []
    for await (const row of allAccounts(this.#store.db))
      list.push(summaryOf(row, !waiting.has(row.public_key)))
    return list
  }

  /**
   * Takes an account token that somebody pushed. What is refused leaves nothing behind.
   * @param admitNew called when the push would create an account; throws when it may not
   * @throws ServiceError with what is wrong and what to do about it
   */
  async push(account: string, pushed: string, admitNew: () => void): Promise<Pushed> {
    const token = pushed.trim()
    const claims = readPushedToken(token, account, this.#limits)
    return this.#ledger.change(async (queries) => {
      const row = (await findAccount(queries, account)) ?? null
      const stored = row === null ? null : { row, claims: decodeAccount(row.signed_token) }
      const now = nowSeconds()
      const origin = provenanceOf(this.#keys, claims, token, stored, now)
      if (origin.kind === 'known') {
        return { account, version: null, created: false, notes: origin.note === null ? [] : [origin.note] }
      }
      if (row === null) {
        admitNew()
        if ((await countAccounts(queries)) >= this.#limits.accounts) {
          throw new ServiceError(
            'busy',
            'this service takes no more accounts at the moment; ask its operator',
          )
        }
      }
      this.#refuseReservedKeys(claims)
      const plan = row === null ? this.#catalogue.defaultPlan : this.#catalogue.get(row.plan)
      const composed = compose(claims, plan, this.#keys.demo.publicKey)
      checkComposed(composed, plan, now)
      const leaving = isDeletion(claims)
      const notes = leaving
        ? ['the account is cancelled; its connections end within two minutes']
        : await this.#checkImports(queries, composed, stored?.claims ?? null, now)
      const saved = await this.#ledger.sign(queries, row, composed, {
        plan: plan.id,
        state: leaving ? 'cancelled' : 'active',
        ...(origin.kind === 'owner'
          ? ownersWord(row, claims, token)
          : {
              client_token: row?.client_token ?? token,
              client_iat: row?.client_iat ?? Math.min(seconds(claims.iat), now),
            }),
      })
      if (saved === null) return null
      const action =
        row === null ? 'created' : leaving ? 'cancelled' : row.state === 'cancelled' ? 'revived' : 'updated'
      const renamed = row !== null && row.name !== saved.name ? { renamed_from: row.name } : {}
      await this.#ledger.audit(queries, saved, {
        actor: origin.kind === 'owner' ? `owner:${claims.iss}` : 'operator',
        action,
        detail: { name: saved.name, ...renamed },
      })
      return { account, version: saved.signed_iat, created: row === null, notes }
    })
  }

  /**
   * Puts an account on another plan and signs it with the new limits.
   * @param account public key, or a name that only one account has
   * @param liveUse figures of the account now; null when no server can be asked
   * @throws ServiceError unknown-account, ambiguous-account, unknown-plan, account-cancelled, does-not-fit
   */
  async changePlan(
    account: string,
    planText: string,
    liveUse: (account: string) => Promise<LiveUse | null>,
  ): Promise<{ summary: AccountSummary; version: number | null }> {
    const plan = this.#catalogue.find(planText)
    const { public_key: key } = await this.resolve(account)
    const live = await liveUse(key)
    return this.#ledger.change(async (queries) => {
      const row = await findAccount(queries, key)
      if (row === undefined) throw unknownAccount(account)
      if (row.state === 'cancelled') {
        throw new ServiceError('account-cancelled', `the owner has deleted account "${row.name}" (${key})`)
      }
      const base = decodeAccount(row.signed_token)
      const composed = compose(base, plan, this.#keys.demo.publicKey)
      const excess = excessOf(plan, {
        imports: composed.imports,
        ...(live ?? { connections: 0, leafNodes: 0 }),
      })
      if (excess.length > 0) {
        throw new ServiceError('does-not-fit', `account "${row.name}" does not fit plan ${plan.name}:`, {
          remedy: excess,
        })
      }
      if (row.plan === plan.id) return { summary: summaryOf(row, true), version: null }
      const saved = await this.#ledger.sign(queries, row, composed, { plan: plan.id })
      if (saved === null) return null
      await this.#ledger.audit(queries, saved, {
        actor: 'operator',
        action: 'plan-changed',
        detail: { from: row.plan, to: plan.id },
      })
      return { summary: summaryOf(saved, false), version: saved.signed_iat }
    })
  }

  /** The account a person means. @throws ServiceError unknown-account, ambiguous-account */
  async resolve(text: string): Promise<AccountRow> {
    const byKey = await findAccount(this.#store.db, text)
    if (byKey !== undefined) return byKey
    const named = await findAccountsByName(this.#store.db, text)
    if (named.length === 0) throw unknownAccount(text)
    if (named.length > 1) {
      throw new ServiceError(
        'ambiguous-account',
        `${named.length} accounts have the name "${text}"; use a key:`,
        {
          remedy: named.map((row) => row.public_key),
        },
      )
    }
    return named[0]!
  }

  /**
   * Signs an account anew if that would change it, or if its version has to exceed one that a server holds.
   * @param beyond a version found elsewhere
   */
  async refresh(account: string, beyond = 0): Promise<void> {
    await this.#ledger.change(async (queries) => {
      const row = await findAccount(queries, account)
      if (row === undefined) return true
      const before = decodeAccount(row.signed_token)
      const plan = this.#catalogue.get(row.plan)
      const composed = compose(before, plan, this.#keys.demo.publicKey)
      const same =
        before.iss === this.#keys.signer.publicKey &&
        isDeepStrictEqual(composed.claims.nats.limits, before.nats.limits) &&
        isDeepStrictEqual(sortedImports(composed.claims), sortedImports(before))
      if (same && row.signed_iat >= beyond) return true
      const excess = excessOf(plan, { imports: composed.imports, connections: 0, leafNodes: 0 })
      if (excess.length > 0) {
        // With the new limits the servers would refuse the whole account; it keeps the old ones until it fits.
        this.#log.warn(
          { account, plan: plan.id, excess },
          'account does not fit its plan as changed in the catalogue',
        )
        return true
      }
      const saved = await this.#ledger.sign(
        queries,
        { ...row, signed_iat: Math.max(row.signed_iat, beyond) },
        composed,
        {},
        row,
      )
      if (saved === null) return null
      await this.#ledger.audit(queries, saved, { actor: 'service', action: 'signed-anew', detail: {} })
      return true
    })
  }

  async #checkImports(
    queries: Queries,
    { claims, imports }: Composed,
    before: AccountClaims | null,
    now: number,
  ): Promise<string[]> {
    const known = new Map<string, AccountClaims | null>([[claims.sub, claims]])
    return checkImports(imports, {
      importer: claims.sub,
      systemAccount: this.#keys.system.publicKey,
      before: before?.nats.imports ?? [],
      exporter: async (account) => {
        const cached = known.get(account)
        if (cached !== undefined) return cached
        const row = await findAccount(queries, account)
        const exporter = row === undefined ? null : decodeAccount(row.signed_token)
        known.set(account, exporter)
        return exporter
      },
      now,
    })
  }

  /** The operator's keys vouch for the operator's accounts only. */
  #refuseReservedKeys(claims: AccountClaims): void {
    const reserved: string[] = [this.#keys.system.publicKey, this.#keys.demo.publicKey]
    for (const key of claims.nats.signing_keys ?? []) {
      const text = typeof key === 'string' ? key : key.key
      if (reserved.includes(text)) {
        throw new ServiceError('reserved-account', `the signing key ${text} is the operator's own; remove it`)
      }
    }
  }
}

function sortedImports(claims: AccountClaims): unknown[] {
  return (claims.nats.imports ?? []).map((item) => JSON.stringify(item)).sort()
}

function summaryOf(row: AccountRow, distributed: boolean): AccountSummary {
  return {
    account: row.public_key,
    name: row.name,
    plan: row.plan,
    state: row.state,
    distributed,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function unknownAccount(text: string): ServiceError {
  return new ServiceError('unknown-account', `there is no account "${text}" here; push it with nsc first`)
}
