// Files of the data directory: secrets are 0600 in folders that are 0700, and a crash leaves the old file or the new one.
import { randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { reasonOf, ServiceError } from '../errors.ts'

const temporaryMark = '.ngs-tmp'
const abandonedAfterMs = 60_000

/** Makes the folder (0700) if need be and insists that this process can write in it. */
export function ensureFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    if (!statSync(path).isDirectory()) throw new Error('it is not a directory')
    chmodSync(path, 0o700)
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new ServiceError(
      'data-dir-unusable',
      `cannot use the directory ${path}: ${reasonOf(error)}; name one that this user can write, with --data-dir`,
      { cause: error },
    )
  }
}

/** Removes what a killed process left half written. Young files may belong to a process that is still at it. */
export function sweepTemporaries(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(temporaryMark)) continue
    const path = join(folder, name)
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    if (age > abandonedAfterMs) rmSync(path, { force: true })
  }
}

function syncFolder(path: string): void {
  // A rename or link survives a power loss only once its folder is on disk too.
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function writeTemporary(path: string, text: string): string {
  const temporary = join(
    dirname(path),
    `.${basename(path)}.${randomBytes(6).toString('hex')}${temporaryMark}`,
  )
  const file = openSync(temporary, 'wx', 0o600)
  try {
    fchmodSync(file, 0o600)
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return temporary
}

function onDisk<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof ServiceError) throw error
    throw new ServiceError('data-dir-unusable', `cannot write ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

/** Writes a 0600 file whole or not at all. */
export function replaceFile(path: string, text: string): void {
  onDisk(path, () => {
    const temporary = writeTemporary(path, text)
    renameSync(temporary, path)
    syncFolder(dirname(path))
  })
}

/**
 * Creates a 0600 file unless there is one, and returns what the file holds: two processes that start on one directory
 * at the same moment agree on the same secret.
 */
export function createFile(path: string, text: string): string {
  return onDisk(path, () => {
    const temporary = writeTemporary(path, text)
    try {
      linkSync(temporary, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      rmSync(temporary, { force: true })
    }
    syncFolder(dirname(path))
    return readFileSync(path, 'utf8')
  })
}

/** The text of a file, or null when there is none. Takes back rights that others may have on it. */
export function readSecret(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8')
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
    return text
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new ServiceError('data-dir-unusable', `cannot read ${path}: ${reasonOf(error)}`, { cause: error })
  }
}
