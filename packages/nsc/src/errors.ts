/** What makes a command fail: a stable code for programs, a text that says what, where and what to do next. */
export class NscError extends Error {
  readonly code: string
  /** Whether the usage is printed below the error even by commands that otherwise leave it out. */
  readonly showUsage: boolean

  constructor(code: string, text: string, options: { showUsage?: boolean; cause?: unknown } = {}) {
    super(text, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'NscError'
    this.code = code
    this.showUsage = options.showUsage ?? false
  }
}

/** A value that the command needs is missing: the usage is always shown. */
export function usageError(text: string): NscError {
  return new NscError('usage', text, { showUsage: true })
}

/** The user was asked and does not want it: no usage, as nothing was wrong. */
export function declined(): NscError {
  return new NscError('declined', 'nothing was changed')
}

/** Any other failure of a command. */
export function failure(text: string, cause?: unknown): NscError {
  return new NscError('failed', text, { cause })
}

/** The text of anything that was thrown. */
export function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** Whether a file system call failed because the thing is not there. */
export function isMissing(thrown: unknown): boolean {
  const code = (thrown as NodeJS.ErrnoException | null)?.code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

const REASONS: Record<string, string> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  EEXIST: 'file exists',
  ENOTEMPTY: 'directory not empty',
  ENOSPC: 'no space left on device',
  EROFS: 'read-only file system',
}

/** A failed file system call in the words of the official program: `open /x/y: no such file or directory`. */
export function fileError(operation: string, path: string, thrown: unknown): NscError {
  const code = (thrown as NodeJS.ErrnoException | null)?.code ?? ''
  return failure(`${operation} ${path}: ${REASONS[code] ?? textOf(thrown)}`, thrown)
}
