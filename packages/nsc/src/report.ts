/**
 * The report of a command: lines marked `[ OK ]`, `[WARN]`, `[ERR ]`, nested by indentation, with a summary.
 * Where it goes depends on it as well: one error line sends the whole report to standard error and makes the
 * exit code 1.
 */

export type Level = 'none' | 'ok' | 'warning' | 'error'

const RANK: Record<Level, number> = { none: 0, ok: 1, warning: 2, error: 3 }
const MARKERS: Record<Exclude<Level, 'none'>, string> = { ok: '[ OK ]', warning: '[WARN]', error: '[ERR ]' }
const INDENT = '       '

/** What a report line prints: itself and its details, its details alone, or details only when they tell more. */
export type Shows = 'all' | 'details' | 'details-if-notable'

/** A line of a report as JSON. `remote`: the text came from a server. Facts such as `account` stand beside these. */
export interface ReportLine {
  level: Level
  text: string
  remote?: boolean
  lines?: ReportLine[]
  [fact: string]: unknown
}

/** Text that came from a server: printed as it is behind `> `, and never a reason to fail. */
export class RemoteText {
  readonly level = 'ok'
  readonly text: string

  constructor(text: string) {
    this.text = text.trim()
  }

  render(indent: string): string {
    return indentLines(this.text, `${indent}> `)
  }

  toJSON(): ReportLine {
    return { level: 'ok', text: this.text, remote: true }
  }
}

export class Report {
  label: string
  readonly shows: Shows
  /** Whether success is summed up in a last line (`all jobs succeeded`); failure always is. */
  readonly summarizes: boolean
  readonly details: (Report | RemoteText)[] = []
  /** What the line is about, for programs that read the report as JSON. */
  private facts: Record<string, string | number> = {}
  private readonly own: Level

  constructor(label: string, options: { level?: Level; shows?: Shows; summarizes?: boolean } = {}) {
    this.label = label
    this.own = options.level ?? 'none'
    this.shows = options.shows ?? 'all'
    this.summarizes = options.summarizes ?? false
  }

  /** The usual report of a command: a list of lines without a heading. */
  static list(options: { summarizes?: boolean } = {}): Report {
    return new Report('', { shows: 'details', summarizes: options.summarizes ?? false })
  }

  static line(level: Level, text: string): Report {
    return new Report(text, { level })
  }

  /** Adds what the line is about: `account`, `public_key`, `server`. */
  with(facts: Record<string, string | number>): this {
    this.facts = { ...this.facts, ...facts }
    return this
  }

  /** The report for programs: every line with its level, whether or not it is printed for people. */
  toJSON(): ReportLine {
    const lines = this.details.map((detail) => detail.toJSON())
    return { level: this.level, text: this.label, ...this.facts, ...(lines.length > 0 ? { lines } : {}) }
  }

  /** A line's level is that of its worst detail; without details its own. */
  get level(): Level {
    let worst: Level = 'none'
    for (const detail of this.details) if (RANK[detail.level] > RANK[worst]) worst = detail.level
    return this.details.length === 0 ? this.own : worst
  }

  get failed(): boolean {
    return this.level === 'error'
  }

  add(...details: (Report | RemoteText | null | undefined)[]): void {
    for (const detail of details) if (detail) this.details.push(detail)
  }

  ok(text: string): void {
    this.add(Report.line('ok', text))
  }

  warn(text: string): void {
    this.add(Report.line('warning', text))
  }

  error(text: string): void {
    this.add(Report.line('error', text))
  }

  /** The lines of this report; empty when it has nothing to say. */
  render(indent = ''): string {
    const level = this.level
    if (level === 'none') return ''
    let out = ''
    let inner = indent
    const withDetails = this.details.length > 0 && this.printsDetails()
    if (this.shows !== 'details') {
      out = indentLines(`${MARKERS[level]} ${this.label}`, indent)
      if (!withDetails) return out
      out += ':\n'
      inner = indent + INDENT
    }
    return out + this.details.map((detail) => detail.render(inner)).join('\n')
  }

  private printsDetails(): boolean {
    if (this.shows !== 'details-if-notable') return true
    return this.level !== 'ok' || this.details.some((detail) => detail instanceof RemoteText)
  }

  /**
   * The last line. A report with errors has `failure` (the text of the command's error); otherwise `success` is
   * the line to print, if any.
   */
  summary(): { failure: string } | { success: string | null } {
    const count = (level: Level) => this.details.filter((detail) => detail.level === level).length
    const total = this.details.length
    const [ok, warnings, errors] = [count('ok'), count('warning'), count('error')]
    if (errors > 0) {
      if (errors === total) return { failure: 'all jobs failed' }
      return {
        failure: `${jobs(errors)} failed - ${jobs(ok)} succeeded and ${warnings} had warnings`,
      }
    }
    if (!this.summarizes) return { success: null }
    if (ok === total) return { success: total === 1 ? null : 'all jobs succeeded' }
    if (warnings === total) return { success: total === 1 ? null : 'all jobs had warnings' }
    return { success: `${jobs(ok)} succeeded - ${warnings} have warnings` }
  }
}

function jobs(count: number): string {
  return `${count} ${count > 1 ? 'jobs' : 'job'}`
}

function indentLines(text: string, prefix: string): string {
  return text
    .split('\n')
    .map((line) => (line.trim() === '' ? line : prefix + line))
    .join('\n')
}
