import path from 'node:path'
import {
  type CurveKeyPair,
  curveKeyPairFromSeed,
  isPublicKey,
  type KeyPair,
  keyPairFromPublicKey,
  keyPairFromSeed,
  roleOfPublicKey,
  roleOfSeed,
} from '@ngs/identity/node'
import { failure } from '../errors.ts'
import {
  createExclusively,
  exists,
  listFolder,
  makeFolder,
  readText,
  readTextIfThere,
  remove,
  statOf,
  writeAtomically,
} from '../files.ts'
import { backquote } from '../text.ts'

const KEY_SUFFIX = '.nk'
const CREDS_SUFFIX = '.creds'

// The trailing blank of the first line is part of the file the official program makes.
const GIT_IGNORE = '# ignore all nk files \n**/*.nk\n\n# ignore all creds files\n**/*.creds\n'

/** A key pair of any kind, as far as the keystore cares. */
export interface StorableKey {
  readonly publicKey: string
  readonly seed: string
}

/**
 * Seeds and creds files of one person: `keys/<K>/<XX>/<public key>.nk` and `creds/<operator>/<account>/<user>.creds`.
 * One keystore serves all operators. Seeds leave it only through the few commands made for that.
 */
export class Keystore {
  readonly dir: string
  private readonly writesGitIgnore: boolean

  constructor(dir: string, options: { writesGitIgnore?: boolean } = {}) {
    this.dir = dir
    this.writesGitIgnore = options.writesGitIgnore ?? true
  }

  keyPath(publicKey: string): string {
    return path.join(this.dir, 'keys', publicKey.slice(0, 1), publicKey.slice(1, 3), publicKey + KEY_SUFFIX)
  }

  /** Whether a key file is there; it may still turn out to be unreadable. */
  hasFile(publicKey: string): boolean {
    return publicKey !== '' && exists(this.keyPath(publicKey))
  }

  /** Whether the seed is there and readable. */
  has(publicKey: string): boolean {
    try {
      return roleOfPublicKey(publicKey) === 'curve'
        ? this.curve(publicKey) !== null
        : this.get(publicKey) !== null
    } catch {
      return false
    }
  }

  /** The key pair, null when the keystore has no file for it. */
  get(publicKey: string): KeyPair | null {
    const text = publicKey === '' ? null : readTextIfThere(this.keyPath(publicKey))
    return text === null ? null : keyPairFromSeed(text.trim())
  }

  curve(publicKey: string): CurveKeyPair | null {
    const text = publicKey === '' ? null : readTextIfThere(this.keyPath(publicKey))
    return text === null ? null : curveKeyPairFromSeed(text.trim())
  }

  /** The seed of a key of any kind, null when the keystore has none that belongs to it. */
  seedOf(publicKey: string): string | null {
    try {
      const stored = roleOfPublicKey(publicKey) === 'curve' ? this.curve(publicKey) : this.get(publicKey)
      return stored?.publicKey === publicKey ? stored.seed : null
    } catch {
      return null
    }
  }

  /** The public key a key file really belongs to, null when there is no file or it holds no key. */
  storedPublicKey(publicKey: string): string | null {
    try {
      const stored = roleOfPublicKey(publicKey) === 'curve' ? this.curve(publicKey) : this.get(publicKey)
      return stored?.publicKey ?? null
    } catch {
      return null
    }
  }

  /**
   * Stores a seed; storing it again changes nothing. A file of that name with another seed is never overwritten.
   * Returns the path.
   */
  store(key: StorableKey): string {
    for (const folder of ['keys', 'creds']) makeFolder(path.join(this.dir, folder))
    if (this.writesGitIgnore) createOnce(path.join(this.dir, '.gitignore'), GIT_IGNORE)
    const file = this.keyPath(key.publicKey)
    makeFolder(path.dirname(file))
    if (!createExclusively(file, key.seed) && readText(file).trim() !== key.seed)
      throw failure(`key ${backquote(file)} already exists and is different`)
    return file
  }

  /** Removes a seed, and the folder it leaves empty. */
  remove(publicKey: string): void {
    const file = this.keyPath(publicKey)
    if (!exists(file)) return
    remove(file)
    if (listFolder(path.dirname(file)).length === 0) remove(path.dirname(file))
  }

  /** Public keys of all key files, by their names. */
  all(): string[] {
    const found: string[] = []
    const walk = (folder: string) => {
      for (const entry of listFolder(folder)) {
        if (entry.isDirectory()) walk(path.join(folder, entry.name))
        else if (entry.name.endsWith(KEY_SUFFIX)) found.push(entry.name.slice(0, -KEY_SUFFIX.length))
      }
    }
    walk(this.dir)
    return found
  }

  /** Folder of the creds files of an account. */
  credsFolder(operator: string, account: string): string {
    return path.join(this.dir, 'creds', operator, account)
  }

  credsPath(operator: string, account: string, user: string): string {
    return path.join(this.credsFolder(operator, account), user + CREDS_SUFFIX)
  }

  /** Writes a user's creds file over an older one and returns its path. */
  writeCreds(operator: string, account: string, user: string, content: string): string {
    const file = this.credsPath(operator, account, user)
    makeFolder(path.dirname(file))
    writeAtomically(file, content)
    return file
  }

  /** Whether seeds or creds lie outside `keys/` and `creds/`, as the layout of the earliest releases had them. */
  needsMigration(): boolean {
    if (statOf(this.dir)?.isDirectory() !== true) return false
    const hasLoose = (folder: string, top: boolean): boolean =>
      listFolder(folder).some((entry) => {
        if (entry.isDirectory())
          return (
            !(top && ['keys', 'creds'].includes(entry.name)) && hasLoose(path.join(folder, entry.name), false)
          )
        return [KEY_SUFFIX, CREDS_SUFFIX].includes(path.extname(entry.name))
      })
    return hasLoose(this.dir, true)
  }
}

function createOnce(file: string, content: string): void {
  if (!exists(file)) createExclusively(file, content)
}

/**
 * A key given as text: a seed, a public key, or a file holding only one of them. Null when it is neither key nor
 * file.
 *
 * @param expand makes a path absolute
 */
export function resolveKeyText(text: string, expand: (file: string) => string): KeyPair | StorableKey | null {
  const key = parseKey(text)
  if (key) return key
  const file = expand(text)
  const content = readTextIfThere(file)
  if (content === null) return null
  const inside = parseKey(content.trim())
  if (!inside) throw failure(`${backquote(file)} holds no nkey - it must contain only a seed or a public key`)
  return inside
}

function parseKey(text: string): KeyPair | StorableKey | null {
  const role = roleOfSeed(text)
  if (role === 'curve') return curveKeyPairFromSeed(text)
  if (role !== null) return keyPairFromSeed(text)
  return isPublicKey(text) ? keyPairFromPublicKey(text) : null
}
