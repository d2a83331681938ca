// Queries about accounts, their audit log, and the facts of the store.
import { randomBytes } from 'node:crypto'
import type { Insertable, Selectable } from 'kysely'
import type { AccountsTable, AuditLogTable } from './schema.ts'
import type { Queries } from './store.ts'

export type AccountRow = Selectable<AccountsTable>

export function findAccount(queries: Queries, publicKey: string): Promise<AccountRow | undefined> {
  return queries.selectFrom('accounts').selectAll().where('public_key', '=', publicKey).executeTakeFirst()
}

export function findAccountsByName(queries: Queries, name: string): Promise<AccountRow[]> {
  return queries.selectFrom('accounts').selectAll().where('name', '=', name).orderBy('public_key').execute()
}

export async function countAccounts(queries: Queries): Promise<number> {
  const row = await queries
    .selectFrom('accounts')
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** The plans accounts are on, with how many are on each. */
export async function countByPlan(queries: Queries): Promise<{ plan: string; count: number }[]> {
  const rows = await queries
    .selectFrom('accounts')
    .select((eb) => ['plan', eb.fn.countAll().as('count')])
    .groupBy('plan')
    .execute()
  return rows.map(({ plan, count }) => ({ plan, count: Number(count) }))
}

/** One page of accounts in the order of their keys, after the key given. */
function pageOfAccounts(queries: Queries, after: string, size: number): Promise<AccountRow[]> {
  return queries
    .selectFrom('accounts')
    .selectAll()
    .where('public_key', '>', after)
    .orderBy('public_key')
    .limit(size)
    .execute()
}

/** Every account, a page at a time, so that a large store is never in memory whole. */
export async function* allAccounts(queries: Queries, pageSize = 500): AsyncGenerator<AccountRow> {
  let after = ''
  for (;;) {
    const page = await pageOfAccounts(queries, after, pageSize)
    yield* page
    if (page.length < pageSize) return
    after = page.at(-1)!.public_key
  }
}

/**
 * Writes an account that was read as `before` (null: that was not there).
 * @returns false, and writes nothing, when somebody else has written it in between
 */
export async function saveAccount(
  queries: Queries,
  before: AccountRow | null,
  row: AccountRow,
): Promise<boolean> {
  if (before === null) {
    const inserted = await queries
      .insertInto('accounts')
      .values(row)
      .onConflict((conflict) => conflict.column('public_key').doNothing())
      .executeTakeFirst()
    return inserted.numInsertedOrUpdatedRows === 1n
  }
  const updated = await queries
    .updateTable('accounts')
    .set(row)
    .where('public_key', '=', row.public_key)
    .where('signed_iat', '=', before.signed_iat)
    .executeTakeFirst()
  return updated.numUpdatedRows === 1n
}

export interface AuditEntry {
  actor: `owner:${string}` | 'operator' | 'service'
  publicKey: string
  action: string
  detail: Record<string, unknown>
}

export async function appendAudit(queries: Queries, entry: AuditEntry): Promise<void> {
  const at = Date.now()
  await queries
    .insertInto('audit_log')
    .values({
      id: `${at.toString(36).padStart(9, '0')}-${randomBytes(8).toString('hex')}`,
      at,
      actor: entry.actor,
      public_key: entry.publicKey,
      action: entry.action,
      detail: JSON.stringify(entry.detail),
    } satisfies Insertable<AuditLogTable>)
    .execute()
}

export async function readFact(queries: Queries, name: string): Promise<string | undefined> {
  const row = await queries.selectFrom('facts').select('value').where('name', '=', name).executeTakeFirst()
  return row?.value
}

export async function writeFact(queries: Queries, name: string, value: string): Promise<void> {
  await queries
    .insertInto('facts')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute()
}
