// Loaded before a server of Node: says `gc <ms>` for each pause of the garbage collector, on standard error.
import { PerformanceObserver } from 'node:perf_hooks'

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) process.stderr.write(`gc ${duration.toFixed(3)}\n`)
}).observe({ entryTypes: ['gc'] })
