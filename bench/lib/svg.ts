// Pictures of results: bars for rows, lines for curves. Plain SVG on a white ground, so that they read the same everywhere.
import type { CurveResult, Measure } from './curve.ts'
import type { RowRecord } from './results.ts'
import { figure } from './table.ts'

const OURS = '#1d4ed8'
const REFERENCE = '#b45309'
const INK = '#1f2937'
const FAINT = '#d1d5db'
const MUTED = '#6b7280'

const text = (value: string): string => value.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)

function label(x: number, y: number, value: string, more = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${text(value)}</text>`
}

function picture(width: number, height: number, title: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${text(title)}" font-family="system-ui, sans-serif" font-size="12" fill="${INK}">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

/** One measure of a curve: both engines against the number of things, which grows by factors. */
export function lineChart(result: CurveResult, measure: Measure): string {
  const [width, height, left, right, top, bottom] = [640, 320, 64, 110, 40, 46]
  const engines = [...new Set(result.points.flatMap(({ values }) => Object.keys(values)))]
  const points = result.points.filter(({ values }) =>
    engines.every((name) => values[name]?.[measure.key] !== undefined),
  )
  if (points.length === 0) return picture(width, height, measure.title, [label(left, 60, 'no figures')])
  const most = Math.max(...points.flatMap(({ values }) => engines.map((name) => values[name]![measure.key]!)))
  const step = niceStep(most / 4)
  const end = Math.ceil((most * 1.02) / step) * step
  const first = Math.log(points[0]!.count)
  const range = Math.log(points.at(-1)!.count) - first || 1
  const x = (count: number): number => left + ((Math.log(count) - first) / range) * (width - left - right)
  const y = (value: number): number => height - bottom - (value / end) * (height - top - bottom)
  const parts = [label(left, 22, measure.title, 'font-size="14" font-weight="600"')]
  for (let value = 0; value <= end * 1.001; value += step) {
    parts.push(
      `<line x1="${left}" x2="${width - right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" stroke="${FAINT}"/>`,
      label(left - 8, y(value) + 4, figure(value), `text-anchor="end" fill="${MUTED}"`),
    )
  }
  for (const { count } of points)
    parts.push(
      label(
        x(count),
        height - bottom + 18,
        count.toLocaleString('en'),
        `text-anchor="middle" fill="${MUTED}"`,
      ),
    )
  parts.push(
    label((left + width - right) / 2, height - 8, result.axis, `text-anchor="middle" fill="${MUTED}"`),
    label(8, height - 8, measure.unit, `fill="${MUTED}"`),
  )
  const ends = engines.map((name) => y(points.at(-1)!.values[name]![measure.key]!))
  engines.forEach((name, i) => {
    const colour = i === 0 ? OURS : REFERENCE
    const at = points.map(({ count, values }) => [x(count), y(values[name]![measure.key]!)] as const)
    const path = at.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ')
    parts.push(
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...at.map(([px, py]) => `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3" fill="${colour}"/>`),
    )
    // Two names that would lie on each other move apart.
    const other = ends[1 - i]
    const near = other !== undefined && Math.abs(other - ends[i]!) < 14
    const shift = near ? (ends[i]! < other || (ends[i] === other && i === 0) ? -7 : 7) : 0
    const name_ = i === 0 ? 'ngs-server' : 'nats-server'
    parts.push(label(width - right + 8, ends[i]! + 4 + shift, name_, `fill="${colour}" font-weight="600"`))
  })
  return picture(width, height, measure.title, parts)
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  const factor = rough / power
  return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10)
}

const LONGEST_BAR = 6

/** Two bars for each row, speed (or time) and processor time: how many times better ours is; a tick where the target lies. */
export function barChart(results: readonly RowRecord[]): string {
  const left = 150
  const scale = 90
  const width = left + LONGEST_BAR * scale + 80
  const parts: string[] = [
    label(
      left,
      20,
      'How many times better ngs-server is than nats-server',
      'font-size="14" font-weight="600"',
    ),
    label(left, 38, 'speed or time', `fill="${OURS}" font-weight="600"`),
    label(left + 100, 38, 'processor time', `fill="#60a5fa" font-weight="600"`),
    label(left + 210, 38, '| target', `fill="${INK}"`),
  ]
  let at = 54
  for (const { name, metrics } of results) {
    const bars = [metrics[0], metrics.find(({ key }) => key === 'cpu')]
      .filter((metric) => metric !== undefined)
      .filter((metric, i, all) => all.indexOf(metric) === i && Number.isFinite(metric.ratio))
    if (bars.length === 0) continue
    parts.push(label(left - 10, at + bars.length * 7 + 3, name, 'text-anchor="end"'))
    bars.forEach((metric, i) => {
      const better = (value: number): number => (metric.better === 'higher' ? value : 1 / value)
      const value = better(metric.ratio!)
      const length = Math.min(LONGEST_BAR, value) * scale
      const y = at + i * 14
      parts.push(
        `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="11" fill="${i === 0 ? OURS : '#60a5fa'}"/>`,
        label(left + length + 6, y + 10, `${value.toFixed(2)}x`, `font-size="11" fill="${MUTED}"`),
      )
      if (metric.target !== undefined) {
        const x = (left + better(metric.target) * scale).toFixed(1)
        parts.push(
          `<line x1="${x}" x2="${x}" y1="${y - 1}" y2="${y + 12}" stroke="${INK}" stroke-width="2"/>`,
        )
      }
    })
    at += bars.length * 14 + 8
  }
  parts.push(
    `<line x1="${left + scale}" x2="${left + scale}" y1="46" y2="${at}" stroke="${MUTED}" stroke-dasharray="3 3"/>`,
    label(left + scale, at + 14, 'the same', `text-anchor="middle" fill="${MUTED}"`),
  )
  return picture(width, at + 24, 'ngs-server compared with nats-server', parts)
}
