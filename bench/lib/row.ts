// What a row of the table is. A new row is one file under rows/ that exports a Row, and its name in rows/index.ts.
import type { RunningEngine } from './engine.ts'

/** One quantity of a row. Its ratio is always ours divided by the reference's. */
export interface Metric {
  /** Key in {@link Outcome.values}; `cpu` and `memory` are filled in by the runner. */
  readonly key: string
  readonly label: string
  readonly better: 'higher' | 'lower'
  /** The ratio to reach: at least this when higher is better, at most this when lower is. */
  readonly target?: number
  /** What ours may be at most, whatever the reference is. */
  readonly limit?: number
}

/** What one run yields. */
export interface Outcome {
  /** How much of the row's amount was done; the runner plans the next run's amount from it. */
  readonly amount: number
  readonly seconds: number
  /** Units that the CPU time is divided by: published messages, or deliveries where one is delivered many times. */
  readonly work: number
  /** Processor time of the server during the run, microseconds. */
  readonly serverCpu: number
  /** Of everything on this machine in that time, these two included; says how much others were in the way. */
  readonly machineCpu: number
  /** Of the load generator. */
  readonly loadCpu: number
  readonly values: Record<string, number>
}

export interface Row {
  /** What is typed after `npm run bench --`. */
  readonly name: string
  readonly title: string
  readonly metrics: readonly Metric[]
  /** What one unit of {@link Outcome.work} is, for the column of the CPU time. */
  readonly workUnit: string
  /** Lines for the configuration file, besides host and port. */
  readonly config?: string | ((dir: string) => string)
  /** Each run gets a server that has done nothing before. */
  readonly fresh?: boolean
  /** The amount of every run, instead of planning it by time. */
  readonly amount?: number
  /** Counted runs at most, where one takes long. */
  readonly mostRuns?: number
  /** false: the generator's own figure says nothing here. */
  readonly ceiling?: boolean
  /** The servers report what their garbage collectors do. */
  readonly traceGc?: boolean
  /** Runs only when it is named. */
  readonly onlyByName?: boolean
  /** Amount (messages, rounds, ...) of the first, shortest warm-up. */
  readonly warmUp: number
  /** Starts what the runs of this row share, load processes above all. `small`: for a test that only counts. */
  prepare(size?: 'small'): Promise<Session> | Session
}

export interface Session {
  /** One run of `amount` on a server. Throws when a message is lost, doubled or damaged. */
  run(server: RunningEngine, amount: number): Promise<Outcome>
  close(): Promise<void>
}

export const cpuMetric = (target?: number): Metric => ({
  key: 'cpu',
  label: 'CPU',
  better: 'lower',
  ...(target === undefined ? {} : { target }),
})

export const memoryMetric: Metric = { key: 'memory', label: 'RSS MB', better: 'lower' }
