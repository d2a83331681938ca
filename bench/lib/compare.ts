// One row on several engines in one go: warm-up, then runs that alternate between the engines, so that whatever else
// the machine does hits all of them alike.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EngineSpec, type RunningEngine, startEngine, startSink } from './engine.ts'
import type { Outcome, Row } from './row.ts'
import { median, spread } from './statistics.ts'

export interface Plan {
  /** Counted runs per engine. */
  readonly runs: number
  /** How long one run should take about, seconds. */
  readonly seconds: number
  /** Fixes the amount of each run instead of planning it by time. */
  readonly amount?: number
  /** Measures the generator against the sink as well. */
  readonly ceiling: boolean
}

export interface Summary {
  readonly median: number
  /** Half the range of the runs as a part of the median. */
  readonly spread: number
  readonly runs: readonly number[]
}

export interface EngineResult {
  readonly engine: string
  /** By metric key; `cpu` in microseconds per unit of work, `memory` in megabytes. */
  readonly metrics: Record<string, Summary>
  /** The load generator's own processor time per unit of work, microseconds. */
  readonly loadCpu: number
  /** Part of all processors, 0 to 1, that other programs used during the runs. */
  readonly others: number
}

export interface RowResult {
  readonly row: Row
  /** Amount per run. */
  readonly amount: number
  readonly engines: readonly EngineResult[]
  /** The generator against the sink, which does next to nothing. */
  readonly ceiling: EngineResult | null
}

const HOST = 'host: 127.0.0.1\nport: -1\n'

/** Measures `row`. Throws when an engine does not start, or a message is lost, doubled or damaged. */
export async function compare(
  row: Row,
  specs: readonly EngineSpec[],
  plan: Plan,
  note: (text: string) => void,
): Promise<RowResult> {
  const dir = mkdtempSync(join(tmpdir(), 'ngs-bench-'))
  const running = new Set<RunningEngine>()
  const session = await row.prepare()
  try {
    const config = join(dir, 'server.conf')
    const lines = typeof row.config === 'function' ? row.config(dir) : (row.config ?? '')
    writeFileSync(config, HOST + lines)
    const start = async (spec: EngineSpec): Promise<RunningEngine> => {
      const engine = await startEngine({ ...spec, traceGc: row.traceGc === true }, config, dir)
      running.add(engine)
      return engine
    }
    const stop = async (engine: RunningEngine): Promise<void> => {
      running.delete(engine)
      await engine.stop()
    }
    const run = async (engine: RunningEngine, amount: number, what: string): Promise<[Outcome, number]> => {
      note(`${row.name}: ${engine.name} ${what}`)
      try {
        const outcome = await session.run(engine, amount)
        return [outcome, engine.memory()]
      } catch (error) {
        engine.assertAlive()
        throw new Error(`${engine.name}: ${error instanceof Error ? error.message : error}`)
      }
    }
    const kept: RunningEngine[] = []
    if (row.fresh !== true) for (const spec of specs) kept.push(await start(spec))
    let amount = plan.amount ?? row.amount ?? 0
    if (amount === 0) {
      // Twice: the first gives a rough rate, the second lets just-in-time compilers finish and gives a good one.
      let rates: number[] = []
      for (const part of [0, 0.5]) {
        const measured: number[] = []
        for (const [i, engine] of kept.entries()) {
          const planned = part === 0 ? row.warmUp : Math.max(row.warmUp, rates[i]! * plan.seconds * part)
          const [outcome] = await run(engine, planned, 'warm-up')
          measured.push(outcome.amount / outcome.seconds)
        }
        rates = measured
      }
      // The same load for all, in the middle between what the fastest and the slowest do in that time.
      const mean = Math.exp(rates.reduce((sum, rate) => sum + Math.log(rate), 0) / rates.length)
      amount = Math.max(row.warmUp, Math.round(mean * plan.seconds))
    }
    const outcomes = specs.map((): [Outcome, number][] => [])
    const runs = Math.min(plan.runs, row.mostRuns ?? plan.runs)
    for (let i = 1; i <= runs; i++) {
      for (const [at, spec] of specs.entries()) {
        const engine = kept[at] ?? (await start(spec))
        outcomes[at]!.push(await run(engine, amount, `run ${i} of ${runs}`))
        if (row.fresh === true) await stop(engine)
      }
    }
    let ceiling: EngineResult | null = null
    if (plan.ceiling && row.ceiling !== false && row.fresh !== true) {
      const sink = await startSink()
      running.add(sink)
      const runs: [Outcome, number][] = []
      for (let i = 0; i < 4; i++) runs.push(await run(sink, amount, 'the generator alone'))
      ceiling = summarize('generator alone', runs.slice(1))
    }
    const results = outcomes.map((runs, i) => summarize(specs[i]!.name, runs))
    return { row, amount, engines: results, ceiling }
  } finally {
    await session.close()
    await Promise.all([...running].map((engine) => engine.stop()))
    rmSync(dir, { recursive: true, force: true })
  }
}

function summarize(engine: string, runs: readonly [Outcome, number][]): EngineResult {
  const summary = (pick: (outcome: Outcome, memory: number) => number): Summary => {
    const values = runs.map(([outcome, memory]) => pick(outcome, memory))
    return { median: median(values), spread: spread(values), runs: values }
  }
  const metrics: Record<string, Summary> = {}
  for (const key of Object.keys(runs[0]![0].values)) metrics[key] = summary((outcome) => outcome.values[key]!)
  metrics['cpu'] ??= summary((outcome) => outcome.serverCpu / outcome.work)
  metrics['memory'] ??= summary((_, memory) => memory / 2 ** 20)
  const cores = cpus().length
  return {
    engine,
    metrics,
    loadCpu: median(runs.map(([outcome]) => outcome.loadCpu / outcome.work)),
    others: median(
      runs.map(([{ machineCpu, serverCpu, loadCpu, seconds }]) =>
        Math.max(0, (machineCpu - serverCpu - loadCpu) / (seconds * 1e6 * cores)),
      ),
    ),
  }
}

/** Part of the generator's ceiling above which the generator, not the server, may be what was measured. */
const NEAR_CEILING = 0.7

/** Engines of the row whose figure for the first metric is so near the generator's own that it limits them. */
export function limitedByGenerator({ row, engines, ceiling }: RowResult): string[] {
  if (ceiling === null) return []
  const { key, better } = row.metrics[0]!
  const bound = ceiling.metrics[key]!.median
  return engines
    .filter(({ metrics }) => {
      const value = metrics[key]!.median
      return (better === 'higher' ? value / bound : bound / value) > NEAR_CEILING
    })
    .map(({ engine }) => engine)
}

/** Part of the processors above which other programs spoil every figure but the CPU time. */
const DISTURBED = 0.15

/** How much of the processors other programs took, when it is too much to trust the speed; else null. */
export function disturbance({ engines }: RowResult): number | null {
  const most = Math.max(...engines.map(({ others }) => others))
  return most > DISTURBED ? most : null
}
