// Why a file could not be used, in the words of the official server, which are Go's.

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  EROFS: 'read-only file system',
  ENOSPC: 'no space left on device',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'file name too long',
  ELOOP: 'too many levels of symbolic links',
  // A NUL byte in the name.
  ERR_INVALID_ARG_VALUE: 'invalid argument',
}

/** Of a file that could not be opened. */
export function openProblem(error: NodeJS.ErrnoException, file: string): string {
  return `open ${file}: ${WORDS[error.code ?? ''] ?? error.message}`
}

/** Of a file that could not be read: a folder can be opened. */
export function readProblem(error: NodeJS.ErrnoException, file: string): string {
  return error.code === 'EISDIR' ? `read ${file}: is a directory` : openProblem(error, file)
}
