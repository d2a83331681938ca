import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { failure } from '../errors.ts'
import { createExclusively, readTextIfThere } from '../files.ts'
import { onInterrupt } from '../interrupt.ts'
import { journal } from '../journal.ts'
import { backquote } from '../text.ts'

/**
 * One writer per operator store. An edit reads a token, changes it and writes it back; two of them at once would
 * lose one of the edits. The lock is a file that exists only while an edit runs, so that stores stay the same for
 * the official program, which knows no lock.
 */

export const LOCK_FILE = '.nsc.lock'
/** An untouched lock is given up after this; its holder touches it more often. */
const STALE_MS = 30_000
const TOUCH_MS = 5_000
const WAIT_MS = 60_000
const RETRY_MS = 15

/** Runs `work` while holding the store's lock. Waits for another holder up to a minute. */
export async function withLock<T>(storeDir: string, work: () => T | Promise<T>): Promise<T> {
  const file = path.join(storeDir, LOCK_FILE)
  const content = `${process.pid} ${os.hostname()} ${randomBytes(6).toString('hex')}\n`
  const deadline = Date.now() + WAIT_MS
  while (!createExclusively(file, content, { journaled: false })) {
    if (removeIfAbandoned(file)) continue
    if (Date.now() > deadline) {
      const holder = readTextIfThere(file)?.split(' ')[0] ?? 'unknown'
      throw failure(
        `another nsc (process ${holder}) is still working on ${backquote(storeDir)} - try again when it is done, ` +
          `or remove ${backquote(file)} if no such process exists`,
      )
    }
    await sleep(RETRY_MS + Math.random() * RETRY_MS)
  }
  const touch = setInterval(() => {
    const now = new Date()
    fs.utimes(file, now, now, () => {})
  }, TOUCH_MS)
  touch.unref()
  const release = () => {
    // Someone may have taken over a lock they believed abandoned: only the own one is removed.
    if (readTextIfThere(file) === content) fs.rmSync(file, { force: true })
  }
  const released = onInterrupt(release)
  try {
    return await work()
  } finally {
    clearInterval(touch)
    // While nobody else can have built on it.
    journal()?.takeBackIfFailed()
    release()
    released()
  }
}

/** Removes the lock of a process that is gone; true when it is worth trying again at once. */
function removeIfAbandoned(file: string): boolean {
  const content = readTextIfThere(file)
  if (content === null) return true
  if (!isAbandoned(file, content)) return false
  // Renamed first: of several that find it abandoned only one succeeds, and a fresh lock is not hit by accident.
  const aside = `${file}.${randomBytes(6).toString('hex')}`
  try {
    fs.renameSync(file, aside)
  } catch {
    return true
  }
  if (readTextIfThere(aside) !== content) {
    try {
      fs.linkSync(aside, file)
    } catch {
      // A third process has locked meanwhile; the owner of the one put aside notices when it releases.
    }
  }
  fs.rmSync(aside, { force: true })
  return true
}

function isAbandoned(file: string, content: string): boolean {
  const [pid, host] = content.trim().split(' ')
  if (host === os.hostname() && !isAlive(Number(pid))) return true
  try {
    return Date.now() - fs.statSync(file).mtimeMs > STALE_MS
  } catch {
    return false
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}
