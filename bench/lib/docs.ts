// The measured part of docs/performance.md, from the results: a table of rows and the pictures.
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CurveResult } from './curve.ts'
import { type Report, type RowRecord, writeWhole } from './results.ts'
import { barChart, lineChart } from './svg.ts'
import { figure } from './table.ts'

const BEGIN = '<!-- figures: written by `npm run bench -- --docs` -->'
const END = '<!-- end of the figures -->'

/** @throws when the document has no place for the figures. */
export function writeDocs(
  docs: string,
  rows: Report<RowRecord> | null,
  curves: Report<CurveResult> | null,
): void {
  const file = join(docs, 'performance.md')
  const before = readFileSync(file, 'utf8')
  const [start, end] = [before.indexOf(BEGIN), before.indexOf(END)]
  if (start < 0 || end < start) throw new Error(`${file} has no lines "${BEGIN}" and "${END}"`)
  const pictures = join(docs, 'pictures')
  rmSync(pictures, { recursive: true, force: true })
  const parts = [BEGIN, '']
  if (rows !== null) {
    writeWhole(join(pictures, 'rows.svg'), barChart(rows.results))
    parts.push(machineText(rows), '', '![rows](pictures/rows.svg)', '', ...rowTable(rows.results), '')
  }
  if (curves !== null) {
    parts.push('### Curves', '', machineText(curves), '')
    for (const curve of curves.results) {
      for (const measure of curve.measures) {
        const name = `curve-${curve.name}${measure.key === 'cpu' ? '' : '-memory'}.svg`
        writeWhole(join(pictures, name), lineChart(curve, measure))
        parts.push(`![${measure.title}](pictures/${name})`, '')
      }
    }
  }
  writeWhole(file, `${before.slice(0, start)}${parts.join('\n')}${before.slice(end)}`)
}

function machineText({
  machine,
  node,
  engines,
}: Report<never> | Report<RowRecord> | Report<CurveResult>): string {
  const versions = engines.map(({ version }) => version ?? '').join(' to ')
  return `${machine.cores} cores, ${machine.memoryGB} GB of memory, Node ${node}; ${versions}. Medians; a ratio is ours divided by the official server's.`
}

function rowTable(results: readonly RowRecord[]): string[] {
  const lines = [
    '| row | measure | ours | official | ratio | target |',
    '| --- | --- | --- | --- | --- | --- |',
  ]
  for (const { name, metrics, engines, workUnit, limitedByGenerator } of results) {
    const [ours, reference] = engines
    metrics.forEach((metric, i) => {
      const value = (engine: typeof ours): string => figure(engine?.metrics[metric.key]?.median ?? Number.NaN)
      const sign = metric.better === 'higher' ? '>=' : '<='
      const target =
        metric.target !== undefined
          ? `${sign} ${metric.target}x`
          : metric.limit !== undefined
            ? `${sign} ${metric.limit}`
            : ''
      const note = i === 0 && limitedByGenerator.length > 0 ? ' (limited by the load generator)' : ''
      const what = metric.key === 'cpu' ? `CPU us/${workUnit}` : metric.label
      const by =
        metric.ratio === undefined || !Number.isFinite(metric.ratio) ? '' : `${metric.ratio.toFixed(2)}x`
      lines.push(
        `| ${i === 0 ? `\`${name}\`` : ''} | ${what}${note} | ${value(ours)} | ${value(reference)} | ${by} | ${target} |`,
      )
    })
  }
  return lines
}
