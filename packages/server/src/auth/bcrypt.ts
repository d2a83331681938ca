// bcrypt takes a tenth of a second and more, on purpose: that must not hold up messages, so that threads do it. Loaded when the first
// hash is met.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

export interface Comparison {
  readonly id: number
  readonly stored: string
  readonly given: string
}
export interface Verdict {
  readonly id: number
  readonly matches: boolean
}

/** One core is left to messages. */
const MOST_WORKERS = Math.max(1, Math.min(4, availableParallelism() - 1))

const workers: Worker[] = []
const waiting = new Map<number, { worker: Worker; resolve: (matches: boolean) => void }>()
let next = 0

/** @param stored any version of a hash. False when no thread can be had. */
export function compare(stored: string, given: string): Promise<boolean> {
  return new Promise((resolve) => {
    const id = next++
    const place = id % MOST_WORKERS
    const worker = workers[place] ?? start()
    workers[place] = worker
    waiting.set(id, { worker, resolve })
    // Versions differ in bugs that only other implementations have had.
    worker.postMessage({ id, stored: stored.replace(/^\$2[xy]/, '$2a'), given } satisfies Comparison)
  })
}

function settle(id: number, matches: boolean): void {
  waiting.get(id)?.resolve(matches)
  waiting.delete(id)
}

function start(): Worker {
  const worker = new Worker(new URL('./bcrypt-worker.ts', import.meta.url))
  // It waits for work, which keeps no process alive.
  worker.unref()
  worker.on('message', ({ id, matches }: Verdict) => settle(id, matches))
  // Whoever waited is refused, and the next one gets a new thread.
  worker.on('error', () => {})
  worker.on('exit', () => {
    const index = workers.indexOf(worker)
    if (index >= 0) delete workers[index]
    for (const [id, { worker: of }] of waiting) if (of === worker) settle(id, false)
  })
  return worker
}
