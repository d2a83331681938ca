// What was measured, as files: rows and curves replace those of the same name, so that one can be measured again alone.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { disturbance, limitedByGenerator, type RowResult } from './compare.ts'
import type { CurveResult } from './curve.ts'
import type { Metric } from './row.ts'
import { ratio } from './table.ts'

export interface Circumstances {
  /** Nothing else of the machine. */
  readonly machine: { cores: number; memoryGB: number }
  readonly node: string
  readonly engines: readonly { name: string; version: string | undefined }[]
}

export interface RowRecord {
  readonly name: string
  readonly title: string
  readonly amount: number
  readonly workUnit: string
  readonly metrics: readonly (Metric & { ratio?: number })[]
  readonly engines: RowResult['engines']
  readonly generator: RowResult['ceiling']
  readonly limitedByGenerator: readonly string[]
  /** Part of the processors that other programs took, when it was too much. */
  readonly disturbed: number | null
}

export interface Report<T extends { readonly name: string }> extends Circumstances {
  readonly results: readonly T[]
}

export function rowRecord(result: RowResult): RowRecord {
  const [ours, reference] = result.engines
  return {
    name: result.row.name,
    title: result.row.title,
    amount: result.amount,
    workUnit: result.row.workUnit,
    metrics: result.row.metrics.map((metric) => ({
      ...metric,
      ...(ours && reference ? { ratio: ratio(metric, ours, reference) } : {}),
    })),
    engines: result.engines,
    generator: result.ceiling,
    limitedByGenerator: limitedByGenerator(result),
    disturbed: disturbance(result),
  }
}

export function readReport<T extends RowRecord | CurveResult>(file: string): Report<T> | null {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report<T>) : null
}

/** Adds to what the file holds; returns all of it, in the order of `names`. */
export function mergeReport<T extends RowRecord | CurveResult>(
  file: string,
  circumstances: Circumstances,
  results: readonly T[],
  names: readonly string[],
): Report<T> {
  const all = new Map((readReport<T>(file)?.results ?? []).map((result) => [result.name, result]))
  for (const result of results) all.set(result.name, result)
  const sorted = names.flatMap((name) => all.get(name) ?? [])
  const report = { ...circumstances, results: sorted }
  writeWhole(file, `${JSON.stringify(report, null, 1)}\n`)
  return report
}

export function writeWhole(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.tmp`, text)
  renameSync(`${file}.tmp`, file)
}
