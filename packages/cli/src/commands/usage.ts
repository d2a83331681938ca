import { type Io, wantsColour } from '../io.ts'
import { painter } from '../output/paint.ts'
import { usageLines } from '../output/usage.ts'
import type { Register } from './register.ts'
import { type OwnerFlags, ownerFlags, printJson, signInAsOwner } from './shared.ts'

export const registerUsage: Register = (program, { io }) => {
  ownerFlags(program.command('usage'))
    .helpGroup('Your account:')
    .summary('show what the account uses')
    .description('Shows connections, data and messages of the account beside the limits of its plan.')
    .addHelpText('after', '\nExamples:\n  ngs usage\n  ngs usage --json\n')
    .action((flags: OwnerFlags) => usage(flags, io))
}

async function usage(flags: OwnerFlags, io: Io): Promise<void> {
  const report = await (await signInAsOwner(flags, io)).usage()
  if (flags.json === true) return printJson(io, report)
  io.stdout.write(`${usageLines(report.usage, report.limits, painter(wantsColour(io))).join('\n')}\n`)
}
