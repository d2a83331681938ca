/** How long a test waits for what has to come, in ms: nobody waits that long but for a fault, however slow the machine is. */
export const DEADLINE_MS = 30_000

/** Polls until the answer is truthy and returns it. @throws after `timeout` ms, naming what was waited for. */
export async function waitFor<T>(
  check: () => T | Promise<T>,
  options: { timeout?: number; what: string | (() => string) },
): Promise<NonNullable<T>> {
  const { timeout = DEADLINE_MS, what } = options
  const end = Date.now() + timeout
  for (;;) {
    const value = await check()
    if (value) return value as NonNullable<T>
    if (Date.now() > end) {
      throw new Error(`waited ${timeout} ms for ${typeof what === 'string' ? what : what()}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
