import type { AccountClaims, JetStreamLimits } from '@ngs/identity/node'
import type { FlagValues } from '../cli/flags.ts'
import { failure } from '../errors.ts'
import type { Report } from '../report.ts'
import { compareBytes } from '../text.ts'
import type { Int64 } from '../values.ts'

/**
 * JetStream limits of an account: one set for everything ("global", tier 0), or one per replication tier (R1, R3...),
 * never both.
 */

type NumberKey = Exclude<keyof JetStreamLimits, 'max_bytes_required'>

/** Flag (with its old name), field, and how a change is reported. In the order of the report. */
const FIELDS: readonly [flag: string, old: string | null, key: NumberKey, label: string, unset: number][] = [
  ['js-streams', 'streams', 'streams', 'max streams', -1],
  ['js-consumer', 'consumer', 'consumer', 'max consumer', -1],
  ['js-mem-storage', 'mem-storage', 'mem_storage', 'max mem storage', 0],
  ['js-max-mem-stream', null, 'mem_max_stream_bytes', 'max memory stream', -1],
  ['js-disk-storage', 'disk-storage', 'disk_storage', 'max disk storage', 0],
  ['js-max-disk-stream', null, 'disk_max_stream_bytes', 'max disk stream', -1],
  ['js-max-ack-pending', null, 'max_ack_pending', 'max ack pending', -1],
]

const LIMIT_FLAGS = [...FIELDS.map(([flag]) => flag), 'js-max-bytes-required']
const OLD_FLAGS = FIELDS.flatMap(([, old]) => (old ? [old] : []))

/** All JetStream flags, for those who ask whether there is anything to do. */
export const JETSTREAM_FLAG_NAMES = [
  ...LIMIT_FLAGS,
  ...OLD_FLAGS,
  'js-tier',
  'rm-js-tier',
  'js-enable',
  'js-disable',
]

/** The flags that give limits, under their present names; 0 gives none. */
export function limitsGiven(flags: FlagValues): string[] {
  const gives = (flag: string | null) => flag !== null && flags.has(flag) && Number(flags.integer(flag)) !== 0
  const given = FIELDS.filter(([flag, old]) => gives(flag) || gives(old)).map(([flag]) => flag)
  if (flags.switch('js-max-bytes-required')) given.push('js-max-bytes-required')
  const isStorage = (flag: string) => flag.endsWith('-storage')
  return [
    ...(gives('js-tier') ? ['js-tier'] : []),
    ...given.filter(isStorage),
    ...given.filter((flag) => !isStorage(flag)),
  ]
}

/** Refuses combinations: removing, enabling and disabling each go alone. */
export function checkJetStreamFlags(flags: FlagValues): void {
  for (const flag of ['js-tier', 'js-enable', 'rm-js-tier'])
    if (Number(flags.integer(flag)) < (flag === 'js-tier' ? 0 : -1))
      throw failure(`--${flag} ${flags.integer(flag)}: tiers are 0 (all assets), 1, 3, 5 and so on`)
  const sets = flags.hasAny('js-tier', ...LIMIT_FLAGS)
  const [removes, enables] = [flags.has('rm-js-tier'), flags.has('js-enable')]
  const disables = flags.switch('js-disable')
  if (removes && (sets || enables)) throw failure('rm-js-tier is exclusive of all other js options')
  if (disables && (sets || enables || removes))
    throw failure('js-disable is exclusive of all other js options')
  if (enables && sets) throw failure('js-enable is exclusive of all other js options')
}

/** Refuses to mix global and tiered limits, and to enable what is enabled. */
export function checkJetStreamState(limits: AccountClaims['nats']['limits'], flags: FlagValues): void {
  const tiers = Object.keys(limits.tiered_limits ?? {}).sort(compareBytes)
  const sets = flags.hasAny('js-tier', ...LIMIT_FLAGS)
  const tier = Number(flags.integer('js-tier'))
  if (sets && tier === 0 && tiers.length > 0)
    throw failure(
      `cannot set a jetstream global limit when a configuration has tiered limits '${tiers.join(',')}'`,
    )
  if (sets && tier > 0 && isSet(limits))
    throw failure('cannot set a jetstream tier limit when a configuration has a global limit')
  if (!flags.has('js-enable')) return
  const enabled = Number(flags.integer('js-enable'))
  if (enabled < 0) return
  const current = enabled === 0 ? limits : (limits.tiered_limits?.[`R${enabled}`] ?? {})
  if (isSet(current)) throw failure(`jetstream tier ${tierName(enabled)} is already enabled`)
  if (enabled === 0 && tiers.length > 0)
    throw failure(`cannot enable the global tier when a configuration has tiered limits '${tiers.join(',')}'`)
  if (enabled > 0 && isSet(limits))
    throw failure('cannot enable a jetstream tier when a configuration has a global limit')
}

