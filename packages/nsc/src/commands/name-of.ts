import type { Call } from '../cli/spec.ts'

/** The name given by flag or as an argument. */
export function nameOf(call: Call): string {
  return call.flags.text('name') || call.args[0] || ''
}
