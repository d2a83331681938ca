// A task at a moment, however far away it is.

/** The longest wait a timer of Node can hold. */
const LONGEST_MS = 2 ** 31 - 1

/** Runs the task once when the moment (ms since 1970) has come, soon when it is over. Does not keep the process alive. Returns its cancellation. */
export function runAt(moment: number, task: () => void): () => void {
  let timer: NodeJS.Timeout
  const wait = (): void => {
    const left = Math.min(Math.max(moment - Date.now(), 0), LONGEST_MS)
    timer = setTimeout(() => (Date.now() >= moment ? task() : wait()), left).unref()
  }
  wait()
  return () => clearTimeout(timer)
}
