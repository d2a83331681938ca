// The time finer than a Date has it.

/** What has to be added to the steady clock, in ms; taken anew when the clock of the machine has been set. */
let offset = performance.timeOrigin
const CLOCK_SET_MS = 5

/** Microseconds since 1970. */
export function micros(): number {
  const wall = Date.now()
  if (Math.abs(performance.now() + offset - wall) > CLOCK_SET_MS) offset = wall - performance.now()
  return Math.floor((performance.now() + offset) * 1000)
}
