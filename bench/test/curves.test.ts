// Every curve at its first points, and what is made of results. Speed is never asserted.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { curves } from '../curves/index.ts'
import { type CurveResult, drawCurve } from '../lib/curve.ts'
import { writeDocs } from '../lib/docs.ts'
import { mergeReport, type RowRecord, readReport } from '../lib/results.ts'
import { lineChart } from '../lib/svg.ts'

const ours = join(import.meta.dirname, '../../packages/server/bin/ngs-server')
const folder = mkdtempSync(join(tmpdir(), 'ngs-curves-test-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const circumstances = {
  machine: { cores: 2, memoryGB: 8 },
  node: '24',
  engines: [{ name: 'ours', version: '1' }],
}

describe('the curves', { skip: process.platform !== 'linux' && 'the bench needs /proc' }, () => {
  for (const curve of curves) {
    it(`${curve.name} counts every message`, async () => {
      const most = curve.points[1]!
      const plan = { runs: 1, seconds: 0.01, most }
      const small = { ...curve, warmUp: Math.min(curve.warmUp, 2000) }
      const result = await drawCurve(small, [{ name: 'ours', path: ours }], plan, () => {})
      assert.deepEqual(
        result.points.map(({ count }) => count),
        curve.points.slice(0, 2),
      )
      for (const { values } of result.points) assert.ok(values['ours']!['cpu']! >= 0)
    })
  }
})

describe('results', () => {
  const curve: CurveResult = {
    name: 'c',
    axis: 'things',
    measures: [{ key: 'cpu', title: 'Cost & <more>', unit: 'us' }],
    points: [1, 10].map((count) => ({
      count,
      values: { ours: { cpu: count }, reference: { cpu: 2 * count } },
    })),
  }
  const row: RowRecord = {
    name: 'r',
    title: 'a row',
    amount: 1,
    workUnit: 'msg',
    metrics: [{ key: 'rate', label: 'msgs/s', better: 'higher', target: 2, ratio: 2.5 }],
    engines: ['ours', 'reference'].map((engine, i) => ({
      engine,
      metrics: { rate: { median: 5 - 3 * i, spread: 0, runs: [] } },
      loadCpu: 0,
      others: 0,
    })),
    generator: null,
    limitedByGenerator: [],
    disturbed: null,
  }

  it('replace those of the same name and keep the others', () => {
    const file = join(folder, 'rows.json')
    mergeReport(file, circumstances, [row, { ...row, name: 's' }], ['r', 's'])
    mergeReport(file, circumstances, [{ ...row, title: 'measured again' }], ['r', 's'])
    const { results } = readReport<RowRecord>(file)!
    assert.deepEqual(
      results.map(({ name, title }) => [name, title]),
      [
        ['r', 'measured again'],
        ['s', 'a row'],
      ],
    )
  })

  it('become a part of the document and pictures beside it', () => {
    const file = join(folder, 'performance.md')
    const frame = (text: string): string =>
      `# Before\n<!-- figures: written by \`npm run bench -- --docs\` -->${text}<!-- end of the figures -->\nBehind\n`
    writeFileSync(file, frame('\nold\n'))
    writeDocs(folder, { ...circumstances, results: [row] }, { ...circumstances, results: [curve] })
    const written = readFileSync(file, 'utf8')
    assert.ok(written.startsWith('# Before\n') && written.endsWith('-->\nBehind\n'))
    assert.ok(!written.includes('old'))
    assert.match(written, /\| `r` \| msgs\/s \| 5\.00 \| 2\.00 \| 2\.50x \| >= 2x \|/)
    assert.match(written, /!\[Cost & <more>\]\(pictures\/curve-c\.svg\)/)
    assert.match(readFileSync(join(folder, 'pictures/rows.svg'), 'utf8'), /^<svg .*2\.50x/s)
    assert.throws(() => {
      writeFileSync(file, 'no place')
      writeDocs(folder, null, null)
    }, /has no lines/)
  })

  it('draw curves as well-formed SVG with both engines', () => {
    const picture = lineChart(curve, curve.measures[0]!)
    assert.match(picture, /Cost &#38; &#60;more&#62;/)
    assert.equal(picture.match(/<polyline /g)?.length, 2)
    assert.ok(!picture.includes('NaN'))
  })
})
