// The command line: which commands there are, and how every failure becomes one line and an exit code.
import { Command, CommanderError } from 'commander'
import { registerEdit } from './commands/edit.ts'
import { registerExplain } from './commands/explain.ts'
import { registerForwarded } from './commands/forward.ts'
import { registerOperator } from './commands/operator.ts'
import { registerPlans } from './commands/plans.ts'
import type { Register } from './commands/register.ts'
import { registerSignup } from './commands/signup.ts'
import { registerStatus } from './commands/status.ts'
import { registerUp } from './commands/up.ts'
import { registerUsage } from './commands/usage.ts'
import { CliError, EXIT, reasonOf } from './errors.ts'
import type { Io } from './io.ts'

const VERSION = '0.1.0'

/** In the order of the help text. */
const COMMANDS: readonly Register[] = [
  registerSignup,
  registerStatus,
  registerUsage,
  registerPlans,
  registerExplain,
  registerForwarded,
  registerEdit,
  registerUp,
  registerOperator,
]

const EXAMPLES = `
Examples:
  ngs up                              run the whole system on this machine
  ngs signup --name First             make an account and its first user
  ngs status                          plan, limits and usage of the account
  ngs add user --name bob             the same as nsc add user --name bob

NGS_URL, or --url, says where the service is (default http://localhost:8228).
`

/** Builds the program; `exit` gets exit codes of commands that have printed their own errors. */
export function createProgram(io: Io, exit: (code: number) => void): Command {
  const program = new Command('ngs')
    .description('NGS: run the system, and look after your account')
    .version(`ngs ${VERSION}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .enablePositionalOptions()
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      // Only help of a group that is named without one of its commands.
      writeErr: (text) => void io.stderr.write(text),
      // Errors are printed once, by runProgram.
      outputError: () => {},
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
    })
    .addHelpText('after', EXAMPLES)
  for (const register of COMMANDS) register(program, { io, exit })
  return program
}

/** Parses and runs; see runNgs. */
export async function runProgram(argv: readonly string[], io: Io): Promise<number> {
  let code: number = EXIT.ok
  const program = createProgram(io, (other) => {
    code = other
  })
  try {
    if (argv.length === 0) program.outputHelp()
    else await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok
    // Has printed what there is.
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage
    const failure = asCliError(error)
    printError(failure, argv, io)
    return failure.exitCode
  }
}

/** Codes of errors that other packages throw are kept; what has none is a defect and says so. */
function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error
  if (error instanceof CommanderError) {
    const text = error.message
      .replace(/^error: /, '')
      .replace(/\n/g, ' ')
      .trim()
      .replace(/\.$/, '')
    return new CliError('usage', `${text}; ngs --help, or ngs COMMAND --help, shows what there is`, {
      exitCode: EXIT.usage,
    })
  }
  const { code, remedy } = error as { code?: unknown; remedy?: unknown }
  return new CliError(typeof code === 'string' ? code : 'internal', reasonOf(error), {
    details: Array.isArray(remedy) ? remedy.map(String) : [],
    cause: error,
  })
}

function printError(error: CliError, argv: readonly string[], io: Io): void {
  if (argv.includes('--json')) {
    const { code, message, details } = error
    io.stderr.write(
      `${JSON.stringify({ error: { code, message, ...(details.length > 0 ? { details } : {}) } })}\n`,
    )
    return
  }
  io.stderr.write(`ngs: ${error.message}\n`)
  for (const line of error.details) io.stderr.write(`  ${line}\n`)
}
