// The words of the configuration language: characters in, items out, one after another to a sink. What items mean is language.ts.
//
// The language has no published grammar; its definition is what the official server accepts. So this scanner also keeps the official
// one's odd corners: a number right before `]` takes the bracket into a string, a NUL byte ends the file, the wrapping brace of a file
// may stay open, and columns count from the newline before the line (0-based on line 1 and 1-based after it).

/** What a sink is told. Strings come without their quotes and with their escapes resolved; `integer` with its size suffix. */
export type ItemKind =
  | 'key'
  | 'string'
  | 'bool'
  | 'integer'
  | 'float'
  | 'datetime'
  | 'variable'
  | 'include'
  | 'mapStart'
  | 'mapEnd'
  | 'arrayStart'
  | 'arrayEnd'
  | 'end'

export interface Item {
  readonly kind: ItemKind
  readonly text: string
  /** Line on which the item ends, from 1. */
  readonly line: number
  /** Bytes from the newline before the line on which it starts. */
  readonly column: number
}

/** Broken syntax; stops at the first. */
export class SyntaxProblem extends Error {
  readonly line: number
  constructor(text: string, line: number) {
    super(text)
    this.line = line
  }
}

const END = '\0'
const isBlank = (c: string): boolean => c === ' ' || c === '\t'
const isNewline = (c: string): boolean => c === '\n' || c === '\r'
const isSpace = (c: string): boolean =>
  c <= ' ' ? c === ' ' || (c >= '\t' && c <= '\r') : c > '\x7f' && c !== '\ufeff' && /[\s\u0085]/.test(c)
const isDigit = (c: string): boolean => (c >= '0' && c <= '9') || (c > '\x7f' && /\p{Nd}/u.test(c))
const isSeparator = (c: string): boolean => c === '=' || c === ':'
const isSizeLetter = (c: string): boolean => 'kKmMgGtTpPeE'.includes(c)
/** What may follow a number; `]` is missing on purpose, as it is in the official server. */
const endsNumber = (c: string): boolean =>
  isNewline(c) || c === END || c === '}' || c === ',' || c === ';' || isBlank(c)
const shown = (c: string): string => (c === '\n' ? '\\n' : c)

/** Deeper ones would end in an overflow of the stack instead of an error. */
const MOST_LEVELS = 1000

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', '"': '"', '\\': '\\' }
const DATE_AFTER_YEAR = '00-00T00:00:00Z'

export class Scanner {
  readonly #text: string
  readonly #sink: (item: Item) => void
  /** Where the item in hand starts, and how far reading has come. */
  #start = 0
  #at = 0
  #width = 0
  #line = 1
  /** Newline before the line being read, and before the line on which the item in hand starts. */
  #lineStart = 0
  #itemLineStart = 0
  /** Pieces of a string around its escapes; a number is a byte that was written as one. */
  #parts: (string | number)[] = []
  /** Maps, arrays and wrapping braces that are open. */
  #depth = 0
  /** How far the bytes of a line have been counted: a file may be one long line. */
  #counted = { from: 0, to: 0, bytes: 0 }
  #done = false

  constructor(text: string, sink: (item: Item) => void) {
    this.#text = text
    this.#sink = sink
  }

