// One `ngs up` per data directory. The lock names its owner and the server the owner runs, so that after a crash the
// next start can tell a dead owner from a live one, and end a server that has outlived its owner.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliError, reasonOf } from '../errors.ts'
import { identify, isRunning, type ProcessId } from './processes.ts'

interface Holder {
  owner: ProcessId
  server: ProcessId | null
}

export class DataDirLock {
  readonly #file: string
  readonly #holder: Holder

  private constructor(file: string, holder: Holder) {
    this.#file = file
    this.#holder = holder
  }

  /**
   * Takes the lock of an existing directory; a lock whose owner is dead is taken over, and the server that owner has
   * left behind is stopped.
   * @throws CliError data-dir-in-use
   */
  static async acquire(dataDir: string): Promise<DataDirLock> {
    const file = join(dataDir, 'up.lock')
    const holder: Holder = { owner: identify(process.pid), server: null }
    for (;;) {
      if (create(file, holder)) return new DataDirLock(file, holder)
      const text = read(file)
      if (text === null) continue
      const current = parse(text)
      if (current !== null && isRunning(current.owner)) {
        throw new CliError(
          'data-dir-in-use',
          `${dataDir} is in use by another ngs up (process ${current.owner.pid}); stop that one, or choose another directory with --data-dir`,
        )
      }
      if (takeAway(file, text) && current?.server) await end(current.server)
    }
  }

  /** Notes the server child, or that there is none. */
  setServer(pid: number | null): void {
    this.#holder.server = pid === null ? null : identify(pid)
    const temporary = `${this.#file}.${process.pid}`
    try {
      writeFileSync(temporary, JSON.stringify(this.#holder), { mode: 0o600 })
      renameSync(temporary, this.#file)
    } catch (error) {
      // Whoever has removed the directory has taken the lock along: of a server that has ended there is nothing to note any more.
      if (pid !== null || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  release(): void {
    rmSync(this.#file, { force: true })
  }
}

/** Creates the lock whole or not at all; false when there is one. */
function create(file: string, holder: Holder): boolean {
  const temporary = `${file}.${process.pid}`
  try {
    writeFileSync(temporary, JSON.stringify(holder), { mode: 0o600 })
    linkSync(temporary, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw new CliError(
      'data-dir-unusable',
      `cannot write ${file}: ${reasonOf(error)}; choose another directory with --data-dir`,
    )
  } finally {
    rmSync(temporary, { force: true })
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new CliError(
      'data-dir-unusable',
      `cannot read ${file}: ${reasonOf(error)}; choose another directory with --data-dir`,
    )
  }
}

function parse(text: string): Holder | null {
  try {
    const holder = JSON.parse(text) as Holder
    return typeof holder.owner.pid === 'number' ? holder : null
  } catch {
    return null
  }
}

/** Removes a stale lock; false when somebody else was faster, whose fresh lock then stays. */
function takeAway(file: string, stale: string): boolean {
  const aside = `${file}.stale-${process.pid}`
  try {
    renameSync(file, aside)
  } catch {
    return false
  }
  const ours = read(aside) === stale
  try {
    if (!ours) linkSync(aside, file)
  } catch {
    // A third one has the lock now; it saw no lock when it took it.
  }
  rmSync(aside, { force: true })
  return ours
}

async function end(server: ProcessId): Promise<void> {
  for (const [signal, tries] of [
    ['SIGTERM', 100],
    ['SIGKILL', 100],
  ] as const) {
    if (!isRunning(server)) return
    process.kill(server.pid, signal)
    for (let i = 0; i < tries && isRunning(server); i++) await sleep(20)
  }
}
