/**
 * What is put away when the user or the system ends the program early: locks and spare copies. Writes themselves are
 * synchronous, so that with these signals handled none is cut short: a signal is seen between two of them.
 */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const cleanups = new Set<() => void>()

/** Runs `cleanup` if the program is ended early. Returns what to call when that is no longer needed. */
export function onInterrupt(cleanup: () => void): () => void {
  cleanups.add(cleanup)
  return () => cleanups.delete(cleanup)
}

/** From now on signals clean up first, and then do what they always do. */
export function handleSignals(): void {
  for (const signal of SIGNALS)
    process.once(signal, () => {
      for (const cleanup of cleanups) cleanup()
      process.kill(process.pid, signal)
    })
}
