import { failure, textOf } from './errors.ts'
import { quote } from './text.ts'

/**
 * The value formats of flags and of printed values: dates, byte-style numbers, durations, lists. What is accepted,
 * refused and printed equals the official program; the wording of refusals too, as scripts may show it.
 */

/** int64 of a claim: a plain number while that is exact. */
export type Int64 = number | bigint

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/** A number when safe, else the bigint: the form claims hold. */
export function toInt64(value: bigint): Int64 {
  const narrow = Number(value)
  return Number.isSafeInteger(narrow) ? narrow : value
}

// --- dates ---------------------------------------------------------------------------------------------------

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * A start or expiry flag as unix seconds, 0 for none. Forms, tried in this order: empty or `0`;
 * `2006-01-02 15:04:05 UTC`; `2006-01-02` (midnight UTC); a count with a unit m, h, d, w, M or y from `now`, where
 * days and longer are calendar steps in local time. RFC 3339 is not accepted.
 */
export function parseDate(text: string, now: Date = new Date()): number {
  if (text === '' || text === '0') return 0
  if (text.includes('.')) throw failure(`start/expiry must be an integer value: ${text}`)
  const moment = /^(\d{4}-\d\d-\d\d) ([01]\d|2[0-3]|\d):([0-5]\d):([0-5]\d) UTC$/.exec(text)
  if (moment) {
    const [, day = '', hours, minutes, seconds] = moment
    const midnight = tryParseDay(day)
    if (typeof midnight === 'number')
      return midnight + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  }
  if (/\d{4}-\d\d-\d\d/.test(text)) {
    const midnight = tryParseDay(text)
    if (typeof midnight === 'number') return midnight
    throw failure(`parsing time "${text}"${midnight}`)
  }
  const step = /(-?\d+)([mhdMyw])/.exec(text)
  if (!step) throw failure(`couldn't parse expiry: ${text}`)
  const [, digits = '', unit = ''] = step
  const count = BigInt(digits)
  if (count < INT64_MIN || count > INT64_MAX)
    throw failure(`strconv.ParseInt: parsing "${digits}": value out of range`)
  return count === 0n ? 0 : stepFrom(now, Number(count), unit)
}

function stepFrom(now: Date, count: number, unit: string): number {
  const when = new Date(now)
  if (unit === 'm') when.setTime(when.getTime() + count * 60_000)
  else if (unit === 'h') when.setTime(when.getTime() + count * 3_600_000)
  else if (unit === 'd') when.setDate(when.getDate() + count)
  else if (unit === 'w') when.setDate(when.getDate() + 7 * count)
  else if (unit === 'M') when.setMonth(when.getMonth() + count)
  else when.setFullYear(when.getFullYear() + count)
  if (Number.isNaN(when.getTime())) throw failure(`date is out of range: ${count}${unit}`)
  return Math.floor(when.getTime() / 1000)
}

/** Unix seconds of `YYYY-MM-DD`, or the end of the sentence that says why it is not one. */
function tryParseDay(text: string): number | string {
  const parts = /^(\d{4})-(\d\d)-(\d\d)(.*)$/s.exec(text)
  if (!parts) return unparsableDay(text)
  const [, year, month, day, rest] = parts.map((part, index) => (index === 4 ? part : Number(part)))
  const [y, m, d] = [year as number, month as number, day as number]
  if (m < 1 || m > 12) return ': month out of range'
  const days = m === 2 && ((y % 4 === 0 && y % 100 !== 0) || y % 400 === 0) ? 29 : (DAYS_IN_MONTH[m - 1] ?? 0)
  if (rest !== '') return `: extra text: "${rest}"`
  if (d < 1 || d > days) return ': day out of range'
  return Date.UTC(2000, m - 1, d) / 1000 + yearOffset(y, m, d)
}

/** Seconds between the day in the year 2000 and the same day in year `y`; Date.UTC reads years 0-99 as 19xx. */
function yearOffset(y: number, m: number, d: number): number {
  const when = new Date(0)
  when.setUTCFullYear(y, m - 1, d)
  return when.getTime() / 1000 - Date.UTC(2000, m - 1, d) / 1000
}

