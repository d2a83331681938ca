import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ownAccount } from '../api/account.ts'
import { CliError, usageError } from '../errors.ts'
import { type Io, isInteractive, wantsColour } from '../io.ts'
import { painter } from '../output/paint.ts'
import { forward } from './forward.ts'
import type { Register } from './register.ts'
import { printJson, type ServiceFlags, serviceFlags, serviceUrl } from './shared.ts'

interface Flags extends ServiceFlags {
  name?: string
}

const EXAMPLES = `
Examples:
  ngs signup                          asks for the name of the account
  ngs signup --name First             asks nothing
`

/** The operator's name in stores, which nsc finds at NGS_URL. */
const OPERATOR = 'ngs'

export const registerSignup: Register = (program, { io, exit }) => {
  serviceFlags(program.command('signup'))
    .helpGroup('Your account:')
    .summary('make an account and its first user')
    .description(
      'Makes the keys of an account and its first user on this machine and has the service sign the account. The keys never leave this machine; who loses them loses the account.',
    )
    .option('-n, --name <name>', 'name of the account')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: Flags) => exit(await signup(flags, io)))
}

async function signup(flags: Flags, io: Io): Promise<number> {
  const env = { ...io.env, NGS_URL: serviceUrl(io, flags.url) }
  const name = flags.name?.trim() || (await askName(flags, io))
  await refuseSecond(name, { ...io, env })
  // In JSON nothing but the result is on stdout; the reports go where the errors go.
  const out = flags.json === true ? io.stderr : io.stdout
  const code = await forward(['init', '-o', OPERATOR, '-n', name], { ...io, env, stdout: out })
  if (code !== 0) return code
  const account = await ownAccount({ ...io, env }, name)
  if (flags.json === true) {
    printJson(io, { name: account.name, account: account.publicKey, user: name })
    return 0
  }
  const paint = painter(wantsColour(io))
  io.stdout.write(`\nYou are signed up. Next:\n\n`)
  for (const command of ['ngs tool req ngs.echo hello', 'ngs status', 'ngs add user --name bob']) {
    io.stdout.write(`  ${paint('bold', command)}\n`)
  }
  return 0
}

async function askName(flags: Flags, io: Io): Promise<string> {
  if (flags.json === true || !isInteractive(io)) {
    throw usageError('name the account with --name NAME (there is no terminal to ask on)')
  }
  const { isCancel, text } = await import('@clack/prompts')
  const answer = await text({
    message: 'How shall the account be called?',
    placeholder: 'First',
    defaultValue: 'First',
    validate: (value) => (/[/\\]/.test(value ?? '') ? 'A name holds no / and no \\' : undefined),
  })
  if (isCancel(answer)) throw new CliError('cancelled', 'cancelled; nothing was made')
  return answer.trim() || 'First'
}

/** nsc init makes a store and would only say that there is one. */
async function refuseSecond(name: string, io: Io): Promise<void> {
  const { Session } = await import('@ngs/nsc/session')
  const { context } = new Session(io, {})
  if (!existsSync(join(context.storeRoot, OPERATOR))) return
  throw new CliError(
    'signed-up',
    `this machine is signed up already (operator ${OPERATOR}); add another account with ngs add account --name ${name}, and a user with ngs add user`,
  )
}
