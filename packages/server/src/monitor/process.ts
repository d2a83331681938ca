// What is known of the process itself: memory in the shape of Go's, and what it is busy with.
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

let lastCpu = process.cpuUsage()
let lastAt = performance.now()
let percent = 0

/** Percent of one core since the last question at least a second ago. */
export function cpuPercent(): number {
  const at = performance.now()
  if (at - lastAt >= 1000) {
    const { user, system } = process.cpuUsage(lastCpu)
    percent = Math.round(((user + system) / 1000 / (at - lastAt)) * 1000) / 10
    lastCpu = process.cpuUsage()
    lastAt = at
  }
  return percent
}

let cores = 0
/** Cores that the process may run on, as Go's NumCPU has it. Asking the system is slow, and the answer stays the same. */
export function coreCount(): number {
  cores ||= allowedCores() || cpus().length
  return cores
}

/** How many the mask of Linux leaves; 0 elsewhere. */
function allowedCores(): number {
  try {
    const mask =
      /^Cpus_allowed:\s*([0-9a-f,]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? ''
    return [...mask.replaceAll(',', '')].reduce(
      (sum, digit) => sum + Number.parseInt(digit, 16).toString(2).replaceAll('0', '').length,
      0,
    )
  } catch {
    return 0
  }
}

/** The names of Go's runtime.MemStats; what has no like here is zero. */
function memstats(): Record<string, unknown> {
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage()
  return {
    Alloc: heapUsed,
    TotalAlloc: heapUsed,
    Sys: rss,
    Lookups: 0,
    Mallocs: 0,
    Frees: 0,
    HeapAlloc: heapUsed,
    HeapSys: heapTotal,
    HeapIdle: heapTotal - heapUsed,
    HeapInuse: heapUsed,
    HeapReleased: 0,
    HeapObjects: 0,
    StackInuse: 0,
    StackSys: 0,
    MSpanInuse: 0,
    MSpanSys: 0,
    MCacheInuse: 0,
    MCacheSys: 0,
    BuckHashSys: 0,
    GCSys: 0,
    OtherSys: external,
    NextGC: 0,
    LastGC: 0,
    PauseTotalNs: 0,
    PauseNs: new Array(256).fill(0),
    PauseEnd: new Array(256).fill(0),
    NumGC: 0,
    NumForcedGC: 0,
    GCCPUFraction: 0,
    EnableGC: true,
    DebugGC: false,
    BySize: [{ Size: 0, Mallocs: 0, Frees: 0 }],
  }
}

/** The command line, what follows a flag that carries a secret left out. */
function commandLine(): string[] {
  const secret = /^--?(user|pass|auth)(=.*)?$/
  const args = process.argv.slice(1)
  return args.map((arg, i) => {
    const inline = /^(--?(?:user|pass|auth))=/.exec(arg)
    if (inline !== null) return `${inline[1]}=[REDACTED]`
    const before = args[i - 1]
    return before !== undefined && secret.test(before) && !before.includes('=') ? '[REDACTED]' : arg
  })
}

export const expvarz = (): Record<string, unknown> => ({ memstats: memstats(), cmdline: commandLine() })

/** What the process waits for: the place of Go's dump of goroutines. */
export function stacksz(): string {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1)
  const here = new Error('stacksz').stack!.split('\n').slice(1).join('\n')
  return `main [running]:\n${here}\n\n${[...counts].map(([name, count]) => `${name}: ${count}\n`).join('')}`
}
