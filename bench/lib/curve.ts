// What a message costs, or a thing takes in memory, against the number of something. Both engines at each point, the least of a few runs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EngineSpec, type RunningEngine, startEngine } from './engine.ts'
import type { Outcome } from './row.ts'

export interface Measure {
  /** `cpu`, or a key of {@link Outcome.values}. */
  readonly key: string
  /** Title of its picture. */
  readonly title: string
  /** Unit of the value. */
  readonly unit: string
  /** Points below it say nothing: what is measured is less than the noise. */
  readonly from?: number
}

export interface Curve {
  /** What is typed after `--curves`. */
  readonly name: string
  /** What is counted on the horizontal axis. */
  readonly axis: string
  readonly points: readonly number[]
  readonly measures: readonly Measure[]
  /** Messages of the first warm-up. */
  readonly warmUp: number
  config?(count: number, dir: string): string
  /** What the runs on one server share. */
  open(
    count: number,
    dir: string,
  ): { run(server: RunningEngine, amount: number): Promise<Outcome>; close(): Promise<void> }
}

export interface CurveResult {
  readonly name: string
  readonly axis: string
  readonly measures: readonly Measure[]
  readonly points: readonly { count: number; values: Record<string, Record<string, number>> }[]
}

export interface CurvePlan {
  readonly runs: number
  readonly seconds: number
  /** Leaves out what lies above. */
  readonly most?: number
}

/** Values by engine and measure at each point. Throws when a message is lost or a server does not start. */
export async function drawCurve(
  curve: Curve,
  specs: readonly EngineSpec[],
  plan: CurvePlan,
  note: (text: string) => void,
): Promise<CurveResult> {
  const points: { count: number; values: Record<string, Record<string, number>> }[] = []
  for (const count of curve.points.filter((one) => one <= (plan.most ?? Number.POSITIVE_INFINITY))) {
    const values: Record<string, Record<string, number>> = {}
    for (const spec of specs) {
      note(`${curve.name}: ${spec.name} with ${count} ${curve.axis}`)
      values[spec.name] = await measurePoint(curve, count, spec, plan)
    }
    points.push({ count, values })
  }
  return { name: curve.name, axis: curve.axis, measures: curve.measures, points }
}

async function measurePoint(
  curve: Curve,
  count: number,
  spec: EngineSpec,
  plan: CurvePlan,
): Promise<Record<string, number>> {
  const dir = mkdtempSync(join(tmpdir(), 'ngs-curve-'))
  const config = join(dir, 'server.conf')
  const session = curve.open(count, dir)
  let server: RunningEngine | null = null
  try {
    writeFileSync(config, `host: 127.0.0.1\nport: -1\n${curve.config?.(count, dir) ?? ''}`)
    server = await startEngine(spec, config, dir)
    const first = await session.run(server, curve.warmUp)
    let rate = first.amount / first.seconds
    const runs: Outcome[] = []
    for (let i = 0; i <= plan.runs; i++) {
      const outcome = await session.run(server, Math.max(curve.warmUp, Math.round(rate * plan.seconds)))
      rate = outcome.amount / outcome.seconds
      // One more warm-up: now the code is as fast as it gets.
      if (i > 0) runs.push(outcome)
    }
    const values: Record<string, number> = {}
    for (const { key, from = 0 } of curve.measures) {
      if (count < from) continue
      values[key] = Math.min(
        ...runs.map((run) => (key === 'cpu' ? run.serverCpu / run.work : run.values[key]!)),
      )
    }
    return values
  } catch (error) {
    server?.assertAlive()
    throw new Error(`${spec.name} at ${count}: ${error instanceof Error ? error.message : error}`)
  } finally {
    await session.close()
    await server?.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}
