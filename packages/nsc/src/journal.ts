import { AsyncLocalStorage } from 'node:async_hooks'
import fs from 'node:fs'
import path from 'node:path'

/**
 * What one run has written so far, so that it can be taken back when the disk turns out to be full or read-only half
 * way: a store with a user but no creds, or an account whose key is lost, is worse than no change at all. Taking back
 * needs no space: replaced files are kept under a second name until the run ends.
 */
export class Journal {
  private readonly undo: (() => void)[] = []
  private kept: string[] = []
  /** Whether a write has failed: then nothing of the run stays. */
  failed = false
  private tookBack = false

  /** Called before a file takes its place. */
  replacing(file: string, spare: string): void {
    if (!fs.existsSync(file)) {
      this.undo.push(() => fs.rmSync(file, { force: true }))
      return
    }
    linkOrCopy(file, spare)
    this.kept.push(spare)
    this.undo.push(() => fs.renameSync(spare, file))
  }

  created(file: string): void {
    this.undo.push(() => fs.rmSync(file, { force: true }))
  }

  /** Called before a folder is removed: what was replaced in it has been deleted since, and is not brought back. */
  forget(folder: string): void {
    const gone = this.kept.filter((spare) => path.dirname(spare) === folder)
    for (const spare of gone) fs.rmSync(spare, { force: true })
    this.kept = this.kept.filter((spare) => !gone.includes(spare))
  }

  /** Folders from `first` down to `last` are new. */
  createdFolders(first: string, last: string): void {
    for (let folder = first; ; ) {
      const made = folder
      this.undo.push(() => fs.rmdirSync(made))
      if (folder === last) return
      folder = path.join(folder, path.relative(folder, last).split(path.sep)[0] ?? '')
    }
  }

  /** Takes back what was written if a write has failed, as far as that goes. */
  takeBackIfFailed(): void {
    if (!this.failed || this.undo.length === 0) return
    const stuck: (() => void)[] = []
    for (const step of this.undo.splice(0).reverse()) {
      try {
        step()
      } catch {
        // Such as a folder that still holds the lock: tried again when the run ends.
        stuck.unshift(step)
      }
    }
    this.undo.push(...stuck)
    this.tookBack = true
  }

  /** Ends the run; true when its changes were taken back. */
  end(): boolean {
    this.takeBackIfFailed()
    for (const spare of this.kept.splice(0)) fs.rmSync(spare, { force: true })
    return this.tookBack
  }
}

/** Gives a file a second name, which must be free; where there are no hard links (a USB stick), a copy has it. */
export function linkOrCopy(file: string, second: string): void {
  try {
    fs.linkSync(file, second)
  } catch (thrown) {
    if (!NO_LINKS.includes((thrown as NodeJS.ErrnoException).code ?? '')) throw thrown
    fs.copyFileSync(file, second, fs.constants.COPYFILE_EXCL)
  }
}

const NO_LINKS = ['EPERM', 'EMLINK', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']

const running = new AsyncLocalStorage<Journal>()

/** The journal of the run that is under way, if any. */
export function journal(): Journal | undefined {
  return running.getStore()
}

export function withJournal<T>(own: Journal, work: () => T): T {
  return running.run(own, work)
}
