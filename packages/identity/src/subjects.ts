// Subject arithmetic shared by claims, tools and server configuration.

/** A subject as claims may hold it: no empty token, no white space, `>` only last. */
export function isValidSubject(subject: string): boolean {
  if (subject === '' || /[\s]/.test(subject)) return false
  const tokens = subject.split('.')
  return tokens.every((token, i) => token !== '' && (token !== '>' || i === tokens.length - 1))
}

/** Whether a token of the subject is `*` or `>`. */
export function hasWildcard(subject: string): boolean {
  return subject.split('.').some((token) => token === '*' || token === '>')
}

/** True when every literal subject that matches `subject` also matches `pattern`. */
export function isSubsetMatch(subject: string, pattern: string): boolean {
  const a = subject.split('.')
  const b = pattern.split('.')
  for (let i = 0; i < b.length; i++) {
    if (b[i] === '>') return a.length > i
    if (i >= a.length) return false
    if (a[i] === '>') return false
    if (b[i] === '*') continue
    if (a[i] !== b[i]) return false
  }
  return a.length === b.length
}

/**
 * What the rules of claims take for "contained": as isSubsetMatch, but `*` covers a `>` in its place too. Which claims count hangs on it,
 * so it is as the official library has it.
 */
export function isContainedIn(subject: string, other: string): boolean {
  const a = subject.split('.')
  const b = other.split('.')
  if (a.length < b.length || (a.length > b.length && b.at(-1) !== '>')) return false
  return b.every((token, i) => token === '*' || token === a[i] || (token === '>' && i === b.length - 1))
}

/** True when some literal subject matches both. */
export function subjectsOverlap(left: string, right: string): boolean {
  const a = left.split('.')
  const b = right.split('.')
  for (let i = 0; ; i++) {
    if (a[i] === '>') return b.length > i
    if (b[i] === '>') return a.length > i
    if (i >= a.length || i >= b.length) return a.length === b.length
    if (a[i] !== '*' && b[i] !== '*' && a[i] !== b[i]) return false
  }
}
