/**
 * The commands of ngs as a library: tests call it. The program itself is main.ts.
 */
import type { Io } from './io.ts'

export type { Io, Out } from './io.ts'

/**
 * Runs one command line.
 *
 * @param argv arguments without program names, such as `['status', '--json']`
 * @returns the exit code (docs/cli.md lists them); errors are printed to `io.stderr` and never thrown
 */
export async function runNgs(argv: readonly string[], io: Io): Promise<number> {
  const { runProgram } = await import('./program.ts')
  return runProgram(argv, io)
}
