/**
 * What an output says, apart from how it is laid out: report lines with their marker and depth, tables as rows of
 * cells, JSON as values, and the remaining lines. Rows are sorted: the official program prints what it keeps in maps
 * (signing keys, mappings, tiers) in an order that changes from run to run.
 */
export interface Meaning {
  reports: { marker: string; depth: number; text: string }[]
  tables: string[][][]
  json: unknown[]
  lines: string[]
}

const MARKED = /^(\s*)\[( OK |WARN|ERR )\] (.*)$/

/** @param options `anyOrder`: the official program goes through its findings in an order that changes */
export function meaningOf(text: string, options: { anyOrder?: boolean } = {}): Meaning {
  const meaning: Meaning = { reports: [], tables: [], json: [], lines: [] }
  const whole = jsonOf(text)
  if (whole !== undefined) {
    meaning.json.push(Array.isArray(whole) ? whole.map((entry) => JSON.stringify(entry)).sort() : whole)
    return meaning
  }
  let table: string[][] | null = null
  for (const line of text.split('\n')) {
    const marked = MARKED.exec(line)
    const isTable = /^[|+].*[|+]$/.test(line)
    if (!isTable && table) {
      meaning.tables.push(table.sort((a, b) => (a.join('|') < b.join('|') ? -1 : 1)))
      table = null
    }
    if (isTable) {
      table ??= []
      if (line.startsWith('|'))
        table.push(
          line
            .slice(1, -1)
            .split('|')
            .map((cell) => cell.trim()),
        )
    } else if (marked) {
      const [, indent = '', marker = '', label = ''] = marked
      meaning.reports.push({ marker: marker.trim(), depth: indent.length / 7, text: label.replace(/:$/, '') })
    } else if (line.trim() !== '') meaning.lines.push(line.trim())
  }
  if (options.anyOrder) meaning.reports.sort((a, b) => (a.text < b.text ? -1 : 1))
  return meaning
}

function jsonOf(text: string): unknown {
  if (!/^\s*[[{"]/.test(text) || /^\s*\[( OK |WARN|ERR )\]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
