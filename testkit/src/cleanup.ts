/** Whatever runs tasks afterwards: a test context, or the object a suite makes around its `after` hook. */
export interface Cleanup {
  after(task: () => unknown): void
}

const processes = new Map<number, () => void>()
let listening = false

function killAll(): void {
  for (const kill of processes.values()) kill()
  processes.clear()
}

/** Ends the process when this one ends without having stopped it: a test file that times out is killed by the runner. */
export function killAtExit(pid: number, kill: () => void): void {
  if (!listening) {
    listening = true
    process.on('exit', killAll)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        killAll()
        process.kill(process.pid, signal)
      })
    }
  }
  processes.set(pid, kill)
}

/** The process has been stopped. */
export function forget(pid: number): void {
  processes.delete(pid)
}
