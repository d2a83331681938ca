// Whether an import holds: the export that covers it, and what the export demands.
import type { AccountClaims, Export } from '../claims.ts'
import { decodeActivation } from '../jwt/decode.ts'
import { localPattern } from '../renaming.ts'
import { findExport, verifyActivation } from '../rules/chain.ts'
import { ALL, isRevoked } from '../rules/revocations.ts'
import { hasWildcard, isSubsetMatch, subjectsOverlap } from '../subjects.ts'
import { accountWord, nsc } from './commands.ts'
import type { NamedImport } from './subjects.ts'

/** One finding about an import, in the order in which servers look. */
export interface ShareStep {
  stage: 'export' | 'activation' | 'import'
  ok: boolean
  /** Whose claims say so. */
  account: string
  text: string
  fix: string | null
}

const quote = (text: string): string => JSON.stringify(text)

/** What lets an existing import in, or keeps it out. */
export function importSteps(
  importer: AccountClaims,
  exporter: AccountClaims,
  named: NamedImport,
  now: number,
): ShareStep[] {
  const { kind, remote } = named
  const what = `the ${kind} ${quote(remote)}`
  const shared = findExport(exporter, kind, remote)
  const { fix: add, why } = offer(exporter, kind, remote)
  if (!shared) {
    const text = `${accountWord(exporter)} does not export ${what}${why}`
    // An export may not contain another one: then it is the import that asks for too much.
    const others = (exporter.nats.exports ?? []).filter((item) => item?.type === kind)
    const clashes = others.some((item) => isSubsetMatch(item?.subject ?? '', remote))
    const fix = clashes ? drop(importer, exporter, named) : add
    return [{ stage: 'export', ok: false, account: exporter.sub, text, fix }]
  }
  const exported: ShareStep = {
    stage: 'export',
    ok: true,
    account: exporter.sub,
    text: `${accountWord(exporter)} exports the ${shared.token_req ? 'private ' : ''}${kind} ${quote(shared.subject ?? '')}`,
    fix: null,
  }
  const position = Number(shared.account_token_position ?? 0)
  if (position > 0) {
    if (remote.split('.')[position - 1] === importer.sub) return [exported]
    const text = `token ${position} of ${quote(remote)} must be the key of the importing account, ${importer.sub}`
    return [exported, { stage: 'import', ok: false, account: importer.sub, text, fix: null }]
  }
  if (!shared.token_req) return [exported]
  return [exported, activationStep(importer, exporter, named, shared, now)]
}

function activationStep(
  importer: AccountClaims,
  exporter: AccountClaims,
  named: NamedImport,
  shared: Export,
  now: number,
): ShareStep {
  const { kind, remote, item } = named
  const step = (ok: boolean, text: string, fix: string | null): ShareStep => ({
    stage: 'activation',
    ok,
    account: importer.sub,
    text,
    fix,
  })
  const again = canGrant(exporter, kind, remote)
    ? unrevoked(importer, exporter, kind, shared, now) + regrant(importer, exporter, named)
    : null
  if (!item.token) return step(false, `the export is private, and the import has no activation token`, again)
  const verdict = verifyActivation({
    token: item.token,
    importer: importer.sub,
    exporter,
    kind,
    subject: remote,
    now,
  })
  if (verdict.ok) return step(true, `the import has an activation token of ${accountWord(exporter)}`, null)
  if (verdict.code !== 'revoked') return step(false, verdict.reason, again)
  const { iat } = decodeActivation(item.token)
  const byKey = isRevoked({ [importer.sub]: shared.revocations?.[importer.sub] ?? -1 }, importer.sub, iat)
  const back = takeBack(exporter, kind, shared, byKey ? importer.sub : ALL)
  return step(false, `${accountWord(exporter)} has revoked the activation token of the import`, back)
}

/** `nsc generate activation` goes by the subject alone: with two private exports of it, only one of them is within its reach. */
function canGrant(exporter: AccountClaims, kind: 'stream' | 'service', subject: string): boolean {
  const first = (exporter.nats.exports ?? []).find(
    (item) => item?.token_req && isSubsetMatch(subject, item.subject ?? ''),
  )
  return first?.type === kind
}

/** Takes back what would revoke a token that is issued now as well. */
function unrevoked(
  importer: AccountClaims,
  exporter: AccountClaims,
  kind: 'stream' | 'service',
  shared: Export,
  now: number,
): string {
  return [importer.sub, ALL]
    .filter((key) => (shared.revocations?.[key] ?? -1) >= now)
    .map((key) => `${takeBack(exporter, kind, shared, key)} && `)
    .join('')
}

function takeBack(exporter: AccountClaims, kind: 'stream' | 'service', shared: Export, key: string): string {
  return nsc(
    ...[
      'revocations',
      'delete_activation',
      '--account',
      accountWord(exporter),
      '--subject',
      shared.subject ?? '',
    ],
    ...[kind === 'service' ? '--service' : null, '--target-account', key],
  )
}

/** Imports anew with a new activation token. */
function regrant(importer: AccountClaims, exporter: AccountClaims, named: NamedImport): string {
  const { item, remote, local } = named
  const gone = drop(importer, exporter, named)
  return `${gone} && ${grant(importer, exporter, remote)} && ${take(importer, local, item.name)}`
}

