/** Polls until the answer is truthy and returns it. @throws after `timeout` ms (5 s), naming what was waited for. */
export async function waitFor<T>(
  check: () => T | Promise<T>,
  options: { timeout?: number; what: string | (() => string) },
): Promise<NonNullable<T>> {
  const { timeout = 5_000, what } = options
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