function unparsableDay(text: string): string {
  if (!/^\d{4}/.test(text)) return ` as "2006-01-02": cannot parse "${text}" as "2006"`
  if (text[4] !== '-') return ` as "2006-01-02": cannot parse "${text.slice(4)}" as "-"`
  if (!/^\d\d/.test(text.slice(5))) return ` as "2006-01-02": cannot parse "${text.slice(5)}" as "01"`
  if (text[7] !== '-') return ` as "2006-01-02": cannot parse "${text.slice(7)}" as "-"`
  return ` as "2006-01-02": cannot parse "${text.slice(8)}" as "02"`
}

/** Unix seconds (or RFC 3339) of a revocation's `--at`; 0 means now. */
export function parseTimestamp(text: string): number {
  if (text.trim() === '0') return 0
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text)) {
    const millis = Date.parse(text)
    if (!Number.isNaN(millis)) return Math.floor(millis / 1000)
  }
  if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  throw failure(`provided value ${quote(text)} is not a number nor parsable as RFC3339`)
}

/** `2026-11-24 03:49:50 UTC`; nothing for 0, which means none. */
export function formatDate(seconds: Int64 | undefined): string {
  if (!seconds) return ''
  const iso = new Date(Number(seconds) * 1000).toISOString()
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`
}

/** `2026-11-24T03:49:50Z`, or with the offset of the local time zone: RFC 3339. */
export function formatLocalDate(seconds: Int64): string {
  const when = new Date(Number(seconds) * 1000)
  const offset = -when.getTimezoneOffset()
  const local = new Date(when.getTime() + offset * 60_000).toISOString().slice(0, 19)
  if (offset === 0) return `${local}Z`
  const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60]
  const digits = [hours, minutes].map((value) => String(value).padStart(2, '0')).join(':')
  return `${local}${offset < 0 ? '-' : '+'}${digits}`
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const WEEK = 7 * DAY
const MONTH = 30 * DAY
const YEAR = 12 * MONTH

/** Below `limit` seconds: the phrase, `%d` being the distance divided by `unit`. */
const DISTANCES: readonly [limit: number, phrase: string, unit: number][] = [
  [1, 'now', 1],
  [2, '1 second', 1],
  [MINUTE, '%d seconds', 1],
  [2 * MINUTE, '1 minute', 1],
  [HOUR, '%d minutes', MINUTE],
  [2 * HOUR, '1 hour', 1],
  [DAY, '%d hours', HOUR],
  [2 * DAY, '1 day', 1],
  [WEEK, '%d days', DAY],
  [2 * WEEK, '1 week', 1],
  [MONTH, '%d weeks', WEEK],
  [2 * MONTH, '1 month', 1],
  [YEAR, '%d months', MONTH],
  [18 * MONTH, '1 year', 1],
  [2 * YEAR, '2 years', 1],
  [37 * YEAR, '%d years', YEAR],
  [Number.POSITIVE_INFINITY, 'a long while', 1],
]

/** `in 4 weeks`, `6 years ago`, `now`: how far unix `seconds` is from now; nothing for 0. */
export function relativeDate(seconds: Int64, now: Date = new Date()): string {
  if (!seconds) return ''
  const distance = Number(seconds) - now.getTime() / 1000
  const far = Math.abs(distance)
  const [, phrase, unit] = DISTANCES.find(([limit]) => far < limit) ?? [0, 'a long while', 1]
  const words = phrase.replace('%d', String(Math.floor(far / unit)))
  if (distance >= 0) return `in ${words}`
  return words === 'now' ? words : `${words} ago`
}

// --- numbers -------------------------------------------------------------------------------------------------

const BYTE_UNITS: Record<string, number> = { '': 1, b: 1 }
for (const [index, letter] of ['k', 'm', 'g', 't', 'p', 'e'].entries()) {
  BYTE_UNITS[letter] = BYTE_UNITS[`${letter}b`] = 1000 ** (index + 1)
  BYTE_UNITS[`${letter}i`] = BYTE_UNITS[`${letter}ib`] = 1024 ** (index + 1)
}

/** `10`, `-1`, `1,000`, `1.5K` (1500), `1kib` (1024): units of any case, k = 1000, ki = 1024. */
export function parseNumber(text: string): Int64 {
  if (text === '') return 0
  const negative = text.startsWith('-')
  const body = negative ? text.slice(1) : text
  const digits = /^[\p{Nd}.,]*/u.exec(body)?.[0] ?? ''
  const number = digits.replaceAll(',', '')
  if (!/^(\d+\.?\d*|\.\d+)$/.test(number))
    throw failure(`strconv.ParseFloat: parsing "${number}": invalid syntax`)
  const unit = body.slice(digits.length).trim().toLowerCase()
  const factor = BYTE_UNITS[unit]
  if (factor === undefined) throw failure(`unhandled size name: ${unit}`)
  const value = Number(number) * factor
  if (value >= 2 ** 64) throw failure(`too large: ${body}`)
  const whole = BigInt.asIntN(64, BigInt(Math.trunc(value)))
  return toInt64(negative ? -whole : whole)
}

/** An int64 flag: decimal, or with the prefixes 0x, 0o and 0b; digits may be grouped by underscores. */
export function parseInteger(text: string): Int64 {
  const sign = /^[+-]/.test(text) ? text[0] : ''
  const body = (sign ? text.slice(1) : text).replace(/(?<=[0-9a-f])_(?=[0-9a-f])/gi, '')
  const octal = /^0[0-7]+$/.test(body) ? `0o${body.slice(1)}` : body
  if (!/^(0x[0-9a-f]+|0o[0-7]+|0b[01]+|0|[1-9]\d*)$/i.test(octal))
    throw failure(`strconv.ParseInt: parsing ${quote(text)}: invalid syntax`)
  const value = BigInt(octal) * (sign === '-' ? -1n : 1n)
  if (value < INT64_MIN || value > INT64_MAX)
    throw failure(`strconv.ParseInt: parsing ${quote(text)}: value out of range`)
  return toInt64(value)
}

/** A flag of 0 to `max`, in the forms of {@link parseInteger}. */
export function parseUnsigned(text: string, max: bigint): Int64 {
  const invalid = (why: string) => failure(`strconv.ParseUint: parsing ${quote(text)}: ${why}`)
  if (/^[+-]/.test(text)) throw invalid('invalid syntax')
  let value: Int64
  try {
    value = parseInteger(text)
  } catch (thrown) {
    throw invalid(textOf(thrown).endsWith('range') ? 'value out of range' : 'invalid syntax')
  }
  if (value > max) throw invalid('value out of range')
  return value
}

/** A boolean flag's value. */
export function parseBoolean(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
  throw failure(`strconv.ParseBool: parsing ${quote(text)}: invalid syntax`)
}

/** A size for people: `12 B`, `1.0 kB`, `82 MB`. */
export function formatBytes(bytes: Int64): string {
  const value = Number(bytes)
  if (value < 10) return `${value} B`
  const exponent = Math.floor(Math.log(value) / Math.log(1000))
  const scaled = Math.floor((value / 1000 ** exponent) * 10 + 0.5) / 10
  return `${scaled < 10 ? scaled.toFixed(1) : scaled.toFixed(0)} ${['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'][exponent]}`
}

// --- durations -----------------------------------------------------------------------------------------------

const DURATION_UNITS: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

/** In quotes; what is no printable ASCII byte by byte, as Go's package time has it. */
function quoteBytes(text: string): string {
  const code = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`
  const shown = text
    .replace(/["\\]/g, '\\$&')
    .replace(/[^ -~]/gu, (char) => [...Buffer.from(char)].map(code).join(''))
  return `"${shown}"`
}

/** `1h30m`, `1.5s`, `0` as nanoseconds. */
export function parseDuration(text: string): Int64 {
  const shown = quoteBytes(text)
  const invalid = () => failure(`time: invalid duration ${shown}`)
  let rest = text.replace(/^[+-]/, '')
  if (rest === '0') return 0
  if (rest === '') throw invalid()
  let total = 0n
  while (rest !== '') {
    const number = /^(\d*)(?:\.(\d*))?/.exec(rest)
    const [whole = '', fraction = ''] = [number?.[1], number?.[2]]
    if (whole === '' && fraction === '') throw invalid()
    rest = rest.slice(number?.[0].length)
    const unit = /^[^.\d]*/.exec(rest)?.[0] ?? ''
    if (unit === '') throw failure(`time: missing unit in duration ${shown}`)
    const scale = DURATION_UNITS[unit]
    if (scale === undefined) throw failure(`time: unknown unit ${quoteBytes(unit)} in duration ${shown}`)
    rest = rest.slice(unit.length)
    total += BigInt(whole || 0) * scale
    if (fraction !== '') total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length)
    if (total > INT64_MAX) throw invalid()
  }
  return toInt64(text.startsWith('-') ? -total : total)
}

/** Nanoseconds in the shortest usual form: `1h0m0s`, `5s`, `1.5ms`, `0s`. */
export function formatDuration(nanoseconds: Int64): string {
  let rest = BigInt(nanoseconds)
  if (rest === 0n) return '0s'
  const sign = rest < 0n ? '-' : ''
  if (rest < 0n) rest = -rest
  for (const [unit, scale] of [
    ['ns', 1n],
    ['µs', 1_000n],
    ['ms', 1_000_000n],
  ] as const)
    if (rest < 1_000_000_000n && rest < scale * 1000n) return `${sign}${decimal(rest, scale)}${unit}`
  const hours = rest / 3_600_000_000_000n
  const minutes = (rest / 60_000_000_000n) % 60n
  const seconds = `${decimal(rest % 60_000_000_000n, 1_000_000_000n)}s`
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`
}

function decimal(value: bigint, scale: bigint): string {
  const fraction = (value % scale).toString().padStart(scale.toString().length - 1, '0')
  const digits = scale === 1n ? '' : fraction.replace(/0+$/, '')
  return `${value / scale}${digits === '' ? '' : `.${digits}`}`
}

// --- lists ---------------------------------------------------------------------------------------------------

/** One value of a list flag: comma-separated, a field in double quotes may hold commas (CSV rules). */
export function parseList(text: string): string[] {
  if (text === '') return []
  const fields: string[] = []
  let at = 0
  for (;;) {
    if (text[at] === '"') {
      const quoted = /^"((?:[^"]|"")*)"(,|$)/.exec(text.slice(at))
      if (!quoted)
        throw failure(
          `parse error on line 1, column ${text.length + 1}: extraneous or missing " in quoted-field`,
        )
      fields.push((quoted[1] ?? '').replaceAll('""', '"'))
      at += quoted[0].length
      if (quoted[2] === '') return fields
    } else {
      const comma = text.indexOf(',', at)
      const field = comma === -1 ? text.slice(at) : text.slice(at, comma)
      const stray = field.indexOf('"')
      if (stray !== -1)
        throw failure(`parse error on line 1, column ${at + stray + 1}: bare " in non-quoted-field`)
      fields.push(field)
      if (comma === -1) return fields
      at = comma + 1
    }
  }
}

/** Adds what is not there yet, keeping the order: the way string lists of claims grow. Empty values are ignored. */
export function addAll(list: readonly string[] | undefined, values: readonly string[]): string[] {
  return [...new Set([...(list ?? []), ...values.filter((value) => value !== '')])]
}

export function removeAll(list: readonly string[] | undefined, values: readonly string[]): string[] {
  return (list ?? []).filter((value) => !values.includes(value))
}

/** Tags and source networks are kept trimmed and in lower case. */
export function normalizeTags(values: readonly string[]): string[] {
  return values.map((value) => value.trim().toLowerCase())
}

/** Sets a field of a claim; an empty list removes it, as claims leave empty fields out. */
export function setList<K extends string>(target: { [key in K]?: string[] }, key: K, list: string[]): void {
  if (list.length > 0) target[key] = list
  else delete target[key]
}
