// Waiting, however long it is: a timer of Node that is set beyond its range fires at once.

/** The longest wait a timer of Node can hold. */
const LONGEST_MS = 2 ** 31 - 1

/** A delay of the configuration as a timer can hold it: 24 days stand for everything longer. */
export const timerDelay = (ms: number): number => Math.min(ms, LONGEST_MS)

/** Runs the task once when the moment (ms since 1970) has come, soon when it is over. Does not keep the process alive. Returns its cancellation. */
export function runAt(moment: number, task: () => void): () => void {
  let timer: NodeJS.Timeout
  const wait = (): void => {
    const left = timerDelay(Math.max(moment - Date.now(), 0))
    timer = setTimeout(() => (Date.now() >= moment ? task() : wait()), left).unref()
  }
  wait()
  return () => clearTimeout(timer)
}
