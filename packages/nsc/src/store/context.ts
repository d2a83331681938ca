import path from 'node:path'
import type { Environment } from '../environment.ts'
import { failure } from '../errors.ts'
import { exists, makeFolder, readTextIfThere, statOf, writeAtomically } from '../files.ts'
import { goJson } from '../json.ts'
import { backquote, quote } from '../text.ts'
import { OperatorStore, operatorNames, readInfo } from './operator-store.ts'

/** nsc.json, fields in the order they are written. */
interface ContextFile {
  store_root: string
  operator: string
  account: string
  github_updates: string
  last_update: number
}

/** Where the official program looks for its own updates; kept so that the file stays interchangeable. */
const UPDATES = 'nats-io/nsc'

/** What the working directory says about the context. */
export interface CwdContext {
  storeRoot: string
  operator: string
  account: string
}

/**
 * Which stores root, operator and account commands work on: nsc.json, overridden by the working directory when that
 * lies in or above a store, completed where there is only one choice.
 */
export class Context {
  storeRoot: string
  operator: string
  account: string
  private githubUpdates: string
  private lastUpdate: number
  private readonly file: string
  private readonly persistent: boolean

  private constructor(environment: Environment, stored: Partial<ContextFile>) {
    this.file = path.join(environment.configDir, 'nsc.json')
    this.persistent = !environment.cwdOnly
    this.storeRoot = stored.store_root ?? ''
    this.operator = stored.operator ?? ''
    this.account = stored.account ?? ''
    this.githubUpdates = stored.github_updates ?? ''
    this.lastUpdate = stored.last_update ?? 0
  }

  /** Loads the context; the first run ever writes nsc.json with the defaults and does not look at the directory. */
  static load(environment: Environment): Context {
    makeFolder(environment.configDir)
    const stored = environment.cwdOnly ? null : readContextFile(path.join(environment.configDir, 'nsc.json'))
    const context = new Context(environment, stored ?? {})
    if (stored === null && !environment.cwdOnly) {
      context.githubUpdates = UPDATES
      context.lastUpdate = Math.floor(Date.now() / 1000)
      context.storeRoot = environment.dataDirFlag ?? environment.defaultStoresDir
      makeFolder(context.storeRoot)
      context.save()
    } else {
      const cwd = contextOfDirectory(environment.io.cwd)
      if (cwd) {
        context.storeRoot = cwd.storeRoot
        if (cwd.operator) {
          context.operator = cwd.operator
          if (cwd.account) context.account = cwd.account
        }
        context.complete()
      }
    }
    if (environment.dataDirFlag !== null) context.storeRoot = environment.dataDirFlag
    context.complete()
    return context
  }

  /** Keeps the choices that still exist and makes those that are the only ones. */
  complete(): void {
    if (this.storeRoot === '' || statOf(this.storeRoot)?.isDirectory() !== true) return
    this.operator = onlyOrCurrent(operatorNames(this.storeRoot), this.operator)
    if (this.operator === '') {
      this.account = ''
      return
    }
    this.account = onlyOrCurrent(this.store().accountNames(), this.account)
  }

  save(): void {
    this.complete()
    if (!this.persistent) return
    const content: ContextFile = {
      store_root: this.storeRoot,
      operator: this.operator,
      account: this.account,
      github_updates: this.githubUpdates,
      last_update: this.lastUpdate,
    }
    makeFolder(path.dirname(this.file))
    writeAtomically(this.file, goJson(content))
  }

  /** The store of the current operator. */
  store(): OperatorStore {
    return OperatorStore.open(this.storeRoot, this.operator)
  }

  setStoreRoot(root: string): void {
    this.storeRoot = root
    this.complete()
  }

  /** Chooses an operator that exists, and saves. */
  setOperator(name: string): void {
    if (!operatorNames(this.storeRoot).includes(name))
      throw failure(`operator ${quote(name)} not in ${backquote(this.storeRoot)}`)
    this.operator = name
    this.save()
  }

  /** Chooses an account of the operator for this run only. */
  useAccount(name: string): void {
    if (!this.store().accountNames().includes(name))
      throw failure(
        `${quote(name)} not in accounts for operator ${quote(this.operator)} in ${backquote(this.storeRoot)}`,
      )
    this.account = name
  }

  /** Chooses an account of the operator, and saves. */
  setAccount(name: string): void {
    this.useAccount(name)
    this.save()
  }
}

function onlyOrCurrent(choices: string[], current: string): string {
  if (choices.length === 1) return choices[0] ?? ''
  return choices.includes(current) ? current : ''
}

/**
 * Reads nsc.json; null when there is none or it says nothing. The official program does not write it in one step,
 * so a file that looks torn is read again for a moment before it is called broken.
 */
function readContextFile(file: string): Partial<ContextFile> | null {
  const deadline = Date.now() + 500
  for (;;) {
    const text = readTextIfThere(file)
    if (text === null) return null
    try {
      const parsed = JSON.parse(text) as Partial<ContextFile>
      return Object.keys(parsed).length === 0 ? null : parsed
    } catch (thrown) {
      if (Date.now() > deadline)
        throw failure(`${backquote(file)} is not valid JSON - remove it or repair it`, thrown)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

/**
 * The context of a directory: an operator's folder; else a folder that holds operators; else the nearest operator's
 * folder above, where `accounts/<a>` in the path names the account. Null when none of these.
 */
export function contextOfDirectory(directory: string): CwdContext | null {
  try {
    const here = operatorOf(directory)
    if (here) return { storeRoot: path.dirname(directory), operator: here, account: '' }
    if (operatorNames(directory).some((name) => operatorOf(path.join(directory, name)) !== null))
      return { storeRoot: directory, operator: '', account: '' }
    for (let folder = path.dirname(directory); ; folder = path.dirname(folder)) {
      const operator = operatorOf(folder)
      if (operator) {
        const [area, account = ''] = path.relative(folder, directory).split(path.sep)
        return { storeRoot: path.dirname(folder), operator, account: area === 'accounts' ? account : '' }
      }
      if (path.dirname(folder) === folder) return null
    }
  } catch {
    return null
  }
}

function operatorOf(folder: string): string | null {
  if (!exists(path.join(folder, '.nsc'))) return null
  if (statOf(path.join(folder, '.nsc'))?.isFile() !== true) return null
  const info = readInfo(folder)
  return info && info.name !== '' && info.kind === 'operator' ? info.name : null
}
