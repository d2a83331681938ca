import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { CliError, reasonOf } from '../errors.ts'
import type { Io } from '../io.ts'

/** Where the system keeps its state: the flag, NGS_DATA_DIR, else below XDG_DATA_HOME or ~/.local/share. */
export function dataDirOf(io: Pick<Io, 'env' | 'cwd'>, flag: string | undefined): string {
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
      `cannot use the data directory ${dir}: ${fileReason(error)}; name one that this user can write, with --data-dir`,
    )
  }
}

/** One after the other: the recursive form of mkdir never ends where a parent exists but cannot hold anything (/proc). */
function makeFolders(dir: string): void {
  if (existsSync(dir)) return
  makeFolders(dirname(dir))
  mkdirSync(dir, { mode: 0o700 })
}

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'it is not a directory',
  ENOENT: 'no such file or directory',
}

/** A failed file system call in a few words. */
export function fileReason(error: unknown): string {
  return REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? reasonOf(error)
}
