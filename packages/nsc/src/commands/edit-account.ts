import { type AccountClaims, hasWildcard } from '@ngs/identity/node'
import {
  applyJetStream,
  checkJetStreamFlags,
  checkJetStreamState,
  JETSTREAM_FLAG_NAMES,
  limitsGiven,
} from '../claims/jetstream.ts'
import {
  applyPermissions,
  checkPermissionFlags,
  PERMISSION_FLAG_NAMES,
  PERMISSION_REMOVAL_FLAG_NAMES,
} from '../claims/permissions.ts'
import type { FlagValues } from '../cli/flags.ts'
import type { Call } from '../cli/spec.ts'
import { failure, textOf, usageError } from '../errors.ts'
import { Report } from '../report.ts'
import { signingKeys } from '../signing.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { quote } from '../text.ts'
import { accountDifferences } from './account-differences.ts'
import {
  applyDates,
  applyTags,
  checkDates,
  checkSigningKeys,
  editAccount,
  nameOf,
  resolveSigningKeys,
  subjectError,
} from './shared.ts'

type Limits = AccountClaims['nats']['limits']

/** Flag, field, and how a change is reported. */
const LIMITS: readonly [flag: string, key: keyof Limits & string, line: (value: unknown) => string][] = [
  ['conns', 'conn', (value) => `changed max connections to ${value}`],
  ['leaf-conns', 'leaf', (value) => `changed leaf node connections to ${value}`],
  ['data', 'data', (value) => `changed max data to ${value} bytes`],
  ['exports', 'exports', (value) => `changed max exports to ${value}`],
  ['wildcard-exports', 'wildcards', (value) => `changed wild card exports to ${value}`],
  ['disallow-bearer', 'disallow_bearer', (value) => `changed disallow bearer to ${value}`],
  ['imports', 'imports', (value) => `changed max imports to ${value}`],
  ['payload', 'payload', (value) => `changed max payload size to ${value}`],
  ['subscriptions', 'subs', (value) => `changed max subscriptions to ${value}`],
]

const EDIT_FLAGS = [
  ...LIMITS.map(([flag]) => flag),
  ...['sk', 'rm-sk', 'tag', 'rm-tag', 'start', 'expiry', 'description', 'info-url'],
  ...['trace-context-subject', 'trace-context-sampling', 'host-cluster-traffic'],
  ...PERMISSION_FLAG_NAMES,
  ...PERMISSION_REMOVAL_FLAG_NAMES,
  ...JETSTREAM_FLAG_NAMES,
]

export async function run(call: Call): Promise<Report> {
  const { session, flags } = call
  const name = session.selectAccount(nameOf(call))
  checkJetStreamFlags(flags)
  // Whoever was asked and left all as it is gets the same content signed anew.
  if (!flags.hasAny(...EDIT_FLAGS) && !session.interactive) throw usageError('specify an edit option')
  const report = Report.list()
  await editAccount(session, name, async ({ store, account, signer, save }) => {
    const { nats } = account
    checkJetStreamState(nats.limits, flags)
    checkSigningKeys(session, flags.list('sk'), 'account')
    checkDates(flags)
    signer({ keepIssuer: true })
    checkSystemAccount(store, account, flags)
    checkPermissionFlags(flags)
    checkBearerUsers(store, name, flags)
    checkTrace(account, flags)

    const added = resolveSigningKeys(session, flags.list('sk'), 'account')
    applySigningKeys(nats, added, flags.list('rm-sk'), report)
    applyDates(account, flags, report)
    applyTags(nats, flags.list('tag'), flags.list('rm-tag'), report)
    for (const [flag, key, line] of LIMITS) {
      if (!flags.has(flag)) continue
      const isSwitch = key === 'wildcards' || key === 'disallow_bearer'
      Object.assign(nats.limits, { [key]: isSwitch ? flags.switch(flag) : flags.integer(flag) })
      report.ok(line(nats.limits[key]))
    }
    applyJetStream(nats.limits, flags, report)
    applyInfo(nats, flags, report)
    applyPermissions(nats.default_permissions, flags, report, { removal: true })
    applyTrace(nats, flags, report)
    await save(report)
    if (store.managed) report.add(differencesOf(store, name, account))
    report.ok(`edited account ${quote(name)}`)
  })
  return report
}

