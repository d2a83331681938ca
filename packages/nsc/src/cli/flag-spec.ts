/**
 * text: one string. list: comma-separated and repeatable. switch: `--x`, `--x=false`. integer: int64.
 * byte: 0-255. unsigned: integer from 0. number: int64 with byte units. duration: `1h30m`. count: an integer that may be left out, then 1.
 * times: `HH:MM:SS-HH:MM:SS`, repeatable. timestamp: unix seconds or RFC 3339. zone: IANA time zone.
 */
export type FlagType =
  | 'text'
  | 'list'
  | 'switch'
  | 'integer'
  | 'byte'
  | 'unsigned'
  | 'number'
  | 'duration'
  | 'count'
  | 'times'
  | 'timestamp'
  | 'zone'

export interface FlagSpec {
  name: string
  short?: string
  type: FlagType
  text: string
  /** Value when the flag is not given; else empty, 0, false. */
  fallback?: string | number | boolean
  /** The command is refused without it. */
  required?: boolean
  hidden?: boolean
  /** Still works; says what to use instead. */
  deprecated?: string
}
