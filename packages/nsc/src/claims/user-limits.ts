import type { UserPermissionLimits } from '@ngs/identity/node'
import type { FlagValues } from '../cli/flags.ts'
import type { FlagSpec } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import type { Report } from '../report.ts'
import { compareBytes } from '../text.ts'
import { addAll, type Int64, normalizeTags, removeAll, setList } from '../values.ts'
import {
  applyPermissions,
  checkPermissionFlags,
  PERMISSION_FLAG_NAMES,
  PERMISSION_REMOVAL_FLAG_NAMES,
  permissionFlags,
  permissionRemovalFlags,
} from './permissions.ts'

const CONNECTION_TYPES = ['LEAFNODE', 'MQTT', 'STANDARD', 'WEBSOCKET', 'LEAFNODE_WS', 'MQTT_WS', 'IN_PROCESS']

/** Flags of what a user may do: for users themselves and for the template of a scoped signing key. */
export const USER_LIMIT_FLAGS: readonly FlagSpec[] = [
  {
    name: 'time',
    type: 'times',
    text: 'add a daily time range HH:MM:SS-HH:MM:SS in which connecting is allowed',
  },
  { name: 'rm-time', type: 'list', text: 'remove the time range that starts at HH:MM:SS' },
  { name: 'locale', type: 'zone', text: 'time zone of the time ranges, such as Europe/Zurich' },
  { name: 'source-network', type: 'list', text: 'add networks (CIDR) to connect from' },
  { name: 'rm-source-network', type: 'list', text: 'remove networks to connect from' },
  { name: 'conn-type', type: 'list', text: `add allowed connection types: ${CONNECTION_TYPES.join(' ')}` },
  { name: 'rm-conn-type', type: 'list', text: 'remove allowed connection types' },
  { name: 'subs', type: 'integer', text: 'maximum number of subscriptions (-1 is unlimited)', fallback: -1 },
  { name: 'data', type: 'number', text: 'maximum data in bytes (-1 is unlimited)', fallback: -1 },
  {
    name: 'payload',
    type: 'number',
    text: 'maximum message payload in bytes (-1 is unlimited)',
    fallback: -1,
  },
  { name: 'bearer', type: 'switch', text: 'the token alone is enough to connect: no challenge is signed' },
  ...permissionFlags('permissions'),
  ...permissionRemovalFlags('permissions'),
]

/** Limit flags that count as something to edit. A locale alone does not. */
export const USER_LIMIT_FLAG_NAMES: readonly string[] = [
  'time',
  'rm-time',
  'source-network',
  'rm-source-network',
  'conn-type',
  'rm-conn-type',
  'subs',
  'data',
  'payload',
  'bearer',
  ...PERMISSION_FLAG_NAMES,
  ...PERMISSION_REMOVAL_FLAG_NAMES,
]

export function checkUserLimitFlags(flags: FlagValues): void {
  for (const type of flags.list('conn-type'))
    if (!CONNECTION_TYPES.includes(type.toUpperCase()))
      throw failure(`unknown connection type ${type.toUpperCase()}`)
  for (const type of flags.list('rm-conn-type'))
    if (!CONNECTION_TYPES.includes(type.toUpperCase()))
      throw failure(`unknown rm connection type ${type.toUpperCase()}`)
  checkPermissionFlags(flags)
}

/** Applies the limit flags to a user's claims or a scope's template, and reports each change. */
export function applyUserLimits(limits: UserPermissionLimits, flags: FlagValues, report: Report): void {
  // "imports" is what the official program reports for the payload; scripts may look for it.
  setNumber(limits, 'payload', flags, report, (value) => `changed max imports to ${value}`)
  setNumber(limits, 'data', flags, report, (value) => `changed max data to ${value}`)
  setNumber(limits, 'subs', flags, report, (value) => `changed max number of subs to ${value}`)
  if (flags.has('bearer')) applyBearer(limits, flags.switch('bearer'), report)

  const types = flags.list('conn-type').map((type) => type.toUpperCase())
  const removedTypes = flags.list('rm-conn-type').map((type) => type.toUpperCase())
  const current = (limits.allowed_connection_types ?? []).map((type) => type.toUpperCase())
  setList(limits, 'allowed_connection_types', removeAll(addAll(current, types), removedTypes))
  for (const type of types) report.ok(`added connection type ${type}`)
  for (const type of removedTypes) report.ok(`removed connection type ${type}`)

  const networks = flags.list('source-network')
  const removedNetworks = flags.list('rm-source-network')
  const list = removeAll(addAll(limits.src, normalizeTags(networks)), normalizeTags(removedNetworks))
  setList(limits, 'src', list.sort(compareBytes))
  for (const network of networks) report.ok(`added src network ${network}`)
  for (const network of removedNetworks) report.ok(`removed src network ${network}`)

  applyTimes(limits, flags, report)
  applyPermissions(limits, flags, report, { removal: true })
}

function setNumber(
  limits: UserPermissionLimits,
  key: 'payload' | 'data' | 'subs',
  flags: FlagValues,
  report: Report,
  line: (value: Int64) => string,
): void {
  if (!flags.has(key)) return
  limits[key] = flags.integer(key)
  report.ok(line(limits[key]))
}

function applyBearer(limits: UserPermissionLimits, bearer: boolean, report: Report): void {
  const changes = (limits.bearer_token ?? false) !== bearer
  if (bearer) limits.bearer_token = true
  else delete limits.bearer_token
  report.ok(
    changes || bearer
      ? `changed bearer to ${bearer}`
      : `ignoring change to bearer - value is already ${bearer}`,
  )
}

function applyTimes(limits: UserPermissionLimits, flags: FlagValues, report: Report): void {
  if (flags.has('locale')) limits.times_location = flags.text('locale')
  const times = [...(limits.times ?? [])]
  for (const range of flags.times('time')) {
    times.push(range)
    report.ok(`added time range ${range.start}-${range.end}`)
  }
  for (const start of flags.list('rm-time')) {
    const index = times.findIndex((range) => range.start === start)
    if (index === -1) continue
    const [gone] = times.splice(index, 1)
    report.ok(`removed time range ${gone?.start}-${gone?.end}`)
  }
  if (times.length > 0) limits.times = times
  else delete limits.times
}
