/** Polls until the answer is truthy. @throws after `timeout` ms, naming what was waited for. */
export async function waitFor<T>(
  check: () => T | Promise<T>,
  options: { timeout?: number; what: string },
): Promise<NonNullable<T>> {
  const { timeout = 5_000, what } = options
  const end = Date.now() + timeout
  for (;;) {
    const value = await check()
    if (value) return value as NonNullable<T>
    if (Date.now() > end) throw new Error(`waited ${timeout} ms for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
