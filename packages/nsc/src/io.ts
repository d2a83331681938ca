import type { Readable } from 'node:stream'

/** What a run reads from and writes to. `ngs` hands over its own; tests hand over buffers. */
export interface Io {
  stdout: Out
  stderr: Out
  stdin: Readable & { isTTY?: boolean }
  env: Record<string, string | undefined>
  /** Working directory: paths in flags are relative to it, and it may select operator and account. */
  cwd: string
}

/** A stream that is written to, or what stands for one. */
export interface Out {
  write(text: string): unknown
  isTTY?: boolean
}
