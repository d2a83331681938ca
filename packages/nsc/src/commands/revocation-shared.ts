import { type AccountClaims, type Export, isSubsetMatch, type SharingKind } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, usageError } from '../errors.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { Table } from '../table.ts'
import { compareBytes, quote } from '../text.ts'
import type { Int64 } from '../values.ts'
import { checkPublicKey, exportsOfKind } from './shared.ts'

/** The user that --name or --user-public-key means; the only user when neither is given. */
export function userKeyOf(call: Call, store: OperatorStore, account: string): string {
  const name = call.flags.text('name')
  const given = call.flags.text('user-public-key')
  if (name !== '') {
    const match = store.userNames(account).find((user) => user.toLowerCase() === name.toLowerCase())
    if (match === undefined) throw failure(`user ${quote(name)} not found`)
    return store.user(account, match).sub
  }
  if (given === '') {
    const only = store.onlyUser(account)
    if (only === null) throw failure(`no default user available for account ${account}`)
    return store.user(account, only).sub
  }
  const key = given === '*' || given.startsWith('U') ? given : store.user(account, given).sub
  checkPublicKey(key, 'user', 'user-public-key', true)
  return key
}

/** --name and --user-public-key say the same thing in two ways. */
export function checkUserFlags({ flags }: Call): void {
  if (flags.text('name') !== '' && flags.text('user-public-key') !== '')
    throw failure('user and user-public-key are mutually exclusive')
}

export function kindOf({ flags }: Call): SharingKind {
  return flags.switch('service') ? 'service' : 'stream'
}

/** The export of the call's kind that --subject lies in; the only one when there is no --subject. */
export function exportOf(call: Call, account: AccountClaims, name: string): Export {
  const exports = exportsOfKind(account, name, kindOf(call))
  const only = exports.length === 1 ? (exports[0]?.subject ?? '') : ''
  const subject = call.flags.text('subject') || only
  if (subject === '') throw usageError('a subject is required')
  const found = exports.find((entry) => isSubsetMatch(subject, entry.subject ?? ''))
  if (!found) throw failure('unable to locate export')
  return found
}

/** Seconds given by --at, now for none. */
export function revocationTime({ flags }: Call): number {
  return Number(flags.integer('at')) || Math.floor(Date.now() / 1000)
}

/** A revocation list as a table; `everything` stands behind the `*` entry. */
export function revocationTable(title: string, list: Record<string, Int64>, everything: string): string {
  const table = new Table(title, ['Public Key', 'Revoke Credentials Before'])
  for (const [key, at] of Object.entries(list).sort(([a], [b]) => compareBytes(a, b)))
    table.row(key === '*' ? `* [${everything}]` : key, localDate(Number(at)))
  return table.render()
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const twoDigits = (value: number) => String(value).padStart(2, '0')

function clock(when: Date): string {
  return [when.getHours(), when.getMinutes(), when.getSeconds()].map(twoDigits).join(':')
}

/** `Tue, 24 Nov 2026 11:09:11 UTC` in local time. */
function localDate(seconds: number): string {
  const when = new Date(seconds * 1000)
  const day = `${twoDigits(when.getDate())} ${MONTHS[when.getMonth()]} ${when.getFullYear()}`
  return `${WEEKDAYS[when.getDay()]}, ${day} ${clock(when)} ${zoneName(when)}`
}

/** `UTC`, `CET`; the offset where the zone has no letters. */
function zoneName(when: Date): string {
  const name = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
    .formatToParts(when)
    .find(({ type }) => type === 'timeZoneName')?.value
  if (name && !name.startsWith('GMT')) return name
  const offset = offsetOf(when)
  if (offset === '+0000') return 'UTC'
  return offset.endsWith('00') ? offset.slice(0, 3) : offset
}

/** `2026-11-24 11:09:11 +0000 UTC` in local time, as the lines about revoking everything show it. */
export function momentText(seconds: number): string {
  const when = new Date(seconds * 1000)
  const day = `${when.getFullYear()}-${twoDigits(when.getMonth() + 1)}-${twoDigits(when.getDate())}`
  return `${day} ${clock(when)} ${offsetOf(when)} ${zoneName(when)}`
}

/** `+0100` */
function offsetOf(when: Date): string {
  const minutes = -when.getTimezoneOffset()
  const size = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${twoDigits(Math.trunc(size / 60))}${twoDigits(size % 60)}`
}
