/** Exit codes of `ngs`; docs/cli.md lists them. */
export const EXIT = {
  ok: 0,
  /** The command could not do what it was asked to. */
  failed: 1,
  /** The command line makes no sense: unknown command or flag, missing or malformed value. */
  usage: 2,
} as const

/** Why a command fails: a stable code for programs and one line that says what, where and what to do next. */
export class CliError extends Error {
  readonly code: string
  readonly exitCode: number
  /** Further lines, such as what has to be removed before a plan fits. */
  readonly details: readonly string[]

  constructor(
    code: string,
    text: string,
    options: { exitCode?: number; details?: readonly string[]; cause?: unknown } = {},
  ) {
    super(text, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CliError'
    this.code = code
    this.exitCode = options.exitCode ?? EXIT.failed
    this.details = options.details ?? []
  }
}

/** A wrong command line. */
export function usageError(text: string): CliError {
  return new CliError('usage', text, { exitCode: EXIT.usage })
}

/** The text of anything that was thrown; of a failed system call what the system says, without its code and arguments. */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const { syscall, message } = thrown as NodeJS.ErrnoException
  return syscall === undefined ? message : message.replace(/^[A-Z0-9_]+: (.+?), .*$/s, '$1')
}
