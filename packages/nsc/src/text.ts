/**
 * How names and paths appear in messages. Scripts match these messages, so the rules are those of the official
 * program: names in double quotes with the escapes of Go string literals, paths in back-quotes.
 */

const SHORT_ESCAPES: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
}

/** `"text"` with quotes, back-slashes and unprintable characters escaped. */
export function quote(text: string): string {
  let out = '"'
  for (const char of text) out += SHORT_ESCAPES[char] ?? (isPrintable(char) ? char : escapeCodePoint(char))
  return `${out}"`
}

/** A path or name in back-quotes; in double quotes when it holds a back-quote or a control character. */
export function backquote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /[`\u0000-\u0008\u000a-\u001f\u007f\ufeff]/.test(text) ? quote(text) : `\`${text}\``
}

function isPrintable(char: string): boolean {
  return char === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char)
}

function escapeCodePoint(char: string): string {
  const code = char.codePointAt(0) ?? 0
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`
  return code > 0xffff
    ? `\\U${code.toString(16).padStart(8, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`
}

/** First letter of every word upper-case, the rest lower-case. */
export function titleCase(text: string): string {
  return text.toLowerCase().replace(/\p{L}[\p{L}\p{N}]*/gu, (word) => word[0]?.toUpperCase() + word.slice(1))
}

export function yesNo(value: boolean): 'Yes' | 'No' {
  return value ? 'Yes' : 'No'
}

/** Order of UTF-8 bytes, which is the order of code points; `<` on strings compares UTF-16 units instead. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
