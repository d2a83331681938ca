// Outbound buffers in three sizes, used again by whichever connection needs one next. What the stream has
// taken over comes back when it has been written.

const SIZES: readonly number[] = [1024, 16 * 1024, 192 * 1024]
/** Buffers of each size that wait for use at most. */
const WAITING: readonly number[] = [1024, 256, 32]
const pools: readonly Buffer[][] = [[], [], []]

/** What one read brings becomes a little longer on its way out, and still leaves with one write. */
export const LARGEST = SIZES[2]!

/** A buffer of at least `size` bytes. */
export function takeBuffer(size: number): Buffer {
  const at = size <= SIZES[0]! ? 0 : size <= SIZES[1]! ? 1 : size <= SIZES[2]! ? 2 : -1
  return at < 0 ? Buffer.allocUnsafeSlow(size) : (pools[at]!.pop() ?? Buffer.allocUnsafeSlow(SIZES[at]!))
}

export function giveBuffer(buffer: Buffer): void {
  const { length } = buffer
  const at = length === SIZES[0] ? 0 : length === SIZES[1] ? 1 : length === SIZES[2] ? 2 : -1
  if (at >= 0 && pools[at]!.length < WAITING[at]!) pools[at]!.push(buffer)
}
