import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { ServiceClient } from '../api/client.ts'
import { CliError, reasonOf } from '../errors.ts'
import { type Io, wantsColour } from '../io.ts'
import { painter } from '../output/paint.ts'
import { columns } from '../output/table.ts'
import { dataDirOf } from '../up/data-dir.ts'
import type { Register } from './register.ts'
import { printJson, type ServiceFlags, serviceFlags, serviceUrl } from './shared.ts'

interface Flags extends ServiceFlags {
  dataDir?: string
}

/** Where the service keeps the bearer token of the operator's API, in the data directory. */
const TOKEN_FILE = 'operator.token'

export const registerOperator: Register = (program, { io }) => {
  const group = program
    .command('operator')
    .helpGroup('Run the system:')
    .helpCommand(false)
    .summary('look after the accounts, as the operator')
    .description(
      'For the operator of the system: on the machine, and as the user, that runs ngs up, because the operator token is a file of the data directory.',
    )
  const command = (line: string): Command =>
    serviceFlags(group.command(line)).option(
      '--data-dir <dir>',
      'data directory of ngs up (default: $NGS_DATA_DIR, else ~/.local/share/ngs)',
    )
  command('accounts')
    .summary('list all accounts')
    .description('Lists all accounts with their plans.')
    .addHelpText('after', '\nExamples:\n  ngs operator accounts\n  ngs operator accounts --json\n')
    .action((flags: Flags) => accounts(flags, io))
  command('plan')
    .argument('<account>', 'public key, or a name that one account has')
    .argument('<plan>', 'id or name of a plan; ngs plans shows them')
    .summary('put an account on a plan')
    .description(
      'Puts an account on another plan. Its connections get the new limits within seconds; nothing is interrupted.',
    )
    .addHelpText('after', '\nExamples:\n  ngs operator plan First developer\n')
    .action((account: string, plan: string, flags: Flags) => changePlan(account, plan, flags, io))
}

async function accounts(flags: Flags, io: Io): Promise<void> {
  const list = await operatorClient(flags, io).accounts()
  if (flags.json === true) return printJson(io, list)
  if (list.accounts.length === 0) {
    io.stdout.write('There is no account yet.\n')
    return
  }
  const rows = list.accounts.map((entry) => [
    entry.name,
    entry.plan,
    entry.distributed ? entry.state : `${entry.state}, on its way to the servers`,
    entry.created_at.slice(0, 10),
    entry.account,
  ])
  io.stdout.write(`${columns(['Name', 'Plan', 'State', 'Created', 'Account'], rows, wantsColour(io))}\n`)
}

async function changePlan(account: string, plan: string, flags: Flags, io: Io): Promise<void> {
  const entry = await operatorClient(flags, io).changePlan(account, plan)
  if (flags.json === true) return printJson(io, entry)
  const paint = painter(wantsColour(io))
  const reach = entry.distributed
    ? 'The message servers have its new limits.'
    : 'The message servers get its new limits as soon as they can be reached.'
  io.stdout.write(`${entry.name} is on the plan ${paint('bold', entry.plan)} now. ${reach}\n`)
}

function operatorClient(flags: Flags, io: Io): ServiceClient {
  const url = serviceUrl(io, flags.url)
  const file = join(dataDirOf(io, flags.dataDir), TOKEN_FILE)
  try {
    return new ServiceClient(url, readFileSync(file, 'utf8').trim())
  } catch (error) {
    throw new CliError(
      'no-operator-token',
      `cannot read the operator token ${file}: ${reasonOf(error)}; run this as the user that runs ngs up, and name its data directory with --data-dir`,
    )
  }
}