/** Whether any JetStream limit is set. */
export function isSet(limits: JetStreamLimits): boolean {
  return FIELDS.some(([, , key]) => Number(limits[key] ?? 0) !== 0) || limits.max_bytes_required === true
}

/** Applies the JetStream flags and reports each change; without such flags nothing changes. */
export function applyJetStream(
  limits: AccountClaims['nats']['limits'],
  flags: FlagValues,
  report: Report,
): void {
  if (flags.has('rm-js-tier') && Number(flags.integer('rm-js-tier')) >= 0)
    removeTier(limits, Number(flags.integer('rm-js-tier')), report)
  else if (flags.switch('js-disable')) disable(limits, report)
  else if (flags.has('js-enable') && Number(flags.integer('js-enable')) >= 0)
    enable(limits, Number(flags.integer('js-enable')), report)
  else if (flags.hasAny('js-tier', ...LIMIT_FLAGS, ...OLD_FLAGS)) setLimits(limits, flags, report)
}

function removeTier(limits: AccountClaims['nats']['limits'], tier: number, report: Report): void {
  if (tier === 0) {
    clear(limits)
    report.ok('deleted global limit')
    return
  }
  const name = tierName(tier)
  if (!limits.tiered_limits) throw failure("account doesn't have tier limits")
  if (!limits.tiered_limits[name]) throw failure(`account doesn't have tier ${name} limit`)
  delete limits.tiered_limits[name]
  if (Object.keys(limits.tiered_limits).length === 0) delete limits.tiered_limits
  report.ok(`deleted tier limit ${name}`)
}

function disable(limits: AccountClaims['nats']['limits'], report: Report): void {
  clear(limits)
  report.ok('deleted global limit')
  for (const name of Object.keys(limits.tiered_limits ?? {}).sort(compareBytes))
    report.ok(`deleted tier limit ${name}`)
  delete limits.tiered_limits
}

function enable(limits: AccountClaims['nats']['limits'], tier: number, report: Report): void {
  const unlimited: JetStreamLimits = { disk_storage: -1, mem_storage: -1 }
  if (tier === 0) {
    clear(limits)
    Object.assign(limits, unlimited)
    report.ok('enabled global limit')
  } else {
    limits.tiered_limits = { ...limits.tiered_limits, [tierName(tier)]: unlimited }
    report.ok(`enabled tier limit ${tierName(tier)}`)
  }
}

function setLimits(limits: AccountClaims['nats']['limits'], flags: FlagValues, report: Report): void {
  const tier = Number(flags.integer('js-tier'))
  const name = tierName(tier)
  const target: JetStreamLimits = tier === 0 ? limits : { ...limits.tiered_limits?.[name] }
  const fresh = !isSet(target)
  for (const [flag, old, key, label, unset] of FIELDS) {
    const given = flags.has(flag) ? flag : old !== null && flags.has(old) ? old : null
    if (given !== null) assign(target, key, flags.integer(given))
    // The first limits of an account or tier leave the others unlimited, not at none.
    else if (fresh) assign(target, key, unset)
    if (flags.has(flag)) report.ok(`changed ${name} ${label} to ${target[key] ?? 0}`)
  }
  if (flags.has('js-max-bytes-required')) {
    if (flags.switch('js-max-bytes-required')) target.max_bytes_required = true
    else delete target.max_bytes_required
    report.ok(`changed ${name} max bytes required to ${flags.switch('js-max-bytes-required')}`)
  }
  if (tier > 0) limits.tiered_limits = { ...limits.tiered_limits, [name]: target }
}

function assign(limits: JetStreamLimits, key: NumberKey, value: Int64): void {
  if (Number(value) === 0) delete limits[key]
  else limits[key] = value
}

function clear(limits: JetStreamLimits): void {
  for (const [, , key] of FIELDS) delete limits[key]
  delete limits.max_bytes_required
}

function tierName(tier: number): string {
  return tier > 0 ? `R${tier}` : 'global'
}
