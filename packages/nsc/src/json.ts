import { compareBytes } from './text.ts'

/**
 * JSON as the official program writes it, for output that is compared byte by byte: `<`, `>` and `&` escaped unless
 * told otherwise, U+2028 and U+2029 always, and keys of free objects sorted.
 */
export function goJson(value: unknown, options: { indent?: number; html?: boolean } = {}): string {
  const text = JSON.stringify(value, null, options.indent ?? 0)
  const unsafe = options.html === false ? /[\u2028\u2029]/g : /[<>&\u2028\u2029]/g
  return text.replace(unsafe, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The same value with the keys of every object in byte order. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).sort(([a], [b]) => compareBytes(a, b))
  // A null prototype: `__proto__` is a legal key of a token.
  const sorted: Record<string, unknown> = Object.create(null)
  for (const [key, inner] of entries) sorted[key] = sortKeys(inner)
  return sorted
}
