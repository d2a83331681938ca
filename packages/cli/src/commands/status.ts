import { type Io, wantsColour } from '../io.ts'
import { painter } from '../output/paint.ts'
import { dataText, sizeText } from '../output/units.ts'
import { usageLines } from '../output/usage.ts'
import type { Register } from './register.ts'
import { type OwnerFlags, ownerFlags, printJson, signInAsOwner } from './shared.ts'

export const registerStatus: Register = (program, { io }) => {
  ownerFlags(program.command('status'))
    .helpGroup('Your account:')
    .summary('show plan, limits and usage of the account')
    .description(
      'Shows how the account stands. The service lets the owner in who signs its nonce with the account key, which nsc keeps on this machine.',
    )
    .addHelpText('after', '\nExamples:\n  ngs status\n  ngs status --account First --json\n')
    .action((flags: OwnerFlags) => status(flags, io))
}

async function status(flags: OwnerFlags, io: Io): Promise<void> {
  const account = await (await signInAsOwner(flags, io)).status()
  if (flags.json === true) return printJson(io, account)
  const paint = painter(wantsColour(io))
  const { plan, limits, usage } = account
  const state = account.state === 'active' ? paint('green', account.state) : paint('red', account.state)
  const lines = [
    `${paint('bold', account.name)}  ${paint('dim', account.account)}`,
    '',
    `  ${'Plan'.padEnd(14)}${paint('bold', plan.name)}, ${state}`,
    `  ${'Max message'.padEnd(14)}${sizeText(limits.payload)}`,
  ]
  if (usage === null) {
    lines.push(
      `  ${'Connections'.padEnd(14)}at most ${limits.connections}`,
      `  ${'Data'.padEnd(14)}at most ${dataText(limits.data)} a month`,
      '',
      paint('yellow', '  No message server answers at the moment, so there are no usage figures.'),
    )
  } else lines.push(...usageLines(usage, limits, paint))
  io.stdout.write(`${lines.join('\n')}\n`)
}
