import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cleanup } from './cleanup.ts'

/** A folder that is removed by hand, for suites. */
export function tempFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'ngs-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }) }
}

/** A folder that goes away after the test. */
export function tempDir(t: Cleanup): string {
  const folder = tempFolder()
  t.after(folder.remove)
  return folder.path
}
