import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { failure, fileError, isMissing } from './errors.ts'
import { journal, linkOrCopy } from './journal.ts'
import { backquote } from './text.ts'

/**
 * Files of the stores: 0600, in folders of 0700. A write appears whole or not at all, because another nsc (ours or
 * the official one) may read the same file at any moment.
 */

const FILE_MODE = 0o600
const FOLDER_MODE = 0o700

/** Makes a folder and what is missing above it, 0700 whatever the umask says. */
export function makeFolder(folder: string): void {
  const stat = statOf(folder)
  if (stat === null) {
    try {
      const first = fs.mkdirSync(folder, { recursive: true, mode: FOLDER_MODE })
      if (first !== undefined) journal()?.createdFolders(first, path.resolve(folder))
    } catch (thrown) {
      markFailed()
      const reason = isMissing(thrown) ? whyNotWritable(folder) : thrown
      throw failure(
        `error creating ${backquote(folder)}: ${fileError('mkdir', folder, reason ?? thrown).message}`,
        thrown,
      )
    }
  } else if (!stat.isDirectory()) {
    throw failure(`${backquote(folder)} already exists and it is not a dir`)
  }
}

/** Making folders below a read-only one fails as if that were missing: what is really wrong with it, null for nothing. */
function whyNotWritable(folder: string): unknown {
  const parent = path.dirname(folder)
  if (!exists(parent) && parent !== folder) return whyNotWritable(parent)
  try {
    fs.accessSync(parent, fs.constants.W_OK)
    return null
  } catch (thrown) {
    return thrown
  }
}

/** The file's or folder's description, null when it is not there. */
export function statOf(file: string): fs.Stats | null {
  try {
    return fs.statSync(file)
  } catch (thrown) {
    if (isMissing(thrown)) return null
    throw fileError('stat', file, thrown)
  }
}

export function exists(file: string): boolean {
  return fs.existsSync(file)
}

/** A text file's content; an error in the words of the official program otherwise. */
export function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (thrown) {
    throw fileError('open', file, thrown)
  }
}

/** A text file's content, null when there is no such file. */
export function readTextIfThere(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (thrown) {
    if (isMissing(thrown)) return null
    throw fileError('open', file, thrown)
  }
}

/** Writes through a temporary file next to the target: written, synced, renamed. */
export function writeAtomically(file: string, content: string, mode: number = FILE_MODE): void {
  writeAllAtomically([{ file, content }], mode)
}

/**
 * Writes several files of which none is any good without the others. Everything that a full disk or missing rights
 * can make fail happens before the first file changes.
 */
export function writeAllAtomically(
  files: readonly { file: string; content: string }[],
  mode: number = FILE_MODE,
): void {
  const written: { temporary: string; file: string }[] = []
  let at = ''
  try {
    for (const { file, content } of files) {
      at = file
      const temporary = temporaryName(file)
      const handle = fs.openSync(temporary, 'wx', mode)
      written.push({ temporary, file })
      try {
        fs.writeFileSync(handle, content)
        fs.fsyncSync(handle)
      } finally {
        fs.closeSync(handle)
      }
    }
    for (const { temporary, file } of written) {
      at = file
      journal()?.replacing(file, temporaryName(file))
      fs.renameSync(temporary, file)
    }
  } catch (thrown) {
    for (const { temporary } of written) fs.rmSync(temporary, { force: true })
    markFailed()
    throw fileError('open', at, thrown)
  }
}

/**
 * Writes a file that must not be there yet; false when it is. Whole or not at all, like {@link writeAtomically}.
 *
 * @param options `journaled`: whether it goes when the run is taken back (it does unless told otherwise)
 */
export function createExclusively(
  file: string,
  content: string,
  options: { journaled?: boolean } = {},
): boolean {
  const temporary = temporaryName(file)
  try {
    const handle = fs.openSync(temporary, 'wx', FILE_MODE)
    try {
      fs.writeFileSync(handle, content)
      fs.fsyncSync(handle)
    } finally {
      fs.closeSync(handle)
    }
    linkOrCopy(temporary, file)
    if (options.journaled !== false) journal()?.created(file)
    return true
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false
    markFailed()
    throw fileError('open', file, thrown)
  } finally {
    fs.rmSync(temporary, { force: true })
  }
}

/** Next to the file, so that it can be renamed to it. */
function temporaryName(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file).slice(0, 40)}.${unique()}.tmp`)
}

function markFailed(): void {
  const own = journal()
  if (own) own.failed = true
}

function unique(): string {
  return randomBytes(6).toString('hex')
}

/** Names inside a folder, sorted by bytes; empty when the folder is not there. */
export function listFolder(folder: string): fs.Dirent[] {
  try {
    return fs
      .readdirSync(folder, { withFileTypes: true })
      .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
  } catch (thrown) {
    if (isMissing(thrown)) return []
    throw fileError('open', folder, thrown)
  }
}

/** Files inside a folder, in the order of {@link listFolder}, each folder's files where the folder stands. */
export function filesBelow(folder: string, options: { recurse: boolean } = { recurse: true }): string[] {
  return listFolder(folder).flatMap((entry) => {
    const file = path.join(folder, entry.name)
    if (!entry.isDirectory()) return [file]
    return options.recurse ? filesBelow(file) : []
  })
}

/** Removes a file, or a folder that is empty. */
export function remove(file: string): void {
  try {
    if (fs.lstatSync(file).isDirectory()) {
      journal()?.forget(file)
      fs.rmdirSync(file)
    } else fs.unlinkSync(file)
  } catch (thrown) {
    throw fileError('remove', file, thrown)
  }
}
