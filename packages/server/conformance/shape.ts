// What two servers' JSON have in common when one takes the place of the other: keys, their order, types, and every value that is not the
// moment's. Written as text, so that a difference reads well.

/** Keys whose value is the moment's or the machine's: only their type counts. */
const VOLATILE: ReadonlySet<string> = new Set([
  'mem',
  'cpu',
  'gomaxprocs',
  'cid',
  'id',
  'port',
  'rtt',
  'seq',
  'pending_bytes',
  'go',
  'config_digest',
  'num_cache',
  'num_inserts',
  'num_removes',
  'num_matches',
  'cache_hit_rate',
  'max_fanout',
  'avg_fanout',
  'cmdline',
  'jti',
  'jwt',
  'iat',
])
/** Counts of messages and bytes, for scenarios in which they are chance or count the server's own. */
export const TRAFFIC = [
  'in_msgs',
  'in_bytes',
  'out_msgs',
  'out_bytes',
  'in_client_msgs',
  'in_client_bytes',
  'out_client_msgs',
  'out_client_bytes',
  'msgs',
  'bytes',
] as const
/** There or not there by chance: how often a sender had to wait. */
const SOMETIMES: ReadonlySet<string> = new Set(['stalls'])
/** Objects whose keys are names. */
const BY_NAME: ReadonlySet<string> = new Set([
  'revoked_user',
  'revoked_activations',
  'responses',
  'revocations',
])
/** Lists whose order is part of the answer. */
const ORDERED: ReadonlySet<string> = new Set(['connections'])

const PUBLIC_KEY = /\b[NAUO][A-Z2-7]{55}\b/g
const PATTERNS: readonly [RegExp, string][] = [
  [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)$/, '<time>'],
  [/^((\d+y)?\d+d)?(\d+h)?(\d+m)?\d+s$/, '<uptime>'],
  [/^[\d.]+(ns|µs|ms|s)$/, '<duration>'],
  [/^sha256:[0-9a-f]{64}$/, '<digest>'],
  [/^[0-9A-Za-z]{22}$/, '<unique>'],
  [/^_R_\./, '<reply>'],
  [/^nats-[0-9A-Za-z]{8}$/, '<guest>'],
]

export interface ShapeOptions {
  /** More keys of which only the type counts. */
  volatile?: readonly string[]
  /** No number counts. */
  typesOnly?: boolean
}

/** Keys in their order, types and lasting values of a JSON value. */
export function shape(value: unknown, options: ShapeOptions = {}, key = '', indent = ''): string {
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    const items = value.map((item) => shape(item, options, key, inner))
    const shown = ORDERED.has(key) ? items : [...new Set(items)].sort()
    return shown.length === 0 ? '[]' : `[\n${shown.map((item) => inner + item).join('\n')}\n${indent}]`
  }
  if (typeof value === 'object' && value !== null) {
    const lines = Object.entries(value).flatMap(([name, item]) => {
      if (SOMETIMES.has(name)) return []
      const shown = BY_NAME.has(key) ? '<name>' : name
      return [`${inner}${shown}: ${shape(item, options, name, inner)}`]
    })
    return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${indent}}`
  }
  if (VOLATILE.has(key) || options.volatile?.includes(key)) return `<${typeof value}>`
  // A time in a claim.
  if (typeof value === 'number' && value > 1e9 && value < 1e10) return '<seconds>'
  if (typeof value === 'number' && options.typesOnly) return '<number>'
  if (typeof value !== 'string') return String(value)
  const known = PATTERNS.find(([pattern]) => pattern.test(value))?.[1]
  return known ?? JSON.stringify(value.replaceAll(PUBLIC_KEY, '<public key>'))
}