function drop(importer: AccountClaims, exporter: AccountClaims, { item }: NamedImport): string {
  return nsc(
    ...['delete', 'import', '--account', accountWord(importer), '--subject', item.subject ?? ''],
    ...['--src-account', exporter.sub],
  )
}

const TOKEN_FILE = 'activation.jwt'

function grant(importer: AccountClaims, exporter: AccountClaims, subject: string): string {
  return nsc(
    ...['generate', 'activation', '--account', accountWord(exporter), '--subject', subject],
    ...['--target-account', importer.sub, '--output-file', TOKEN_FILE],
  )
}

function take(importer: AccountClaims, local: string, name?: string): string {
  return nsc(
    ...['add', 'import', '--account', accountWord(importer), '--token', TOKEN_FILE, '--local-subject', local],
    ...(name ? ['--name', name] : []),
  )
}

/** The command that makes the export, or the one that has to come before because of a limit; and that limit. */
function offer(
  exporter: AccountClaims,
  kind: 'stream' | 'service',
  subject: string,
): { fix: string; why: string } {
  const { exports: most, wildcards } = exporter.nats.limits
  const edit = (flag: string, value?: string): string =>
    nsc('edit', 'account', '--name', accountWord(exporter), flag, value ?? null)
  if (most >= 0 && (exporter.nats.exports ?? []).length >= most)
    return { fix: edit('--exports', '-1'), why: `, and its limit of ${most} exports is used up` }
  if (most !== -1 && !wildcards && hasWildcard(subject))
    return { fix: edit('--wildcard-exports'), why: ', and may not export wildcards' }
  const service = kind === 'service' ? '--service' : null
  const fix = nsc('add', 'export', '--account', accountWord(exporter), '--subject', subject, service)
  return { fix, why: '' }
}

/** What is missing where an account imports nothing that covers the subject: the export, or only the import. */
export function missingSteps(
  importer: AccountClaims,
  exporter: AccountClaims,
  kind: 'stream' | 'service',
  subject: string,
  now: number,
): ShareStep[] {
  const what = `the ${kind} ${quote(subject)}`
  const shared = findExport(exporter, kind, subject)
  if (!shared) {
    const { fix, why } = offer(exporter, kind, subject)
    const text = `${accountWord(exporter)} does not export ${what}${why}`
    const step: ShareStep = { stage: 'export', ok: false, account: exporter.sub, text, fix }
    return [step, importStep(importer, exporter, kind, subject, { subject }, now)]
  }
  const text = `${accountWord(exporter)} exports the ${shared.token_req ? 'private ' : ''}${kind} ${quote(shared.subject ?? '')}`
  const step: ShareStep = { stage: 'export', ok: true, account: exporter.sub, text, fix: null }
  return [step, importStep(importer, exporter, kind, subject, shared, now)]
}

function importStep(
  importer: AccountClaims,
  exporter: AccountClaims,
  kind: 'stream' | 'service',
  subject: string,
  shared: Export,
  now: number,
): ShareStep {
  const text = `${accountWord(importer)} does not import the ${kind} ${quote(subject)} of ${accountWord(exporter)}`
  const step = { stage: 'import', ok: false, account: importer.sub, text } as const
  const imports = (importer.nats.imports ?? []).filter((item) => item !== null)
  const { imports: most } = importer.nats.limits
  if (most >= 0 && imports.length >= most) {
    const fix = nsc('edit', 'account', '--name', accountWord(importer), '--imports', '-1')
    return { ...step, text: `${text}, and its limit of ${most} imports is used up`, fix }
  }
  let wanted = shared.subject ?? subject
  const position = Number(shared.account_token_position ?? 0)
  if (position > 0) {
    const tokens = wanted.split('.')
    tokens[position - 1] = importer.sub
    wanted = tokens.join('.')
    if (!isSubsetMatch(subject, wanted)) {
      const only = `; its importers get only subjects whose token ${position} is their own key`
      return { ...step, text: text + only, fix: null }
    }
  } else if (collides(imports, exporter, kind, wanted)) wanted = subject
  if (shared.token_req && position === 0) {
    if (!canGrant(exporter, kind, wanted)) return { ...step, fix: null }
    return {
      ...step,
      fix: `${unrevoked(importer, exporter, kind, shared, now)}${grant(importer, exporter, wanted)} && ${take(importer, wanted)}`,
    }
  }
  return {
    ...step,
    fix: nsc(
      ...['add', 'import', '--account', accountWord(importer), '--src-account', exporter.sub],
      ...['--remote-subject', wanted, kind === 'service' ? '--service' : null],
    ),
  }
}

/** Service imports of one account may not overlap under their local names, nor may a stream be imported twice. */
function collides(
  imports: NonNullable<AccountClaims['nats']['imports']>,
  exporter: AccountClaims,
  kind: 'stream' | 'service',
  subject: string,
): boolean {
  return imports.some(
    (item) =>
      item !== null &&
      item.type === kind &&
      item.account === exporter.sub &&
      subjectsOverlap(localPattern(item.local_subject || (item.subject ?? '')), subject),
  )
}
