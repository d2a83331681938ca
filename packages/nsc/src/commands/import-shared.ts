import { type Claims, isBlocking, validate } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, fileError } from '../errors.ts'
import { readText, statOf } from '../files.ts'
import type { Report } from '../report.ts'

/** The content of the file that --file names, which must have one of the endings. */
export function readImport({ session, flags }: Call, endings: readonly string[]): string {
  const given = flags.text('file')
  const file = session.expand(given)
  const stat = statOf(file)
  if (stat === null) throw fileError('open', file, { code: 'ENOENT' })
  if (stat.isDirectory()) throw fileError('read', file, { code: 'EISDIR' })
  if (!endings.some((ending) => given.endsWith(ending)))
    throw failure(`expected these file endings: [${endings.join(' ')}]`)
  return readText(file)
}

/** Reports what is wrong with a token; true when that stands in the way and --skip was not given. */
export function isRefused(claims: Claims, skip: boolean, report: Report): boolean {
  const issues = validate(claims)
  for (const { level, text } of issues) {
    const line = `validation resulted in: ${text}`
    if (level === 'error') report.error(line)
    else report.warn(line)
  }
  if (skip || !isBlocking(issues, { includeTime: true })) return false
  report.error('validation is blocking, skip with --skip')
  return true
}

/** What stands in the way of a token that is there already under the same name; null when nothing does. */
export function collision(
  what: 'Account' | 'User',
  stored: () => { sub: string },
  claims: Claims,
  overwrite: boolean,
): string | null {
  if (!overwrite) return `${what.toLowerCase()} already exists, overwrite with --overwrite`
  const { sub } = stored()
  if (sub === claims.sub) return null
  return (
    `existing ${what} has a name collision only and does not reference the same entity ` +
    `(Subject is ${sub} and differs from ${claims.sub}). This problem needs to be resolved manually.`
  )
}
