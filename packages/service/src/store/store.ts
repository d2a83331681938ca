// The service's memory. One object, opened once; every change of state is one transaction.
import { Kysely, type Transaction } from 'kysely'
import { Migrator } from 'kysely/migration'
import { reasonOf, ServiceError } from '../errors.ts'
import { migrationProvider } from './migrations.ts'
import type { Schema } from './schema.ts'
import { openSqlite } from './sqlite.ts'

/** What a query runs on: the store itself, or the transaction it takes part in. */
export type Queries = Kysely<Schema> | Transaction<Schema>

export class Store {
  readonly db: Kysely<Schema>

  private constructor(db: Kysely<Schema>) {
    this.db = db
  }

  /**
   * Opens the database file and brings its tables up to date.
   * @throws ServiceError data-dir-in-use, data-dir-damaged
   */
  static async open(path: string): Promise<Store> {
    let db: Kysely<Schema>
    try {
      db = new Kysely<Schema>({ dialect: openSqlite(path) })
    } catch (error) {
      const locked = (error as { errcode?: number }).errcode === 5
      throw locked
        ? new ServiceError('data-dir-in-use', `${path} is in use by another process; stop that one first`, {
            cause: error,
          })
        : new ServiceError('data-dir-damaged', `cannot open the database ${path}: ${reasonOf(error)}`, {
            cause: error,
          })
    }
    const { error } = await new Migrator({ db, provider: migrationProvider }).migrateToLatest()
    if (error !== undefined) {
      await db.destroy()
      throw new ServiceError(
        'data-dir-damaged',
        `cannot bring the tables of ${path} up to date: ${reasonOf(error)}; was it written by a newer version?`,
        { cause: error },
      )
    }
    return new Store(db)
  }

  /** Runs the work in one transaction: all of it, or none. */
  transaction<T>(work: (queries: Transaction<Schema>) => Promise<T>): Promise<T> {
    return this.db.transaction().execute(work)
  }

  close(): Promise<void> {
    return this.db.destroy()
  }
}
