import type { Readable } from 'node:stream'

/** A stream that is written to, or what stands for one. */
export interface Out {
  write(text: string): unknown
  isTTY?: boolean
  columns?: number
}

/** What a command reads from and writes to: the process' own streams, or a test's. */
export interface Io {
  stdout: Out
  stderr: Out
  stdin: Readable & { isTTY?: boolean }
  env: Record<string, string | undefined>
  /** Working directory: relative paths in flags start here. */
  cwd: string
}

/** Prompts need a person on both ends; a pipe or a script gets an error that names the flag instead. */
export function isInteractive(io: Io): boolean {
  return io.stdin.isTTY === true && io.stdout.isTTY === true && io.env['CI'] === undefined
}

/** Colour only on a terminal, and not when the person has asked for none (https://no-color.org). */
export function wantsColour(io: Io): boolean {
  return io.stdout.isTTY === true && (io.env['NO_COLOR'] ?? '') === ''
}
