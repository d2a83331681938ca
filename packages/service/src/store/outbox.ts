// Queries of the outbox: which accounts' newest tokens still have to reach the servers.
import type { Queries } from './store.ts'

export interface Due {
  publicKey: string
  token: string
  version: number
  attempts: number
  expiresAt: number
}

/** Notes, in the transaction that changes the account, that its token has to go out. A newer one replaces an older. */
export async function enqueue(queries: Queries, publicKey: string, version: number): Promise<void> {
  const fresh = { version, attempts: 0, next_attempt_at: 0 }
  await queries
    .insertInto('outbox')
    .values({ public_key: publicKey, ...fresh })
    .onConflict((conflict) => conflict.column('public_key').doUpdateSet(fresh))
    .execute()
}

/** What is due at `now` (unix ms), the longest waiting first. */
export async function dueEntries(queries: Queries, now: number, size: number): Promise<Due[]> {
  const rows = await queries
    .selectFrom('outbox')
    .innerJoin('accounts', 'accounts.public_key', 'outbox.public_key')
    .select(['outbox.public_key', 'signed_token', 'signed_iat', 'attempts', 'expires_at'])
    .where('next_attempt_at', '<=', now)
    .orderBy('next_attempt_at')
    .limit(size)
    .execute()
  return rows.map((row) => ({
    publicKey: row.public_key,
    token: row.signed_token,
    version: row.signed_iat,
    attempts: row.attempts,
    expiresAt: row.expires_at,
  }))
}

/** When the next entry is due, in unix ms; null when the outbox is empty. */
export async function nextDueAt(queries: Queries): Promise<number | null> {
  const row = await queries
    .selectFrom('outbox')
    .select((eb) => eb.fn.min('next_attempt_at').as('at'))
    .executeTakeFirst()
  return row?.at ?? null
}

/** The servers have this version; a newer one, if enqueued meanwhile, stays. */
export async function markDelivered(queries: Queries, publicKey: string, version: number): Promise<void> {
  await queries
    .deleteFrom('outbox')
    .where('public_key', '=', publicKey)
    .where('version', '=', version)
    .execute()
}

export async function postpone(
  queries: Queries,
  publicKey: string,
  version: number,
  attempts: number,
  nextAttemptAt: number,
): Promise<void> {
  await queries
    .updateTable('outbox')
    .set({ attempts, next_attempt_at: nextAttemptAt })
    .where('public_key', '=', publicKey)
    .where('version', '=', version)
    .execute()
}

/** Makes everything due at once: the servers have become reachable. */
export async function hurry(queries: Queries): Promise<void> {
  await queries.updateTable('outbox').set({ next_attempt_at: 0 }).execute()
}

export async function waitingAccounts(queries: Queries): Promise<Set<string>> {
  const rows = await queries.selectFrom('outbox').select('public_key').execute()
  return new Set(rows.map((row) => row.public_key))
}