function applySigningKeys(
  nats: AccountClaims['nats'],
  added: string[],
  removed: string[],
  report: Report,
): void {
  const keys = signingKeys({ nats } as AccountClaims)
  const fresh = added.filter((key, index) => !keys.includes(key) && added.indexOf(key) === index)
  const left = [...(nats.signing_keys ?? []), ...fresh].filter(
    (entry) => !removed.includes(typeof entry === 'string' ? entry : entry.key),
  )
  if (left.length > 0) nats.signing_keys = left
  else delete nats.signing_keys
  for (const key of added) report.ok(`added signing key ${quote(key)}`)
  for (const key of removed) report.ok(`removed signing key ${quote(key)}`)
}

function applyInfo(nats: AccountClaims['nats'], flags: FlagValues, report: Report): void {
  for (const [flag, key, label] of [
    ['description', 'description', 'description'],
    ['info-url', 'info_url', 'info url'],
  ] as const) {
    if (!flags.has(flag)) continue
    if (flags.text(flag) === '') delete nats[key]
    else nats[key] = flags.text(flag)
    report.ok(`changed ${label} to ${quote(flags.text(flag))}`)
  }
}

function applyTrace(nats: AccountClaims['nats'], flags: FlagValues, report: Report): void {
  if (flags.has('trace-context-subject')) {
    const subject = flags.text('trace-context-subject')
    if (subject === '') {
      delete nats.trace
      report.ok('disabled trace context')
    } else {
      nats.trace = { dest: subject }
      report.ok(`changed trace context subject to ${quote(subject)}`)
    }
  }
  if (flags.has('trace-context-sampling')) {
    if (!nats.trace) throw failure('cannot set context sampling rate when disabling the trace context')
    nats.trace.sampling = flags.integer('trace-context-sampling')
    report.ok(`changed trace context sampling to ${nats.trace.sampling}%`)
  }
  if (flags.has('host-cluster-traffic')) {
    const owner = flags.switch('host-cluster-traffic')
    if (owner) nats.cluster_traffic = 'owner'
    else delete nats.cluster_traffic
    report.ok(`${owner ? 'enabled' : 'disabled'} routing of JetStream cluster traffic through this account`)
  }
}

function checkTrace(account: AccountClaims, flags: FlagValues): void {
  const subject = flags.has('trace-context-subject') ? flags.text('trace-context-subject') : ''
  if (subject !== '') {
    const wrong = subjectError(subject)
    if (wrong) throw failure(wrong)
    if (hasWildcard(subject)) throw failure(`tracing subjects cannot contain wildcards: ${quote(subject)}`)
  }
  if (!flags.has('trace-context-sampling')) return
  if (!account.nats.trace?.dest && subject === '') throw failure('trace-context-sampling requires a subject')
  const sampling = flags.integer('trace-context-sampling')
  if (sampling < 0 || sampling > 100) throw failure('tracing sampling rate must be between 1-100')
}

/** The system account must not have JetStream: servers refuse to start with it. */
function checkSystemAccount(store: OperatorStore, account: AccountClaims, flags: FlagValues): void {
  if (store.operator().nats.system_account !== account.sub || flags.switch('js-disable')) return
  if (account.nats.limits.tiered_limits || Number(flags.integer('js-enable')) > -1)
    throw failure('system account cannot have JetStream limits - please rerun with --js-disable')
  const set = limitsGiven(flags)
  if (set.length > 0)
    throw failure(
      `system account cannot have jetstream related settings - please rerun without: ${set.map((flag) => `--${flag}`).join(' ')}`,
    )
}

function checkBearerUsers(store: OperatorStore, name: string, flags: FlagValues): void {
  if (!flags.switch('disallow-bearer')) return
  for (const user of store.userNames(name))
    if (store.user(name, user).nats.bearer_token)
      throw failure(
        `user ${quote(user)} in account ${quote(name)} uses bearer token (needs to be deleted/changed first)`,
      )
}

function differencesOf(store: OperatorStore, name: string, sent: AccountClaims): Report | null {
  try {
    return accountDifferences(sent, store.account(name))
  } catch (thrown) {
    return Report.line('warning', `unable to read account ${quote(name)}: ${textOf(thrown)}`)
  }
}
