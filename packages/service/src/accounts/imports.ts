// Can the imports of an account work? Asked of new imports only: one that was fine when it was added and whose exporter
// has changed its mind since must not stand in the way of the owner's other edits.
import { isDeepStrictEqual } from 'node:util'
import { type AccountClaims, findExport, type Import, verifyActivation } from '@ngs/identity/node'
import { ServiceError } from '../errors.ts'
import { describeImport } from '../plans/fit.ts'

export interface ImportContext {
  /** The importing account. */
  importer: string
  systemAccount: string
  /** The imports that were accepted before. */
  before: readonly (Import | null)[]
  /** The newest claims of an account, null when the service does not know it. */
  exporter(account: string): Promise<AccountClaims | null>
  /** Unix seconds. */
  now: number
}

/** The subject of an import in the exporting account. */
function remoteSubjectOf(item: Import): string {
  return item.type === 'service' && item.to ? item.to : (item.subject ?? '')
}

/**
 * @returns notes for the owner about imports that do not work yet, because the exporter or its export is still missing
 * @throws ServiceError bad-import, with one line for each import that will never work as it is
 */
export async function checkImports(
  imports: readonly (Import | null)[],
  context: ImportContext,
): Promise<string[]> {
  const problems: string[] = []
  const notes: string[] = []
  for (const item of imports) {
    if (item === null || context.before.some((old) => isDeepStrictEqual(old, item))) continue
    if (item.account === context.systemAccount) {
      problems.push(`${describeImport(item)}: the system account shares nothing with other accounts`)
      continue
    }
    const exporter = await context.exporter(item.account ?? '')
    const found =
      exporter === null ? undefined : findExport(exporter, item.type as 'stream', remoteSubjectOf(item))
    if (exporter === null) {
      notes.push(`${describeImport(item)}: this service does not know that account (yet)`)
    } else if (found === undefined) {
      notes.push(`${describeImport(item)}: that account does not export it (yet)`)
    } else {
      const problem = problemOf(item, exporter, found, context)
      if (problem !== null) problems.push(`${describeImport(item)}: ${problem}`)
    }
  }
  if (problems.length > 0) {
    throw new ServiceError('bad-import', 'these imports cannot work; remove or mend them and push again:', {
      remedy: problems,
    })
  }
  return notes
}

function problemOf(
  item: Import,
  exporter: AccountClaims,
  found: { account_token_position?: number | bigint; token_req?: boolean; subject?: string },
  { importer, now }: ImportContext,
): string | null {
  const subject = remoteSubjectOf(item)
  const position = Number(found.account_token_position ?? 0)
  if (position > 0) {
    if (subject.split('.')[position - 1] === importer) return null
    return `token ${position} of the subject must be your account key, ${importer}`
  }
  if (found.token_req !== true) return null
  if (!item.token) {
    const service = item.type === 'service' ? ' service' : ''
    return (
      `the export is private and needs an activation token; ask the owner of account "${exporter.name ?? exporter.sub}" for ` +
      `the file that "nsc generate activation --subject '${subject}' --target-account ${importer} --output-file FILE" writes, ` +
      `then add the${service} import with "nsc add import --token FILE"`
    )
  }
  const activation = verifyActivation({
    token: item.token,
    importer,
    exporter,
    kind: item.type as 'stream' | 'service',
    subject,
    now,
  })
  return activation.ok ? null : `${activation.reason}; ask the exporting account for a new activation token`
}
