// The store's history. A migration that has been released is never changed; a new one is added below it.
import type { Kysely } from 'kysely'
import type { Migration, MigrationProvider } from 'kysely/migration'

const migrations: Record<string, Migration> = {
  '0001-accounts': {
    // biome-ignore lint/suspicious/noExplicitAny: a migration sees the tables of its time, not the current Schema
    async up(db: Kysely<any>): Promise<void> {
      await db.schema
        .createTable('accounts')
        .addColumn('public_key', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('plan', 'text', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('client_token', 'text', (column) => column.notNull())
        .addColumn('client_iat', 'bigint', (column) => column.notNull())
        .addColumn('client_digests', 'text', (column) => column.notNull())
        .addColumn('signed_token', 'text', (column) => column.notNull())
        .addColumn('signed_iat', 'bigint', (column) => column.notNull())
        .addColumn('expires_at', 'bigint', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('updated_at', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('accounts_name').on('accounts').column('name').execute()
      await db.schema
        .createTable('outbox')
        .addColumn('public_key', 'text', (column) => column.primaryKey().references('accounts.public_key'))
        .addColumn('version', 'bigint', (column) => column.notNull())
        .addColumn('attempts', 'integer', (column) => column.notNull())
        .addColumn('next_attempt_at', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('outbox_due').on('outbox').column('next_attempt_at').execute()
      await db.schema
        .createTable('audit_log')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('actor', 'text', (column) => column.notNull())
        .addColumn('public_key', 'text', (column) => column.notNull())
        .addColumn('action', 'text', (column) => column.notNull())
        .addColumn('detail', 'text', (column) => column.notNull())
        .execute()
      await db.schema.createIndex('audit_log_account').on('audit_log').columns(['public_key', 'id']).execute()
      await db.schema
        .createTable('facts')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('value', 'text', (column) => column.notNull())
        .execute()
    },
  },
}

export const migrationProvider: MigrationProvider = { getMigrations: () => Promise.resolve(migrations) }
