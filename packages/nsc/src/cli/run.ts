import { NscError, textOf } from '../errors.ts'
import { onInterrupt } from '../interrupt.ts'
import type { Io } from '../io.ts'
import { Journal, withJournal } from '../journal.ts'
import type { Report } from '../report.ts'
import { atTerminal, checkCompatibility, Session } from '../session.ts'
import { CallError, type Invocation, interpret } from './program.ts'
import { ENTRIES } from './registry.ts'

/** Exit code after control-C: 128 and the number of the signal, as shells have it. */
const INTERRUPTED = 130

/** Interprets the arguments, runs the command, prints its report or error. Returns the exit code. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let invocation: Invocation
  try {
    invocation = await interpret(argv, ENTRIES, (line) => io.stderr.write(`${line}\n`))
  } catch (thrown) {
    if (!(thrown instanceof CallError)) throw thrown
    return printError(io, thrown.message, thrown.usage)
  }
  if (invocation.kind === 'help') {
    io.stdout.write(invocation.text)
    return 0
  }
  const changes = new Journal()
  const settled = onInterrupt(() => changes.end())
  const code = await withJournal(changes, () => runCommand(invocation, io))
  settled()
  if (changes.end()) io.stderr.write('nothing was changed: what had been written already was taken back\n')
  return code
}

async function runCommand(
  { path, command, flags, args, usage }: Extract<Invocation, { kind: 'command' }>,
  io: Io,
): Promise<number> {
  let begun = false
  try {
    const session = new Session(io, {
      privateKey: flags.text('private-key'),
      interactive: flags.switch('interactive'),
      configDir: flags.text('config-dir'),
      dataDir: flags.text('data-dir'),
      keystoreDir: flags.text('keystore-dir'),
      allDirs: flags.text('all-dirs'),
    })
    checkCompatibility(session, command)
    if (session.interactive || atTerminal(session)) {
      const { converse } = await import('../dialogs/index.ts')
      await converse(path, { session, flags, args }, { operator: !command.storeless })
    }
    if (!command.storeless) session.store()
    const { run } = await command.load()
    const begin = () => {
      begun = true
    }
    const report = await run({ session, flags, args, entries: ENTRIES, begin })
    if (!report) return 0
    return command.jsonReport && flags.switch('json') ? printJson(io, report) : printReport(io, report)
  } catch (thrown) {
    const always = thrown instanceof NscError && thrown.showUsage
    const wanted = always || !(command.quiet || begun)
    if (!(thrown instanceof Error)) throw thrown
    if (thrown instanceof NscError && thrown.code === 'cancelled') {
      printError(io, thrown.message, '')
      return INTERRUPTED
    }
    const wasDeclined = thrown instanceof NscError && thrown.code === 'declined'
    return printError(io, textOf(thrown), wanted && !wasDeclined ? usage() : '')
  }
}

/** A report with an error goes to standard error as a whole, so that it is seen when output is captured. */
function printReport(io: Io, report: Report): number {
  const stream = report.failed ? io.stderr : io.stdout
  const text = report.render()
  const summary = report.summary()
  // The official program prints an empty line for a report that has nothing to say.
  stream.write(`${text}\n`)
  if ('failure' in summary) return printError(io, summary.failure, '')
  if (summary.success) stream.write(`${summary.success}\n`)
  return 0
}

/** The report as JSON always goes to standard output; whether it failed is in it, and in the exit code. */
function printJson(io: Io, report: Report): number {
  const summary = report.summary()
  const failed = 'failure' in summary
  const { level, lines = [] } = report.toJSON()
  const body = { level, summary: failed ? summary.failure : summary.success, lines }
  io.stdout.write(`${JSON.stringify(body, null, 1)}\n`)
  return failed ? printError(io, summary.failure, '') : 0
}

function printError(io: Io, text: string, usage: string): number {
  io.stderr.write(`Error: ${text}\n`)
  if (usage !== '') io.stderr.write(`${usage}\n`)
  return 1
}
