/**
 * ASCII tables, byte for byte those of the official program, since people and scripts read both: a centred title
 * over the full width, optional headings, left-aligned cells with one blank on each side. cli-table3 cannot do the
 * title and measures wide characters differently (here a code point is one column).
 */

type Row = readonly string[]

const SEPARATOR = Symbol('separator')

// SGR sequences (bold, colour) take no room on the screen.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const COLOUR = /\u001b\[(?:\d+(?:;\d+)*)?m/g

export class Table {
  private readonly title: string
  private readonly headings: Row | null
  private readonly lines: (Row | typeof SEPARATOR)[] = []

  constructor(title: string, headings: Row | null = null) {
    this.title = title
    this.headings = headings
  }

  row(...cells: string[]): void {
    this.lines.push(cells)
  }

  /** One row per value, the label before the first; nothing for an empty list. */
  list(label: string, values: readonly string[]): void {
    for (const [index, value] of values.entries()) this.row(index === 0 ? label : '', value)
  }

  separator(): void {
    this.lines.push(SEPARATOR)
  }

  /** The whole table, every line ended by a newline. */
  render(): string {
    const widths: number[] = []
    for (const line of [this.headings, ...this.lines]) {
      if (line === null || line === SEPARATOR) continue
      for (const [column, cell] of line.entries()) widths[column] = Math.max(widths[column] ?? 0, width(cell))
    }
    // A title wider than the rows widens the last column.
    const inner = widths.reduce((sum, w) => sum + w + 3, -1)
    const missing = width(this.title) + 2 - inner
    if (missing > 0 && widths.length > 0) widths[widths.length - 1] = (widths.at(-1) ?? 0) + missing

    const rule = `+${widths.map((w) => '-'.repeat(w + 2)).join('+')}+\n`
    const total = rule.length - 3
    const free = total - 2 - width(this.title)
    const left = Math.floor(free / 2)
    let out = `+${'-'.repeat(total)}+\n`
    out += `| ${' '.repeat(left)}${this.title}${' '.repeat(free - left)} |\n`
    out += rule
    if (this.headings) out += renderRow(this.headings, widths) + rule
    for (const line of this.lines) out += line === SEPARATOR ? rule : renderRow(line, widths)
    return out + rule
  }
}

function renderRow(row: Row, widths: readonly number[]): string {
  const cells = row.map((cell, column) => ` ${cell}${' '.repeat((widths[column] ?? 0) - width(cell))} `)
  return `|${cells.join('|')}|\n`
}

function width(text: string): number {
  let columns = 0
  for (const _ of text.replace(COLOUR, '')) columns++
  return columns
}

/** Bold text, also into pipes: the official program marks the current entry of a list this way everywhere. */
export function bold(text: string): string {
  return `\u001b[1m${text}\u001b[0m`
}
