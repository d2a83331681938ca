// node:sqlite in the shape Kysely's SQLite dialect expects of a database.
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { type Dialect, SqliteDialect } from 'kysely'

class Statement {
  readonly reader: boolean
  readonly #statement: StatementSync

  constructor(statement: StatementSync) {
    this.#statement = statement
    this.reader = statement.columns().length > 0
  }

  all(parameters: readonly unknown[]): unknown[] {
    return this.#statement.all(...(parameters as SQLInputValue[]))
  }

  run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.#statement.run(...(parameters as SQLInputValue[]))
  }

  iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    return this.#statement.iterate(...(parameters as SQLInputValue[]))
  }
}

/**
 * Opens (or creates, 0600) the database for this process alone. A commit is on disk when it returns: an account that
 * was acknowledged survives a power loss.
 * @throws the error of node:sqlite; SQLITE_BUSY (5) when another process holds the file
 */
export function openSqlite(path: string): Dialect {
  // SQLite gives its companion files (-wal) the mode of the database file.
  closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path, { timeout: 1000, enableForeignKeyConstraints: true })
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    // Takes the lock now rather than at the first write.
    database.exec('BEGIN IMMEDIATE; COMMIT')
  } catch (error) {
    database.close()
    throw error
  }
  return new SqliteDialect({
    database: {
      prepare: (sql) => new Statement(database.prepare(sql)),
      close: () => database.close(),
    },
  })
}
