import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { CliError, reasonOf, usageError } from '../errors.ts'
import type { Io } from '../io.ts'

/**
 * Where the system keeps its state: the flag, NGS_DATA_DIR, else below XDG_DATA_HOME or ~/.local/share.
 * @throws CliError usage when the flag is empty, as of a variable that is not set: it must not mean another folder
 */
export function dataDirOf(io: Pick<Io, 'env' | 'cwd'>, flag: string | undefined): string {
  if (flag === '') throw usageError('--data-dir needs the name of a folder')
  const named = flag ?? io.env['NGS_DATA_DIR']
  if (named !== undefined && named !== '') return resolve(io.cwd, named)
  const data = io.env['XDG_DATA_HOME'] || join(io.env['HOME'] || homedir(), '.local', 'share')
  return join(data, 'ngs')
}

/** Makes the directory (0700) when there is none. @throws CliError data-dir-unusable when it cannot be written */
export function ensureDataDir(dir: string): void {
  try {
    makeFolders(dir)
    if (!statSync(dir).isDirectory()) throw new Error('it is not a directory')
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new CliError(
      'data-dir-unusable',
      `cannot use the data directory ${dir}: ${reasonOf(error)}; name one that this user can write, with --data-dir`,
    )
  }
}

/** One after the other: the recursive form of mkdir never ends where a parent exists but cannot hold anything (/proc). */
function makeFolders(dir: string): void {
  if (existsSync(dir)) return
  makeFolders(dirname(dir))
  mkdirSync(dir, { mode: 0o700 })
}