  /** Reads the whole text; the last item is `end`. @throws SyntaxProblem. */
  run(): void {
    while (!this.#done) this.#top()
  }

  // Characters -----------------------------------------------------------------------------------------------------------------

  #next(): string {
    const codePoint = this.#text.codePointAt(this.#at)
    if (codePoint === undefined) {
      this.#width = 0
      return END
    }
    if (codePoint === 10) {
      this.#line++
      this.#lineStart = this.#at
    }
    this.#width = codePoint > 0xffff ? 2 : 1
    this.#at += this.#width
    return String.fromCodePoint(codePoint)
  }
  /** Takes back the last #next(). */
  #back(): void {
    this.#at -= this.#width
    if (this.#text[this.#at] === '\n') this.#line--
  }
  #peek(): string {
    const c = this.#next()
    this.#back()
    return c
  }
  #ignore(): void {
    this.#start = this.#at
    this.#itemLineStart = this.#lineStart
  }
  #bytes(from: number, to: number): number {
    if (from > to) return -Buffer.byteLength(this.#text.slice(to, from))
    const counted = this.#counted
    if (counted.from !== from || counted.to > to) this.#counted = { from, to: from, bytes: 0 }
    this.#counted.bytes += Buffer.byteLength(this.#text.slice(this.#counted.to, to))
    this.#counted.to = to
    return this.#counted.bytes
  }
  /** The string in hand, with its escapes resolved. Escaped bytes and text around them are UTF-8 together. */
  #resolved(): string {
    const rest = this.#text.slice(this.#start, this.#at)
    if (this.#parts.length === 0) return rest
    const pieces = this.#parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part)))
    return Buffer.concat([...pieces, Buffer.from(rest)]).toString()
  }
  #emit(kind: ItemKind): void {
    const text = this.#resolved()
    const column = this.#bytes(this.#itemLineStart, this.#at) - Buffer.byteLength(text)
    this.#parts = []
    const item = { kind, text, line: this.#line, column }
    this.#ignore()
    this.#sink(item)
  }
  #fail(text: string): never {
    throw new SyntaxProblem(text, this.#line)
  }
  /** Reads what is inside of a brace or bracket. */
  #nested(read: () => void): void {
    if (++this.#depth > MOST_LEVELS) this.#fail(`Nested in more than ${MOST_LEVELS} levels.`)
    read.call(this)
    this.#depth--
  }
  /** The end of the text where a file may end: unless something was begun. */
  #end(): void {
    if (this.#at > this.#start) this.#fail('Unexpected EOF.')
    this.#emit('end')
    this.#done = true
  }

  /** Skips a comment whose first character has been read. False when a lone slash was no comment: then it has been put back. */
  #comment(first: string): boolean {
    if (first === '/' && this.#next() !== '/') {
      this.#back()
      return false
    }
    if (first !== '/' && first !== '#') return false
    for (let c = this.#peek(); !isNewline(c) && c !== END; c = this.#peek()) this.#next()
    this.#ignore()
    return true
  }

  // Top level, and the braces that may wrap it ---------------------------------------------------------------------------------

  #top(): void {
    const c = this.#next()
    if (isSpace(c)) return this.#ignore()
    if (c === '{') {
      this.#ignore()
      this.#wrapped()
      return
    }
    if (c === '#' || c === '/') {
      if (this.#comment(c)) return
      this.#end()
      return
    }
    if (c === END) {
      this.#end()
      return
    }
    this.#back()
    this.#entry()
    if (!this.#done) this.#topValueEnd()
  }

  #topValueEnd(): void {
    for (;;) {
      const c = this.#next()
      if (c === '#' || c === '/') {
        if (this.#comment(c)) return
        continue
      }
      if (isBlank(c)) continue
      if (isNewline(c) || c === END || c === ',' || c === ';' || c === '}') return this.#ignore()
      this.#fail(
        `Expected a top-level value to end with a new line, comment or EOF, but got '${shown(c)}' instead.`,
      )
    }
  }

  /** Entries between the braces around a file, or around the contents of such braces. */
  #wrapped(): void {
    while (!this.#done) {
      const c = this.#next()
      if (isSpace(c)) this.#ignore()
      else if (c === '{') {
        this.#ignore()
        this.#nested(this.#wrapped)
        if (this.#done || this.#wrappedEnd()) return
      } else if (c === '}') return this.#ignore()
      else if (c === '#' || c === '/') {
        if (!this.#comment(c)) return this.#end()
      } else if (c === END) return this.#end()
      else {
        this.#back()
        this.#entry()
        if (this.#done) return
        if (this.#wrappedValueEnd() && this.#wrappedEnd()) return
      }
    }
  }

  /** After a value inside the wrapping braces. True when the brace that closes them comes next. */
  #wrappedValueEnd(): boolean {
    for (;;) {
      const c = this.#next()
      if (c === '#' || c === '/') {
        this.#comment(c)
        continue
      }
      if (isBlank(c)) continue
      if (isNewline(c) || c === ',' || c === ';') {
        this.#ignore()
        return false
      }
      if (c === '}') {
        this.#back()
        return true
      }
      this.#fail(
        `Expected a block-level value to end with a new line, comment or EOF, but got '${shown(c)}' instead.`,
      )
    }
  }

  /** True when the wrapping braces closed, false when more entries follow. */
  #wrappedEnd(): boolean {
    for (;;) {
      const c = this.#next()
      if (c === '#' || c === '/') {
        if (this.#comment(c)) return false
        continue
      }
      if (isNewline(c) || isBlank(c)) continue
      if (c === ',' || c === ';' || c === '}') {
        this.#ignore()
        return c === '}'
      }
      this.#fail(`Expected a block-level to end with a '}', but got '${shown(c)}' instead.`)
    }
  }

  // Keys -----------------------------------------------------------------------------------------------------------------------

  /** A key with its value, or an include, at top level. */
  #entry(): void {
    let c = this.#peek()
    while (isSpace(c)) {
      this.#next()
      this.#ignore()
      c = this.#peek()
    }
    if (isSeparator(c)) this.#fail(`Unexpected key separator '${c}'`)
    if (c === '"' || c === "'") {
      if (!this.#quotedKey(c)) return
    } else {
      this.#ignore()
      this.#next()
      for (c = this.#peek(); ; c = this.#peek()) {
        if (isSpace(c)) {
          if (this.#isInclude()) return this.#include()
          this.#emit('key')
          break
        }
        if (isSeparator(c) || c === END) {
          this.#emit('key')
          break
        }
        this.#next()
      }
    }
    for (;;) {
      c = this.#next()
      if (isSpace(c)) {
        this.#ignore()
        continue
      }
      if (c === END) {
        this.#emit('end')
        this.#done = true
        return
      }
      if (isSeparator(c)) this.#ignore()
      else this.#back()
      return this.#value()
    }
  }

  /** False when the text ended with the opening quote. */
  #quotedKey(quote: string): boolean {
    this.#next()
    this.#ignore()
    for (let c = this.#peek(); c !== quote; c = this.#peek()) {
      if (c === END) {
        this.#end()
        return false
      }
      this.#next()
    }
    this.#emit('key')
    this.#next()
    this.#ignore()
    return true
  }

  #isInclude(): boolean {
    return this.#text.slice(this.#start, this.#at).toLowerCase() === 'include'
  }

  #include(): void {
    this.#ignore()
    while (isBlank(this.#peek())) {
      this.#next()
      this.#ignore()
    }
    const first = this.#next()
    if (first === '"' || first === "'") {
      this.#ignore()
      for (let c = this.#next(); c !== first; c = this.#next()) {
        if (c === END) this.#fail(`Unexpected EOF in ${first === '"' ? 'double ' : ''}quoted include`)
      }
      this.#back()
      this.#emit('include')
      this.#next()
      return this.#ignore()
    }
    const start: Readonly<Record<string, string>> = { '[': 'an array', '{': 'a map', '(': 'a block' }
    if (start[first] !== undefined) this.#fail(`Expected include value but found start of ${start[first]}`)
    if (isDigit(first) || first === '-') this.#fail('Expected include value but found start of a number')
    if (first === '\\') this.#fail('Expected include value but found escape sequence')
    if (isNewline(first)) this.#fail('Expected include value but found new line')
    this.#back()
    for (;;) {
      const c = this.#next()
      if (isNewline(c) || c === END || c === ';' || c === '}' || isBlank(c) || c === "'") {
        this.#back()
        this.#emit('include')
        if (c === "'") {
          this.#next()
          this.#ignore()
        }
        return
      }
    }
  }

  // Values ---------------------------------------------------------------------------------------------------------------------

  #value(): void {
    let c = this.#next()
    while (isBlank(c)) {
      this.#ignore()
      c = this.#next()
    }
    switch (c) {
      case '[':
        this.#ignore()
        this.#emit('arrayStart')
        return this.#nested(this.#array)
      case '{':
        this.#ignore()
        this.#emit('mapStart')
        return this.#nested(this.#map)
      case "'":
        this.#ignore()
        return this.#rawString()
      case '"':
        this.#ignore()
        return this.#string('"')
      case '(':
        this.#ignore()
        return this.#block()
      case '-':
        return this.#negative()
      case '.':
        return this.#fail('Floats must start with a digit')
    }
    if (isNewline(c)) this.#fail('Expected value but found new line')
    if (isDigit(c)) return this.#numeric()
    this.#back()
    this.#string('')
  }

  #array(): void {
    for (;;) {
      const c = this.#next()
      if (isSpace(c)) {
        this.#ignore()
        continue
      }
      if (c === '#' || c === '/') {
        if (this.#comment(c)) continue
        this.#fail("Unexpected array value terminator ','.")
      }
      if (c === ',') this.#fail("Unexpected array value terminator ','.")
      if (c === ']') break
      this.#back()
      this.#value()
      if (this.#done) return
      if (this.#arrayValueEnd()) break
    }
    this.#ignore()
    this.#emit('arrayEnd')
  }

  /** True after the closing bracket. */
  #arrayValueEnd(): boolean {
    for (;;) {
      const c = this.#next()
      if (isBlank(c)) this.#ignore()
      else if (c === '#' || c === '/') {
        if (this.#comment(c)) continue
        // A lone slash passes for a separator in the official scanner.
        this.#ignore()
        return false
      } else if (c === ',' || isNewline(c)) {
        this.#ignore()
        return false
      } else if (c === ']') return true
      else {
        this.#fail(
          `Expected an array value terminator "," or an array terminator "]", but got '${shown(c)}' instead.`,
        )
      }
    }
  }

  #map(): void {
    for (;;) {
      const c = this.#peek()
      if (isSeparator(c)) this.#fail(`Unexpected key separator '${c}'.`)
      if (c === ']') this.#fail("Unexpected array end ']' processing map.")
      if (c === END) this.#fail('Unexpected EOF processing map.')
      if (isSpace(c)) {
        this.#next()
        this.#ignore()
        continue
      }
      if (c === '}') {
        this.#next()
        break
      }
      if (c === '#' || c === '/') {
        this.#next()
        if (this.#comment(c)) continue
      }
      if (c === '"' || c === "'") this.#quotedMapKey(c)
      else if (!this.#plainMapKey()) {
        if (this.#mapValueEnd()) break
        continue
      }
      if (this.#mapValue()) break
      if (this.#done) return
      if (this.#mapValueEnd()) break
    }
    this.#ignore()
    this.#emit('mapEnd')
  }

  #quotedMapKey(quote: string): void {
    this.#next()
    this.#ignore()
    for (let c = this.#peek(); c !== quote; c = this.#peek()) {
      if (c === END) this.#fail(`Unexpected EOF processing ${quote === '"' ? 'double ' : ''}quoted map key.`)
      this.#next()
    }
    this.#emit('key')
    this.#next()
    this.#ignore()
  }

  /** False when it was an include. */
  #plainMapKey(): boolean {
    this.#ignore()
    this.#next()
    for (;;) {
      const c = this.#peek()
      if (c === END) this.#fail('Unexpected EOF processing map key.')
      if (isSpace(c) && this.#isInclude()) {
        this.#include()
        return false
      }
      if (isSpace(c) || isSeparator(c)) {
        this.#emit('key')
        return true
      }
      this.#next()
    }
  }

  /** The value of a map's key. True when the map ended instead. */
  #mapValue(): boolean {
    let separated = false
    for (;;) {
      const c = this.#next()
      if (isSpace(c)) this.#ignore()
      else if (!separated && isSeparator(c)) {
        this.#ignore()
        separated = true
      } else if (c === ',') this.#fail('Unexpected map value terminator ",".')
      else if (c === '}') return true
      else {
        this.#back()
        this.#value()
        return false
      }
    }
  }

  /** True after the closing brace. */
  #mapValueEnd(): boolean {
    for (;;) {
      const c = this.#next()
      if (isBlank(c)) this.#ignore()
      else if (c === '#' || c === '/') {
        if (this.#comment(c)) continue
        this.#ignore()
        return false
      } else if (c === ';' || c === ',' || isNewline(c)) {
        this.#ignore()
        return false
      } else if (c === '}') return true
      else
        this.#fail(
          `Expected a map value terminator "," or a map terminator "}", but got '${shown(c)}' instead.`,
        )
    }
  }

  #rawString(): void {
    for (let c = this.#next(); c !== "'"; c = this.#next()) {
      if (c === END) return this.#end()
    }
    this.#back()
    this.#emit('string')
    this.#next()
    this.#ignore()
  }

  /** A string with escapes, up to its quote or, unquoted, up to what ends a word. */
  #string(quote: '"' | ''): void {
    for (;;) {
      const c = this.#next()
      if (c === '\\') this.#escape()
      else if (quote === '"') {
        if (c === END) return this.#end()
        if (c === '"') {
          this.#back()
          this.#emit('string')
          this.#next()
          return this.#ignore()
        }
      } else if (c === "'") {
        this.#back()
        this.#emit('string')
        this.#next()
        return this.#ignore()
      } else if (
        isNewline(c) ||
        c === END ||
        c === ';' ||
        c === ',' ||
        c === ']' ||
        c === '}' ||
        isBlank(c)
      ) {
        this.#back()
        return this.#word()
      }
    }
  }

  #word(): void {
    const text = this.#text.slice(this.#start, this.#at)
    if (this.#parts.length > 0) this.#emit('string')
    else if (/^(true|false|on|off|yes|no)$/i.test(text)) this.#emit('bool')
    else if (text.startsWith('$')) {
      this.#start++
      this.#emit('variable')
    } else this.#emit('string')
  }

  #escape(): void {
    this.#parts.push(this.#text.slice(this.#start, this.#at - 1))
    const c = this.#next()
    if (c === 'x') {
      for (let i = 0; i < 2; i++) {
        if (isNewline(this.#next()))
          this.#fail("Expected two hexadecimal digits after '\\x', but hit end of line")
      }
      const hex = this.#text.slice(this.#at - 2, this.#at)
      if (!/^[0-9a-fA-F]{2}$/.test(hex))
        this.#fail(`Expected two hexadecimal digits after '\\x', but got '${hex}'`)
      this.#parts.push(Number.parseInt(hex, 16))
    } else if (ESCAPES[c] !== undefined) this.#parts.push(ESCAPES[c])
    else {
      this.#fail(
        `Invalid escape character '${shown(c)}'. Only the following escape characters are allowed: \\xXX, \\t, \\n, \\r, \\", \\\\.`,
      )
    }
    this.#start = this.#at
  }

  /** Text up to a `)` that has a line for itself. */
  #block(): void {
    for (;;) {
      const c = this.#next()
      if (c === END) this.#fail('Unexpected EOF processing block.')
      if (c !== ')' || this.#text[this.#at - 2] !== '\n') continue
      const after = this.#text[this.#at]
      if (after !== undefined && after !== '\n' && after !== END) continue
      // Where the file ends with it, the official scanner leaves the bracket in the value; digests depend on it.
      if (after === undefined) return this.#emit('string')
      this.#back()
      this.#emit('string')
      this.#next()
      return this.#ignore()
    }
  }

  // Numbers, and what begins like one ------------------------------------------------------------------------------------------

  /** The first digit has been read. */
  #numeric(): void {
    for (;;) {
      const c = this.#next()
      if (isDigit(c)) continue
      if (c === '-') {
        if (this.#bytes(this.#start, this.#at) !== 5)
          this.#fail('All ISO8601 dates must be in full Zulu form.')
        return this.#dateAfterYear()
      }
      if (c === '.') return this.#fraction()
      if (isSizeLetter(c)) return this.#size()
      if (!endsNumber(c)) return this.#string('')
      this.#back()
      return this.#emit('integer')
    }
  }

  #negative(): void {
    let c = this.#next()
    if (c === '.') this.#fail("Floats must start with a digit, not '.'.")
    if (!isDigit(c)) this.#fail(`Expected a digit but got '${shown(c)}'.`)
    while (isDigit(c)) c = this.#next()
    if (c === '.') return this.#fraction()
    if (isSizeLetter(c)) return this.#size()
    this.#back()
    this.#emit('integer')
  }

  /** After the letter of a size. */
  #size(): void {
    let c = this.#next()
    while (c === 'b' || c === 'B' || c === 'i' || c === 'I') c = this.#next()
    this.#back()
    if (endsNumber(c)) this.#emit('integer')
    else this.#string('')
  }

  #fraction(): void {
    let c = this.#next()
    if (!isDigit(c)) this.#fail(`Floats must have a digit after the '.', but got '${shown(c)}' instead.`)
    while (isDigit(c)) c = this.#next()
    if (c !== '.') {
      this.#back()
      return this.#emit('float')
    }
    // A second point: an address, perhaps with a port, perhaps with port -1.
    for (c = this.#next(); isDigit(c) || c === '.' || c === ':' || c === '-'; ) c = this.#next()
    this.#back()
    this.#emit('string')
  }

  #dateAfterYear(): void {
    for (const wanted of DATE_AFTER_YEAR) {
      const c = this.#next()
      if (wanted === '0') {
        if (!isDigit(c)) this.#fail(`Expected digit in ISO8601 datetime, but found '${shown(c)}' instead.`)
      } else if (c !== wanted)
        this.#fail(`Expected '${wanted}' in ISO8601 datetime, but found '${shown(c)}' instead.`)
    }
    this.#emit('datetime')
  }
}
