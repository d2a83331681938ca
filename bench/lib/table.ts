// The report a person reads. Colour only where `colour` says so.
import { disturbance, type EngineResult, limitedByGenerator, type RowResult } from './compare.ts'
import type { CurveResult } from './curve.ts'
import type { Metric } from './row.ts'

export type Paint = (style: 'bold' | 'dim' | 'green' | 'red' | 'yellow', text: string) => string

const CODES = { bold: 1, dim: 2, green: 32, red: 31, yellow: 33 } as const

export function painter(colour: boolean): Paint {
  return (style, text) => (colour ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text)
}

/** 14.2 M, 853 k, 1.83, 0.071: three digits that matter. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const size = Math.abs(value)
  if (size >= 1e6) return `${(value / 1e6).toPrecision(3)} M`
  if (size >= 1e4) return `${(value / 1e3).toPrecision(3)} k`
  if (size >= 100) return value.toFixed(0)
  if (size >= 10) return value.toFixed(1)
  return value.toPrecision(3)
}

function label(metric: Metric, result: RowResult): string {
  return metric.key === 'cpu' ? `CPU us/${result.row.workUnit}` : metric.label
}

const NAME = 18
const COLUMN = 19

/** The block of one row: a line per engine, the ratios with their targets, and the generator's own figure. */
export function rowText(result: RowResult, paint: Paint): string {
  const { row, engines, ceiling, amount } = result
  const lines = [`${paint('bold', row.title)}  ${paint('dim', `[${row.name}] ${figure(amount)} per run`)}`]
  const heads = [...row.metrics.map((metric) => label(metric, result)), `load us/${row.workUnit}`]
  lines.push(paint('dim', `  ${''.padEnd(NAME)}${heads.map((head) => head.padStart(COLUMN)).join('')}`))
  const line = ({ engine, metrics, loadCpu }: EngineResult, keys: readonly string[]): string => {
    const cells = row.metrics.map(({ key }) => {
      if (!keys.includes(key)) return ''.padStart(COLUMN)
      const { median, spread } = metrics[key]!
      return `${figure(median)} ±${Math.round(spread * 100)}%`.padStart(COLUMN)
    })
    return `  ${engine.padEnd(NAME)}${cells.join('')}${figure(loadCpu).padStart(COLUMN)}`
  }
  const keys = row.metrics.map(({ key }) => key)
  for (const engine of engines) lines.push(line(engine, keys))
  const [ours, reference] = engines
  if (ours !== undefined && reference !== undefined) {
    const cells = row.metrics.map((metric) => ratioCell(metric, ratio(metric, ours, reference), paint))
    lines.push(`  ${'ratio'.padEnd(NAME)}${cells.join('')}`)
  }
  if (ceiling !== null) {
    lines.push(
      paint(
        'dim',
        line(
          ceiling,
          keys.filter((key) => key !== 'cpu' && key !== 'memory'),
        ),
      ),
    )
    const limited = limitedByGenerator(result)
    if (limited.length > 0) {
      lines.push(
        paint('yellow', `  limited by the load generator: ${limited.join(', ')} could do more than shown`),
      )
    }
  }
  const others = disturbance(result)
  if (others !== null) {
    const part = Math.min(100, Math.round(others * 100))
    lines.push(
      paint('yellow', `  other programs used ${part} % of the processors: trust the CPU time, not the speed`),
    )
  }
  return lines.join('\n')
}

/** Ours divided by the reference's, of the medians. */
export function ratio(metric: Metric, ours: EngineResult, reference: EngineResult): number {
  return ours.metrics[metric.key]!.median / reference.metrics[metric.key]!.median
}

function meets(metric: Metric, value: number): boolean | null {
  if (metric.target === undefined) return null
  return metric.better === 'higher' ? value >= metric.target : value <= metric.target
}

function ratioCell(metric: Metric, value: number, paint: Paint): string {
  const sign = metric.better === 'higher' ? '>=' : '<='
  const target = metric.target === undefined ? '' : ` (${sign} ${metric.target})`
  const text = `${value.toFixed(2)}x${target}`.padStart(COLUMN)
  const met = meets(metric, value)
  return met === null ? text : paint(met ? 'green' : 'red', text)
}

/** All rows in short: their ratios and whether the targets are met. */
export function summaryText(results: readonly RowResult[], paint: Paint): string {
  const lines = [paint('bold', 'Ratios, ours to the reference (target)')]
  for (const result of results) {
    const [ours, reference] = result.engines
    if (ours === undefined || reference === undefined) continue
    const parts = result.row.metrics
      .filter(({ target }) => target !== undefined)
      .map((metric) => {
        const value = ratio(metric, ours, reference)
        const name = metric.key === 'rate' ? 'speed' : metric.key === 'cpu' ? 'CPU' : metric.key
        const sign = metric.better === 'higher' ? '>=' : '<='
        const text = `${name} ${value.toFixed(2)}x (${sign} ${metric.target})`
        return paint(
          meets(metric, value) ? 'green' : 'red',
          `${meets(metric, value) ? 'met   ' : 'missed'} ${text}`,
        )
      })
    lines.push(`  ${result.row.name.padEnd(17)}${parts.join('   ')}`)
  }
  return lines.join('\n')
}

/** The points of a curve, a line for each measure and engine. */
export function curveText(result: CurveResult, paint: Paint): string {
  const lines: string[] = []
  for (const { key, title, unit } of result.measures) {
    lines.push(paint('bold', title) + paint('dim', `  [${result.name}] ${unit}`))
    const points = result.points.filter(({ values }) =>
      Object.values(values).every((one) => one[key] !== undefined),
    )
    lines.push(
      paint(
        'dim',
        `  ${result.axis.padEnd(22)}${points.map(({ count }) => figure(count).padStart(10)).join('')}`,
      ),
    )
    for (const engine of Object.keys(points[0]?.values ?? {})) {
      const cells = points.map(({ values }) => figure(values[engine]![key]!).padStart(10))
      lines.push(`  ${engine.padEnd(22)}${cells.join('')}`)
    }
    lines.push('')
  }
  return lines.join('\n')
}
