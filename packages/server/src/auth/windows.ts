// Restrictions of a user JWT by place, time and kind of connection.
import { BlockList, isIPv6 } from 'node:net'
import type { Int64, TimeRange, UserPermissionLimits } from '@ngs/identity/node'
import { CONNECTION_TYPES, type ConnectionType } from './authenticator.ts'

/** Blocks of IPv6 with fewer bits hold no IPv4 address: those begin with `::ffff:`, all of it. */
const MAPPED_BITS = 96

/** True when the address lies in one of the CIDR blocks. */
export function inNetworks(address: string, blocks: readonly string[]): boolean {
  const list = new BlockList()
  for (const block of blocks) {
    const [network, bits] = block.split('/')
    if (!isIPv6(address) && isIPv6(network!) && Number(bits) < MAPPED_BITS) continue
    try {
      list.addSubnet(network!, Number(bits), isIPv6(network!) ? 'ipv6' : 'ipv4')
    } catch {
      return false
    }
  }
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

const DAY = 86_400

function secondsOf(text: string): number {
  const [hours, minutes, seconds] = text.split(':').map(Number)
  return hours! * 3600 + minutes! * 60 + seconds!
}

/** Second of the day in a zone; the server's when empty. @throws RangeError for an unknown zone. */
function secondOfDay(now: Date, zone: string): number {
  if (zone === '' || zone === 'Local') return now.getHours() * 3600 + now.getMinutes() * 60 + now.getSeconds()
  const text = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).format(now)
  return secondsOf(text)
}

/**
 * Milliseconds until the longest range that holds now ends; null when none does. A range whose start is after its end crosses
 * midnight; equal ends never match.
 */
export function timeLeft(ranges: readonly TimeRange[], zone: string, now = new Date()): number | null {
  const second = secondOfDay(now, zone)
  let left: number | null = null
  for (const range of ranges) {
    const start = secondsOf(range.start)
    const end = secondsOf(range.end)
    let remaining: number
    if (start < end) {
      if (second <= start || second >= end) continue
      remaining = end - second
    } else if (start > end) {
      if (second <= start && second >= end) continue
      remaining = second < end ? end - second : DAY - second + end
    } else continue
    left = Math.max(left ?? 0, remaining * 1000)
  }
  return left
}

/** When a user that comes in now has to leave: at the end of the JWT or of the time window. Null when it may not come in now. */
export function validity(
  exp: Int64 | undefined,
  { times, times_location }: UserPermissionLimits,
): { expiresAt: number | null } | null {
  const end = exp ? Number(exp) * 1000 : null
  if (times === undefined || times.length === 0) return { expiresAt: end }
  const left = timeLeft(times, times_location ?? '')
  if (left === null) return null
  return { expiresAt: Math.min(end ?? Number.POSITIVE_INFINITY, Date.now() + left) }
}

/**
 * What is wrong with the connection type; null when it is allowed. Names that no server knows are passed over, but a list of nothing
 * else allows nobody.
 */
export function typeProblem(
  { allowed_connection_types: listed = [] }: UserPermissionLimits,
  type: ConnectionType,
): { unknown: boolean; text: string } | null {
  if (listed.length === 0) return null
  const types = listed.map((name) => name.toUpperCase())
  const known = types.filter((name) => CONNECTION_TYPES.includes(name))
  if (known.length === 0) {
    const names = types.map((name) => JSON.stringify(name)).join(' ')
    return { unknown: true, text: `invalid connection types [${names}]` }
  }
  return known.includes(type) ? null : { unknown: false, text: 'Connection type not allowed' }
}
