/**
 * The commands of nsc as a library: `ngs` forwards verbs to it, tests call it. The program itself is main.ts.
 */
import type { Io } from './io.ts'
import { COMPATIBLE_VERSION, VERSION } from './version.ts'

export type { Io, Out } from './io.ts'

/**
 * Runs one command.
 *
 * @param argv arguments without program names, such as `['add', 'user', '--name', 'bob']`
 * @returns the exit code; errors are printed to `io.stderr` and never thrown
 */
export async function runNsc(argv: readonly string[], io: Io): Promise<number> {
  // Asked often by other tools, so before anything is loaded.
  if (argv[0] === '--version' || argv[0] === '-v') {
    io.stdout.write(`nsc version ${COMPATIBLE_VERSION} (NGS ${VERSION})\n`)
    return 0
  }
  if (argv[0] === '__complete') {
    const { printCompletions } = await import('./completion/print.ts')
    return printCompletions(argv.slice(1), io)
  }
  const { run } = await import('./cli/run.ts')
  return run(argv, io)
}
