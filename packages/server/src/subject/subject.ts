// Subjects inside the server are wire strings: one character per byte (latin1), so that any bytes survive and compare exactly.

/** Text (configuration, claims) to a wire string. */
export function toWire(text: string): string {
  for (let i = 0; i < text.length; i++)
    if (text.charCodeAt(i) > 127) return Buffer.from(text, 'utf8').latin1Slice()
  return text
}

/** A wire string to text for people and JSON. */
export function fromWire(wire: string): string {
  for (let i = 0; i < wire.length; i++)
    if (wire.charCodeAt(i) > 127) return Buffer.from(wire, 'latin1').toString('utf8')
  return wire
}

/** A subject one may subscribe to: no empty token, nothing behind `>`. */
export function isValidSubscription(subject: string): boolean {
  const length = subject.length
  let start = 0
  for (let i = 0; i <= length; i++) {
    if (i < length && subject.charCodeAt(i) !== 46) continue
    if (i === start) return false
    if (i - start === 1 && subject.charCodeAt(start) === 62 && i < length) return false
    start = i + 1
  }
  return true
}

/** Has a token that is `*` or `>` alone. */
export function hasWildcard(subject: string): boolean {
  if (!subject.includes('*') && !subject.includes('>')) return false
  return subject.split('.').some((token) => token === '*' || token === '>')
}

/** A subject one may publish to by the letter: no empty token, no wildcard. */
export function isLiteral(subject: string): boolean {
  return isValidSubscription(subject) && !hasWildcard(subject)
}

/** True when a literal subject is one of the pattern's. Makes nothing. */
export function matchesLiteral(pattern: string, subject: string): boolean {
  let at = 0
  let i = 0
  for (;;) {
    const end = pattern.indexOf('.', at)
    const stop = end < 0 ? pattern.length : end
    let next = subject.indexOf('.', i)
    if (next < 0) next = subject.length
    if (stop - at === 1 && pattern.charCodeAt(at) === 62 && end < 0) return i < subject.length
    const isStar = stop - at === 1 && pattern.charCodeAt(at) === 42
    if (!isStar && (stop - at !== next - i || !subject.startsWith(pattern.slice(at, stop), i))) return false
    if (end < 0 || next === subject.length) return end < 0 && next === subject.length
    at = stop + 1
    i = next + 1
  }
}
