import os from 'node:os'
import path from 'node:path'
import { failure } from './errors.ts'
import { exists } from './files.ts'
import type { Io } from './io.ts'

/** The folder flags of the command line; `allDirs` beats the others. */
export interface FolderFlags {
  configDir?: string | undefined
  dataDir?: string | undefined
  keystoreDir?: string | undefined
  allDirs?: string | undefined
}

/** Where things are on this machine, from flags and environment; nothing is created here. */
export class Environment {
  readonly io: Io
  readonly home: string
  /** Folder of nsc.json. */
  readonly configDir: string
  /** Stores root used when nsc.json names none; `--data-dir` beats both. */
  readonly defaultStoresDir: string
  readonly dataDirFlag: string | null
  readonly keysDir: string
  /** NSC_CWD_ONLY: nsc.json is neither read nor written. */
  readonly cwdOnly: boolean
  readonly writesGitIgnore: boolean

  constructor(io: Io, flags: FolderFlags = {}) {
    this.io = io
    this.home = io.env['HOME'] || os.homedir()
    const configDir = flags.allDirs || flags.configDir || io.env['NSC_HOME']
    const dataDir = flags.allDirs || flags.dataDir
    const keysDir = flags.allDirs || flags.keystoreDir || io.env['NKEYS_PATH']
    this.configDir = configDir ? this.expand(configDir) : this.standardConfigDir()
    this.defaultStoresDir = this.standardDataDir('stores')
    this.dataDirFlag = dataDir ? this.expand(dataDir) : null
    this.keysDir = keysDir ? this.expand(keysDir) : this.standardDataDir('keys')
    this.cwdOnly = io.env['NSC_CWD_ONLY'] !== undefined
    this.writesGitIgnore = io.env['NSC_NO_GIT_IGNORE'] === undefined
  }

  private standardConfigDir(): string {
    const folder = path.join(this.io.env['XDG_CONFIG_HOME'] || path.join(this.home, '.config'), 'nats', 'nsc')
    const old = path.join(this.home, '.nsc')
    return !exists(path.join(folder, 'nsc.json')) && exists(path.join(old, 'nsc.json')) ? old : folder
  }

  /** The standard folder, unless only the one of the earliest releases exists. */
  standardDataDir(kind: 'stores' | 'keys'): string {
    const data = this.io.env['XDG_DATA_HOME'] || path.join(this.home, '.local', 'share')
    const folder = path.join(data, 'nats', 'nsc', kind)
    const old = kind === 'keys' ? path.join(this.home, '.nkeys') : path.join(this.home, '.nsc', 'nats')
    return !exists(folder) && exists(old) ? old : folder
  }

  /** An absolute path: `~` is the home folder, the rest is relative to the working directory. */
  expand(file: string): string {
    if (!file.startsWith('~')) return path.resolve(this.io.cwd, file)
    if (file.length > 1 && file[1] !== '/' && file[1] !== '\\')
      throw failure("cannot expand user-specific home dir - write the path in full instead of '~name'")
    return path.join(this.home, file.slice(1))
  }

  /** A path with the home folder shortened to `~`, as messages show it. */
  abbreviate(file: string): string {
    return file.startsWith(this.home) ? `~${file.slice(this.home.length)}` : file
  }
}
