import path from 'node:path'
import type { FlagValues } from '../cli/flags.ts'
import type { Call } from '../cli/spec.ts'
import { failure, textOf } from '../errors.ts'
import { exists, makeFolder, writeAtomically } from '../files.ts'
import { journal } from '../journal.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { backquote, quote } from '../text.ts'
import { collectCurveKey, collectKeys, type ListedKey } from './key-collection.ts'

/** A file to write, or why there is none. */
interface Job {
  description: string
  file: string | null
  content: string
  /** Key to delete from the keystore once it is written, null when it stays. */
  moves: string | null
}

export function run(call: Call): Report {
  const { session, flags } = call
  const { keystore } = session
  if (!exists(keystore.dir)) throw failure(`keystore ${backquote(keystore.dir)} does not exist`)
  call.begin()
  const dir = session.expand(flags.text('dir'))
  const store = session.storeIfAny()
  const onlyCurve = flags.has('curve') && !flags.hasAny('operator', 'accounts', 'users', 'all')
  const keys = onlyCurve ? collectCurveKey(store, flags.text('curve')) : collectKeys(session, store, flags)
  if (keys.length === 0) throw failure('no keys found to export')
  const report = Report.list({ summarizes: true })
  const jobs = keys.map((key) => keyJob(session, flags, dir, key, report))
  if (flags.switch('include-jwts')) jobs.push(...keys.map((key) => tokenJob(flags, dir, key, report)))
  makeFolder(dir)
  // All are written before the first is deleted.
  const lines = jobs.flatMap((job) => (job ? [{ job, written: write(job, report) }] : []))
  for (const { job, written } of lines) if (written) finish(session, job, report)
  return report
}

function keyJob(
  { keystore }: Session,
  flags: FlagValues,
  dir: string,
  { publicKey }: ListedKey,
  report: Report,
): Job | null {
  if (!keystore.hasFile(publicKey)) return { description: publicKey, file: null, content: '', moves: null }
  const content = keystore.seedOf(publicKey)
  if (content === null) {
    report.error(`error reading seed for ${publicKey}`)
    return null
  }
  const file = freeFile(flags, dir, `${publicKey}.nk`, report)
  const moves = flags.switch('remove') ? publicKey : null
  return file === null ? null : { description: publicKey, file, content, moves }
}

function tokenJob(flags: FlagValues, dir: string, key: ListedKey, report: Report): Job | null {
  if (key.token === '') return null
  const file = freeFile(flags, dir, `${key.publicKey}.jwt`, report)
  const description = `${key.publicKey}.jwt (${key.name})`
  return file === null ? null : { description, file, content: key.token, moves: null }
}

function freeFile(flags: FlagValues, dir: string, name: string, report: Report): string | null {
  const file = path.join(dir, name)
  if (!exists(file) || flags.switch('force')) return file
  report.error(`${backquote(file)} already exists - specify --force to overwrite`)
  return null
}

/** Writes the file; false when there is none, which the report says. */
function write({ description, file, content }: Job, report: Report): boolean {
  if (file === null) {
    report.warn(`skipped ${quote(description)} - no seed available`)
    return false
  }
  try {
    writeAtomically(file, content)
    return true
  } catch (thrown) {
    report.error(`error exporting ${quote(description)}: ${textOf(thrown)}`)
    return false
  }
}

function finish({ keystore }: Session, { description, moves }: Job, report: Report): void {
  // On a disk that is full the copies do not stay: then the originals must.
  if (moves === null || journal()?.failed) {
    report.ok(`exported ${quote(description)}`)
    return
  }
  try {
    keystore.remove(moves)
    report.ok(`moved ${quote(description)}`)
  } catch (thrown) {
    report.error(`exported ${quote(description)} but failed to delete original file: ${textOf(thrown)}`)
  }
}
