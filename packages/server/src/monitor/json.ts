// JSON as the official server writes it.

const UNSAFE = /[<>&\u2028\u2029]/g

/**
 * JSON with the characters escaped that Go escapes, so that digests and plain comparisons of answers hold. What is undefined is left
 * out. `indent`: spaces per level, 0 for one line.
 */
export function toJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Left out when empty. */
export const filled = (text: string | undefined): string | undefined => (text === '' ? undefined : text)
/** Left out when it holds nothing. */
export const listed = <T>(list: readonly T[] | undefined): readonly T[] | undefined =>
  list === undefined || list.length === 0 ? undefined : list
/** Left out when zero. */
export const nonzero = (value: number): number | undefined => (value === 0 ? undefined : value)
/** Left out when false. */
export const set = (flag: boolean | undefined): true | undefined => flag || undefined
/** Left out when there are no entries; keys in order, as Go writes maps. */
export function entries<T>(items: Iterable<readonly [string, T]>): Record<string, T> | undefined {
  const sorted = [...items].sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted.length === 0 ? undefined : Object.fromEntries(sorted)
}
